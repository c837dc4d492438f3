"""What every job does around its work: its log, a lock on what it makes, dying with its parent."""

import ctypes
import fcntl
import logging
import os
import signal
import socket
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from tqdm import tqdm

log = logging.getLogger("visner")


def start_log(file: str | None) -> None:
    """Messages to the terminal, and to `file` if it is given; in a job of SLURM's the first one names it."""
    handlers: list[logging.Handler] = [_AboveBars() if sys.stderr.isatty() else logging.StreamHandler(sys.stderr)]
    if file:
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        Path(file).write_bytes(b"")
        # Appending: a handler that a library closes (flair, by logging.config, when it is imported) opens itself again.
        handlers.append(logging.FileHandler(file, mode="a", encoding="utf-8"))
    logging.basicConfig(level=logging.INFO, format="%(message)s", handlers=handlers, force=True)
    if job := os.environ.get("SLURM_JOB_ID"):
        log.info("SLURM job %s on %s", job, socket.gethostname())


class _AboveBars(logging.StreamHandler):
    """Messages on a terminal on lines of their own, not behind a progress bar."""

    def emit(self, record: logging.LogRecord) -> None:
        tqdm.write(self.format(record), file=self.stream)


_within: ContextVar[bool] = ContextVar("within", default=False)


@contextmanager
def within_another() -> Iterator[None]:
    """Stages that run in the block are steps of something else: they warn, but say and leave no summary or bar."""
    token = _within.set(True)
    try:
        yield
    finally:
        _within.reset(token)


log.addFilter(lambda record: record.levelno > logging.INFO or not _within.get())


def progress(items: Iterable | None, what: str, **options: Any) -> tqdm:
    """A progress bar on a terminal; elsewhere (a log, a cluster's job) a line every half minute."""
    if _within.get():
        options |= {"leave": False, "delay": 2}
    if sys.stderr.isatty():
        return tqdm(items, desc=what, dynamic_ncols=True, **options)
    return tqdm(items, desc=what, mininterval=30, **options | {"delay": 30})


def die_with_parent() -> None:
    """Ask Linux to send this process SIGTERM when its parent ends; elsewhere nothing is done.

    Snakemake's jobs outlive a kill -9 of Snakemake; a stage that lived on would write beside its own rerun. SIGTERM,
    which ends a process unless it was told otherwise: a training makes a checkpoint first
    (`visner.runtime.termination`), also where Snakemake gets a cluster's SIGTERM with it and is the first to end.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a parent that ignores it hands that on
    if sys.platform == "linux":
        parent = os.getppid()
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)
        if os.getppid() != parent:  # it died before the call
            os.kill(os.getpid(), signal.SIGTERM)


@contextmanager
def locked(output: str | Path) -> Iterator[None]:
    """Hold the lock of `output`, waiting for a holder (a process that is still dying, or a second run).

    The lock file names the holder as host:pid while the block runs, and its time is when that began. The kernel frees
    the lock of a process however it ends; a name that is found under a free lock is that of one that was killed, and
    is logged. Of a machine that crashed, the server of a network's file system may keep the locks.
    """
    output = Path(output)
    output.parent.mkdir(parents=True, exist_ok=True)
    with open(output.with_name(f".{output.name}.lock"), "a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.warning(
                "%s is being made by process %s since %s: waiting for it to end; if it has certainly ended (its "
                "machine crashed), delete %s and run again", output, _holder(file), _since(file.name), file.name,
            )  # fmt: skip
            fcntl.flock(file, fcntl.LOCK_EX)
        if holder := _holder(file):
            log.warning("%s was being made by process %s, which ended without finishing: going on", output, holder)
        file.truncate(0)
        file.write(f"{socket.gethostname()}:{os.getpid()}")
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def _holder(file: TextIO) -> str:
    """The process that a lock file names, with its host if it isn't this one; empty where no name is left."""
    file.seek(0)
    host, _, process = file.read().strip().rpartition(":")
    return process if host in ("", socket.gethostname()) else f"{process} on {host}"


def _since(file: str) -> str:
    """When a lock was taken: its file was written then."""
    return datetime.fromtimestamp(Path(file).stat().st_mtime).strftime("%Y-%m-%d %H:%M:%S")


def ordered_map(pool: Executor, function: Callable, items: Iterable, ahead: int) -> Iterator:
    """`function` of each item, computed in the pool, in the items' order; at most `ahead` of them are in memory.

    Unlike `Executor.map`, which takes all the items before it gives the first result.
    """
    waiting: deque = deque()
    for item in items:
        waiting.append(pool.submit(function, item))
        if len(waiting) >= ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
