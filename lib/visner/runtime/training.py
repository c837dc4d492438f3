"""The one fit loop: epochs, early stopping on dev, and a checkpoint that makes an interruption invisible."""

import json
import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from visner.config.experiments import Training
from visner.errors import VisnerError
from visner.runtime import checkpoints
from visner.runtime.stages import log, progress
from visner.runtime.termination import CHECKPOINT_SECONDS, STATUS, Terminated, Termination


@dataclass
class History:
    """What a training has seen so far: one entry an epoch."""

    losses: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)  # on dev
    dev_losses: list[float] = field(default_factory=list)

    @property
    def best_epoch(self) -> int:
        """The epoch (from 1) with the highest score on dev; of equals the one with the lowest dev loss, then the first.

        On few sentences scores are often equal, and 0 in the first epochs, while the loss still falls.
        """
        return max(range(len(self.scores)), key=lambda epoch: (self.scores[epoch], -self.dev_losses[epoch])) + 1

    def finished(self, recipe: Training) -> bool:
        """Whether the last epoch is done, or `patience` epochs have passed since the best one.

        Patience begins at the first epoch whose score isn't 0, and ends no training before `min_epochs`.
        """
        epochs = len(self.scores)
        if epochs >= recipe.epochs:
            return True
        return epochs >= recipe.min_epochs and any(self.scores) and epochs - self.best_epoch >= recipe.patience


@dataclass
class State:
    """Where a training is, beside the states of its model, its optimiser and torch's random numbers."""

    history: History = field(default_factory=History)
    best: dict[str, Tensor] = field(default_factory=dict)  # the parameters of the best epoch
    batches: int = 0  # of the epoch under way that are learnt from
    total: Tensor | float = 0.0  # the sum of their losses


def fit(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    batches: Callable[[torch.Generator, int], Iterable[Any]],
    batch_count: int,
    evaluate: Callable[[], tuple[float, float]],
    recipe: Training,
    seed: int,
    checkpoint: Path,
    schedule: Callable[[int], float] | None = None,
    accumulation: int = 1,
    measure: str = "dev F1",
) -> History:
    """Train `model` (its `loss(batch)` is minimised), and leave the best epoch's parameters in it.

    `batches(generator, start)` gives an epoch's `batch_count` batches without the first `start` ones, `evaluate()` the
    dev F1 (or what `measure` names) and the dev loss. All randomness of an epoch follows from `seed` and its number;
    `checkpoint` keeps everything else after each epoch, every CHECKPOINT_SECONDS, and on SIGTERM, which ends it
    (SystemExit with status 143) after the step under way or out of `evaluate`. A training that goes on from there ends
    in the same bits.
    VisnerError where the loss is no longer finite.

    A step learns from `accumulation` batches; where that is more than one, `len(batch)` is how many examples a batch's
    loss is the mean of, and a step is that of one batch of them all. `schedule(step)`, from 0, is what all learning
    rates are multiplied by in a step: a function of the number alone, so that it has no state to keep.
    """
    state = _load(checkpoint, model, optimizer)
    history = state.history
    rates = [group["lr"] for group in optimizer.param_groups]
    steps = math.ceil(batch_count / accumulation)  # an epoch
    kept = time.monotonic()
    with Termination() as termination:
        if history.losses or state.batches:  # from this line on, SIGTERM makes a checkpoint
            log.info("resuming %s from %s", _place(state, batch_count), checkpoint)

        def keep() -> None:
            nonlocal kept
            _save(checkpoint, model, optimizer, state)
            kept = time.monotonic()
            if termination.requested:
                log.warning("stopped by SIGTERM %s; run again to go on", _place(state, batch_count))
                raise SystemExit(STATUS)

        while not history.finished(recipe):
            epoch = len(history.losses) + 1
            generator = torch.Generator().manual_seed(seed * 100_003 + epoch)
            if not state.batches:  # else the checkpoint's
                torch.manual_seed(seed * 100_003 + epoch)  # dropout
            model.train()
            shown = progress(
                batches(generator, state.batches), f"epoch {epoch}", total=batch_count, initial=state.batches,
                unit="batch", leave=False,
            )  # fmt: skip
            first = steps * (epoch - 1) + state.batches // accumulation
            for step, group in enumerate(_groups(shown, accumulation), first):
                if schedule:
                    for parameters, rate in zip(optimizer.param_groups, rates, strict=True):
                        parameters["lr"] = rate * schedule(step)
                for loss in _learn(model, optimizer, group, recipe.clip):
                    state.total, state.batches = state.total + loss, state.batches + 1
                if termination.requested or time.monotonic() - kept >= CHECKPOINT_SECONDS:
                    keep()
            mean = float(state.total) / max(state.batches, 1)
            if not math.isfinite(mean):
                raise VisnerError(
                    f"training: the loss of epoch {epoch} is {mean}; lower training.learning_rate or look at the "
                    "vectors"
                )
            model.eval()
            try:
                with termination.leaving():
                    score, dev_loss = evaluate()
            except Terminated:
                keep()
            history.losses.append(mean)
            history.scores.append(score)
            history.dev_losses.append(dev_loss)
            state.batches, state.total = 0, 0.0
            if history.best_epoch == epoch:
                state.best = {name: value.detach().cpu().clone() for name, value in model.state_dict().items()}
            log.info("epoch %d: loss %.3f, dev loss %.3f, %s %.2f", epoch, mean, dev_loss, measure, 100 * score)
            keep()
    model.load_state_dict(state.best)
    model.eval()
    return history


