"""The states of a corpus' words, as jobs have left them (`visner.vokens.encoding`), without the encoder's library."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from visner.errors import VisnerError
from visner.tables import load_array, shard_range


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
