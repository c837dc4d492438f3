"""Sentences as index arrays into frozen tables, and batches of them of similar length.

A *segment* is a maximal run of units that share one word and one set of pictures: what a model computes from
word-level inputs, it computes once a segment.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from visner.errors import VisnerError
from visner.keyed_vectors import UNSEEN
from visner.tables import GROUNDING, SENTENCES, WORDS, iterate_rows

NONE = -1  # an index into no row: a zero vector
CELLS = 64 * 512  # units of a batch to predict, with padding: 270 MB of what a BiLSTM of 256 units reads


@dataclass
class Sentence:
    """One sentence; every index array is int32, and NONE stands for a zero vector."""

    sentence_id: str
    units: np.ndarray  # [T] rows of the character vectors
    segments: np.ndarray  # [T] unit -> segment of this sentence
    words: np.ndarray  # [S] rows of the word vectors
    occurrences: np.ndarray  # [S] rows of the contextual vectors, one a word occurrence
    pictures: np.ndarray  # [S, N] rows of the visual vectors, best first
    labels: np.ndarray | None = None  # [T] label ids

    def __len__(self) -> int:
        return len(self.units)


@dataclass
class Batch:
    """Padded sentences; segments of all of them in one list, segment 0 being the empty one that padding shows."""

    sentences: list[Sentence]
    units: Tensor  # [B, T]
    segments: Tensor  # [B, T] into the S segments of the batch
    lengths: Tensor  # [B]
    words: Tensor  # [S]
    occurrences: Tensor  # [S]
    pictures: Tensor  # [S, N]
    labels: Tensor | None  # [B, T]

    @property
    def mask(self) -> Tensor:
        """[B, T], True where a unit is."""
        return torch.arange(self.units.shape[1], device=self.units.device) < self.lengths.unsqueeze(1)


def build_sentence(
    sentence_id: str,
    units: Sequence[str],
    words: Sequence[dict],
    first_occurrence: int,
    rows: Sequence[Sequence[int]] | None,
    char_index: dict[str, int],
    word_index: dict[str, int],
    labels: np.ndarray | None = None,
) -> Sentence:
    """Index arrays from a sentence's units, its words (tables.WORD) and its units' rows of pictures."""
    unit_words = np.full(len(units), NONE, dtype=np.int32)
    for number, word in enumerate(words):
        unit_words[word["start"] : word["stop"]] = number
    segments = np.zeros(len(units), dtype=np.int32)
    found: list[tuple[int, tuple[int, ...]]] = []
    for t, number in enumerate(unit_words.tolist()):
        one = (number, tuple(rows[t]) if rows is not None else ())
        if not found or found[-1] != one:
            found.append(one)
        segments[t] = len(found) - 1
    width = max((len(pictures) for _, pictures in found), default=0)
    numbers = [number for number, _ in found]
    surfaces = [words[number]["surface"] if number >= 0 else None for number in numbers]  # None: between words
    char_unseen, word_unseen = char_index.get(UNSEEN, NONE), word_index.get(UNSEEN, NONE)
    return Sentence(
        sentence_id=sentence_id,
        units=np.array([char_index.get(unit, char_unseen) for unit in units], dtype=np.int32),
        segments=segments,
        words=np.array(
            [NONE if surface is None else word_index.get(surface, word_unseen) for surface in surfaces], dtype=np.int32
        ),
        occurrences=np.array([NONE if n < 0 else first_occurrence + n for n in numbers], dtype=np.int32),
        pictures=np.array([[*p, *[NONE] * (width - len(p))] for _, p in found], dtype=np.int32).reshape(
            len(found), width
        ),
        labels=labels,
    )


def read_sentences(
    sentences: Path,
    words: Path,
    grounding: Path | None,
    splits: Sequence[str],
    char_index: dict[str, int],
    word_index: dict[str, int],
    label_index: dict[str, int],
) -> dict[str, list[Sentence]]:
    """The sentences of some splits from the tables, which must agree row by row."""
    found: dict[str, list[Sentence]] = {split: [] for split in splits}
    others = [(words, WORDS, WORDS.names)]
    if grounding:
        others.append((grounding, GROUNDING, ["sentence_id", "rows"]))
    first_occurrence = 0
    for row, *rest in aligned_rows(sentences, others):
        row_words = rest[0]["words"]
        if row["split"] in found:
            labels = np.array([label_index[label] for label in row["labels"]], dtype=np.int64)
            rows = rest[1]["rows"] if grounding else None
            texts = (row["sentence_id"], row["units"], row_words, first_occurrence)
            found[row["split"]].append(build_sentence(*texts, rows, char_index, word_index, labels))
        first_occurrence += len(row_words)
    return found


def aligned_rows(
    sentences: Path, others: Sequence[tuple[Path, pa.Schema, Sequence[str]]]
) -> Iterator[tuple[dict, ...]]:
    """Each sentence with its row in every other table (path, schema, columns); VisnerError where they disagree."""
    read = [iterate_rows(sentences, SENTENCES, ["sentence_id", "split", "units", "labels"])]
    read += [iterate_rows(*other) for other in others]
    for row, *rest in zip_longest(*read, fillvalue={"sentence_id": None}):
        for (path, *_), other in zip(others, rest, strict=True):
            if other["sentence_id"] != row["sentence_id"]:
                place = f"{other['sentence_id']}, {row['sentence_id']}"
                raise VisnerError(f"{path}: its sentences are not those of {sentences} ({place}); delete it, run again")
        yield row, *rest


def collate(sentences: list[Sentence]) -> Batch:
    """Sentences as one padded batch."""
    lengths = torch.tensor([len(sentence) for sentence in sentences])
    width = int(lengths.max())
    depth = max(sentence.pictures.shape[1] for sentence in sentences)
    units = np.full((len(sentences), width), NONE, dtype=np.int64)
    segments = np.zeros((len(sentences), width), dtype=np.int64)
    labels = np.zeros((len(sentences), width), dtype=np.int64)
    words, occurrences, pictures = [[NONE]], [[NONE]], [np.full((1, depth), NONE, dtype=np.int32)]
    offset = 1
    for row, sentence in enumerate(sentences):
        units[row, : len(sentence)] = sentence.units
        segments[row, : len(sentence)] = sentence.segments + offset
        if sentence.labels is not None:
            labels[row, : len(sentence)] = sentence.labels
        words.append(sentence.words)
        occurrences.append(sentence.occurrences)
        missing = ((0, 0), (0, depth - sentence.pictures.shape[1]))
        pictures.append(np.pad(sentence.pictures, missing, constant_values=NONE))
        offset += len(sentence.words)
    return Batch(
        sentences=sentences,
        units=torch.from_numpy(units),
        segments=torch.from_numpy(segments),
        lengths=lengths,
        words=torch.from_numpy(np.concatenate(words).astype(np.int64)),
        occurrences=torch.from_numpy(np.concatenate(occurrences).astype(np.int64)),
        pictures=torch.from_numpy(np.concatenate(pictures).astype(np.int64)),
        labels=torch.from_numpy(labels) if sentences[0].labels is not None else None,
    )


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
    """Indices of all sentences in batches of similar cost, longest first: memory is short at once or never.

    A batch has at most `size` sentences, and costs at most `most` with its padding, or is one sentence.
    """
    order = sorted(range(len(sentences)), key=lambda i: -cost(sentences[i]))
    start = 0
    while start < len(order):
        stop = start + min(size, max(1, most // max(1, cost(sentences[order[start]]))))
        yield order[start:stop]
        start = stop
