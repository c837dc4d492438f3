"""What all recognisers share: their configuration, and a CRF that is trained and decoded. They know no files."""

from abc import abstractmethod
from dataclasses import replace
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from visner.config.experiments import Fusion as FusionName
from visner.ner.crf import CRF
from visner.ner.fusion import Fused, Fusion, Pictures, fusion_class


class Config(BaseModel):
    """What a model is built from: dimensions, labels and how it computes. It is kept in a saved model's file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    labels: list[str] = Field(min_length=1)  # O, and B- and I- of each class
    visual: int = 0  # dimensions of a picture
    visual_scale: float = 1.0  # what the pictures' vectors are multiplied by
    fusion: FusionName = "none"
    gate: Literal["scalar", "vector"] | None = None  # null: scalar
    heads: int = 8
    dropout_output: float = 0.5
    constrained: bool = True  # no I- that continues nothing is predicted
    precision: Literal["float32", "bfloat16"] = "float32"


class Decoded(NamedTuple):
    """What a recogniser says of the sentences of a batch."""

    tags: list[list[int]]  # label ids
    gates: list[np.ndarray | None]  # of each unit [T]: NaN where it sees no picture; None without a gate
    losses: list[float | None]  # the negative log likelihood of the labels, where it was asked for


class Recogniser(nn.Module):
    """A model that emits scores of labels for a CRF.

    A batch has `labels` [B, T] (ids), `mask` [B, T] (bool, True where a unit is) and `pictures`, beside the text.
    """

    crf: CRF

    def __init__(self, config: Config):
        super().__init__()
        self.config = config

    def make_fusion(self, text: int) -> Fusion | None:
        """The configured fusion of states of `text` dimensions."""
        if self.config.fusion == "none":
            return None
        return fusion_class(self.config.fusion)(
            text, self.config.visual, gate=self.config.gate, heads=self.config.heads
        )

    @property
    def widened(self) -> int:
        """How many dimensions the fusion sets beside the states."""
        name = self.config.fusion
        return self.config.visual if name != "none" and fusion_class(name).widens else 0

    def fuse(self, states: Tensor, pictures: Pictures | None) -> Fused:
        """The states [N, D] with their pictures let in; without a fusion as they are."""
        if self.fusion is None:
            return Fused(states, states.new_zeros(0, dtype=torch.long), None)
        return self.fusion(states, replace(pictures, vectors=self.config.visual_scale * pictures.vectors))

    @abstractmethod
    def forward(self, batch: Any) -> tuple[Tensor, Tensor | None]:
        """Label scores [B, T, K], and the gate of each unit [B, T], NaN where it sees no picture; None without one."""

    def loss(self, batch: Any) -> Tensor:
        """The mean negative log likelihood of a sentence's labels."""
        emissions, _ = self(batch)
        return -self.crf(emissions, batch.labels, batch.mask).mean()

    @torch.no_grad()
    def decode(self, batch: Any, losses: bool = False) -> Decoded:
        """The most likely labels and the gates; with `losses`, how unlikely the given labels are."""
        emissions, gates = self(batch)
        tags = self.crf.decode(emissions, batch.mask)
        nothing = [None] * len(tags)
        rows = nothing if gates is None else gates.cpu().numpy()
        return Decoded(
            tags,
            [row if row is None else row[: len(one)] for row, one in zip(rows, tags, strict=True)],
            (-self.crf(emissions, batch.labels, batch.mask)).tolist() if losses else nothing,
        )


def padded(values: Tensor, mask: Tensor, fill: float = 0.0) -> Tensor:
    """Values [N, ...] of the units in `mask` [B, T] as [B, T, ...], with `fill` elsewhere."""
    whole = values.new_full((*mask.shape, *values.shape[1:]), fill)
    whole[mask] = values
    return whole
