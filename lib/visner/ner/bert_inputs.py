"""Sentences for an encoder: tokenised once into index arrays, then batches of them."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from visner.ner.dataset import NONE, aligned_rows
from visner.ner.frozen import mean_rows
from visner.recipes import BertExperiment
from visner.subtokens import Subtokens, Windows
from visner.tables import GROUNDING


@dataclass
class EncodedSentence:
    """One sentence; each of its `pictures` is the mean over some rows of the visual vectors."""

    sentence_id: str
    windows: Windows
    pictures: np.ndarray  # [S, N] rows of the visual vectors, NONE where there are fewer
    seen: np.ndarray  # [T] unit -> its picture; NONE: it has none, or `pictures` are no unit's own
    labels: np.ndarray  # [T] label ids

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def subtokens(self) -> int:
        """Of all windows, special ones included."""
        return sum(len(ids) for ids in self.windows.ids)


@dataclass
class Inputs:
    """A batch on the model's device. N words in reading order are the units in `mask`."""

    ids: Tensor  # [R, L] a row a window
    attended: Tensor  # [R, L] True where a sub-token is
    first: Tensor  # [N] each word's first sub-token among the R*L; negative: it has none
    mask: Tensor  # [B, T]
    labels: Tensor  # [B, T]
    pictures: Tensor  # [P, V] of all sentences
    seen: Tensor  # [N] word -> its picture, negative for none
    shown: Tensor  # [B, S] sentence -> its pictures, negative where there are fewer

    def __len__(self) -> int:
        return len(self.mask)


def pictures_of(rows: Sequence[Sequence[int]], series: bool, distinct: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """`pictures` and `seen` of a sentence from its units' rows: a picture is the mean of a unit's rows or, in a
    series, one row of any unit. In the order of their first units; unless `distinct`, a series has a row again for
    each unit that has it.
    """
    if series:
        found = [(row,) for unit in rows for row in unit]
        found = dict.fromkeys(found) if distinct else found
    else:
        found = dict.fromkeys(tuple(unit) for unit in rows if unit)
    width = max(map(len, found), default=1)
    pictures = np.array([[*one, *[NONE] * (width - len(one))] for one in found], dtype=np.int32).reshape(-1, width)
    number = {one: i for i, one in enumerate(found)}
    seen = [NONE if series else number.get(tuple(unit), NONE) for unit in rows]
    return pictures, np.array(seen, dtype=np.int32)


def read(
    arguments: argparse.Namespace, splits: list[str], labels: list[str], subtokens: Subtokens, recipe: BertExperiment
) -> tuple[dict[str, list[EncodedSentence]], dict[str, dict[str, int]]]:
    """The sentences of some splits, and for each split how many words have no sub-tokens, how many sentences had to
    be read in several windows.
    """
    label_index = {label: number for number, label in enumerate(labels)}
    others = [(arguments.grounding, GROUNDING, ["sentence_id", "rows"])] if arguments.grounding else []
    chosen = {split: [] for split in splits}
    for row, *rest in aligned_rows(arguments.sentences, others):
        if row["split"] in chosen:
            chosen[row["split"]].append(
                (row, *pictures_of(rest[0]["rows"] if rest else [], recipe.series, recipe.distinct))
            )
    sentences = {}
    for split, rows in chosen.items():
        tokenised = subtokens.windows([row["units"] for row, *_ in rows])
        sentences[split] = [
            EncodedSentence(
                row["sentence_id"],
                windows,
                pictures,
                seen if len(seen) else np.full(len(row["units"]), NONE, dtype=np.int32),
                np.array([label_index[label] for label in row["labels"]], dtype=np.int64),
            )
            for (row, pictures, seen), windows in zip(rows, tokenised, strict=True)
        ]
    return sentences, {split: count(some) for split, some in sentences.items()}


def count(sentences: Sequence[EncodedSentence]) -> dict[str, int]:
    """What is out of the ordinary, and of how much."""
    return {
        "sentences": len(sentences),
        "words": sum(map(len, sentences)),
        "subtokens": sum(sentence.subtokens for sentence in sentences),
        "words_without_subtokens": int(sum((sentence.windows.window == NONE).sum() for sentence in sentences)),
        "sentences_in_several_windows": sum(len(sentence.windows.ids) > 1 for sentence in sentences),
    }


def prepare(sentences: Sequence[EncodedSentence], visual: np.ndarray, pad: int, device: torch.device) -> Inputs:
    """Sentences as one batch, padded to its longest window."""
    windows = [ids for sentence in sentences for ids in sentence.windows.ids]
    width = max(map(len, windows))
    lengths = np.array([len(sentence) for sentence in sentences])
    mask = np.arange(lengths.max()) < lengths[:, None]  # [B, T]
    attended = np.arange(width) < np.array([len(ids) for ids in windows])[:, None]  # [R, L]
    padded = np.full(attended.shape, pad, dtype=np.int64)
    padded[attended] = np.concatenate(windows)
    labels = np.zeros(mask.shape, dtype=np.int64)
    labels[mask] = np.concatenate([sentence.labels for sentence in sentences])
    counts = np.array([len(sentence.pictures) for sentence in sentences])
    shown = np.full((len(sentences), counts.max()), NONE, dtype=np.int64)
    shown[np.arange(counts.max()) < counts[:, None]] = np.arange(counts.sum())
    depth = max(sentence.pictures.shape[1] for sentence in sentences)
    pictures = [
        np.pad(one.pictures, ((0, 0), (0, depth - one.pictures.shape[1])), constant_values=NONE) for one in sentences
    ]
    first, seen = [], []
    for sentence, row, picture in zip(
        sentences, _starts([len(s.windows.ids) for s in sentences]), _starts(counts), strict=True
    ):
        place = (sentence.windows.window + row) * width + sentence.windows.column
        first.append(np.where(sentence.windows.window == NONE, NONE, place))
        seen.append(np.where(sentence.seen == NONE, NONE, sentence.seen + picture))

    def moved(array: np.ndarray) -> Tensor:
        return torch.from_numpy(array).to(device, non_blocking=True)

    return Inputs(
        ids=moved(padded),
        attended=moved(attended),
        first=moved(np.concatenate(first).astype(np.int64)),
        mask=moved(mask),
        labels=moved(labels),
        pictures=mean_rows(visual, torch.from_numpy(np.concatenate(pictures).astype(np.int64)), device),
        seen=moved(np.concatenate(seen).astype(np.int64)),
        shown=moved(shown),
    )


def _starts(counts: Sequence[int]) -> np.ndarray:
    return np.cumsum([0, *counts])[:-1]
