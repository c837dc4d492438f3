"""What a shard of pictures is made from, as a digest: Snakemake makes the shard again when that changes."""

import hashlib
import os
from functools import cached_property
from pathlib import Path

from visner import tables
from visner.errors import VisnerError
from visner.provenance import sha256_file
from visner.recipes import Images


class Contents:
    """The digests of one source's shards.

    What a folder lists for a query is looked up once: Snakemake asks several times for each shard, and there may be a
    million pictures.
    """

    def __init__(self, recipe: Images, root: Path):
        self._recipe, self._root = recipe, root
        self._listings: dict[str, bytes] = {}

    def of(self, queries: str | Path, shard: int) -> str:
        """The digest of a shard of a table of queries: of the queries, and of what the source has for them.

        Of a folder that is the names, sizes and times of their files, which are too many to be a rule's inputs. Empty
        where there is no table yet: the rules that make it are checkpoints, so Snakemake asks again when they have run.
        Empty also where something can't be read: then the shard is due, and its job says why.
        """
        digest = hashlib.sha256()
        try:
            for query in tables.queries_of_shard(queries, shard):
                digest.update(f"{query}\n".encode() + self._listing(query))
            if self._recipe.on_network:
                for file in self._recipe.files(self._root):
                    digest.update(sha256_file(file).encode())
        except (OSError, VisnerError):
            return ""
        return digest.hexdigest()

    def _listing(self, query: str) -> bytes:
        """A digest of what the folder lists for a query; empty for a source that has no folder."""
        if self._recipe.source not in ("folder", "attached"):
            return b""
        if query not in self._listings:
            self._listings[query] = hashlib.sha256(os.fsencode(self._source.listing(query))).digest()
        return self._listings[query]

    @cached_property
    def _source(self):
        from visner.images.sources import open_source  # with Pillow

        return open_source(self._recipe, self._root)
