"""Seen and unseen mentions against a count by brute force."""

from hypothesis import given
from hypothesis import strategies as st

from visner.evaluation.mentions import mentions_in, read_gold
from visner.evaluation.seen import by_name, by_words, seen_and_unseen
from visner.runtime import tables

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
    found = seen_and_unseen(gold, predicted, ["City", "Province"], by_name(known))
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
    found = seen_and_unseen(spans(scored, 1), spans(scored, 2), ["City", "Province"], by_name(known))
    assert found["City"]["unseen"]["gold"] == 1  # 京 as a City is new
    assert found["Province"]["seen"]["predicted"] == 1  # the wrong prediction repeats what training saw


def test_surfaces_of_tokens_keep_their_borders():
    known = mentions_in("a", ["New", "York"], ["B-City", "I-City"], "strict")
    gold = mentions_in("b", ["NewYork"], ["B-City"], "strict")
    assert seen_and_unseen(gold, [], ["City"], by_name(known))["City"]["unseen"]["gold"] == 1


def sentence(name, split, units, labels="O"):
    labels = labels.split() if " " in labels or len(units) == 1 else [labels] * len(units)
    text = {"sentence_id": name, "document_id": name, "split": split, "text": "".join(units)}
    return {**text, "units": list(units), "labels": labels, "attachment": None}


def test_by_words_a_mention_is_seen_where_a_word_of_it_is_in_the_training_text(tmp_path):
    """京都市 was never labelled, and its word 市 stands in the training text; 京都 is there inside of no word."""
    rows = [
        sentence("a", "train", "東京都の市"),
        sentence("b", "test", "京都市", "B-City I-City I-City"),
        sentence("c", "test", "京都", "B-City I-City"),
        sentence("d", "dev", "市"),
    ]
    cuts = {"a": ["東京都", "の", "市"], "b": ["京都", "市"], "c": ["京都"], "d": ["市"]}
    words = []
    for name, surfaces in cuts.items():
        start, found = 0, []
        for surface in surfaces:
            found.append({"surface": surface, "pos": "", "start": start, "stop": start + len(surface), "queries": []})
            start += len(surface)
        words.append({"sentence_id": name, "words": found})
    tables.write_table(tmp_path / "sentences.parquet", tables.SENTENCES, rows)
    tables.write_table(tmp_path / "words.parquet", tables.WORDS, words)
    gold = read_gold(tmp_path / "sentences.parquet")
    is_seen = by_words(gold, tmp_path / "sentences.parquet", tmp_path / "words.parquet")
    mentions = gold.mentions["strict"]["test"]
    assert [is_seen(mention) for mention in mentions] == [True, False]
    assert not any(map(by_name(gold.mentions["strict"]["train"]), mentions))


def test_by_words_tokens_are_the_words(tmp_path):
    rows = [
        sentence("a", "train", ["New", "shoes"], "O O"),
        sentence("b", "test", ["New", "York"], "B-City I-City"),
        sentence("c", "test", ["Kyoto"], "B-City"),
    ]
    tables.write_table(tmp_path / "sentences.parquet", tables.SENTENCES, rows)
    gold = read_gold(tmp_path / "sentences.parquet")
    is_seen = by_words(gold, tmp_path / "sentences.parquet", None)
    assert [is_seen(mention) for mention in gold.mentions["strict"]["test"]] == [True, False]
