"""How often units meet in a window: the counts X that GloVe is trained on (Pennington et al. 2014, section 3)."""

from collections import Counter
from collections.abc import Iterable, Iterator

import numpy as np
from scipy import sparse

CHUNK = 1 << 18  # units counted at once: memory holds the table of distinct pairs and a chunk, never the text


def vocabulary(sentences: Iterable[list[str]], min_count: int) -> list[str]:
    """The units that occur at least `min_count` times, most frequent first, equals by code point."""
    counts = Counter(unit for sentence in sentences for unit in sentence)
    return sorted(
        (unit for unit, count in counts.items() if count >= min_count), key=lambda unit: (-counts[unit], unit)
    )


def cooccurrences(sentences: Iterable[list[str]], keys: list[str], window: int) -> sparse.csr_array:
    """X [V, V] float64, symmetric: two units of a sentence that are d <= `window` apart add 1/d, in both directions.

    Units that are not among the V `keys` are left out before distances are taken, as in GloVe's own counting.
    """
    parts: list[sparse.csr_array] = []
    for ids, lengths in _chunks(sentences, keys):
        parts.append(_count(ids, lengths, len(keys), window))
        while len(parts) > 1 and parts[-2].nnz <= 2 * parts[-1].nnz:  # equals merge: each pair is copied log n times
            parts.append(parts.pop() + parts.pop())
    counts = sum(parts, sparse.csr_array((len(keys), len(keys))))
    return (counts + counts.T).tocsr()


def _chunks(sentences: Iterable[list[str]], keys: list[str]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The ids of many sentences one after the other, and the sentences' lengths."""
    rows = {key: row for row, key in enumerate(keys)}
    ids: list[int] = []
    lengths: list[int] = []
    for sentence in sentences:
        known = [rows[unit] for unit in sentence if unit in rows]
        ids += known
        lengths.append(len(known))
        if len(ids) >= CHUNK:
            yield np.array(ids, np.int32), np.array(lengths)
            ids, lengths = [], []
    yield np.array(ids, np.int32), np.array(lengths, np.int64)


def _count(ids: np.ndarray, lengths: np.ndarray, size: int, window: int) -> sparse.csr_array:
    """Pairs (earlier, later) of one chunk, weighted by 1/d."""
    sentence = np.repeat(np.arange(len(lengths)), lengths)
    counts = sparse.csr_array((size, size))
    for distance in range(1, window + 1):
        together = sentence[distance:] == sentence[:-distance]
        earlier, later = ids[:-distance][together], ids[distance:][together]
        pairs = sparse.coo_array((np.full(len(earlier), 1 / distance), (earlier, later)), (size, size))
        counts = counts + pairs.tocsr()
    return counts
