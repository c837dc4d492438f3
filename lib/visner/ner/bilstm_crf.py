"""Character BiLSTM-CRF over frozen text vectors, with word pictures let in by a gate (element-wise visual NER)."""

import argparse
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from visner.device import autocast
from visner.ner import inputs as tables_read
from visner.ner.crf import CRF
from visner.ner.dataset import Batch, collate
from visner.ner.frozen import Tables, gather, mean_rows
from visner.ner.lstm import BiLSTM
from visner.ner.recogniser import Data, Recogniser
from visner.recipes import BiLSTMExperiment


@dataclass
class Inputs:
    """A batch with its vectors gathered, on the model's device."""

    batch: Batch
    chars: Tensor  # [N, C] of the units in `mask`, in reading order
    words: Tensor  # [S, G]
    contextual: Tensor  # [S, F]
    visual: Tensor  # [P, V] of the segments that have pictures
    pictured: Tensor  # [P] which segments those are

    def pictured_units(self, segments: Tensor) -> tuple[Tensor, Tensor]:
        """Which of the units in `segments` [N] have pictures, and the row of `visual` of each."""
        row = segments.new_full((len(self.words),), -1)  # [S]
        row[self.pictured] = torch.arange(len(self.pictured), device=row.device)
        rows = row[segments]  # [N]
        units = (rows >= 0).nonzero().squeeze(1)
        return units, rows[units]


def prepare(sentences: list, tables: Tables, device: torch.device) -> Inputs:
    """A batch and its vectors; on the device only what its units use."""
    batch = collate(sentences)
    usable = batch.pictures >= 0  # [S, N]
    pictured = usable.any(1).nonzero().squeeze(1) if usable.numel() else torch.empty(0, dtype=torch.long)  # [P]
    return Inputs(
        batch=to_device(batch, device),
        chars=gather(tables.chars, batch.units[batch.mask], device),
        words=gather(tables.words, batch.words, device),
        contextual=gather(tables.contextual, batch.occurrences, device),
        visual=mean_rows(tables.visual, batch.pictures[pictured], device),
        pictured=pictured.to(device),
    )


def to_device(batch: Batch, device: torch.device) -> Batch:
    """The batch with its tensors on `device`."""
    moved = {k: v.to(device, non_blocking=True) if isinstance(v, Tensor) else v for k, v in vars(batch).items()}
    return Batch(**moved)


