"""Reading sentences from the tables, which must agree."""

import numpy as np
import pytest
import torch

from visner.config.experiments import BiLSTMExperiment
from visner.errors import VisnerError
from visner.ner.bilstm_data import read
from visner.ner.inputs import Files
from visner.runtime import tables
from visner.runtime.keyed_vectors import UNSEEN, write_vectors

LABELS = ["O", "B-City", "I-City"]


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


def training(folder, sentences, words, grounding=None, keys=(["京"], ["京都"])):
    """The training sentences, read from tables."""
    tables.write_table(folder / "sentences", tables.SENTENCES, sentences)
    tables.write_table(folder / "words", tables.WORDS, words)
    if grounding is not None:
        tables.write_table(folder / "grounding", tables.GROUNDING, grounding)
    for name, some in zip(("chars", "glove"), keys, strict=True):
        write_vectors(folder / name, some, np.ones((len(some), 2), dtype=np.float32), {})
    files = Files(folder / "sentences", folder / "words", folder / "chars", folder / "glove")
    files.grounding = folder / "grounding" if grounding is not None else None
    recipe = BiLSTMExperiment(corpus="x", vectors="x")
    return read(files, ["train"], LABELS, recipe, torch.device("cpu"))[1].splits["train"]


def test_occurrences_count_the_words_of_all_splits(written):
    folder, sentences, words = written
    first, last = training(folder, sentences, words)
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
        training(folder, sentences, words, grounding)


def test_what_has_no_vector_has_none_or_that_of_the_unseen(written):
    folder, sentences, words = written
    words[0]["words"].pop()  # へ lies between words
    for unseen, row in (([], -1), ([UNSEEN], 1)):
        sentence, other = training(folder, sentences, words, keys=(["京", *unseen], ["東京", *unseen]))
        assert sentence.units.tolist() == [0, row, row]
        assert sentence.words.tolist() == [row, -1]
        assert other.words.tolist() == [row, row]
