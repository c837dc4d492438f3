"""The SQLite file of a bucket: its tables, how it is opened and checked, and what its errors are called.

The small tables are checked whenever a bucket is opened, and the pictures against their checksums as they are read. A
file that fails is set aside under another name, and its queries are asked again.

No WAL: it needs memory that processes share, which network file systems don't have. TRUNCATE is the rollback journal
that makes a commit last through a power failure with the fewest writes. Pictures' bytes are in a table of their own,
so that counting or joining pictures reads none of them.
"""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from visner.errors import VisnerError
from visner.runtime import tables

VERSION = 2  # of the tables below, kept as SQLite's user_version
PAGE_SIZE = 8192  # bytes
PATIENCE = 120  # seconds that a transaction waits for another program's to end
SMALL_TABLES = ("queries", "ranks", "addresses", "pictures")  # all but the pictures' bytes
SCHEMA = f"""
CREATE TABLE queries (
    id INTEGER PRIMARY KEY,
    query TEXT NOT NULL UNIQUE,
    pages INTEGER NOT NULL,     -- result pages read so far
    complete INTEGER NOT NULL,  -- 1: the source has no more pages
    named INTEGER NOT NULL,     -- addresses: the rows in ranks, which are 0 to named - 1
    time INTEGER NOT NULL       -- of the last page, in seconds since 1970, UTC, as all times here
) STRICT;
CREATE TABLE ranks (
    query INTEGER NOT NULL,     -- of queries
    rank INTEGER NOT NULL,      -- the source's order, from 0
    address INTEGER NOT NULL,   -- of addresses
    time INTEGER NOT NULL,      -- when the source named it
    PRIMARY KEY (query, rank)
) STRICT, WITHOUT ROWID;
CREATE TABLE addresses (
    id INTEGER PRIMARY KEY,
    url TEXT NOT NULL UNIQUE,
    reason TEXT,                -- why there is no picture; null where there is one, and where nothing came yet
    picture INTEGER,            -- of pictures
    time INTEGER,               -- of the outcome
    source_page TEXT,           -- the page that shows the picture, and its licence, where the source names them
    licence TEXT,
    CHECK (reason IS NULL OR picture IS NULL)
) STRICT;
CREATE TABLE pictures (
    id INTEGER PRIMARY KEY,
    image_id BLOB NOT NULL UNIQUE CHECK (length(image_id) = 32),  -- sha256 of the original
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32),             -- of the kept bytes
    bytes INTEGER NOT NULL,     -- their number
    width INTEGER NOT NULL,
    height INTEGER NOT NULL
) STRICT;
CREATE TABLE kept (
    id INTEGER PRIMARY KEY,     -- of pictures
    bytes BLOB NOT NULL
) STRICT;
PRAGMA user_version = {VERSION};
"""
REFERENCES = {
    "queries without all their addresses": "SELECT count(*) FROM queries WHERE named != "
    "(SELECT count(*) FROM ranks JOIN addresses ON addresses.id = ranks.address WHERE ranks.query = queries.id)",
    "addresses without their picture": "SELECT count(*) FROM addresses WHERE picture IS NOT NULL "
    "AND picture NOT IN (SELECT pictures.id FROM pictures JOIN kept ON kept.id = pictures.id)",
}
DAMAGED = (0, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)  # 0: text that is no UTF-8
REPAIR = "run `visner store verify --repair`, then this again"


@contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[None]:
    """A block whose changes are all kept, or none; nobody else writes meanwhile."""
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:  # a full disk has rolled it back already
            database.execute("ROLLBACK")
        raise


def connect(path: Path, read_only: bool = False) -> sqlite3.Connection:
    """A connection to a file that is there; what a killed writer left half done is undone by SQLite first."""
    if read_only:
        try:
            database = _connect(path, "ro")
            database.execute("SELECT 1 FROM sqlite_schema").fetchone()
            return database
        except sqlite3.OperationalError as error:
            # To undo a killed writer's transaction, it must be written.
            if primary_code(error) not in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN):
                raise
    database = _connect(path, "rw")
    database.execute("PRAGMA journal_mode = TRUNCATE")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("PRAGMA secure_delete = ON")  # what is forgotten is not in the file any more
    return database


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    uri = f"{path.resolve().as_uri()}?mode={mode}"
    return sqlite3.connect(uri, uri=True, timeout=PATIENCE, isolation_level=None, check_same_thread=False)


