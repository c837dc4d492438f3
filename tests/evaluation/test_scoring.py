"""Counts and measures against seqeval, against cases worked out by hand, and their handling of MIX."""

import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import precision_recall_fscore_support
from seqeval.metrics.v1 import precision_recall_fscore_support as strict_support
from seqeval.scheme import IOB2

from visner.evaluation.mentions import mentions_in
from visner.evaluation.score import seed_scores
from visner.evaluation.scoring import Counts, count, measures, total

LABELS = ["O", "B-City", "I-City", "B-GPE_Other", "I-GPE_Other", "B-a-b", "I-a-b"]  # a class may have a hyphen
UNSEEN = {"seen": lambda mention: False}
PAIRS = st.lists(
    st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)), max_size=12), min_size=1, max_size=6
)


def mentions(sentences, reading="strict"):
    """The mentions of many sentences of labels."""
    return [
        mention
        for number, labels in enumerate(sentences)
        for mention in mentions_in(str(number), [f"unit{position}" for position in range(len(labels))], labels, reading)
    ]


@settings(max_examples=300)
@given(PAIRS)
@pytest.mark.parametrize("reading", ["strict", "lenient"])
def test_every_measure_agrees_with_seqeval(reading, pairs):
    gold = [[one for one, _ in sentence] for sentence in pairs]
    predicted = [[one for _, one in sentence] for sentence in pairs]
    classes = sorted({label[2:] for labels in (*gold, *predicted) for label in labels if label != "O"})
    ours = seed_scores(mentions(gold, reading), mentions(predicted, reading), classes, UNSEEN)

    def theirs(average):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of undefined measures, which are 0 on both sides
            if reading == "strict":
                return strict_support(gold, predicted, average=average, scheme=IOB2, zero_division=0)
            return precision_recall_fscore_support(gold, predicted, average=average, zero_division=0)

    for average in ("micro", "weighted"):
        precision, recall, f1, _ = theirs(average)
        expected = {"precision": 100 * precision, "recall": 100 * recall, "f1": 100 * f1}
        assert {key: ours[average][key] for key in expected} == pytest.approx(expected, abs=1e-5)
    found = [name for name in classes if ours["classes"][name]["gold"] or ours["classes"][name]["predicted"]]
    for name, precision, recall, f1, support in zip(found, *theirs(None), strict=True):
        one = ours["classes"][name]
        assert (one["precision"], one["recall"], one["f1"]) == pytest.approx((100 * precision, 100 * recall, 100 * f1))
        assert one["gold"] == support


@pytest.mark.parametrize(
    "reading, expected",
    [("strict", Counts(gold=2, predicted=2, correct=1)), ("lenient", Counts(gold=2, predicted=4, correct=2))],
)
def test_a_case_by_hand(reading, expected):
    gold = ["B-City", "I-City", "O", "B-City", "O", "O"]
    # the first is right; I-City after O and after another class is a mention for the lenient reading only
    predicted = ["B-City", "I-City", "O", "I-City", "B-GPE_Other", "I-City"]
    counts = count(mentions([gold], reading), mentions([predicted], reading), lambda mention: mention.label)
    assert total(counts.values()) == expected


def test_measures_by_hand():
    assert measures(Counts(gold=4, predicted=3, correct=2)) == {
        "precision": 66.666667,
        "recall": 50.0,
        "f1": 57.142857,
        "gold": 4,
        "predicted": 3,
        "correct": 2,
    }
    assert measures(Counts(0, 0, 0))["f1"] == 0
    assert measures(Counts(gold=1, predicted=0, correct=0))["precision"] == 0


def test_the_right_borders_in_the_wrong_class_are_two_errors():
    counts = count(mentions([["B-City"]]), mentions([["B-Province"]]), lambda mention: mention.label)
    assert counts == {"City": Counts(1, 0, 0), "Province": Counts(0, 1, 0)}


def test_mix_is_in_no_average_and_counted_apart():
    gold = ["B-MIX", "B-MIX", "B-City", "B-City"]
    predicted = ["B-MIX", "B-City", "B-MIX", "B-City"]
    found = seed_scores(mentions([gold]), mentions([predicted]), ["City"], UNSEEN)
    assert found["mix"] == measures(Counts(gold=2, predicted=2, correct=1))
    assert found["micro"] == measures(Counts(gold=2, predicted=2, correct=1))  # the City predicted on a MIX is wrong
    assert set(found["classes"]) == {"City"}
    assert found["weighted"]["f1"] == 50
    assert found["seen"]["all"]["unseen"]["gold"] == 2


def test_a_class_without_gold_mentions_has_no_weight():
    found = seed_scores(mentions([["B-City", "O"]]), mentions([["B-City", "B-County"]]), ["City", "County"], UNSEEN)
    assert found["weighted"] == {"precision": 100.0, "recall": 100.0, "f1": 100.0}
    assert found["micro"]["precision"] == 50


@pytest.mark.parametrize("reading, mentions_there", [("strict", 5072), ("lenient", 5207)])
def test_gold_support_of_twitter_2015_is_the_published_one(shared_data, reading, mentions_there):
    """Its test set has orphan I- labels: the papers that score leniently count 5,207 mentions, others 5,072."""
    tweets = (shared_data / "twitter2015" / "test.txt").read_text(encoding="utf-8").split("\n\n")
    labels = [
        [line.split("\t")[1] for line in tweet.splitlines() if "\t" in line and not line.startswith("IMGID:")]
        for tweet in tweets
    ]
    found = seed_scores(mentions(labels, reading), mentions(labels, reading), ["LOC", "ORG", "OTHER", "PER"], UNSEEN)
    assert found["micro"] == measures(Counts(mentions_there, mentions_there, mentions_there))
