"""The queries that a corpus asks a source of pictures for."""

from pathlib import Path

from visner.runtime import tables


def write_queries(path: str | Path, folder: str | Path, shards: int, counts: dict[str, int], made_by: dict) -> None:
    """The table of all queries with their occurrences, and in `folder` one of each shard's own queries.

    A shard's file has nothing in it that changes when another shard's queries do.
    """
    of_shard: list[list[dict]] = [[] for _ in range(shards)]
    rows = []
    for query, occurrences in sorted(counts.items()):
        shard = tables.shard_of(query, shards)
        of_shard[shard].append({"query": query})
        rows.append({"query": query, "occurrences": occurrences, "shard": shard})
    tables.write_table(path, tables.QUERIES, rows, made_by)
    for shard, queries in enumerate(of_shard):
        tables.write_table(Path(folder) / f"{shard}.parquet", tables.SHARD_QUERIES, queries)
