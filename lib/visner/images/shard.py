"""What a shard of pictures is made from: Snakemake makes the shard again when that changes."""

import hashlib
import os
from functools import cached_property, lru_cache
from pathlib import Path

import pyarrow as pa

from visner import tables
from visner.errors import VisnerError
from visner.provenance import sha256_file
from visner.recipes import Images

UNREADABLE = (OSError, KeyError, pa.ArrowInvalid, VisnerError)


class Listings:
    """What a source lists for queries, as digests: of a folder, the names, sizes and times of a query's files.

    Each query is looked up once: Snakemake asks several times for each shard, and there may be a million pictures.
    """

    def __init__(self, recipe: Images, root: Path):
        self._recipe, self._root = recipe, root
        self._listings: dict[str, bytes] = {}

    def __getitem__(self, query: str) -> bytes:
        if self._recipe.source not in ("folder", "attached"):
            return b""
        if query not in self._listings:
            self._listings[query] = hashlib.sha256(os.fsencode(self._source.listing(query))).digest()
        return self._listings[query]

    @property
    def program(self) -> str:
        """The sha256 of a file that says how the network is asked; empty where there is none."""
        return "".join(map(sha256_file, self._recipe.files(self._root))) if self._recipe.on_network else ""

    @cached_property
    def _source(self):
        from visner.images.sources import open_source  # with Pillow

        return open_source(self._recipe, self._root)


class Shard:
    """One shard of a table of queries, whose pictures are kept in the file `made`; neither file need be there."""

    def __init__(self, listings: Listings, queries: str | Path, number: int, made: str | Path):
        self._listings, self._number = listings, number
        self._queries, self._made = Path(queries), Path(made)

    @property
    def content(self) -> str:
        """A digest of the shard's queries, and of what the source lists for them: too many files to be inputs.

        Where the table was deleted, the queries are those that the shard was made for. The digest is empty where
        neither is there yet: the rules that make the table are checkpoints, so Snakemake asks again when they have run.
        It is empty, too, where something can't be read: then the shard is due, and its job says why.
        """
        digest = hashlib.sha256()
        try:
            for query in self._wanted() if self._queries.exists() else self._asked():
                digest.update(f"{query}\n".encode() + self._listings[query])
            digest.update(self._listings.program.encode())
        except UNREADABLE:
            return ""
        return digest.hexdigest()

    @property
    def is_current(self) -> bool:
        """Whether the shard was made for the queries that the table has for it now; or one of the files isn't there.

        `content` says the same while Snakemake has its records of earlier runs. They can be lost.
        """
        if not (self._made.exists() and self._queries.exists()):
            return True
        try:
            return self._asked() == self._wanted()
        except UNREADABLE:
            return False

    def _wanted(self) -> list[str]:
        return _by_shard(self._queries, self._queries.stat().st_mtime_ns).get(self._number, [])

    def _asked(self) -> list[str]:
        return tables.read_provenance(self._made)["queries"]


@lru_cache(maxsize=16)
def _by_shard(queries: Path, mtime: int) -> dict[int, list[str]]:
    """The queries of each shard, by a table that was written at this time."""
    shards: dict[int, list[str]] = {}
    for row in tables.iterate_rows(queries, tables.QUERIES, ["query", "shard"]):
        shards.setdefault(row["shard"], []).append(row["query"])
    return shards
