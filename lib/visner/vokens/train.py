"""Fit a matcher on the training split's pairs; its best epoch is chosen by recall@10 on dev."""

import math
from pathlib import Path

import torch

from visner.config.matchers import Matcher as Recipe
from visner.errors import VisnerError
from visner.runtime.checkpoints import checkpoint
from visner.runtime.device import kind
from visner.runtime.pictures import read_attached
from visner.runtime.provenance import sha256_file, versions
from visner.runtime.stages import log
from visner.runtime.tables import read_provenance, write_json
from visner.runtime.training import History, fit
from visner.vokens import VERSION, pairs
from visner.vokens.matcher import Matcher, save
from visner.vokens.pairs import Pairs, States
from visner.vokens.recall import CUTS, recall


def train(
    sentences: Path,
    states: list[Path],
    images: list[Path],
    embeddings: list[Path],
    matcher: Path,
    history: Path,
    recipe: Recipe,
    resume: Path,
    device: torch.device,
) -> None:
    """Write the matcher and its history; an interrupted training goes on from its checkpoint in `resume`.

    `images` and `embeddings` are the shards of the sentences' attachments.
    """
    files = (sentences, *states, *images, *embeddings)
    sums = [sha256_file(path) for path in files]
    with checkpoint(resume, "vokens", VERSION, recipe.training_fingerprint(), sums, kind(device)) as path:
        found = _pairs(sentences, states, images, embeddings, device)
        model, fitted = _fit(recipe, found, path, device)
        save(matcher, model)
        write_json(
            history,
            {
                "seed": recipe.seed,
                "best_epoch": fitted.best_epoch,
                f"dev_recall@{CUTS[-1]}": [round(100 * value, 6) for value in fitted.scores],
                "dev_losses": [round(loss, 6) for loss in fitted.dev_losses],
                "losses": [round(loss, 6) for loss in fitted.losses],
                "recipe": recipe.model_dump(mode="json"),
                "pairs": {
                    split: {
                        "sentences": len(some.bounds),
                        "words": len(some.own),
                        "distinct_pictures": len(some.pictures),
                    }
                    for split, some in found.items()
                },
                "provenance": {
                    "data": read_provenance(sentences).get("sha256"),
                    "embeddings": read_provenance(embeddings[0]),
                    "versions": versions("torch", "transformers", "numpy"),
                    "device": device.type,
                    "threads": torch.get_num_threads() if device.type == "cpu" else None,
                },
            },
        )


def _pairs(sentences: Path, states: list[Path], images: list[Path], embeddings: list[Path], device) -> dict[str, Pairs]:
    """The pairs of train and of dev; VisnerError where there are none."""
    read, attached = pairs.read_sentences(sentences), read_attached(images)
    mapped = States(states, [len(one.words) for one in read])
    chosen = {split: pairs.with_pictures(read, attached, split) for split in ("train", "dev")}
    found = {split: pairs.load_pairs(some, attached, mapped, embeddings, device) for split, some in chosen.items()}
    for split, some in found.items():
        if not some.bounds:
            raise VisnerError(f"{sentences}: no {split} sentence has words and a usable picture; a matcher needs them")
    log.info(
        "%d words and %d pictures to train on; %d words and %d pictures of dev",
        *(len(each) for split in ("train", "dev") for each in (found[split].own, found[split].pictures)),
    )
    return found


def _fit(recipe: Recipe, found: dict[str, Pairs], path: Path, device: torch.device) -> tuple[Matcher, History]:
    """A matcher, trained from the checkpoint `path` on."""
    torch.manual_seed(recipe.seed)
    torch.use_deterministic_algorithms(device.type == "cpu")
    matcher = Matcher(recipe, found["train"].states.shape[1], found["train"].pictures.shape[1])
    matcher.words[0].fit(found["train"].states)
    matcher.pictures[0].fit(found["train"].pictures)
    matcher = matcher.to(device)
    optimizer = torch.optim.Adam(matcher.parameters(), lr=recipe.training.learning_rate, fused=True)
    size = recipe.training.batch

    def evaluate() -> tuple[float, float]:
        return recall(matcher, found["dev"])[CUTS[-1]], mean_loss(matcher, found["dev"], size)

    fitted = fit(
        matcher,
        optimizer,
        lambda generator, start: found["train"].batches(size, generator, start),
        math.ceil(len(found["train"].bounds) / size),
        evaluate,
        recipe.training,
        recipe.seed,
        path,
        measure=f"dev recall@{CUTS[-1]}",
    )
    return matcher, fitted


@torch.no_grad()
def mean_loss(matcher: Matcher, pairs: Pairs, size: int) -> float:
    """The loss of a word, the mean over all of some pairs in batches of `size` sentences."""
    total = sum(float(matcher.loss(batch)) * len(batch.own) for batch in pairs.batches(size))
    return total / max(len(pairs.own), 1)
