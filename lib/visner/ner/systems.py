"""From a recipe to a model and its data: what is to be read for it, how it is built, and what it is optimised by."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from visner.config.base import Recipe
from visner.config.experiments import BertExperiment, BiLSTMExperiment, Experiment, FineTuning, Training
from visner.errors import VisnerError
from visner.ner import bilstm_data
from visner.ner.batches import Data
from visner.ner.bilstm_crf import BiLSTMCRF, BiLSTMCRFConfig
from visner.ner.inputs import Files
from visner.ner.recogniser import Config, Recogniser
from visner.ner.vectors import mean_norm, read_mapped
from visner.runtime.subtokens import Subtokens
from visner.runtime.training import linear_schedule


def begin(
    recipe: Experiment, files: Files, encoder: list[Path] | None, labels: list[str], device: torch.device
) -> tuple[Recogniser, Data, dict[str, Any]]:
    """An untrained model (its new parameters follow torch's seed), the train and dev sentences, what to save beside."""
    if isinstance(recipe, BertExperiment):
        return _begin_bert(recipe, files, encoder, labels, device)
    tables, data = bilstm_data.read(files, ["train", "dev"], labels, recipe, device)
    scale = tables.visual_scale(data.splits["train"]) if recipe.visual_scale == "auto" else 1.0
    config = model_config(BiLSTMCRFConfig, recipe, labels=labels, visual_scale=scale, **tables.widths)
    return BiLSTMCRF(config).to(device), data, {}


def _begin_bert(
    recipe: BertExperiment, files: Files, encoder: list[Path] | None, labels: list[str], device: torch.device
) -> tuple[Recogniser, Data, dict[str, Any]]:
    from visner.ner import bert_data
    from visner.ner.bert_crf import BertCRF, BertCRFConfig, encoder_config
    from visner.runtime import pretrained  # transformers takes seconds to import, and is an extra

    if not encoder:
        raise VisnerError("encoder: a bert_crf is trained from an encoder; give its files")
    loaded, tokenizer = pretrained.load(encoder[0].parent)
    longest = min(recipe.max_subtokens, pretrained.positions(loaded) or recipe.max_subtokens)
    subtokens = Subtokens(tokenizer.backend_tokenizer, longest)
    visual, pad = read_mapped(files.visual, files.scratch), loaded.config.pad_token_id or 0
    data = bert_data.read(files, ["train", "dev"], labels, recipe, subtokens, visual, pad, device)
    norm = mean_norm(visual, [sentence.pictures for sentence in data.splits["train"]])
    # the norm that a linear layer's initial weights expect; the functions that can be learnt stay as they are
    scale = math.sqrt(visual.shape[1]) / norm if norm and recipe.visual_scale == "auto" else 1.0
    known = {"encoder": encoder_config(loaded), "visual": visual.shape[1], "visual_scale": scale}
    model = BertCRF(model_config(BertCRFConfig, recipe, labels=labels, **known), loaded).to(device)
    return model, data, {"subtokens": subtokens.describe()}


def read(
    model: Recogniser,
    recipe: Experiment,
    beside: dict[str, Any],
    files: Files,
    splits: Sequence[str],
    device: torch.device,
) -> Data:
    """The sentences of some splits for a saved model, `beside` being what was saved with it."""
    if isinstance(recipe, BiLSTMExperiment):
        return bilstm_data.read(files, splits, model.config.labels, recipe, device)[1]
    from visner.ner import bert_data

    subtokens, pad = Subtokens.build(beside["subtokens"]), model.config.encoder.get("pad_token_id") or 0
    visual = read_mapped(files.visual, files.scratch)
    return bert_data.read(files, splits, model.config.labels, recipe, subtokens, visual, pad, device)


def model_config(kind: type[Config], recipe: Recipe, **known: Any) -> Config:
    """A model's configuration: the recipe's keys that it has too, and what is known of the data."""
    shared = {key: value for key, value in dict(recipe).items() if key in kind.model_fields}
    return kind(**(shared | known))


def optimizer(model: Recogniser, training: Training) -> torch.optim.Optimizer:
    """Adam; for fine-tuning AdamW, the encoder at its own rate. Biases, norms and the CRF's scores don't decay."""
    if not isinstance(training, FineTuning):
        return torch.optim.Adam(model.parameters(), lr=training.learning_rate, fused=True)
    groups: dict[tuple[bool, bool], list] = {}
    for name, parameter in model.named_parameters():
        pretrained, decayed = name.startswith("encoder."), parameter.ndim > 1 and not name.startswith("crf.")
        groups.setdefault((pretrained, decayed), []).append(parameter)
    return torch.optim.AdamW(
        [
            {
                "params": parameters,
                "lr": training.encoder_learning_rate if pretrained else training.learning_rate,
                "weight_decay": training.weight_decay if decayed else 0.0,
            }
            for (pretrained, decayed), parameters in groups.items()
        ],
        fused=True,
    )


def schedule(training: Training, batches: int) -> Callable[[int], float] | None:
    """For fine-tuning a linear warm-up, then a linear decay over all epochs, of so many batches, that are allowed."""
    if not isinstance(training, FineTuning):
        return None
    return linear_schedule(training.epochs * math.ceil(batches / training.accumulation), training.warm_up)


def libraries(recipe: Experiment) -> tuple[str, ...]:
    """Packages, beside torch's own, whose versions a result depends on."""
    return ("transformers", "tokenizers") if isinstance(recipe, BertExperiment) else ()
