"""Fit a recogniser on the training split, choose its best epoch on dev, and keep it as safetensors."""

import math
import time
from pathlib import Path
from statistics import fmean

import torch

from visner.config.experiments import Experiment
from visner.errors import VisnerError
from visner.ner import VERSION, systems
from visner.ner.batches import decode_all, shuffled_batches
from visner.ner.inputs import Files, corpus_labels
from visner.ner.saving import save
from visner.runtime import device as devices
from visner.runtime.checkpoints import checkpoint
from visner.runtime.provenance import sha256_file, versions
from visner.runtime.spans import micro_f1
from visner.runtime.stages import log
from visner.runtime.tables import read_provenance, write_json
from visner.runtime.training import fit


def train(
    *,
    sentences: Path,
    words: Path | None = None,
    glove_char: Path | None = None,
    glove_word: Path | None = None,
    flair: Path | None = None,
    grounding: Path | None = None,
    visual: Path | None = None,
    encoder: list[Path] | None = None,
    language_models: list[Path] | None = None,
    row_keys: Path | None = None,
    model: Path,
    history: Path,
    recipe: Experiment,
    seed: int,
    resume: Path,
    scratch: str = "",
    device: torch.device,
) -> None:
    """Write the model of an experiment and a seed, and its history: losses and dev F1.

    A part that the recipe doesn't use is left out. `encoder` are the files of the encoder that a bert_crf is trained
    from. `language_models` and `row_keys` (the keys of `visual`) are what a tagger reads beside the tables: their
    digests are kept. Interrupted, it goes on from its checkpoint in `resume` and ends in the same bits; SIGTERM makes
    a checkpoint first.
    """
    files = Files(sentences, words, glove_char, glove_word, flair, grounding, visual, scratch)
    read = {name: path for name, path in vars(files).items() if path and name != "scratch"}
    read |= {path.stem: path for path in [*(language_models or []), *([row_keys] if row_keys else [])]}
    read |= {f"encoder/{path.name}": path for path in encoder or []}
    sums = {name: sha256_file(path) for name, path in read.items()}
    content = (VERSION, recipe.fingerprint(without=["seeds"]), seed, sums, devices.kind(device))
    labels = corpus_labels(sentences)
    with checkpoint(resume, "ner", *content) as place:
        torch.manual_seed(seed)
        torch.use_deterministic_algorithms(device.type == "cpu")
        network, data, beside = systems.begin(recipe, files, encoder, labels, device)
        training, dev = data.splits["train"], data.splits["dev"]
        if not training or not dev:
            raise VisnerError(f"{sentences}: training needs sentences in train and dev; look at the split")
        gold = [[labels[i] for i in sentence.labels] for sentence in dev]
        units = sum(len(sentence) for sentence in training)
        log.info("%d training sentences, %d units, %d labels, on %s", len(training), units, len(labels), device)

        def batches(generator: torch.Generator, start: int):
            for batch in shuffled_batches(training, recipe.training.batch, generator, data.cost, start):
                yield data.batch(batch)

        def evaluate() -> tuple[float, float]:
            tags, _, losses = zip(*decode_all(network, data, dev, losses=True), strict=True)
            return micro_f1(gold, tags), fmean(losses)

        began, count = time.monotonic(), math.ceil(len(training) / recipe.training.batch)
        fitted = fit(
            network,
            systems.optimizer(network, recipe.training),
            batches,
            count,
            evaluate,
            recipe.training,
            seed,
            place,
            systems.schedule(recipe.training, count),
            getattr(recipe.training, "accumulation", 1),
        )
        log.info("trained in %.0f s; best dev F1 %.2f in epoch %d", time.monotonic() - began,
                 100 * max(fitted.scores), fitted.best_epoch)  # fmt: skip
        save(model, network, recipe=recipe.model_dump(mode="json"), seed=seed, **beside)
        write_json(
            history,
            {
                "seed": seed,
                "best_epoch": fitted.best_epoch,
                "dev_f1": [round(100 * f1, 6) for f1 in fitted.scores],
                "dev_losses": [round(loss, 6) for loss in fitted.dev_losses],
                "losses": [round(loss, 6) for loss in fitted.losses],
                "counts": data.counts,
                "recipe": recipe.model_dump(mode="json"),
                "provenance": {
                    "data": read_provenance(sentences).get("sha256"),
                    "tables": sums,
                    "pictures": read_provenance(grounding) if grounding else None,
                    "versions": versions("torch", "pytorch-crf", "numpy", *systems.libraries(recipe)),
                    "device": device.type,
                    "threads": torch.get_num_threads() if device.type == "cpu" else None,
                },
            },
        )
