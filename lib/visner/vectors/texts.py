"""The sentences that vectors are trained on: the training split of the corpora that a recipe names."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from visner.errors import VisnerError
from visner.runtime import tables
from visner.runtime.aligned import aligned_rows

Unit = Literal["character", "word"]


def training_sentences(sentence_tables: Sequence[Path], word_tables: Sequence[Path], unit: Unit) -> Iterator[list[str]]:
    """The training split's sentences, corpus after corpus, as lists of their units or of their words' surfaces.

    The two tables of a corpus must have the same sentences in the same order; VisnerError where they don't.
    """
    if len(sentence_tables) != len(word_tables):
        raise VisnerError(
            f"{len(sentence_tables)} tables of sentences, and {len(word_tables)} of words; give one of each a corpus"
        )
    for sentences, words in zip(sentence_tables, word_tables, strict=True):
        yield from _of_corpus(sentences, words, unit)


def _of_corpus(sentences: Path, words: Path, unit: Unit) -> Iterator[list[str]]:
    surfaces = (words, tables.WORDS, ["sentence_id", "words.list.element.surface"])
    for sentence, segmented in aligned_rows(sentences, ["split", "units"], [surfaces]):
        if sentence["split"] == "train":
            yield sentence["units"] if unit == "character" else [word["surface"] for word in segmented["words"]]
