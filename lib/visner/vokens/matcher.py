"""The matcher: two perceptrons that bring words and pictures into one space (vokenized NER, eq. 1 and 2)."""

import json
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
import torch
from safetensors import safe_open
from torch import Tensor, nn
from torch.nn import functional

from visner.config.matchers import Matcher as Recipe
from visner.runtime.tables import atomic_path, reading
from visner.vokens.losses import hinge_rank_loss, infonce_loss


@dataclass
class Batch:
    """Words of some sentences, and the distinct pictures of these."""

    states: Tensor  # [N, D_w]
    pictures: Tensor  # [P, D_v]
    own: Tensor  # [N] row of each word's picture


class Matcher(nn.Module):
    """Frozen states of words [*, D_w] and frozen vectors of pictures [*, D_v] to vectors of one space.

    The relevance of a picture to a word is their inner product (eq. 1). Each side is d -> `hidden` -> ReLU ->
    `dimensions` (section 5), with `dropout` of the hidden layer, and with `norm: unit` its output is brought to norm 1
    (`none`: it stays as it is, as eq. 2 has it). An input is first divided by its side's root mean square over the
    training pairs, so that encoders and backbones of any scale train at one learning rate.
    """

    def __init__(self, recipe: Recipe, words: int, pictures: int):
        super().__init__()
        self.recipe = recipe
        self.words = _perceptron(words, recipe)
        self.pictures = _perceptron(pictures, recipe)

    def embed_words(self, states: Tensor) -> Tensor:
        """[*, dimensions]"""
        return self._normed(self.words(states))

    def embed_pictures(self, vectors: Tensor) -> Tensor:
        """[*, dimensions]"""
        return self._normed(self.pictures(vectors))

    def loss(self, batch: Batch) -> Tensor:
        """The recipe's loss of a batch."""
        scores = self.embed_words(batch.states) @ self.embed_pictures(batch.pictures).T  # [N, P]
        if self.recipe.loss == "hinge":
            return hinge_rank_loss(scores, batch.own, self.recipe.margin)
        return infonce_loss(scores, batch.own, self.recipe.temperature)

    def _normed(self, vectors: Tensor) -> Tensor:
        return functional.normalize(vectors, dim=-1) if self.recipe.norm == "unit" else vectors


class Scale(nn.Module):
    """Divides by one number, which is no parameter but is saved with them."""

    def __init__(self):
        super().__init__()
        self.register_buffer("value", torch.ones(()))

    def fit(self, vectors: Tensor) -> None:
        """Take the number from `vectors` [N, D]: their root mean square."""
        self.value.copy_(vectors.double().square().mean().sqrt())

    def forward(self, vectors: Tensor) -> Tensor:
        return vectors / self.value


def _perceptron(inputs: int, recipe: Recipe) -> nn.Sequential:
    hidden = nn.Sequential(nn.ReLU(), nn.Dropout(recipe.dropout))
    return nn.Sequential(Scale(), nn.Linear(inputs, recipe.hidden), hidden, nn.Linear(recipe.hidden, recipe.dimensions))


def save(path: str | Path, matcher: Matcher) -> None:
    """A matcher in one file: parameters, and its recipe in the metadata."""
    tensors = {name: value.detach().cpu().contiguous() for name, value in matcher.state_dict().items()}
    with atomic_path(path) as temporary:
        safetensors.torch.save_file(tensors, temporary, {"visner": matcher.recipe.fingerprint()})


def load(path: str | Path) -> Matcher:
    """A saved matcher, ready to embed; VisnerError where the file is missing, damaged, or another."""
    with reading(path, "a matcher"), safe_open(path, "pt") as file:
        recipe = Recipe(**json.loads(file.metadata()["visner"]))
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
        matcher = Matcher(recipe, *(tensors[f"{side}.1.weight"].shape[1] for side in ("words", "pictures")))
        matcher.load_state_dict(tensors)
    return matcher.eval().requires_grad_(False)
