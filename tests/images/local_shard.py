"""Shards of queries for the tests of `images`, and the stage's functions called as its rules call them."""

from collections.abc import Iterable
from pathlib import Path

from visner.images.coverage import coverage
from visner.images.fetch import fetch
from visner.runtime import tables


def write_shard(path: Path, queries: Iterable[str]) -> Path:
    """The table of a shard's queries."""
    tables.write_table(path, tables.SHARD_QUERIES, [{"query": query} for query in queries])
    return path


def write_counts(path: Path, counts: dict[str, int]) -> Path:
    """The table of all queries with their occurrences."""
    rows = ({"query": query, "occurrences": count, "shard": 0} for query, count in counts.items())
    tables.write_table(path, tables.QUERIES, rows)
    return path


def fetched(folder: Path, recipe, queries: Iterable[str], name: str = "0", root: Path | None = None, **more) -> list:
    """The rows of the images table `{name}.parquet` in `folder`, made for these queries."""
    images = folder / f"{name}.parquet"
    asked = write_shard(folder / "asked" / f"{name}.parquet", queries)
    store = folder / "store"
    fetch(queries=asked, images=images, recipe=recipe, root=folder if root is None else root, store=store, **more)
    return tables.read_table(images, tables.IMAGES).to_pylist()


def counts_of(folder: Path, name: str = "0") -> dict:
    """What was counted of such a table."""
    return tables.read_provenance(folder / f"{name}.parquet")["counts"]


def covered(folder: Path, counts: dict[str, int], names: Iterable[str] = ("0",)) -> dict:
    """The statistics of such tables; what was rejected is in rejected.tsv."""
    files = {"statistics": folder / "statistics.json", "rejected": folder / "rejected.tsv"}
    asked = write_counts(folder / "queries.parquet", counts)
    coverage(queries=asked, shards=[folder / f"{name}.parquet" for name in names], **files)
    return tables.read_json(files["statistics"])
