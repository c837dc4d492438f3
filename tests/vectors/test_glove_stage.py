"""The stage of GloVe, from tables to a file."""

import numpy as np
import pytest

from visner.config.vectors import Glove
from visner.errors import VisnerError
from visner.runtime import tables
from visner.runtime.keyed_vectors import UNSEEN, read_vectors
from visner.vectors.glove import glove as write_glove
from visner.vectors.texts import training_sentences

TEXTS = [("train", ["京都", "に", "雨"]), ("dev", ["禁"]), ("train", ["雨", "が", "雨"]), ("test", ["止"])]


def glove(recipe, unit, corpora, output, **more):
    sentences, words = zip(*corpora, strict=True) if corpora else ((), ())
    texts = {"sentences": list(sentences), "words": list(words)}
    write_glove(**texts, recipe=Glove(**recipe), unit=unit, output=output, resume=output.parent / "resume", **more)


@pytest.mark.parametrize("unit, keys", [("character", "雨に京海都が"), ("word", ["雨", "に", "京都", "海", "が"])])
def test_training_reads_the_training_splits_of_all_corpora(write_corpus, tmp_path, unit, keys):
    corpora = [write_corpus(TEXTS, "one"), write_corpus([("train", ["海", "に", "雨"])], "two")]
    recipe = {"corpora": ["one", "two"], "dimensions": 5, "epochs": 2}
    glove(recipe, unit, corpora, tmp_path / "first")
    glove(recipe, unit, corpora, tmp_path / "second", workers=3)
    found, vectors = read_vectors(tmp_path / "first")
    assert sorted(found) == sorted(keys)
    assert found[:2] == ["雨", "に"]
    assert vectors.shape == (len(keys), 5)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


def test_the_unseen_have_the_mean_where_the_recipe_says_so(tmp_path):
    (tmp_path / "ready.txt").write_text("京 1 2\n都 3 4\n", encoding="utf-8")
    recipe = {"path": "ready.txt", "dimensions": 2, "unseen": "mean"}
    glove(recipe, "character", [], tmp_path / "out", root=tmp_path)
    keys, vectors = read_vectors(tmp_path / "out")
    assert (keys, vectors.tolist()) == (["京", "都", UNSEEN], [[1, 2], [3, 4], [2, 3]])


def test_ready_vectors_are_relative_to_the_root(tmp_path):
    (tmp_path / "ready.txt").write_text("京 1 2\n都 3 4\n", encoding="utf-8")
    recipe = {"path": "ready.txt", "dimensions": 2}
    glove(recipe, "character", [], tmp_path / "out", root=tmp_path)
    keys, vectors = read_vectors(tmp_path / "out")
    assert (keys, vectors.tolist()) == (["京", "都"], [[1, 2], [3, 4]])
    assert vectors.dtype == np.float32


def test_no_pairs_to_train_on(write_corpus, tmp_path):
    corpora = [write_corpus([("train", ["京"]), ("dev", ["京", "都"])])]
    with pytest.raises(VisnerError, match="no two words of the training split"):
        glove({"corpora": ["corpus"]}, "word", corpora, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_tables_that_do_not_match(write_corpus, tmp_path):
    sentences, words = write_corpus(TEXTS, "one")
    with pytest.raises(VisnerError, match="1 tables of sentences, and 2 of words"):
        list(training_sentences([sentences], [words, words], "word"))
    rows = list(tables.iterate_rows(words, tables.WORDS))
    for other in (rows[:-1], rows[::-1], [*rows, rows[0]]):
        tables.write_table(tmp_path / "other", tables.WORDS, other)
        with pytest.raises(VisnerError, match="its sentences are not those of"):
            list(training_sentences([sentences], [tmp_path / "other"], "word"))
