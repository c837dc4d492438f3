"""The tables of earlier stages that a recogniser reads."""

from dataclasses import dataclass
from pathlib import Path

from visner.runtime.tables import SENTENCES, iterate_rows

SENTENCE = ("split", "units", "labels")  # the columns of the sentences that a recogniser reads


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


def corpus_labels(sentences: Path) -> list[str]:
    """Every label of a corpus, O first: the ids of a model's outputs."""
    labels = {label for row in iterate_rows(sentences, SENTENCES, ["labels"]) for label in row["labels"]}
    return ["O", *sorted(labels - {"O"})]
