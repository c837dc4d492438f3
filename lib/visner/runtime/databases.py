"""What SQLite's errors mean to whoever runs visner: one line, with what to do about it, which destroys nothing."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from visner.errors import VisnerError


def primary_code(error: sqlite3.Error) -> int:
    """SQLite's result code of an error, without its extended part; 0 for those of Python's own."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


@contextmanager
def explained(path: Path, patience: float, repair: str) -> Iterator[None]:
    """A block whose SQLite errors become a VisnerError.

    `patience`: the seconds that its transactions wait for other programs'; `repair`: what to do about a damaged file.
    """
    try:
        yield
    except sqlite3.Error as error:
        damaged = f"the file is damaged; {repair}"
        remedy = {
            sqlite3.SQLITE_FULL: "the disk is full: nothing that was committed is lost; free space and run again",
            sqlite3.SQLITE_IOERR: "the disk is full, a quota used up, or the disk fails: nothing that was committed is "
            "lost; free space and run again",
            sqlite3.SQLITE_BUSY: f"another program has it locked for more than {patience} s, and nothing that was "
            "committed is lost: run again when that program has ended",
            sqlite3.SQLITE_READONLY: "no permission to write it; change its mode or owner, or its folder's",
            sqlite3.SQLITE_CANTOPEN: "it can't be opened; look at the permissions of it and of its folder",
            sqlite3.SQLITE_CORRUPT: damaged,
            sqlite3.SQLITE_NOTADB: damaged,
        }.get(primary_code(error), f"if this happens again, the file may be damaged; {repair}")
        raise VisnerError(f"{path}: {error}: {remedy}") from error
