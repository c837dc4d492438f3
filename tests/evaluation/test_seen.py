"""Seen and unseen mentions against a count by brute force."""

from hypothesis import given
from hypothesis import strategies as st

from visner.evaluation.mentions import mentions_in
from visner.evaluation.seen import seen_and_unseen

UNITS = st.sampled_from("京都東")
LABELS = st.sampled_from(["O", "B-City", "I-City", "B-Province", "I-Province"])
SENTENCES = st.lists(st.lists(st.tuples(UNITS, LABELS, LABELS), max_size=6), max_size=5)


def spans(sentences, column):
    """Mentions of sentences of (unit, gold label, predicted label)."""
    return [
        mention
        for number, rows in enumerate(sentences)
        for mention in mentions_in(str(number), [row[0] for row in rows], [row[column] for row in rows], "strict")
    ]


@given(SENTENCES, SENTENCES)
def test_counts_agree_with_brute_force(training, scored):
    known, gold, predicted = spans(training, 1), spans(scored, 1), spans(scored, 2)
    found = seen_and_unseen(known, gold, predicted, ["City", "Province"])
    for name in ("City", "Province", "all"):
        for group in ("seen", "unseen"):
            expected = {"gold": 0, "predicted": 0, "correct": 0}
            for kind, ones in (("gold", gold), ("predicted", predicted)):
                for one in ones:
                    is_seen = any(other.label == one.label and other.surface == one.surface for other in known)
                    if name in (one.label, "all") and is_seen == (group == "seen"):
                        expected[kind] += 1
                        expected["correct"] += kind == "gold" and one in predicted
            assert {key: found[name][group][key] for key in expected} == expected


def test_a_name_known_in_another_class_is_unseen():
    known = spans([[("京", "B-Province", "O")]], 1)
    scored = [[("京", "B-City", "B-Province")]]
    found = seen_and_unseen(known, spans(scored, 1), spans(scored, 2), ["City", "Province"])
    assert found["City"]["unseen"]["gold"] == 1  # 京 as a City is new
    assert found["Province"]["seen"]["predicted"] == 1  # the wrong prediction repeats what training saw


def test_surfaces_of_tokens_keep_their_borders():
    known = mentions_in("a", ["New", "York"], ["B-City", "I-City"], "strict")
    gold = mentions_in("b", ["NewYork"], ["B-City"], "strict")
    assert seen_and_unseen(known, gold, [], ["City"])["City"]["unseen"]["gold"] == 1
