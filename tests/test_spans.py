"""Spans and labels: round trips, and both readings of BIO by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visner.spans import Span, bio_to_spans, bioes_to_bio, micro_f1, spans_to_bio


@st.composite
def sentences(draw):
    length = draw(st.integers(1, 30))
    borders = sorted(draw(st.sets(st.integers(0, length), max_size=8)))
    pairs = zip(borders, borders[1:], strict=False)
    return length, [Span(a, b, draw(st.sampled_from("XY"))) for a, b in pairs if draw(st.booleans())]


@given(sentences(), st.booleans())
def test_spans_survive_bio(sentence, lenient):
    length, spans = sentence
    assert bio_to_spans(spans_to_bio(spans, length), lenient=lenient) == spans


@pytest.mark.parametrize(
    "labels, strict, lenient",
    [
        ("O I-X I-X O", [], [(1, 3, "X")]),
        ("B-X I-Y I-Y", [(0, 1, "X")], [(0, 1, "X"), (1, 3, "Y")]),
        ("B-X B-X I-X", [(0, 1, "X"), (1, 3, "X")], [(0, 1, "X"), (1, 3, "X")]),
        ("I-X O I-X", [], [(0, 1, "X"), (2, 3, "X")]),
    ],
)
def test_orphans_are_outside_in_the_strict_reading_and_open_in_the_lenient(labels, strict, lenient):
    assert bio_to_spans(labels.split()) == strict
    assert bio_to_spans(labels.split(), lenient=True) == lenient


@pytest.mark.parametrize("spans", [[Span(0, 2, "X"), Span(1, 3, "X")], [Span(1, 1, "X")], [Span(2, 5, "X")]])
def test_impossible_spans_are_refused(spans):
    with pytest.raises(ValueError, match="span"):
        spans_to_bio(spans, 4)


def test_bioes_loses_nothing():
    assert bioes_to_bio("S-X B-X I-X E-X O S-Y".split()) == "B-X B-X I-X I-X O B-Y".split()


def test_micro_f1_by_hand_and_without_mix():
    gold = ["B-X I-X O B-MIX".split(), "B-Y O O O".split()]
    predicted = ["B-X I-X O O".split(), "B-X O B-Y O".split()]
    # correct 1, predicted 3, gold 2 (MIX is left out)
    assert micro_f1(gold, predicted) == pytest.approx(2 * 1 / 5)
    assert micro_f1(gold, gold) == 1
    assert micro_f1([["O"]], [["O"]]) == 0
