"""BERT-CRF, and what lets pictures into it: a gate, or a visual attention before the gate (vokenized NER)."""

import argparse
import json
import math
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel

from visner import pretrained
from visner.device import autocast
from visner.errors import VisnerError
from visner.ner.bert_inputs import Inputs, prepare, read
from visner.ner.crf import CRF
from visner.ner.frozen import mean_norm
from visner.ner.fusion import PictureFusion, VisualAttention
from visner.ner.inputs import load_visual
from visner.ner.recogniser import Data, Recogniser
from visner.recipes import BertExperiment
from visner.stages import log
from visner.subtokens import Subtokens
from visner.training import linear_schedule


class BertCRF(Recogniser):
    """The state of each word's first sub-token, fused with pictures, emits the scores of a CRF (eqs. 3-6).

    Words are picked out before the CRF, which so sees neither special tokens nor padding. A word without sub-tokens has
    the zero vector for a state. `visual_scale` brings the pictures' mean norm to the square root of their width, which
    is what a linear layer's initial weights expect: the functions that can be learnt stay as they are.
    """

    libraries = ("transformers", "tokenizers")

    def __init__(
        self,
        recipe: BertExperiment,
        encoder: nn.Module,
        subtokens: Subtokens,
        labels: list[str],
        visual: int = 0,
        visual_scale: float = 1.0,
    ):
        super().__init__()
        self.recipe, self.subtokens, self.labels = recipe, subtokens, labels
        self.visual, self.visual_scale = visual, visual_scale
        self.encoder = encoder
        if getattr(encoder, "pooler", None) is not None:
            encoder.pooler = None  # of the whole sentence: nothing here reads it
        size = encoder.config.hidden_size
        if recipe.fusion == "gate":
            self.fusion = PictureFusion(size, visual)
        elif recipe.fusion == "attention":
            if size % recipe.heads:
                raise VisnerError(f"heads: {recipe.heads} don't divide the encoder's {size} dimensions")
            self.fusion = VisualAttention(size, visual, recipe.heads)
        self.dropout_output = nn.Dropout(recipe.dropout_output)
        self.emit = nn.Linear(size, len(labels))
        self.crf = CRF(labels, recipe.constrained)

    @classmethod
    def begin(
        cls, recipe: BertExperiment, arguments: argparse.Namespace, labels: list[str], device: torch.device
    ) -> "tuple[BertCRF, Data]":
        """See `Recogniser`."""
        if arguments.encoder is None:
            raise VisnerError("--encoder: a bert_crf is trained from an encoder; give its folder")
        encoder, tokenizer = pretrained.load(arguments.encoder)
        longest = min(recipe.max_subtokens, pretrained.positions(encoder) or recipe.max_subtokens)
        subtokens = Subtokens(tokenizer.backend_tokenizer, longest)
        sentences, counts = read(arguments, ["train", "dev"], labels, subtokens, recipe)
        visual = load_visual(arguments)
        norm = mean_norm(visual, [sentence.pictures.ravel() for sentence in sentences["train"]])
        scale = math.sqrt(visual.shape[1]) / norm if norm and recipe.visual_scale == "auto" else 1.0
        model = cls(recipe, encoder, subtokens, labels, visual.shape[1], scale).to(device)
        return model, model._data(sentences, counts, visual, device)

    @classmethod
    def build(cls, description: dict) -> "BertCRF":
        """See `Recogniser`. The encoder's configuration and the tokenizer are inside: nothing else is read."""
        config = dict(description["encoder"])
        encoder = AutoModel.from_config(AutoConfig.for_model(config.pop("model_type"), **config), dtype=torch.float32)
        return cls(
            BertExperiment.model_validate(description["recipe"]),
            encoder,
            Subtokens.build(description["subtokens"]),
            description["labels"],
            description["visual"],
            description["visual_scale"],
        )

    def describe(self) -> dict:
        """See `Recogniser`."""
        encoder = json.loads(self.encoder.config.to_json_string(use_diff=False))
        encoder.pop("_name_or_path", None)  # where it lay: the same model has the same bytes
        return {
            "recipe": self.recipe.model_dump(mode="json"),
            "encoder": encoder,
            "subtokens": self.subtokens.describe(),
            "labels": self.labels,
            "visual": self.visual,
            "visual_scale": self.visual_scale,
        }

    def read(self, arguments: argparse.Namespace, splits: list[str], labels: list[str], device: torch.device) -> Data:
        """See `Recogniser`."""
        sentences, counts = read(arguments, splits, labels, self.subtokens, self.recipe)
        return self._data(sentences, counts, load_visual(arguments), device)

    def _data(self, sentences: dict, counts: dict, visual: np.ndarray, device: torch.device) -> Data:
        for split, found in counts.items():
            log.info(
                "%s: %d of %d words have no sub-tokens, %d of %d sentences are read in several windows", split,
                found["words_without_subtokens"], found["words"], found["sentences_in_several_windows"],
                found["sentences"],
            )  # fmt: skip
        batch = partial(prepare, visual=visual, pad=self.encoder.config.pad_token_id or 0, device=device)
        return Data(sentences, batch, lambda sentence: sentence.subtokens, counts)

    def optimizer(self) -> torch.optim.Optimizer:
        """AdamW: the encoder at its own rate; weights decay, biases, norms and the CRF's scores don't."""
        recipe = self.recipe.training
        groups = {}
        for name, parameter in self.named_parameters():
            pretrained, decayed = name.startswith("encoder."), parameter.ndim > 1 and not name.startswith("crf.")
            groups.setdefault((pretrained, decayed), []).append(parameter)
        return torch.optim.AdamW(
            [
                {
                    "params": parameters,
                    "lr": recipe.encoder_learning_rate if pretrained else recipe.learning_rate,
                    "weight_decay": recipe.weight_decay if decayed else 0.0,
                }
                for (pretrained, decayed), parameters in groups.items()
            ],
            fused=True,
        )

    def schedule(self, batches: int) -> Callable[[int], float]:
        """A linear warm-up, then a linear decay over all epochs that the recipe allows."""
        recipe = self.recipe.training
        return linear_schedule(recipe.epochs * math.ceil(batches / recipe.accumulation), recipe.warm_up)

    @property
    def accumulation(self) -> int:
        """See `Recogniser`."""
        return self.recipe.training.accumulation

    def states(self, inputs: Inputs) -> Tensor:
        """The encoder's state of each word's first sub-token [N, D], zero for a word without sub-tokens."""
        read = self.encoder(input_ids=inputs.ids, attention_mask=inputs.attended.long()).last_hidden_state  # [R, L, D]
        found = read.flatten(0, 1).index_select(0, inputs.first.clamp(min=0)).float()  # [N, D]
        return found * (inputs.first >= 0).unsqueeze(1)

    def emissions(self, inputs: Inputs) -> tuple[Tensor, Tensor | None]:
        """Label scores [B, T, K], and the gate of each word [N] (NaN where it sees no picture)."""
        gate = None
        with autocast(inputs.ids.device, self.recipe.precision):
            states = self.states(inputs)
            if self.recipe.fusion == "gate":
                states, gate = self.fusion(states, self.visual_scale * inputs.pictures, inputs.seen)
            elif self.recipe.fusion == "attention":
                states, gate = self.fusion(states, inputs.mask, self.visual_scale * inputs.pictures, inputs.shown)
        emitted = self.emit(self.dropout_output(states))  # [N, K]
        padded = emitted.new_zeros(*inputs.mask.shape, emitted.shape[1])  # [B, T, K]
        padded[inputs.mask] = emitted
        return padded, gate

    def gold(self, inputs: Inputs) -> tuple[Tensor, Tensor]:
        """See `Recogniser`."""
        return inputs.labels, inputs.mask

    def unit_gates(self, inputs: Inputs, gate: Tensor, lengths: list[int]) -> list[np.ndarray]:
        """See `Recogniser`; the model's own gates are those of the words in reading order."""
        return np.split(gate.cpu().numpy(), np.cumsum(lengths)[:-1])
