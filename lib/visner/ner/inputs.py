"""The tables of earlier stages that a recogniser reads, row beside row."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import pyarrow as pa

from visner.errors import VisnerError
from visner.runtime.tables import SENTENCES, iterate_rows


@dataclass
class Files:
    """What a recogniser reads; None for what its recipe doesn't use."""

    sentences: Path
    words: Path | None = None
    glove_char: Path | None = None  # vectors of units
    glove_word: Path | None = None  # vectors of words
    flair: Path | None = None  # a vector for each word occurrence of `words`
    grounding: Path | None = None  # units -> rows of `visual`
    visual: Path | None = None  # the pictures' vectors
    scratch: str = ""  # a disk of this machine, to read `flair` and `visual` from


def aligned_rows(
    sentences: Path, others: Sequence[tuple[Path, pa.Schema, Sequence[str]]]
) -> Iterator[tuple[dict, ...]]:
    """Each sentence with its row in every other table (path, schema, columns); VisnerError where they disagree."""
    read = [iterate_rows(sentences, SENTENCES, ["sentence_id", "split", "units", "labels"])]
    read += [iterate_rows(*other) for other in others]
    for row, *rest in zip_longest(*read, fillvalue={"sentence_id": None}):
        for (path, *_), other in zip(others, rest, strict=True):
            if other["sentence_id"] != row["sentence_id"]:
                place = f"{other['sentence_id']}, {row['sentence_id']}"
                raise VisnerError(f"{path}: its sentences are not those of {sentences} ({place}); delete it, run again")
        yield row, *rest


def corpus_labels(sentences: Path) -> list[str]:
    """Every label of a corpus, O first: the ids of a model's outputs."""
    labels = {label for row in iterate_rows(sentences, SENTENCES, ["labels"]) for label in row["labels"]}
    return ["O", *sorted(labels - {"O"})]
