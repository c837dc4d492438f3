"""Fit a recogniser on the training split, choose its best epoch on dev, and keep it as safetensors."""

import argparse
import json
import math
import time
from pathlib import Path
from statistics import fmean

import numpy as np
import safetensors.torch
import torch
from pydantic import TypeAdapter
from safetensors import safe_open

from visner import device as devices
from visner.checkpoints import checkpoint
from visner.config import read_recipe
from visner.errors import VisnerError
from visner.ner import VERSION, inputs
from visner.ner.dataset import shuffled_batches, sorted_batches
from visner.ner.recogniser import Data, Recogniser, kind_of
from visner.provenance import sha256_file, versions
from visner.recipes import Experiment
from visner.spans import micro_f1
from visner.stages import log
from visner.tables import atomic_path, read_provenance, write_json
from visner.training import fit


def run(arguments: argparse.Namespace) -> None:
    """`visner ner train`: the model, and its history beside it."""
    sums = {name: sha256_file(path) for name, path in inputs.paths(arguments).items()}
    device = devices.select(arguments.gpu, arguments.threads)
    recipe = read_recipe(arguments.recipe, Experiment)
    content = (VERSION, recipe.fingerprint("seeds"), arguments.seed, sums, devices.kind(device))
    with checkpoint(arguments.resume, "ner", *content) as path:
        _train(recipe, arguments, sums, path, device)


def _train(
    recipe: Experiment, arguments: argparse.Namespace, sums: dict[str, str], checkpoint: Path, device: torch.device
) -> None:
    labels = inputs.corpus_labels(arguments.sentences)
    torch.manual_seed(arguments.seed)
    torch.use_deterministic_algorithms(device.type == "cpu")
    model, data = kind_of(recipe).begin(recipe, arguments, labels, device)
    training, dev = data.splits["train"], data.splits["dev"]
    if not training or not dev:
        raise VisnerError(f"{arguments.sentences}: training needs sentences in train and dev; look at the split")
    gold = [[labels[i] for i in sentence.labels] for sentence in dev]
    units = sum(len(sentence) for sentence in training)
    log.info("%d training sentences, %d units, %d labels, on %s", len(training), units, len(labels), device)

    def batches(generator: torch.Generator, start: int):
        for batch in shuffled_batches(training, recipe.training.batch, generator, data.cost, start):
            yield data.prepare(batch)

    def evaluate() -> tuple[float, float]:
        tags, _, losses = zip(*predict_with_losses(model, data, dev, labels, losses=True), strict=True)
        return micro_f1(gold, tags), fmean(losses)

    began = time.monotonic()
    count = math.ceil(len(training) / recipe.training.batch)
    history = fit(
        model,
        model.optimizer(),
        batches,
        count,
        evaluate,
        recipe.training,
        arguments.seed,
        checkpoint,
        model.schedule(count),
        model.accumulation,
    )
    log.info("trained in %.0f s; best dev F1 %.2f in epoch %d", time.monotonic() - began,
             100 * max(history.scores), history.best_epoch)  # fmt: skip
    save(arguments.output_model, model, arguments.seed)
    write_json(
        arguments.output_history,
        {
            "seed": arguments.seed,
            "best_epoch": history.best_epoch,
            "dev_f1": [round(100 * f1, 6) for f1 in history.scores],
            "dev_losses": [round(loss, 6) for loss in history.dev_losses],
            "losses": [round(loss, 6) for loss in history.losses],
            "counts": data.counts,
            "recipe": recipe.model_dump(mode="json"),
            "provenance": {
                "data": read_provenance(arguments.sentences).get("sha256"),
                "tables": sums,
                "pictures": read_provenance(arguments.grounding) if arguments.grounding else None,
                "versions": versions("torch", "pytorch-crf", "numpy", *model.libraries),
                "device": device.type,
                "threads": arguments.threads if device.type == "cpu" else None,
            },
        },
    )


def predict(model: Recogniser, data: Data, sentences: list, labels: list[str]) -> list:
    """(labels, gates) of each sentence, in its order; see `Recogniser.predict`."""
    return [(tags, gate) for tags, gate, _ in predict_with_losses(model, data, sentences, labels, losses=False)]


def predict_with_losses(
    model: Recogniser, data: Data, sentences: list, labels: list[str], losses: bool
) -> list[tuple[list[str], np.ndarray | None, float | None]]:
    """(labels, gates, loss) of each sentence, in its order; see `Recogniser.predict`."""
    found: list = [None] * len(sentences)
    model.eval()
    for batch in sorted_batches(sentences, 64, data.cost):
        predicted = model.predict(data.prepare([sentences[i] for i in batch]), losses)
        for i, ids, gate, loss in zip(batch, *predicted, strict=True):
            found[i] = ([labels[number] for number in ids], gate, loss)
    return found


def save(path: Path, model: Recogniser, seed: int) -> None:
    """A model in one file: parameters, and how to build it in the metadata."""
    description = json.dumps({**model.describe(), "seed": seed}, ensure_ascii=False, sort_keys=True)
    with atomic_path(path) as temporary:
        tensors = {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
        safetensors.torch.save_file(tensors, temporary, {"visner": description})


def load(path: Path, device: torch.device) -> tuple[Recogniser, list[str]]:
    """A saved model on `device`, ready to predict, and the names of its labels."""
    if not path.exists():
        raise VisnerError(f"{path}: no such model; train it first (snakemake {path})")
    try:
        with safe_open(path, "pt") as file:
            description = json.loads(file.metadata()["visner"])
        model = kind_of(TypeAdapter(Experiment).validate_python(description["recipe"])).build(description)
        model.load_state_dict(safetensors.torch.load_file(path))
    except (safetensors.SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise VisnerError(
            f"{path}: no model of this version of visner ({reason}); train it again (-R ner_train)"
        ) from None
    return model.to(device).eval(), description["labels"]