def create(path: Path) -> None:
    """A new file with empty tables, whole or not at all: an empty file of this name was cut."""
    path.with_name(f"{path.name}-journal").unlink(missing_ok=True)  # of a file that was set aside
    with tables.atomic_path(path) as temporary:
        temporary.unlink(missing_ok=True)
        with closing(sqlite3.connect(temporary, isolation_level=None)) as database:
            database.execute(f"PRAGMA page_size = {PAGE_SIZE}")
            database.execute("PRAGMA journal_mode = MEMORY")  # a kill leaves nothing that is read again
            database.executescript(SCHEMA)


def fault(path: Path, thorough: bool = False) -> str | None:
    """What is wrong with a bucket's file; None: nothing. Pictures are read only if `thorough`, and not compared.

    A killed writer's last transaction is undone on the way: that is no fault.
    """
    try:
        with closing(connect(path)) as database:
            version = database.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, VERSION) and version in range(100):  # others are no visner's
                raise VisnerError(
                    f"{path}: its tables are of version {version}, this visner's of {VERSION}: use the visner that "
                    "made it, or move its folder away"
                )
            if version != VERSION or path.stat().st_size % PAGE_SIZE:
                return "cut short, or its header is damaged"
            for check in ["integrity_check"] if thorough else [f"integrity_check({table})" for table in SMALL_TABLES]:
                answer = database.execute(f"PRAGMA {check}").fetchone()[0]
                if answer != "ok":
                    return answer.replace("\n", " ")
            for what, count in REFERENCES.items() if thorough else ():
                if number := database.execute(count).fetchone()[0]:
                    return f"{number:,} {what}"
    except sqlite3.DatabaseError as error:
        if primary_code(error) not in DAMAGED:
            raise
        return str(error)
    return None


def set_aside(path: Path, problem: str) -> str:
    """Give a damaged file another name; one line that says so."""
    damaged = path.rename(path.with_name(f"{path.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%S.%f}"))
    return f"{path}: {problem}; the file is set aside as {damaged.name}, and its queries are asked again"


def forget_wrong_pictures(path: Path, forget: bool = True) -> int:
    """Forget the pictures that are not what their checksums say, so that they are asked again; how many there are.

    With `forget` false they are only counted. Of a file without other faults.
    """
    with closing(connect(path)) as database:
        pictures = database.execute("SELECT pictures.id, sha256, kept.bytes FROM pictures JOIN kept USING (id)")
        wrong = [(key,) for key, checksum, kept in pictures if hashlib.sha256(kept).digest() != checksum]
        if wrong and forget:
            with transaction(database):
                database.executemany("UPDATE addresses SET picture = NULL, time = NULL WHERE picture = ?", wrong)
                database.executemany("DELETE FROM pictures WHERE id = ?", wrong)
                database.executemany("DELETE FROM kept WHERE id = ?", wrong)
    return len(wrong)


def primary_code(error: sqlite3.Error) -> int:
    """SQLite's result code of an error, without its extended part; 0 for those of Python's own."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """A block whose SQLite errors become a VisnerError: one line, with what to do about it, which destroys nothing."""
    try:
        yield
    except sqlite3.Error as error:
        damaged = f"the file is damaged; {REPAIR}"
        remedy = {
            sqlite3.SQLITE_FULL: "the disk is full: nothing that was committed is lost; free space and run again",
            sqlite3.SQLITE_IOERR: "the disk is full, a quota used up, or the disk fails: nothing that was committed is "
            "lost; free space and run again",
            sqlite3.SQLITE_BUSY: f"another program has it locked for more than {PATIENCE} s, and nothing that was "
            "committed is lost: run again when that program has ended",
            sqlite3.SQLITE_READONLY: "no permission to write it; change its mode or owner, or its folder's",
            sqlite3.SQLITE_CANTOPEN: "it can't be opened; look at the permissions of it and of its folder",
            sqlite3.SQLITE_CORRUPT: damaged,
            sqlite3.SQLITE_NOTADB: damaged,
        }.get(primary_code(error), f"if this happens again, the file may be damaged; {REPAIR}")
        raise VisnerError(f"{path}: {error}: {remedy}") from error
