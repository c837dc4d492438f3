"""Picture vectors that are computed once, ever: one SQLite file, shared by the jobs of many shards.

SQLite in its rollback mode needs nothing but a file system's locks (no shared memory, so a network's will do), and a
transaction is in the file whole or not at all, whenever a job is killed. A picture is first *claimed*: a row names
the job that is embedding it. A claim counts while its owner lives, which other jobs see by a lock on the owner's
file: the kernel lets go of it when the process ends, however it ends. Each vector has a *maker*: what made it (device,
versions of libraries), which is rarely what finds it later. Vectors of older visners have none.
"""

import contextlib
import fcntl
import json
import os
import socket
import sqlite3
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from visner import databases

PATIENCE = 600  # seconds that a transaction waits for others' to end
TABLES = (
    "CREATE TABLE IF NOT EXISTS vectors (image_id TEXT PRIMARY KEY, vector BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS claims (image_id TEXT PRIMARY KEY, owner TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS makers (id INTEGER PRIMARY KEY, made_by TEXT NOT NULL UNIQUE)",
    "CREATE TABLE IF NOT EXISTS made (image_id TEXT PRIMARY KEY, maker INTEGER NOT NULL) WITHOUT ROWID",
)
HAS_VECTOR = "SELECT 1 FROM vectors WHERE image_id = ?"
VECTOR = "SELECT vector FROM vectors WHERE image_id = ?"
MAKER = "SELECT made_by FROM made JOIN makers ON makers.id = maker WHERE image_id = ?"
UNKNOWN = "unknown"
OWNER = "SELECT owner FROM claims WHERE image_id = ?"


class Store:
    """The vectors of one embedding (backbone, weights, precision ...) in `folder`, float32, R rows of D a picture.

    `made_by` is what makes the vectors that are put. Used by one thread, as a context; at its end the claims that are
    left are given back.
    """

    def __init__(self, folder: str | Path, rows: int, made_by: dict[str, Any]):
        self.folder = Path(folder)
        self._rows = rows
        self._made_by = json.dumps(made_by, sort_keys=True)
        self._owner = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex}"

    def __enter__(self) -> "Store":
        owners = self.folder / "owners"
        owners.mkdir(parents=True, exist_ok=True)
        self._lock = open(owners / self._owner, "w")  # held as long as the store is open
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self._database = sqlite3.connect(self.folder / "vectors.sqlite", timeout=PATIENCE, isolation_level=None)
        with self._transaction() as database:
            for table in TABLES:
                database.execute(table)
        return self

    def __exit__(self, *_) -> None:
        with self._transaction() as database:
            database.execute("DELETE FROM claims WHERE owner = ?", [self._owner])
        self._database.close()
        os.unlink(self._lock.name)
        self._lock.close()

    def missing(self, image_ids: Sequence[str]) -> list[str]:
        """Those of the pictures that have no vector yet, in their order."""
        with self._transaction("DEFERRED") as database:
            return [image_id for image_id in image_ids if not _found(database, HAS_VECTOR, image_id)]

    def claim(self, image_ids: Sequence[str]) -> list[str]:
        """Those of the pictures that this job is now to embed, in their order.

        Left out are pictures with a vector, and those claimed, by this job too; claims of the dead don't count.
        """
        mine = []
        with self._transaction() as database:
            for image_id in image_ids:
                if _found(database, HAS_VECTOR, image_id):
                    continue
                owner = _found(database, OWNER, image_id)
                if owner and self._alive(*owner):
                    continue
                database.execute("INSERT OR REPLACE INTO claims VALUES (?, ?)", [image_id, self._owner])
                mine.append(image_id)
        return mine

    def owners(self, image_ids: Sequence[str]) -> dict[Path, list[str]]:
        """The files of the jobs that have claimed any of the pictures, named by host and process; what each claimed."""
        found: dict[Path, list[str]] = {}
        with self._transaction("DEFERRED") as database:
            for image_id in image_ids:
                for owner in _found(database, OWNER, image_id) or ():
                    found.setdefault(self.folder / "owners" / owner, []).append(image_id)
        return found

    def put(self, image_ids: Sequence[str], vectors: np.ndarray) -> None:
        """The vectors (n, R, D) of claimed pictures, all of them or, if the job is killed now, none."""
        with self._transaction() as database:
            database.execute("INSERT OR IGNORE INTO makers (made_by) VALUES (?)", [self._made_by])
            ((maker,),) = database.execute("SELECT id FROM makers WHERE made_by = ?", [self._made_by])
            for image_id, vector in zip(image_ids, vectors.astype("<f4", copy=False), strict=True):
                new = database.execute("INSERT OR IGNORE INTO vectors VALUES (?, ?)", [image_id, vector.tobytes()])
                if new.rowcount:
                    database.execute("INSERT INTO made VALUES (?, ?)", [image_id, maker])
                database.execute("DELETE FROM claims WHERE image_id = ?", [image_id])

    def vectors(self, image_ids: Sequence[str]) -> np.ndarray:
        """The vectors (n, R, D) of pictures that have one."""
        with self._transaction("DEFERRED") as database:
            found = [_found(database, VECTOR, image_id)[0] for image_id in image_ids]
        return np.frombuffer(b"".join(found), "<f4").reshape(len(found), self._rows, -1)

    def makers(self, image_ids: Sequence[str]) -> list[dict[str, Any]]:
        """What made the vectors of pictures (`made_by`, UNKNOWN for an older visner), and how many (`pictures`)."""
        with self._transaction("DEFERRED") as database:
            counts = Counter((_found(database, MAKER, image_id) or (None,))[0] for image_id in image_ids)
        makers = sorted(counts, key=lambda made_by: made_by or "")
        return [
            {"pictures": counts[made_by], "made_by": UNKNOWN if made_by is None else json.loads(made_by)}
            for made_by in makers
        ]

    def _alive(self, owner: str) -> bool:
        """Whether the job holds the lock of its file; the file of a dead one is removed."""
        if owner == self._owner:
            return True
        try:
            with open(self.folder / "owners" / owner, "r+") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.unlink(file.name)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    @contextlib.contextmanager
    def _transaction(self, kind: str = "IMMEDIATE") -> Iterator[sqlite3.Connection]:
        """A block whose changes are all kept, or none; IMMEDIATE for writing: nobody else writes meanwhile."""
        file = self.folder / "vectors.sqlite"
        repair = f"move {self.folder} out of the store and run again: its vectors are made again"
        with databases.explained(file, PATIENCE, repair):
            self._database.execute(f"BEGIN {kind}")
            try:
                yield self._database
            except BaseException:
                if self._database.in_transaction:  # a full disk has rolled it back already
                    self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")


def _found(database: sqlite3.Connection, query: str, image_id: str) -> tuple | None:
    return database.execute(query, [image_id]).fetchone()
