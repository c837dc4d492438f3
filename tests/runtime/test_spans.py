"""Spans and labels: round trips, both readings of BIO by hand, and seqeval as the judge of all schemes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval import scheme as strict
from seqeval.metrics.sequence_labeling import get_entities

from visner.runtime.spans import SCHEMES, Span, bio_to_spans, breaches, micro_f1, spans_to_bio, to_bio


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


STRICT = {"BIO": strict.IOB2, "IOB1": strict.IOB1, "BIOES": strict.IOBES, "BILOU": strict.BILOU}
AS_BIOES = str.maketrans("UL", "SE")  # seqeval's lenient reading knows no U and L


def labels_of(scheme):
    return st.lists(st.sampled_from(["O", *(f"{prefix}-{one}" for prefix in SCHEMES[scheme] for one in "xy")]))


def spelled(spans, length, scheme):
    """Labels of spans in a scheme, by its definition."""
    labels = ["O"] * length
    for start, stop, name in spans:
        touches = start and labels[start - 1][2:] == name
        for place in range(start, stop):
            first, last = place == start, place == stop - 1
            labels[place] = {
                "BIO": "B" if first else "I",
                "IOB1": "B" if first and touches else "I",
                "BIOES": "S" if first and last else "B" if first else "E" if last else "I",
                "BILOU": "U" if first and last else "B" if first else "L" if last else "I",
            }[scheme] + f"-{name}"
    return labels


@pytest.mark.parametrize("scheme", SCHEMES)
@given(st.data())
def test_every_scheme_loses_nothing_and_is_not_broken(scheme, data):
    length, spans = data.draw(sentences())
    labels = spelled(spans, length, scheme)
    assert to_bio(labels, scheme) == spans_to_bio(spans, length)
    assert list(breaches(labels, scheme)) == []


@pytest.mark.parametrize("scheme", ["IOB1", "BIOES", "BILOU"])
@given(st.data())
def test_case_inconsistent_labels_are_read_as_seqeval_reads_them(scheme, data):
    labels = data.draw(labels_of(scheme))
    found = [(name, start, stop - 1) for start, stop, name in bio_to_spans(to_bio(labels, scheme))]
    assert found == get_entities([label.translate(AS_BIOES) for label in labels])
    assert list(breaches(to_bio(labels, scheme), "BIO")) == []


@pytest.mark.parametrize("scheme", SCHEMES)
@given(st.data())
def test_labels_that_seqeval_reads_otherwise_when_strict_are_breaches(scheme, data):
    labels = data.draw(labels_of(scheme))
    found = [(one.start, one.end, one.tag) for one in strict.Tokens(labels, STRICT[scheme]).entities]
    lenient = bio_to_spans(to_bio(labels, scheme), lenient=True)
    assert (found == lenient) or list(breaches(labels, scheme))


@pytest.mark.parametrize(
    "scheme, labels, broken",
    [
        ("BIO", "I-x I-x B-y I-x O", [0, 3]),
        ("BIO", "S-x B-y E-y", [0, 2]),
        ("IOB1", "B-x I-x B-x O B-y", [0, 4]),
        ("BIOES", "B-x I-x E-x S-y B-y E-y", []),
        ("BIOES", "B-x O I-x E-x E-x", [0, 2, 4]),
        ("BIOES", "S-x I-x", [1]),
        ("BILOU", "B-x L-x U-y B-y I-y", [4]),
        ("BILOU", "B-x E-x", [1]),
    ],
)
def test_breaches_by_hand(scheme, labels, broken):
    assert list(breaches(labels.split(), scheme)) == broken


def test_micro_f1_by_hand_and_without_mix():
    gold = ["B-X I-X O B-MIX".split(), "B-Y O O O".split()]
    predicted = ["B-X I-X O O".split(), "B-X O B-Y O".split()]
    # correct 1, predicted 3, gold 2 (MIX is left out)
    assert micro_f1(gold, predicted) == pytest.approx(2 * 1 / 5)
    assert micro_f1(gold, gold) == 1
    assert micro_f1([["O"]], [["O"]]) == 0