def _learn(model: nn.Module, optimizer: torch.optim.Optimizer, group: list[Any], clip: float) -> list[Tensor]:
    """One step from the mean over all examples of a group of batches; the losses of these."""
    optimizer.zero_grad(set_to_none=True)
    sizes = [len(batch) for batch in group] if len(group) > 1 else [1]
    losses = []
    for batch, size in zip(group, sizes, strict=True):
        loss = model.loss(batch)
        (loss * (size / sum(sizes))).backward()
        losses.append(loss.detach())
    nn.utils.clip_grad_norm_(model.parameters(), clip)
    optimizer.step()
    return losses


def linear_schedule(steps: int, warm_up: float) -> Callable[[int], float]:
    """Up from near 0 to 1 over the first share `warm_up` of all `steps`, then down to near 0 at the last one."""
    rising = math.ceil(warm_up * steps)

    def schedule(step: int) -> float:
        if step < rising:
            return (step + 1) / rising
        return max(steps - step, 0) / max(steps - rising, 1)

    return schedule


def _groups(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    items = iter(items)
    while group := list(islice(items, size)):
        yield group


def _place(state: State, batch_count: int) -> str:
    epochs = len(state.history.losses)
    if not state.batches:
        return f"after epoch {epochs}"
    return f"in epoch {epochs + 1} after {state.batches} of {batch_count} batches"


def _save(path: Path, model: nn.Module, optimizer: torch.optim.Optimizer, state: State) -> None:
    of_optimizer = {
        f"{index}.{name}": torch.as_tensor(value)
        for index, values in optimizer.state_dict()["state"].items()
        for name, value in values.items()
    }
    random = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_initialized():
        random["cuda"] = torch.cuda.get_rng_state()
    groups = {"model": model.state_dict(), "best": state.best, "optimizer": of_optimizer, "random": random}
    groups["epoch"] = {"total": torch.as_tensor(state.total)}
    said = {"history": json.dumps(vars(state.history)), "batches": str(state.batches)}
    checkpoints.save(path, groups, said)


def _load(path: Path, model: nn.Module, optimizer: torch.optim.Optimizer) -> State:
    """Where the checkpoint is (nowhere yet, if there is none); model, optimizer and torch's random states are set."""
    if not path.exists():
        return State()
    with checkpoints.opened(path) as (groups, said):
        history = History(**json.loads(said["history"]))
        state = State(history, groups["best"], int(said["batches"]), groups["epoch"]["total"])
        model.load_state_dict(groups["model"])
        values: dict[int, dict[str, Tensor]] = {}
        for key, value in groups["optimizer"].items():
            index, _, name = key.partition(".")
            values.setdefault(int(index), {})[name] = value
        optimizer.load_state_dict({"state": values, "param_groups": optimizer.state_dict()["param_groups"]})
        torch.set_rng_state(groups["random"]["cpu"])
        if "cuda" in groups["random"]:
            torch.cuda.set_rng_state(groups["random"]["cuda"])
    return state
