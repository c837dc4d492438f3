"""What a folder lists of the pictures of a shard's queries: Snakemake makes the shard again when that changes."""

import hashlib
import os
from functools import cached_property
from pathlib import Path

import pyarrow as pa

from visner.config.images import Images, LocalImages
from visner.errors import VisnerError
from visner.runtime import tables

UNREADABLE = (OSError, pa.ArrowInvalid, VisnerError)


class Listings:
    """The listings of the shards of one source.

    Snakemake asks for each shard several times, and there may be a million pictures: each shard is listed once, and
    again only when its queries are written anew.
    """

    def __init__(self, recipe: Images, root: Path):
        self._recipe, self._root = recipe, root
        self._digests: dict[tuple[Path, int], str] = {}

    def digest(self, queries: str | Path) -> str:
        """A digest of the names, sizes and times of all pictures of these queries (a table with a row each).

        It is empty for a source on the network, which lists nothing, and where the table isn't there yet. It is empty,
        too, where something can't be read: then the shard is due, and its job says why.
        """
        if not isinstance(self._recipe, LocalImages):
            return ""
        try:
            asked = Path(queries), os.stat(queries).st_mtime_ns
            if asked not in self._digests:
                self._digests[asked] = self._digest(asked[0])
            return self._digests[asked]
        except UNREADABLE:
            return ""

    def _digest(self, queries: Path) -> str:
        digest = hashlib.sha256()
        for query in tables.read_table(queries, tables.SHARD_QUERIES)["query"].to_pylist():
            digest.update(os.fsencode(f"{query}\n{self._source.listing(query)}"))
        return digest.hexdigest()

    @cached_property
    def _source(self):
        from visner.images.sources import open_source  # with Pillow

        return open_source(self._recipe, self._root)
