"""A character BiLSTM-CRF over frozen text vectors, with word pictures let in (element-wise visual NER)."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from visner.ner.crf import CRF
from visner.ner.fusion import Pictures
from visner.ner.lstm import BiLSTM
from visner.ner.recogniser import Config, Recogniser, padded
from visner.runtime.device import autocast


class BiLSTMCRFConfig(Config):
    """Dimensions 0: the text has no such vectors."""

    chars: int
    words: int = 0
    contextual: int = 0
    hidden: int = 256  # LSTM units a direction
    dropout_input: float = 0.5


@dataclass
class BiLSTMBatch:
    """B sentences of N units and S segments in all, in reading order.

    A *segment* is a run of units that share one word and one set of pictures: what the model computes from word-level
    inputs, it computes once a segment. By default each unit is one.
    """

    chars: Tensor  # [N, C]
    mask: Tensor  # [B, T] bool, True where a unit is
    segments: Tensor | None = None  # [N] unit -> segment
    words: Tensor | None = None  # [S, G]
    contextual: Tensor | None = None  # [S, F]
    pictures: Pictures | None = None  # of the segments
    labels: Tensor | None = None  # [B, T] label ids

    def __post_init__(self):
        if self.segments is None:
            self.segments = torch.arange(len(self.chars), device=self.chars.device)
        given = [vectors for vectors in (self.words, self.contextual) if vectors is not None]
        nothing = self.chars.new_zeros(len(given[0]) if given else int(self.segments.max()) + 1, 0)
        self.words = nothing if self.words is None else self.words
        self.contextual = nothing if self.contextual is None else self.contextual

    def __len__(self) -> int:
        return len(self.mask)


class BiLSTMCRF(Recogniser):
    """x_t = [x_c; x_w; x_F; g_t v_t] -> BiLSTM -> CRF (eqs. 1-7). Fusions act on x_F, the contextual vectors.

    W x_t is the sum of W's blocks times the parts of x_t. The visual block is applied only where there are pictures,
    and without input dropout a word-level block only once a segment. Input dropout is drawn for each unit: a word's
    characters that lose the same features together learn several points of F1 less.
    """

    def __init__(self, config: BiLSTMCRFConfig):
        super().__init__(config)
        hidden, size = config.hidden, 2 * 4 * config.hidden
        self.project_chars = nn.Linear(config.chars, size)  # carries the bias of all blocks
        self.project_words = nn.Linear(config.words + config.contextual, size, bias=False)
        if self.widened:
            self.project_visual = nn.Linear(self.widened, size, bias=False)
        self.fusion = self.make_fusion(config.contextual)
        self.dropout_input = nn.Dropout(config.dropout_input)
        self.dropout_output = nn.Dropout(config.dropout_output)
        self.lstm = BiLSTM(hidden)
        self.emit = nn.Linear(2 * hidden, len(config.labels))
        self.crf = CRF(config.labels, config.constrained)
        bound = hidden**-0.5  # nn.LSTM's initialisation, for all blocks of its input weight
        for name, parameter in self.named_parameters():
            if name.startswith("project_"):
                nn.init.uniform_(parameter, -bound, bound)

    def project(self, layer: nn.Linear, vectors: Tensor, units: Tensor) -> Tensor:
        """W's block times the vectors [M, D] that units [N] point at, in float32 [N, 8H]."""
        if self.training and self.dropout_input.p:
            return layer(self.dropout_input(vectors[units])).float()
        return layer(vectors).float()[units]

    def forward(self, batch: BiLSTMBatch) -> tuple[Tensor, Tensor | None]:
        """See `Recogniser`."""
        mask = batch.mask  # [B, T]
        with autocast(batch.chars.device, self.config.precision):
            fused = self.fuse(batch.contextual, batch.pictures)
            words = torch.cat([batch.words, fused.states], dim=1)  # [S, G+F]
            projected = self.project_chars(self.dropout_input(batch.chars)).float()  # [N, 8H]
            projected = projected + self.project(self.project_words, words, batch.segments)
            if fused.beside is not None:
                row = batch.segments.new_full((len(words),), -1)  # [S] segment -> row of `beside`
                row[fused.seeing] = torch.arange(len(fused.seeing), device=row.device)
                rows = row[batch.segments]  # [N]
                units = (rows >= 0).nonzero().squeeze(1)  # [M]
                projected = projected.index_add(0, units, self.project(self.project_visual, fused.beside, rows[units]))
        gates_in = padded(projected, mask).view(*mask.shape, 2, -1)  # [B, T, 2, 4H]
        states = self.lstm(gates_in, mask.sum(1))  # [B, T, 2H]
        gates = fused.gates()  # [S]
        by_unit = None if gates is None else padded(gates[batch.segments], mask, float("nan"))  # [B, T]
        return self.emit(self.dropout_output(states)), by_unit
