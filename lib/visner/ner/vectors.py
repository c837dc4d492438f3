"""Frozen vectors: arrays that indices point into, in memory or mapped from disk."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from visner.ner.fusion import Pictures
from visner.runtime.keyed_vectors import read_vectors
from visner.runtime.scratch import mapped

NONE = -1  # an index into no row: a zero vector
NOTHING = np.zeros((0, 0), dtype=np.float32)


def read_indexed(path: Path | None) -> tuple[dict[str, int], np.ndarray]:
    """key -> row, and the vectors [V, D]; nothing without a path."""
    if path is None:
        return {}, NOTHING
    keys, vectors = read_vectors(path)
    return {key: row for row, key in enumerate(keys)}, vectors


def read_mapped(path: Path | None, scratch: str) -> np.ndarray:
    """An array [*, D], mapped from disk; nothing without a path."""
    return mapped(path, scratch) if path else NOTHING


def mean_norm(table: np.ndarray, indices: Iterable[np.ndarray]) -> float:
    """The mean Euclidean norm of the rows indexed (at most ten thousand of them, evenly spread); 0 for none."""
    rows = np.unique(np.concatenate([one.ravel() for one in indices]))
    rows = rows[rows >= 0]
    found = np.asarray(table[rows[:: len(rows) // 10_000 + 1]], dtype=np.float64) if len(table) else np.zeros(0)
    return float(np.linalg.norm(found, axis=1).mean()) if found.size else 0.0


def gather(table: np.ndarray, rows: np.ndarray, device: torch.device) -> Tensor:
    """Rows of a table as a float32 tensor, zeros for negative ones."""
    if not table.shape[1] or not len(table):
        return torch.zeros(len(rows), table.shape[1], device=device)
    found = np.asarray(table[np.maximum(rows, 0)], dtype=np.float32)
    found[rows < 0] = 0
    return torch.from_numpy(found).to(device, non_blocking=True)


def mean_rows(table: np.ndarray, rows: np.ndarray, device: torch.device) -> Tensor:
    """The mean over the rows [P, N] of a table [*, V] that are not negative, at least one each: [P, V]."""
    if not rows.size:
        return torch.zeros(len(rows), table.shape[1], device=device)
    count = torch.from_numpy((rows >= 0).sum(1, keepdims=True)).to(device)  # [P, 1]
    return gather(table, rows.reshape(-1), device).view(*rows.shape, table.shape[1]).sum(1) / count


def pictures_of(rows: Sequence[Sequence[int]], series: bool, distinct: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """The pictures [P, N] (rows of vectors, NONE where there are fewer) of a sentence, and each state's own [T].

    `rows` are those that its states see. A picture is the mean of a state's rows or, in a series, one row of any state,
    and no state's own. In the order of their first states; unless `distinct`, a series has a row again for each state
    that sees it.
    """
    if series:
        found = [(row,) for state in rows for row in state]
        found = dict.fromkeys(found) if distinct else found
    else:
        found = dict.fromkeys(tuple(state) for state in rows if state)
    width = max(map(len, found), default=1)
    pictures = np.array([[*one, *[NONE] * (width - len(one))] for one in found], dtype=np.int32).reshape(-1, width)
    number = {one: i for i, one in enumerate(found)}
    own = [NONE if series else number.get(tuple(state), NONE) for state in rows]
    return pictures, np.array(own, dtype=np.int32)


def batch_pictures(sentences: Sequence, visual: np.ndarray, device: torch.device) -> Pictures:
    """The pictures of sentences that have `pictures` and `own` of `pictures_of`."""
    counts = np.array([len(sentence.pictures) for sentence in sentences])
    starts = np.cumsum([0, *counts])[:-1]
    states = np.array([len(sentence.own) for sentence in sentences])
    mask = np.arange(states.max()) < states[:, None]  # [B, T]
    shown = np.full((len(sentences), counts.max()), NONE, dtype=np.int64)  # [B, S]
    shown[np.arange(counts.max()) < counts[:, None]] = np.arange(counts.sum())
    own = [np.where(s.own == NONE, NONE, s.own + start) for s, start in zip(sentences, starts, strict=True)]
    depth = max(sentence.pictures.shape[1] for sentence in sentences)
    rows = [np.pad(s.pictures, ((0, 0), (0, depth - s.pictures.shape[1])), constant_values=NONE) for s in sentences]
    return Pictures(
        mean_rows(visual, np.concatenate(rows).astype(np.int64), device),
        *(torch.from_numpy(one).to(device, non_blocking=True) for one in (np.concatenate(own), shown, mask)),
    )
