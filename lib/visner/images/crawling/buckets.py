"""The crawl store: every query's results, and what came from every address, kept for ever.

A crawl's folder has 64 buckets, each an SQLite file; a query's sha256 says which is its own. Within a bucket an
address has one outcome, and the same bytes are kept once. A commit is whole or not at all, whenever a job is killed.
"""

import hashlib
import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from visner.config.images import CrawledImages
from visner.errors import VisnerError
from visner.images.crawling import database as db
from visner.images.prepare import Picture
from visner.runtime import stages, tables

BUCKETS = 64
ANSWER = ("source", "engine", "photos", "language", "region", "safe_search", "file", "options")  # keys that decide it
ROWS = """
    SELECT rank, url, reason, image_id, width, height, sha256, kept.bytes, source_page, licence
    FROM queries JOIN ranks ON ranks.query = queries.id JOIN addresses ON addresses.id = address
    LEFT JOIN pictures ON pictures.id = picture LEFT JOIN kept ON kept.id = picture
    WHERE queries.query = ? AND rank < ? AND (reason IS NOT NULL OR picture IS NOT NULL) ORDER BY rank
"""
NAME = """
    INSERT INTO addresses (url, source_page, licence) VALUES (?, ?, ?) ON CONFLICT (url) DO UPDATE
    SET source_page = coalesce(source_page, excluded.source_page), licence = coalesce(licence, excluded.licence)
    RETURNING id
"""
SET_OUTCOME = """
    INSERT INTO addresses (url, reason, picture, time) VALUES (?, ?, ?, ?)
    ON CONFLICT (url) DO UPDATE SET reason = excluded.reason, picture = excluded.picture, time = excluded.time
"""


class Outcome(NamedTuple):
    """What came of one address: a picture, or the reason why there is none."""

    url: str
    reason: str | None
    picture: Picture | None


class Origin(NamedTuple):
    """Where a picture comes from, as far as the source names it: the page that shows it, and its licence."""

    page: str | None
    licence: str | None


NOT_NAMED = Origin(None, None)


class PageRead(NamedTuple):
    """A query's result page: its number from 0, the addresses it names in rank order, whether it is the last.

    `origins` has those of the addresses of which the page names any.
    """

    query: str
    page: int
    urls: Sequence[str]
    last: bool
    origins: Mapping[str, Origin] = MappingProxyType({})


class Asked(NamedTuple):
    """What a query was answered so far: addresses in rank order, pages read, whether there are no more."""

    addresses: list[str]
    pages: int
    complete: bool


def bucket_of(query: str) -> int:
    """The bucket that keeps a query: its sha256's first eight bytes modulo `BUCKETS`.

    The queries table's shard is the same number modulo its shards: shards whose number divides 64 share no bucket.
    """
    return int.from_bytes(hashlib.sha256(query.encode()).digest()[:8], "big") % BUCKETS


def folder_of(store: str | Path, recipe: CrawledImages) -> Path:
    """The folder of a crawl: its source, and a hash of what decides a query's answer and the form that is kept.

    Neither depth, candidates and limits nor how the crawl behaves are in it: they may change, and nothing is lost.
    """
    digest = hashlib.sha256(json.dumps(_decisive(recipe), sort_keys=True, ensure_ascii=False).encode()).hexdigest()
    return Path(store) / "crawl" / f"{recipe.source}-{digest[:12]}"


