"""A fine-tuned encoder with a CRF, with pictures let into its words (vokenized NER)."""

import json
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel

from visner.ner.crf import CRF
from visner.ner.fusion import Pictures
from visner.ner.recogniser import Config, Recogniser, padded
from visner.runtime.device import autocast


class BertCRFConfig(Config):
    """`encoder` is its transformers configuration; see `encoder_config`."""

    encoder: dict
    dropout_output: float = 0.1


@dataclass
class BertBatch:
    """B sentences, read in R windows; their N words in reading order are the units in `mask`."""

    ids: Tensor  # [R, L] sub-tokens, a row a window
    attended: Tensor  # [R, L] True where a sub-token is
    first: Tensor  # [N] each word's first sub-token among the R*L; negative: it has none
    mask: Tensor  # [B, T]
    pictures: Pictures | None = None  # of the words
    labels: Tensor | None = None  # [B, T] label ids

    def __len__(self) -> int:
        return len(self.mask)


class BertCRF(Recogniser):
    """The state of each word's first sub-token, fused with pictures, emits the scores of a CRF (eqs. 3-6).

    Words are picked out before the CRF, which so sees neither special tokens nor padding. A word without sub-tokens has
    the zero vector for a state. `encoder` is the pretrained one that `config.encoder` describes; without it, it is
    built with random weights.
    """

    def __init__(self, config: BertCRFConfig, encoder: nn.Module | None = None):
        super().__init__(config)
        self.encoder = _new_encoder(config.encoder) if encoder is None else encoder
        if getattr(self.encoder, "pooler", None) is not None:
            self.encoder.pooler = None  # of the whole sentence: nothing here reads it
        size = self.encoder.config.hidden_size
        self.fusion = self.make_fusion(size)
        self.dropout_output = nn.Dropout(config.dropout_output)
        self.emit = nn.Linear(size + self.widened, len(config.labels))
        self.crf = CRF(config.labels, config.constrained)

    def states(self, batch: BertBatch) -> Tensor:
        """The encoder's state of each word's first sub-token [N, D], zero for a word without sub-tokens."""
        read = self.encoder(input_ids=batch.ids, attention_mask=batch.attended.long()).last_hidden_state  # [R, L, D]
        states = read.flatten(0, 1).index_select(0, batch.first.clamp(min=0)).float()  # [N, D]
        return states * (batch.first >= 0).unsqueeze(1)

    def forward(self, batch: BertBatch) -> tuple[Tensor, Tensor | None]:
        """See `Recogniser`."""
        with autocast(batch.ids.device, self.config.precision):
            fused = self.fuse(self.states(batch), batch.pictures)
        states = fused.states  # [N, D]
        if fused.beside is not None:
            beside = states.new_zeros(len(states), self.widened)  # [N, V]
            beside = beside.index_copy(0, fused.seeing, fused.beside.to(states.dtype))
            states = torch.cat([states, beside], dim=1)  # [N, D+V]
        emitted = self.emit(self.dropout_output(states))  # [N, K]
        gates = fused.gates()  # [N]
        by_unit = None if gates is None else padded(gates, batch.mask, float("nan"))  # [B, T]
        return padded(emitted, batch.mask), by_unit


def encoder_config(encoder: nn.Module) -> dict:
    """The configuration of a transformers encoder as JSON, without the folder that it came from."""
    config = json.loads(encoder.config.to_json_string(use_diff=False))
    config.pop("_name_or_path", None)  # the same model has the same bytes, wherever it lay
    return config


def _new_encoder(config: dict) -> nn.Module:
    options = {key: value for key, value in config.items() if key != "model_type"}
    return AutoModel.from_config(AutoConfig.for_model(config["model_type"], **options), dtype=torch.float32)
