"""The sentences that vectors are trained on: the training split of the corpora that a recipe names."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Literal

from visner.errors import VisnerError
from visner.runtime import tables

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
    sentence_rows = tables.iterate_rows(sentences, tables.SENTENCES, ["sentence_id", "split", "units"])
    word_rows = tables.iterate_rows(words, tables.WORDS, ["sentence_id", "words.list.element.surface"])
    for row, (sentence, segmented) in enumerate(zip_longest(sentence_rows, word_rows, fillvalue={})):
        if sentence.get("sentence_id") != segmented.get("sentence_id"):
            raise VisnerError(
                f"{words}: row {row} is sentence {segmented.get('sentence_id')}, and in {sentences} it is "
                f"{sentence.get('sentence_id')}; make the words table again"
            )
        if sentence["split"] == "train":
            yield sentence["units"] if unit == "character" else [word["surface"] for word in segmented["words"]]
