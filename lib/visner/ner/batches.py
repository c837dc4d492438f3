"""Sentences in batches of similar length, and what a recogniser says of all of them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from visner.ner.recogniser import Recogniser

CELLS = 64 * 512  # units of a batch to predict, with padding: 270 MB of what a BiLSTM of 256 units reads


@dataclass
class Data:
    """Sentences as index arrays; `sentence_id`, `labels` and a length are all that others read of one."""

    splits: dict[str, list]
    batch: Callable[[list], Any]  # sentences -> the batch that a model takes, on its device
    cost: Callable[[Any], int] = len  # of a sentence: batches hold sentences of similar cost
    counts: dict[str, dict[str, int]] = field(default_factory=dict)  # split -> what was cut or is missing


def shuffled_batches(
    sentences: Sequence, size: int, generator: torch.Generator, cost: Callable[[Any], int] = len, start: int = 0
) -> Iterator[list]:
    """Every sentence once, in batches of `size` of similar `cost` (by default the length), in random order.

    Costs are sorted within pools of fifty batches: little padding, and still other neighbours every epoch. The first
    `start` batches are left out.
    """
    order = torch.randperm(len(sentences), generator=generator).tolist()
    batches = []
    for first in range(0, len(order), 50 * size):
        pool = sorted(order[first : first + 50 * size], key=lambda i: cost(sentences[i]))
        batches += [pool[i : i + size] for i in range(0, len(pool), size)]
    for i in torch.randperm(len(batches), generator=generator).tolist()[start:]:
        yield [sentences[j] for j in batches[i]]


def sorted_batches(
    sentences: Sequence, size: int, cost: Callable[[Any], int] = len, most: int = CELLS
) -> Iterator[list[int]]:
    """Indices of all sentences in batches of similar cost, the longest first: a lack of memory shows at once.

    A batch has at most `size` sentences, and costs at most `most` with its padding, or is one sentence.
    """
    order = sorted(range(len(sentences)), key=lambda i: -cost(sentences[i]))
    start = 0
    while start < len(order):
        stop = start + min(size, max(1, most // max(1, cost(sentences[order[start]]))))
        yield order[start:stop]
        start = stop


def decode_all(
    model: Recogniser, data: Data, sentences: Sequence, losses: bool = False
) -> list[tuple[list[str], np.ndarray | None, float | None]]:
    """(labels, gates, loss) of each sentence, in its order; see `Recogniser.decode`."""
    decoded: list = [None] * len(sentences)
    labels = model.config.labels
    model.eval()
    for places in sorted_batches(sentences, 64, data.cost):
        batch = model.decode(data.batch([sentences[i] for i in places]), losses)
        for i, tags, gates, loss in zip(places, *batch, strict=True):
            decoded[i] = ([labels[tag] for tag in tags], gates, loss)
    return decoded
