"""Damaged bucket files: found when they are opened, looked for on request, and what can be read of them saved.

The size and the small tables are checked whenever a bucket is opened; the pictures' bytes against their checksums as
they are read, and all of them by `faults`. What is saved is true or left out: a picture counts if its checksum fits, a
query if all its addresses are there, and an address without its picture, or with a reason that there isn't, has no
outcome, so that it is asked again. Source pages and licences are kept as far as they are printable.
"""

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from visner.errors import VisnerError
from visner.images.crawling import database as db
from visner.images.crawling.answers import is_reason

STEP = 128  # rows read at a time
MOST_ROWS = 64  # a page of addresses or queries at most, in a file whose last rows can't be read
JOURNAL_MAGIC = bytes.fromhex("d9d505f920a163d7")
MISMATCHES = {
    "queries without all their addresses": "SELECT count(*) FROM queries WHERE named != "
    "(SELECT count(*) FROM ranks JOIN addresses ON addresses.id = ranks.address WHERE ranks.query = queries.id)",
    "addresses without their picture": "SELECT count(*) FROM addresses WHERE picture IS NOT NULL "
    "AND picture NOT IN (SELECT pictures.id FROM pictures JOIN kept ON kept.id = pictures.id)",
}


class Salvaged(NamedTuple):
    """What was saved of a damaged file, and where the damaged file is now."""

    queries: int
    pictures: int
    damaged: Path


def fault(path: Path) -> str | None:
    """What is wrong with a bucket's file as far as it shows without reading its pictures; None: nothing.

    A killed writer's last transaction is undone on the way: that is no fault.
    """
    size, whole = path.stat().st_size, _size_in_journal(path)
    cut = f"cut short: {size:,} of {whole:,} bytes" if size < whole else None  # SQLite would fill it up with zeros
    try:
        with closing(db.connect(path)) as database:
            if db.version(database) > db.VERSION:
                raise VisnerError(f"{path}: made by a newer visner; use that one")
            for table in db.SMALL_TABLES:
                found = database.execute(f"PRAGMA integrity_check({table})").fetchone()[0]
                if found != "ok":
                    return cut or found.replace("\n", " ")
    except sqlite3.DatabaseError as error:
        if db.primary_code(error) not in (0, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR):
            raise
        return cut or _cut(path) or str(error)
    return cut or _cut(path)


def faults(path: Path) -> list[str]:
    """All that is wrong with a bucket's file: its structure, its references, each picture's checksum."""
    if found := fault(path):
        return [found]
    try:
        with closing(db.connect(path)) as database:
            found = [row[0].replace("\n", " ") for row in database.execute("PRAGMA integrity_check(10)")]
            if found != ["ok"]:
                return found
            found = []
            for what, count in MISMATCHES.items():
                if number := database.execute(count).fetchone()[0]:
                    found.append(f"{number:,} {what}")
            pictures = "SELECT sha256, kept.bytes FROM pictures JOIN kept USING (id)"
            wrong = sum(hashlib.sha256(kept).digest() != sha256 for sha256, kept in database.execute(pictures))
            return found + ([f"{wrong:,} pictures are not what their checksums say"] if wrong else [])
    except sqlite3.DatabaseError as error:
        return [str(error)]


def salvage(path: Path) -> Salvaged:
    """Put a sound file in a damaged one's place, with what can be read of it; the damaged one gets another name.

    At every moment there is a file of the bucket's name, so that a kill loses nothing. VisnerError where there is no
    room for the copies.
    """
    now = datetime.now(UTC)
    while (aside := path.with_name(f"{path.name}.damaged-{now:%Y%m%dT%H%M%S}")).exists():
        now += timedelta(seconds=1)
    copy = path.with_name(f".{path.name}.salvage")
    try:
        shutil.copyfile(path, copy)
        with db.created(path) as sound:
            _restore_first_page(copy, path.with_name(f".{path.name}.part"))
            with closing(sqlite3.connect(copy, isolation_level=None)) as damaged:
                queries, pictures = _save(damaged, sound, int(path.stem))
            try:
                os.link(path, aside)
            except OSError:  # a file system without hard links
                shutil.copyfile(path, aside)
            path.with_name(f"{path.name}-journal").unlink(missing_ok=True)  # it is not the new file's
    except OSError as error:
        raise VisnerError(
            f"{path}: the file is damaged, and what can be read of it can't be saved: {error.strerror}; free twice its "
            "size and run again"
        ) from error
    finally:
        copy.unlink(missing_ok=True)
    return Salvaged(queries, pictures, aside)


