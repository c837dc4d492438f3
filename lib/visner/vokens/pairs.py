"""Words with the pictures of their sentences: what a matcher is trained on, judged on, and searches.

Who may see a picture goes by the name of the attachment (a tweet's IMGID), not by its bytes: an attachment of a dev
or test sentence is *held out*, and neither trained on nor searched, even where a training sentence has it too.
Byte-identical copies under other names are different attachments, and are counted.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from visner.errors import VisnerError
from visner.runtime.pictures import picture_vectors
from visner.runtime.tables import SENTENCES, iterate_rows, load_array, shard_range
from visner.vokens.matcher import Batch


@dataclass(frozen=True)
class Sentence:
    """One sentence's words, as rows of the states."""

    sentence_id: str
    split: str
    attachment: str | None
    words: tuple[str, ...]
    start: int  # the row of its first word

    @property
    def rows(self) -> range:
        """Of its words."""
        return range(self.start, self.start + len(self.words))


def read_sentences(path: str | Path, rows: range | None = None) -> list[Sentence]:
    """The sentences of some rows (None: of all), in the table's order; their words are counted from the first's."""
    found, start = [], 0
    for row in iterate_rows(path, SENTENCES, ["sentence_id", "split", "attachment", "units"], rows=rows):
        found.append(Sentence(row["sentence_id"], row["split"], row["attachment"], tuple(row["units"]), start))
        start += len(row["units"])
    return found


def held_out(sentences: Iterable[Sentence]) -> set[str]:
    """The attachments that no training may see: all of dev and test."""
    return {one.attachment for one in sentences if one.split != "train" and one.attachment is not None}


def with_pictures(sentences: list[Sentence], attached: dict[str, str], split: str) -> list[Sentence]:
    """A split's sentences that have a usable picture; for train, one that is not held out."""
    closed = held_out(sentences) if split == "train" else set()
    return [
        one for one in sentences if one.split == split and one.attachment in attached and one.attachment not in closed
    ]


def pool_of(sentences: list[Sentence], pictures: dict[str, list[str]]) -> dict[str, list[str]]:
    """image_id -> the names of those that have it, both sorted, from name -> image_ids; held-out names are left out.

    A picture that has lost all its names is not in the pool.
    """
    closed = held_out(sentences)
    pool: dict[str, list[str]] = {}
    for name in sorted(pictures.keys() - closed):
        for image_id in dict.fromkeys(pictures[name]):
            pool.setdefault(image_id, []).append(name)
    return dict(sorted(pool.items()))


class States:
    """The states [W, D] of all words of a corpus, mapped, from the shards that the jobs made of them."""

    def __init__(self, paths: Sequence[str | Path], lengths: Sequence[int]):
        """`paths` are all shards in order, of sentences of `lengths` words. VisnerError where they aren't."""
        self.shards = [load_array(path, "c") for path in paths]  # c: torch wants what could be written
        for number, (path, shard) in enumerate(zip(paths, self.shards, strict=True)):
            expected = sum(lengths[i] for i in shard_range(len(lengths), number, len(paths)))
            if len(shard) != expected:
                raise VisnerError(
                    f"{path}: {len(shard)} words, where these sentences' shard {number} of {len(paths)} has "
                    f"{expected}; give all shards, in order, or make them again"
                )
        self._ends = np.cumsum([len(shard) for shard in self.shards])  # [shards]

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __getitem__(self, words: slice) -> np.ndarray:
        """Those of adjacent words [N, D]; of one shard's words they stay mapped."""
        start, stop, _ = words.indices(len(self))
        first = int(np.searchsorted(self._ends, start, side="right"))
        found = []
        for shard, end in zip(self.shards[first:], self._ends[first:], strict=True):
            before = int(end) - len(shard)
            found.append(shard[max(0, start - before) : max(0, stop - before)])
            if stop <= end:
                break
        return found[0] if len(found) == 1 else np.concatenate([*found, self.shards[0][:0]])


@dataclass
class Pairs:
    """The words of some sentences that have a state, and the distinct pictures of these sentences."""

    states: Tensor  # [N, D_w]
    own: Tensor  # [N] row of each word's picture
    bounds: list[tuple[int, int]]  # of each sentence's words in `states`
    pictures: Tensor  # [P, D_v]

    def batches(self, size: int, generator: torch.Generator | None = None, start: int = 0) -> Iterator[Batch]:
        """Every sentence once, `size` of them at a time, without the first `start` batches; in random order where a
        generator is given.
        """
        count = len(self.bounds)
        order = range(count) if generator is None else torch.randperm(count, generator=generator).tolist()
        for first in range(start * size, len(order), size):
            chosen = [self.bounds[i] for i in sorted(order[first : first + size])]
            words = torch.cat([torch.arange(*bounds) for bounds in chosen]).to(self.own.device)  # [N]
            pictures, own = self.own[words].unique(return_inverse=True)
            yield Batch(self.states[words], self.pictures[pictures], own)


def load_pairs(
    sentences: list[Sentence],
    attached: dict[str, str],
    states: States,
    embeddings: Iterable[Path],
    device: torch.device,
) -> Pairs:
    """The pairs of sentences that all have a usable picture; `states` are zeros for a word without."""
    image_ids = sorted({attached[one.attachment] for one in sentences})
    vectors = picture_vectors(embeddings, image_ids)[:, 0]  # [P, D_v]
    places = {image_id: place for place, image_id in enumerate(image_ids)}
    found, own, bounds, count = [], [], [], 0
    for one in sentences:
        here = states[one.start : one.start + len(one.words)]
        here = here[here.any(1)]
        found.append(here)
        own += [places[attached[one.attachment]]] * len(here)
        bounds.append((count, count + len(here)))
        count += len(here)
    return Pairs(
        states=torch.from_numpy(np.concatenate([*found, states[:0]])).to(device),
        own=torch.tensor(own, dtype=torch.long, device=device),
        bounds=[one for one in bounds if one[0] < one[1]],
        pictures=torch.from_numpy(vectors).to(device),
    )
