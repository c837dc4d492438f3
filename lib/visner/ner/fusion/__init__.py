"""Fusions: how pictures are let into the states of a text. One file each, of the fusion's name.

All have one signature, for every recogniser: `NAME(text, visual, **options)` for states of `text` dimensions and
pictures of `visual`, whose `forward(states, pictures)` gives a `Fused`. The states are a BERT-CRF's words, or the
contextual vectors of a BiLSTM-CRF's segments. `visner.config.experiments.Fusion` lists the names.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from importlib import import_module
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn


@dataclass
class Pictures:
    """The pictures of a batch of B sentences, beside the N states of its text in reading order."""

    vectors: Tensor  # [P, V]
    own: Tensor  # [N] state -> its own picture; negative: it has none
    shown: Tensor | None = None  # [B, S] sentence -> all its pictures; negative where there are fewer
    mask: Tensor | None = None  # [B, T] bool, True where a sentence has a state: N of them

    def owners(self) -> Tensor:
        """[M] The states that have a picture of their own."""
        return (self.own >= 0).nonzero().squeeze(1)


class Fused(NamedTuple):
    """What a recogniser reads in the place of N states; M of them see a picture."""

    states: Tensor  # [N, D]
    seeing: Tensor  # [M] which of the states see a picture
    gate: Tensor | None  # [M] how far it is let in, 0 to 1; None where nothing weighs it
    beside: Tensor | None = None  # [M, V] what stands beside each of these, as further dimensions

    def gates(self) -> Tensor | None:
        """[N] The gate of each state, NaN where it sees no picture; None without a gate."""
        if self.gate is None:
            return None
        gates = self.states.new_full((len(self.states),), float("nan"))
        gates[self.seeing] = self.gate.detach().to(gates.dtype)
        return gates


class Fusion(nn.Module, ABC):
    """The signature of all fusions. `options` are the recipe's keys `gate` and `heads`: each takes what it knows."""

    widens: ClassVar[bool] = False  # whether V further dimensions stand beside the states

    @abstractmethod
    def forward(self, states: Tensor, pictures: Pictures) -> Fused:
        """States [N, D] of the text and what they can see."""


def fusion_class(name: str) -> type[Fusion]:
    """The class of the fusion of this name, as in a recipe: `Gate` of the file gate.py for `gate`."""
    return getattr(import_module(f"{__name__}.{name}"), name.capitalize())


def let_in(states: Tensor, seeing: Tensor, seen: Tensor, gate: Tensor) -> Fused:
    """(1 - gate) h + gate s for the states h [N, D] in `seeing` [M] and what they see, s [M, D]; gate [M, 1]."""
    fused = (1 - gate) * states[seeing] + gate * seen  # [M, D]
    return Fused(states.index_copy(0, seeing, fused.to(states.dtype)), seeing, gate.squeeze(1))


class Weigh(nn.Module):
    """lambda = sigmoid(W [h; s] + b) of a state h and what it sees, s; both have `size` dimensions."""

    def __init__(self, size: int):
        super().__init__()
        self.linear = nn.Linear(2 * size, 1)

    def forward(self, states: Tensor, seen: Tensor) -> Tensor:
        """states and seen [M, D]; lambda [M, 1]."""
        return torch.sigmoid(self.linear(torch.cat([states, seen], dim=1)).float())
