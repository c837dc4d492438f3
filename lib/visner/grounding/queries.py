"""Pictures by query: a word's vector is the mean over the first K usable pictures of its first query that has any."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from visner.errors import VisnerError
from visner.runtime.aligned import aligned_rows
from visner.runtime.pictures import iterate_vectors
from visner.runtime.tables import WORDS


def mean_vectors(pictures: dict[str, list[str]], shards: Iterable[Path]) -> np.ndarray:
    """The mean vector of each query's pictures, [Q, V] float32 in the order of `pictures`.

    Embedding shards are streamed; only the Q sums are held. VisnerError names a picture without a vector.
    """
    users: dict[str, list[int]] = {}
    for row, ids in enumerate(pictures.values()):
        for image_id in ids:
            users.setdefault(image_id, []).append(row)
    sums = None
    image_ids = sorted(users)
    for places, _, vectors in iterate_vectors(shards, image_ids):
        if sums is None:
            sums = np.zeros((len(pictures), vectors.shape[1]))  # float64: the order of adding doesn't show
        for place, vector in zip(places, vectors, strict=True):
            for row in users[image_ids[place]]:
                sums[row] += vector
    if sums is None:
        raise VisnerError("no query has a usable picture: there is nothing to ground; look at the source of images")
    counts = np.array([len(ids) for ids in pictures.values()])
    return (sums / counts[:, None]).astype(np.float32)


def unit_rows(length: int, words: Iterable[dict], rows: dict[str, int]) -> list[list[int]]:
    """For each of a sentence's `length` units the row of its word's first query that has one; none: empty."""
    units: list[list[int]] = [[] for _ in range(length)]
    for word in words:
        row = next((rows[query] for query in word["queries"] if query in rows), None)
        if row is not None:
            units[word["start"] : word["stop"]] = [[row]] * (word["stop"] - word["start"])
    return units


def ground(sentences: Path, words: Path, rows: dict[str, int]) -> Iterator[dict]:
    """The grounding table's rows: each unit of a word sees the row of the word's first query that has one."""
    for sentence, sentence_words in aligned_rows(sentences, ["units"], [(words, WORDS, None)]):
        units = unit_rows(len(sentence["units"]), sentence_words["words"], rows)
        yield {
            "sentence_id": sentence["sentence_id"],
            "rows": units,
            "scores": [[1.0] * len(unit) for unit in units],  # a query's pictures are not scored
        }
