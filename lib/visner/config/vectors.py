"""The text side: GloVe and Flair vectors."""

import glob
from pathlib import Path
from typing import Literal

from pydantic import PositiveFloat, model_validator

from visner.config.base import File, FileOrName, Name, PositiveInt, Recipe, Seed


class Glove(Recipe):
    """GloVe (Pennington et al. 2014), trained on the training splits of `corpora`, or ready vectors from `path`."""

    corpora: list[Name] = []
    path: File | None = None
    dimensions: PositiveInt = 300
    window: PositiveInt = 10
    min_count: PositiveInt = 1
    epochs: PositiveInt = 15
    learning_rate: PositiveFloat = 0.05
    alpha: PositiveFloat = 0.75
    x_max: PositiveFloat = 100.0
    unseen: Literal["zero", "mean"] = "zero"  # the vector of what has none: zero, or the mean of all
    seed: Seed = 1

    @model_validator(mode="after")
    def _has_source(self):
        if bool(self.corpora) == (self.path is not None):
            raise ValueError("give either `corpora` (to train on) or `path` (ready vectors)")
        return self

    def files(self, root: Path) -> list[Path]:
        """The file of ready vectors, and the arrays that gensim keeps beside it."""
        return [
            file
            for named in super().files(root)
            for file in (named, *sorted(named.parent.glob(f"{glob.escape(named.name)}.*.npy")))
        ]


class Flair(Recipe):
    """Contextual string embeddings (Akbik et al. 2018): two language models, trained here or ready ones."""

    corpora: list[Name] = []
    forward: FileOrName | None = None  # a file, or a name that the flair library knows
    backward: FileOrName | None = None
    hidden: PositiveInt = 512  # a direction; a word's vector has twice as many
    epochs: PositiveInt = 10
    sequence_length: PositiveInt = 250
    batch: PositiveInt = 100
    learning_rate: PositiveFloat = 20.0
    seed: Seed = 1

    @model_validator(mode="after")
    def _has_source(self):
        ready = (self.forward is not None) + (self.backward is not None)
        if ready == 1 or bool(self.corpora) == (ready == 2):
            raise ValueError("give either `corpora` (to train on) or both `forward` and `backward` (ready models)")
        return self


class Vectors(Recipe):
    """The text side of x_t (eq. 1); a part that is null is left out."""

    glove_char: Glove | None = None
    glove_word: Glove | None = None
    flair: Flair | None = None

    @model_validator(mode="after")
    def _not_empty(self):
        if not (self.glove_char or self.glove_word or self.flair):
            raise ValueError("name at least one of glove_char, glove_word, flair")
        return self