def store_folder(store: str | Path, recipe: CrawledImages) -> Path:
    """The folder of a crawl, made if it isn't there; its recipe.json says to people what it holds."""
    folder = folder_of(store, recipe)
    if not (folder / "recipe.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        with stages.locked(folder / "recipe.json"):
            tables.write_json(folder / "recipe.json", _decisive(recipe))
    return folder


def _decisive(recipe: CrawledImages) -> dict:
    # Without the form's version: what was paid for is not thrown away for a better way to shrink it.
    return recipe.model_dump(mode="json", include={*ANSWER, "side"})


class Bucket:
    """One bucket of a crawl, as a context: its lock is held, and waited for. Used by one thread at a time.

    A file that is damaged is set aside at the start, with a warning, and an empty one takes its place. Every method
    raises VisnerError where the disk is full, the file damaged, or locked by another program; what was committed stays.
    With `read_only` the file must be there; no lock is taken, so that a running crawl can be looked at.
    """

    def __init__(self, folder: str | Path, number: int, read_only: bool = False):
        self.path = Path(folder) / f"{number:02d}.sqlite"
        self._read_only = read_only
        self._resources = ExitStack()

    def __enter__(self) -> "Bucket":
        with ExitStack() as resources, db.explained(self.path):
            if not self._read_only:
                resources.enter_context(stages.locked(self.path))
                if self.path.exists() and (problem := db.fault(self.path)):
                    stages.log.warning("%s", db.set_aside(self.path, problem))
                if not self.path.exists():
                    db.create(self.path)
            self._database = db.connect(self.path, self._read_only)
            resources.callback(self._database.close)
            self._resources = resources.pop_all()
        return self

    def __exit__(self, *_) -> None:
        self._resources.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with db.explained(self.path), db.transaction(self._database):
            yield

    def select(self, statement: str, *values) -> list[tuple]:
        """The rows of a SELECT on the tables in `database`."""
        with db.explained(self.path):
            return self._database.execute(statement, values).fetchall()

    def query(self, query: str) -> Asked | None:
        """What a query was answered so far; None: it was never asked."""
        asked = self.select("SELECT id, pages, complete FROM queries WHERE query = ?", query)
        if not asked:
            return None
        key, pages, complete = asked[0]
        urls = "SELECT url FROM ranks JOIN addresses ON addresses.id = address WHERE query = ? ORDER BY rank"
        return Asked([url for (url,) in self.select(urls, key)], pages, bool(complete))

    def outcomes(self, urls: Iterable[str]) -> dict[str, str | None]:
        """The committed outcomes of those of the addresses that have one: a failure's reason, or None for a picture."""
        statement = "SELECT reason FROM addresses WHERE url = ? AND (reason IS NOT NULL OR picture IS NOT NULL)"
        return {url: reason for url in urls for (reason,) in self.select(statement, url)}

    def rows(self, query: str, depth: int, candidates: int) -> list[dict]:
        """The query's rows of the images table (`tables.IMAGES`), in rank order.

        They are those of the first `candidates` addresses that have an outcome, until `depth` of them are usable. The
        pictures are compared with their checksums.
        """
        rows: list[dict] = []
        with db.explained(self.path), closing(self._database.execute(ROWS, (query, candidates))) as found:
            for rank, url, reason, image_id, width, height, sha256, kept, *origin in found:
                if reason is None and (kept is None or hashlib.sha256(kept).digest() != sha256):
                    raise VisnerError(f"{self.path}: a picture of {query!r} is damaged; {db.REPAIR}")
                values = (query, rank, image_id and image_id.hex(), reason, kept, width, height, url, *origin)
                rows.append(dict(zip(tables.IMAGES.names, values, strict=True)))
                depth -= reason is None
                if depth == 0:
                    break
        return rows

    def commit(self, pages: Iterable[PageRead], outcomes: Iterable[Outcome]) -> None:
        """Keep result pages and outcomes, all of them or none; when this returns, they outlast a power failure.

        A page's new addresses follow those that the query has already. An outcome replaces the address' former one.
        """
        now = int(time.time())
        with self._transaction():
            for page in pages:
                self._put_page(page, now)
            for outcome in outcomes:
                picture = None if outcome.picture is None else self._put_picture(outcome.picture)
                if (picture is None) == (outcome.reason is None):
                    raise ValueError(f"{outcome.url}: an outcome is a picture or a reason")
                self._database.execute(SET_OUTCOME, (outcome.url, outcome.reason, picture, now))

    def _put_page(self, page: PageRead, now: int) -> None:
        execute = self._database.execute
        key, named = execute(
            "INSERT INTO queries (query, pages, complete, named, time) VALUES (?, ?, ?, 0, ?) ON CONFLICT (query) DO "
            "UPDATE SET pages = max(pages, excluded.pages), complete = max(complete, excluded.complete), "
            "time = excluded.time RETURNING id, named",
            (page.query, page.page + 1, page.last, now),
        ).fetchall()[0]
        known = {address for (address,) in execute("SELECT address FROM ranks WHERE query = ?", [key])}
        for url in page.urls:
            ((address,),) = execute(NAME, [url, *page.origins.get(url, NOT_NAMED)]).fetchall()
            if address not in known:
                known.add(address)
                execute("INSERT INTO ranks VALUES (?, ?, ?, ?)", (key, named, address, now))
                named += 1
        execute("UPDATE queries SET named = ? WHERE id = ?", (named, key))

    def _put_picture(self, picture: Picture) -> int:
        """The key of a picture, which is kept unless it is already."""
        execute = self._database.execute
        image_id = bytes.fromhex(picture.image_id)
        for (key,) in execute("SELECT id FROM pictures WHERE image_id = ?", [image_id]):
            return key
        checksum = hashlib.sha256(picture.kept).digest()
        key = execute(
            "INSERT INTO pictures (image_id, sha256, bytes, width, height) VALUES (?, ?, ?, ?, ?)",
            (image_id, checksum, len(picture.kept), picture.width, picture.height),
        ).lastrowid
        execute("INSERT INTO kept VALUES (?, ?)", (key, picture.kept))
        return key

    def empties(self) -> list[str]:
        """The queries that were answered without any address."""
        return [query for (query,) in self.select("SELECT query FROM queries WHERE complete AND named = 0 ORDER BY id")]

    def forget(self, queries: Iterable[str]) -> int:
        """Forget queries, and the addresses and pictures that only they have; the number of queries that were known.

        The bytes are overwritten in the file, whose size stays.
        """
        forgotten = 0
        with self._transaction():
            execute = self._database.execute
            execute("CREATE TEMP TABLE IF NOT EXISTS gone (address INTEGER PRIMARY KEY)")
            execute("DELETE FROM gone")
            for query in queries:
                for (key,) in execute("DELETE FROM queries WHERE query = ? RETURNING id", [query]).fetchall():
                    execute("INSERT OR IGNORE INTO gone SELECT address FROM ranks WHERE query = ?", [key])
                    execute("DELETE FROM ranks WHERE query = ?", [key])
                    forgotten += 1
            execute("DELETE FROM gone WHERE address IN (SELECT address FROM ranks)")
            execute("DELETE FROM addresses WHERE id IN gone")
            used = "(SELECT picture FROM addresses WHERE picture IS NOT NULL)"
            execute(f"DELETE FROM pictures WHERE id NOT IN {used}")
            execute(f"DELETE FROM kept WHERE id NOT IN {used}")
        return forgotten

    def forget_failures(self, reasons: Iterable[str] | None = None, queries: Iterable[str] | None = None) -> int:
        """Forget outcomes that are no pictures, so that their addresses are requested again; how many there were.

        Only those with one of the `reasons`, of addresses that one of the `queries` has; None: all.
        """
        conditions, values = ["reason IS NOT NULL"], []
        if reasons is not None:
            conditions.append("reason IN (SELECT value FROM json_each(?))")
            values.append(json.dumps(list(reasons)))
        if queries is not None:
            conditions.append(
                "id IN (SELECT address FROM ranks JOIN queries ON queries.id = ranks.query "
                "WHERE queries.query IN (SELECT value FROM json_each(?)))"
            )
            values.append(json.dumps(list(queries)))
        statement = f"UPDATE addresses SET reason = NULL, time = NULL WHERE {' AND '.join(conditions)}"
        with self._transaction():
            return self._database.execute(statement, values).rowcount
