"""The text side of x_t: GloVe vectors of characters and words, and Flair vectors of every word occurrence."""

from visner.config.base import Recipe
from visner.runtime.provenance import versions

VERSION = 1  # raised when the results of this stage change
TRAINING_VERSION = 3  # raised when those of its trainings alone do


def made_by(recipe: Recipe, data: str | None, *packages: str) -> dict:
    """What made a file of vectors, or a model: `data` is the sha256 of what it is made from."""
    stage = f"{VERSION}.{TRAINING_VERSION}"
    return {"recipe": recipe.model_dump(mode="json"), "data": data, "stage": stage, "versions": versions(*packages)}