def _save(damaged: sqlite3.Connection, sound: sqlite3.Connection, number: int) -> tuple[int, int]:
    """Copy what is whole; the numbers of queries and pictures."""
    pictures = set()
    columns = "pictures.id, image_id, sha256, pictures.bytes, width, height, kept.bytes"
    for *row, kept in _rows(damaged, "pictures", columns, "JOIN kept ON kept.id = pictures.id"):
        whole = isinstance(kept, bytes) and hashlib.sha256(kept).digest() == row[2]
        if whole and _insert(sound, "pictures", row):
            _insert(sound, "kept", [row[0], kept])
            pictures.add(row[0])
    addresses = set()
    columns = "id, url, reason, picture, time, source_page, licence"
    for address, url, reason, picture, time, *origin in _rows(damaged, "addresses", columns):
        if picture is not None and picture not in pictures:
            picture = time = None
        if reason is not None and not is_reason(reason):
            reason = time = None
        origin = [text if text and text.isprintable() else None for text in origin]
        if _indexed(damaged, address, url) and _insert(
            sound, "addresses", [address, url, reason, picture, time, *origin]
        ):
            addresses.add(address)
    queries = 0
    for query in _rows(damaged, "queries", "id, query, pages, complete, named, time"):
        try:
            ranks = damaged.execute("SELECT * FROM ranks WHERE query = ? ORDER BY rank", query[:1]).fetchall()
        except sqlite3.Error:
            continue
        whole = len(ranks) == query[4] and [rank for _, rank, _, _ in ranks] == list(range(len(ranks)))
        whole = whole and {address for _, _, address, _ in ranks} <= addresses
        right = isinstance(query[1], str) and db.bucket_of(query[1]) == number
        if whole and right and _insert(sound, "queries", query):
            queries += 1
            for row in ranks:
                _insert(sound, "ranks", row)
    return queries, len(pictures)


def _indexed(damaged: sqlite3.Connection, address: int, url: str) -> bool:
    """Whether the index of addresses, a second copy of them, has this one, too; true where it can't be read."""
    index = "SELECT 1 FROM addresses INDEXED BY sqlite_autoindex_addresses_1 WHERE url = ? AND +id = ?"
    try:
        return damaged.execute(index, (url, address)).fetchone() is not None
    except sqlite3.Error:
        return True


def _insert(database: sqlite3.Connection, table: str, row: Sequence) -> bool:
    """Whether the row can be in the table: of the right types, and its keys not there."""
    try:
        database.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)
    except sqlite3.IntegrityError:
        return False
    return True


def _rows(database: sqlite3.Connection, table: str, columns: str, join: str = "") -> Iterator[tuple]:
    """The rows of a table that can be read, by id; a stretch that can't is halved until single rows are left out."""
    select = f"SELECT {columns} FROM {table} {join} WHERE {table}.id BETWEEN ? AND ? ORDER BY {table}.id"
    try:
        last = database.execute(f"SELECT max(id) FROM {table}").fetchone()[0] or 0
    except sqlite3.Error:
        last = database.execute("PRAGMA page_count").fetchone()[0] * MOST_ROWS
    stretches = [(low, min(low + STEP - 1, last)) for low in range(1, last + 1, STEP)][::-1]
    while stretches:
        low, high = stretches.pop()
        try:
            yield from database.execute(select, (low, high)).fetchall()
        except sqlite3.Error:
            if low < high:
                middle = (low + high) // 2
                stretches += [(middle + 1, high), (low, middle)]


def _restore_first_page(copy: Path, sound: Path) -> None:
    """Give the copy the first page of a new file, with the header and the tables' places, which are always the same."""
    with open(sound, "rb") as file:
        page = bytearray(file.read(db.PAGE_SIZE))
    # At least the pages of a new file, for SQLite opens none whose tables begin behind its end.
    pages = max(copy.stat().st_size, sound.stat().st_size) // db.PAGE_SIZE
    page[28:32] = pages.to_bytes(4, "big")
    page[32:40] = bytes(8)  # no list of free pages
    with open(copy, "r+b") as file:
        file.truncate(pages * db.PAGE_SIZE)
        file.write(page)


def _cut(path: Path) -> str | None:
    """How much of the file is missing, by the number of pages in its header."""
    size = path.stat().st_size
    with open(path, "rb") as file:
        header = file.read(100)
    if len(header) < 100:
        return f"cut short: {size} bytes are left"
    whole = int.from_bytes(header[16:18], "big") * int.from_bytes(header[28:32], "big")
    if header.startswith(b"SQLite format 3\0") and size < whole:
        return f"cut short: {size:,} of {whole:,} bytes"
    return None


def _size_in_journal(path: Path) -> int:
    """The file's size, in bytes, before the transaction that a killed writer was in; 0: there is none."""
    journal = path.with_name(f"{path.name}-journal")
    header = b""
    if journal.exists():
        with open(journal, "rb") as file:
            header = file.read(28)
    if len(header) < 28 or not header.startswith(JOURNAL_MAGIC):
        return 0
    return int.from_bytes(header[16:20], "big") * int.from_bytes(header[24:28], "big")