class BiLSTMCRF(Recogniser):
    """x_t = [x_c; x_w; x_F; g_t v_t] -> BiLSTM -> CRF (eqs. 1-7).

    W x_t is the sum of W's blocks times the parts of x_t. The visual block is applied only where there are pictures,
    and without input dropout a word-level block only once a segment. Input dropout is drawn for each unit: a word's
    characters that lose the same features together learn several points of F1 less.
    """

    def __init__(self, recipe: BiLSTMExperiment, widths: dict[str, int], labels: list[str], visual_scale: float = 1.0):
        super().__init__()
        self.recipe, self.widths, self.labels, self.visual_scale = recipe, widths, labels, visual_scale
        hidden = recipe.hidden
        size = 2 * 4 * hidden
        word_width = widths["words"] + widths["contextual"]
        self.project_chars = nn.Linear(widths["chars"], size)  # carries the bias of all blocks
        self.project_words = nn.Linear(word_width, size, bias=False)
        if recipe.fusion != "none":
            self.project_visual = nn.Linear(widths["visual"], size, bias=False)
        if recipe.fusion == "gate":
            outputs = widths["visual"] if recipe.gate == "vector" else 1
            self.gate = nn.Linear(widths["visual"] + widths["contextual"], outputs)  # W_g, b of eq. 5
        self.dropout_input = nn.Dropout(recipe.dropout_input)
        self.dropout_output = nn.Dropout(recipe.dropout_output)
        self.lstm = BiLSTM(hidden)
        self.emit = nn.Linear(2 * hidden, len(labels))
        self.crf = CRF(labels, recipe.constrained)
        bound = hidden**-0.5  # nn.LSTM's initialisation, for all blocks of its input weight
        for name, parameter in self.named_parameters():
            if name.startswith("project_"):
                nn.init.uniform_(parameter, -bound, bound)

    @classmethod
    def begin(
        cls, recipe: BiLSTMExperiment, arguments: argparse.Namespace, labels: list[str], device: torch.device
    ) -> "tuple[BiLSTMCRF, Data]":
        """See `Recogniser`."""
        tables, data = read(arguments, ["train", "dev"], labels, device)
        scale = tables.visual_scale(data.splits["train"]) if recipe.visual_scale == "auto" else 1.0
        return cls(recipe, tables.widths, labels, scale).to(device), data

    @classmethod
    def build(cls, description: dict) -> "BiLSTMCRF":
        """See `Recogniser`."""
        recipe = BiLSTMExperiment.model_validate(description["recipe"])
        return cls(recipe, description["widths"], description["labels"], description["visual_scale"])

    def read(self, arguments: argparse.Namespace, splits: list[str], labels: list[str], device: torch.device) -> Data:
        """See `Recogniser`."""
        return read(arguments, splits, labels, device)[1]

    def optimizer(self) -> torch.optim.Optimizer:
        """Adam, as the paper has it."""
        return torch.optim.Adam(self.parameters(), lr=self.recipe.training.learning_rate, fused=True)

    def describe(self) -> dict:
        """See `Recogniser`."""
        built_by = {"widths": self.widths, "labels": self.labels, "visual_scale": self.visual_scale}
        return {"recipe": self.recipe.model_dump(mode="json"), **built_by}

    def gates(self, visual: Tensor, inputs: Inputs) -> Tensor:
        """g of the segments with pictures, [P, 1] or [P, V]; all ones for simple fusion (eq. 6)."""
        if self.recipe.fusion == "simple":
            return visual.new_ones(len(visual), 1)
        context = inputs.contextual[inputs.pictured]  # [P, F]
        return torch.sigmoid(self.gate(torch.cat([visual, context], dim=1)))

    def project(self, layer: nn.Linear, vectors: Tensor, units: Tensor) -> Tensor:
        """W's block times the vectors [M, D] that units [N] point at, in float32 [N, 8H]."""
        if self.training and self.dropout_input.p:
            return layer(self.dropout_input(vectors[units])).float()
        return layer(vectors).float()[units]

    def emissions(self, inputs: Inputs) -> tuple[Tensor, Tensor | None]:
        """Label scores [B, T, K], and the gate of each segment with pictures [P] (its mean, for a vector gate)."""
        mask = inputs.batch.mask
        segments = inputs.batch.segments[mask]  # [N]
        with autocast(inputs.chars.device, self.recipe.precision):
            words = torch.cat([inputs.words, inputs.contextual], dim=1)  # [S, G+F]
            projected = self.project_chars(self.dropout_input(inputs.chars)).float()  # [N, 8H]
            projected = projected + self.project(self.project_words, words, segments)
            gate = None
            if self.recipe.fusion != "none":
                visual = self.visual_scale * inputs.visual  # [P, V]
                gate = self.gates(visual, inputs)
                units, pictures = inputs.pictured_units(segments)
                seen = self.project(self.project_visual, gate * visual, pictures)
                projected = projected.index_add(0, units, seen)
                gate = gate.float().mean(1) if self.recipe.fusion == "gate" else None  # [P]
        padded = projected.new_zeros(*mask.shape, projected.shape[1])  # [B, T, 8H]
        padded[mask] = projected
        states = self.lstm(padded.view(*mask.shape, 2, -1), inputs.batch.lengths)  # [B, T, 2H]
        return self.emit(self.dropout_output(states)), gate

    def gold(self, inputs: Inputs) -> tuple[Tensor, Tensor]:
        """See `Recogniser`."""
        return inputs.batch.labels, inputs.batch.mask

    def unit_gates(self, inputs: Inputs, gate: Tensor, lengths: list[int]) -> list[np.ndarray]:
        """See `Recogniser`; the model's own gates are those of segments with pictures."""
        by_segment = gate.new_full((len(inputs.words),), float("nan"))  # [S]
        by_segment[inputs.pictured] = gate
        units = by_segment[inputs.batch.segments].cpu().numpy()  # [B, T]
        return [row[:length] for row, length in zip(units, lengths, strict=True)]


def read(
    arguments: argparse.Namespace, splits: list[str], labels: list[str], device: torch.device
) -> tuple[Tables, Data]:
    """The frozen vectors and the sentences that the arguments name."""
    frozen = tables_read.load_frozen(arguments)
    sentences = tables_read.load_sentences(arguments, frozen, splits, labels)
    return frozen.tables, Data(sentences, partial(prepare, tables=frozen.tables, device=device))
