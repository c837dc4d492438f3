"""Train a character language model, of which Flair vectors are made, with the flair library."""

from pathlib import Path

import torch

from visner.config.vectors import Flair
from visner.runtime import device as devices
from visner.runtime.checkpoints import checkpoint
from visner.runtime.provenance import sha256_files
from visner.vectors import TRAINING_VERSION, flair_models, made_by
from visner.vectors.texts import training_sentences


def flair_train(
    *,
    sentences: list[Path],
    words: list[Path],
    output: Path,
    recipe: Flair,
    direction: str,
    resume: Path,
    device: torch.device,
) -> None:
    """Write a model that reads `direction` (forward or backward), trained on the training splits of some corpora.

    `sentences` and `words` name a table of each corpus, in the same order. Interrupted, it goes on from its checkpoint
    in the folder `resume`.
    """
    texts = training_sentences(sentences, words, "word")
    data = sha256_files([*sentences, *words])
    content = (direction, recipe.fingerprint(), data, devices.kind(device))
    with checkpoint(resume, "flair", TRAINING_VERSION, *content) as path:
        model = flair_models.train(texts, recipe, direction, device, path)
        model.save(output, made_by(recipe, data, "flair", "torch"))
