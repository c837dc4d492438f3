"""Reading sentences from the tables, which must agree."""

import pytest

from visner import tables
from visner.errors import VisnerError
from visner.keyed_vectors import UNSEEN
from visner.ner.dataset import read_sentences

LABELS = {"O": 0, "B-City": 1, "I-City": 2}


@pytest.fixture
def written(tmp_path):
    """Tables of three sentences, two of them in train."""
    sentences, words = [], []
    for number, split in enumerate(["train", "dev", "train"]):
        row = {
            "sentence_id": f"s{number}",
            "document_id": "d",
            "split": split,
            "text": "京都へ",
            "units": list("京都へ"),
        }
        sentences.append({**row, "labels": ["B-City", "I-City", "O"], "attachment": None})
        pair = [("京都", 0, 2), ("へ", 2, 3)]
        found = [{"surface": s, "pos": "", "start": a, "stop": b, "queries": []} for s, a, b in pair]
        words.append({"sentence_id": f"s{number}", "words": found})
    return tmp_path, sentences, words


def read(folder, sentences, words, grounding=None):
    tables.write_table(folder / "sentences", tables.SENTENCES, sentences)
    tables.write_table(folder / "words", tables.WORDS, words)
    if grounding is not None:
        tables.write_table(folder / "grounding", tables.GROUNDING, grounding)
    paths = (folder / "sentences", folder / "words", folder / "grounding" if grounding is not None else None)
    return read_sentences(*paths, ["train"], {"京": 0}, {"京都": 0}, LABELS)


def test_occurrences_count_the_words_of_all_splits(written):
    folder, sentences, words = written
    first, last = read(folder, sentences, words)["train"]
    assert first.occurrences.tolist() == [0, 1]
    assert last.occurrences.tolist() == [4, 5]  # the dev sentence between them has two words as well
    assert last.units.tolist() == [0, -1, -1]
    assert last.words.tolist() == [0, -1]
    assert last.labels.tolist() == [1, 2, 0]


@pytest.mark.parametrize("broken", ["shorter", "other", "grounding"])
def test_tables_that_disagree_stop_with_their_name(written, broken):
    folder, sentences, words = written
    grounding = None
    if broken == "shorter":
        words.pop()
    elif broken == "other":
        words[1]["sentence_id"] = "s9"
    else:
        grounding = [{"sentence_id": "s0", "rows": [[], [], []], "scores": [[], [], []]}]
    with pytest.raises(VisnerError, match="its sentences are not those of"):
        read(folder, sentences, words, grounding)


def test_what_has_no_vector_has_none_or_that_of_the_unseen(written):
    folder, sentences, words = written
    tables.write_table(folder / "sentences", tables.SENTENCES, sentences)
    words[0]["words"].pop()  # へ lies between words
    tables.write_table(folder / "words", tables.WORDS, words)
    paths = (folder / "sentences", folder / "words", None)
    for unseen, row in (({}, -1), ({UNSEEN: 7}, 7)):
        sentence, other = read_sentences(*paths, ["train"], {"京": 0, **unseen}, {"東京": 0, **unseen}, LABELS)["train"]
        assert sentence.units.tolist() == [0, row, row]
        assert sentence.words.tolist() == [row, -1]
        assert other.words.tolist() == [row, row]
