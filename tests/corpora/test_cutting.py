"""Cutting: at sentence ends if configured, at max_units always, never inside a mention."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visner.corpora.cutting import length_cuts, sentence_ends
from visner.runtime.spans import Span, bio_to_spans, spans_to_bio


def _cut(text: str, cuts: list[int]) -> list[str]:
    return [text[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(text)], strict=True)]


@pytest.mark.parametrize(
    "text",
    [
        "行った。|見た！|勝った？|はい",
        "えっ！？|何。。。|はい",
        "「行く。見る。」と言った。|そう",
        "「行く。|（閉じない。|そう",  # a bracket without a partner is a character
        "行く。」|と（見る。」と）言う。|そう",
        "『「あ。」い。』う。|え",
        "（「あ。）い。|う",
        "（あ）い。|う）。|え",  # a bracket has one partner
        "次。|　はい。 ",  # white space is no sentence
        "広島",
        "。",
        "",
    ],
)
def test_sentence_ends(text):
    parts = text.split("|")
    text = "".join(parts)
    assert _cut(text, sentence_ends(list(text), ["O"] * len(text))) == parts


def test_a_sentence_does_not_end_inside_a_mention():
    text = "モー娘。新潟。はい"
    assert _cut(text, sentence_ends(list(text), spans_to_bio([Span(0, 6, "X")], 9))) == ["モー娘。新潟。", "はい"]


@pytest.mark.parametrize(
    "text, limit, mention",
    [
        ("あいう。えお、|かきくけ", 8, None),  # the last pause within the limit
        ("あいう |えおかきく", 5, None),
        ("あいうえお|かきくけこ|さ", 5, None),
        ("あいう|えおかき|く", 4, (3, 7)),  # before the mention at the limit
        ("あいうえおか|きく", 4, (0, 6)),  # behind a mention that is longer than the limit
        ("あい、|うえ、おか", 5, (3, 7)),  # a pause in a mention is none
        ("あいうえ", 4, None),
    ],
)
def test_length_cuts(text, limit, mention):
    parts = text.split("|")
    text = "".join(parts)
    labels = spans_to_bio([Span(*mention, "X")] if mention else [], len(text))
    assert _cut(text, length_cuts(list(text), labels, limit)) == parts


@st.composite
def _labelled(draw):
    text = draw(st.text(st.sampled_from("あい。、 「」！"), max_size=60))
    borders = draw(st.lists(st.integers(0, len(text)), unique=True).map(sorted))
    spans = [Span(start, stop, "X") for start, stop in zip(borders[::2], borders[1::2], strict=False)]
    return text, spans_to_bio(spans, len(text))


@given(_labelled(), st.integers(1, 20))
def test_parts_make_up_the_sentence_and_keep_its_mentions(labelled, limit):
    text, labels = labelled
    for cuts in (sentence_ends(list(text), labels), length_cuts(list(text), labels, limit)):
        assert cuts == sorted(set(cuts) - {0, len(text)})
        mentions = []
        for start, stop in zip([0, *cuts], [*cuts, len(text)], strict=True):
            mentions += [(start + span.start, start + span.stop) for span in bio_to_spans(labels[start:stop])]
        assert mentions == [span[:2] for span in bio_to_spans(labels)]
    for start, stop in zip([0, *cuts], [*cuts, len(text)], strict=True):  # of length_cuts
        longer = [span for span in bio_to_spans(labels[start:stop]) if span.stop - span.start > limit]
        assert stop - start <= limit or longer


def test_parts_have_ids_of_their_own_and_are_counted(ene):
    corpus = ene(
        {"A": "<City>広島</City>だ。京都だよ、奈良だよ。\n<City>あいうえおか</City>\n広。"},
        split_sentences=True,
        max_units=5,
    )
    assert [(row["sentence_id"], row["text"]) for row in corpus.rows] == [
        ("A:5.1", "広島だ。"),
        ("A:5.2", "京都だよ、"),
        ("A:5.3", "奈良だよ。"),
        ("A:6", "あいうえおか"),
        ("A:7", "広。"),
    ]
    counts = [corpus.count(kind) for kind in ("sentences_split", "sentences_long", "mentions_long")]
    assert counts == [1, 1, 1]


def test_lines_stay_whole_unless_configured(ene):
    assert [row["text"] for row in ene({"A": "広島だ。京都だ。"}).rows] == ["広島だ。京都だ。"]


def test_tokens_are_cut_too(write, read):
    write("a.txt", "".join(f"t{number} {label}\n" for number, label in enumerate(["O", "O", "B-X", "I-X", "O"])))
    corpus = read(format="conll", paths=["a.txt"], classes=["X"], max_units=3)
    assert [row["text"] for row in corpus.rows] == ["t0 t1", "t2 t3 t4"]
