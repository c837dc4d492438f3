"""What the later stages ask of pictures: which of them a query has, and their vectors."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from visner.errors import VisnerError
from visner.runtime.tables import IMAGES, iterate_batches, read_table

REGIONS = range(1, 50)  # of a picture's 7x7 grid, in reading order; 0 is the whole picture


def first_pictures(shards: Iterable[Path], k: int | None = None) -> dict[str, list[str]]:
    """query -> the ids of its first `k` usable pictures (None: all), in rank order; queries without any are left out.

    Of the source `attached` a query is the name of an attachment, and has one picture.
    """
    ranked: dict[str, list[tuple[int, str]]] = {}
    for shard in shards:
        table = read_table(shard, IMAGES, ["query", "rank", "image_id"])
        columns = (table.column(name).to_pylist() for name in ("query", "rank", "image_id"))
        for query, rank, image_id in zip(*columns, strict=True):
            if image_id is not None:
                ranked.setdefault(query, []).append((rank, image_id))
    return {query: [image_id for _, image_id in sorted(ranked[query])[:k]] for query in sorted(ranked)}


def read_attached(shards: Iterable[Path]) -> dict[str, str]:
    """attachment -> image_id, of those that are usable; the shards are of the source `attached`."""
    return {name: image_ids[0] for name, image_ids in first_pictures(shards, 1).items()}


def iterate_vectors(
    shards: Iterable[Path], image_ids: Sequence[str], regions: Sequence[int] = (0,)
) -> Iterator[tuple[list[int], list[int], np.ndarray]]:
    """Places [N] in `image_ids` (distinct), places [N] in `regions` and vectors [N, V] float32, as they are read.

    Each once, wherever it is found again. VisnerError at the end where a picture lacks one; the shards are streamed.
    """
    places = {image_id: place for place, image_id in enumerate(image_ids)}
    columns = {region: column for column, region in enumerate(regions)}
    seen = np.zeros((len(places), len(columns)), bool)
    for batch in iterate_batches(list(shards), None, ["image_id", "region", "vector"]):
        vectors = batch.column("vector").flatten().to_numpy().reshape(len(batch), -1)  # [N, V], as it is stored
        kept, rows, of_regions = [], [], []
        found = zip(batch.column("image_id").to_pylist(), batch.column("region").to_pylist(), strict=True)
        for row, (image_id, region) in enumerate(found):
            at = places.get(image_id), columns.get(region)
            if None not in at and not seen[at]:
                seen[at] = True
                kept.append(row)
                rows.append(at[0])
                of_regions.append(at[1])
        yield rows, of_regions, vectors[kept].astype(np.float32, copy=False)
    missing = [image_id for image_id, all_seen in zip(image_ids, seen.all(1), strict=True) if not all_seen]
    if missing:
        raise VisnerError(f"{len(missing)} pictures have no vector, {min(missing)} among them; embed the shards again")


def picture_vectors(shards: Iterable[Path], image_ids: Sequence[str], regions: Sequence[int] = (0,)) -> np.ndarray:
    """The vectors [P, R, V] float32 of distinct pictures in their order, of each the `regions`.

    VisnerError where a picture lacks one; the shards are streamed.
    """
    found = np.zeros((len(image_ids), len(regions), 0), np.float32)
    for places, columns, vectors in iterate_vectors(shards, image_ids, regions):
        if not found.shape[2]:
            found = np.zeros((*found.shape[:2], vectors.shape[1]), np.float32)
        found[places, columns] = vectors
    return found
