"""What training and tagging ask of a recogniser, whatever it is inside."""

import argparse
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from visner.ner.crf import CRF
from visner.recipes import BertExperiment, ExperimentRecipe


@dataclass
class Data:
    """Sentences as a recogniser has them indexed (`sentence_id`, `labels` and a length are all that others read)."""

    splits: dict[str, list]
    prepare: Callable[[list], Any]  # sentences -> the batch that `loss` and `predict` take, on the device
    cost: Callable[[Any], int] = len  # of a sentence: batches hold sentences of similar cost
    counts: dict[str, dict[str, int]] = field(default_factory=dict)  # split -> what was cut or is missing


class Predicted(NamedTuple):
    """What a recogniser says of a batch."""

    tags: list[list[int]]  # label ids
    gates: list[np.ndarray | None]  # of each unit [T]: NaN where there is no picture; None without a gate
    losses: list[float | None]  # of each sentence: the negative log likelihood of its labels, where it was asked for


class Recogniser(nn.Module, ABC):
    """A model of one experiment's recipe."""

    recipe: ExperimentRecipe
    crf: CRF
    libraries: tuple[str, ...] = ()  # packages, beside torch's own, whose versions a result depends on

    @classmethod
    @abstractmethod
    def begin(
        cls, recipe: ExperimentRecipe, arguments: argparse.Namespace, labels: list[str], device: torch.device
    ) -> "tuple[Recogniser, Data]":
        """An untrained model on `device` (its new parameters follow torch's seed), and the train and dev sentences."""

    @classmethod
    @abstractmethod
    def build(cls, description: dict) -> "Recogniser":
        """A model as `describe` described it, whose parameters are still to be loaded."""

    @abstractmethod
    def describe(self) -> dict:
        """What `build` needs; its key `recipe` is the experiment's."""

    @abstractmethod
    def read(self, arguments: argparse.Namespace, splits: list[str], labels: list[str], device: torch.device) -> Data:
        """The sentences of some splits, from the tables that the arguments name."""

    @abstractmethod
    def optimizer(self) -> torch.optim.Optimizer:
        """As the recipe's `training` says."""

    def schedule(self, batches: int) -> Callable[[int], float] | None:
        """What `visner.training.fit` multiplies the learning rates by, in epochs of so many batches."""
        return None

    @property
    def accumulation(self) -> int:
        """Batches whose gradients make one step."""
        return 1

    @abstractmethod
    def emissions(self, inputs: Any) -> tuple[Tensor, Any]:
        """Label scores [B, T, K], and the gates as the model has them, None without a gate."""

    @abstractmethod
    def gold(self, inputs: Any) -> tuple[Tensor, Tensor]:
        """Label ids [B, T], and the mask of units [B, T]."""

    @abstractmethod
    def unit_gates(self, inputs: Any, gate: Tensor, lengths: list[int]) -> list[np.ndarray]:
        """The gate of each unit of sentences of these lengths, from the model's own; NaN where there is no picture."""

    def loss(self, inputs: Any) -> Tensor:
        """The mean negative log likelihood a sentence."""
        emissions, _ = self.emissions(inputs)
        return -self.crf(emissions, *self.gold(inputs)).mean()

    @torch.no_grad()
    def predict(self, inputs: Any, losses: bool = False) -> Predicted:
        """The most likely labels and the gates; with `losses`, how unlikely the given labels are."""
        emissions, gate = self.emissions(inputs)
        labels, mask = self.gold(inputs)
        tags = self.crf.decode(emissions, mask)
        nothing = [None] * len(tags)
        gates = nothing if gate is None else self.unit_gates(inputs, gate, [len(one) for one in tags])
        return Predicted(tags, gates, (-self.crf(emissions, labels, mask)).tolist() if losses else nothing)


def kind_of(recipe: ExperimentRecipe) -> type[Recogniser]:
    """The recogniser that a recipe's `model` names."""
    if isinstance(recipe, BertExperiment):
        from visner.ner.bert_crf import BertCRF  # transformers takes seconds to import, and is an extra

        return BertCRF
    from visner.ner.bilstm_crf import BiLSTMCRF

    return BiLSTMCRF
