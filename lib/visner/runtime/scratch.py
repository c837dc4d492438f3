"""Copies on a disk of this machine, of files that are read at random or often (configuration: `scratch:`)."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from visner.runtime import tables
from visner.runtime.stages import log


@contextmanager
def staged(path: Path, scratch: str) -> Iterator[Path]:
    """A copy of `path` in the folder `scratch` while the block runs; `path` itself where `scratch` is empty.

    Variables in `scratch` ($TMPDIR) and `~` are this process' own. The copy has no name but one in /proc (Linux), so
    the kernel takes it away with the process, however that ends. Where there is no room for it, the log says so, and
    `path` is read where it lies.
    """
    if not scratch:
        yield path
        return
    folder = os.path.expanduser(os.path.expandvars(scratch))
    with open(path, "rb") as original:
        try:
            copy = _copy(original, folder)
        except OSError as error:
            log.warning("scratch %s: %s: %s is read where it lies", folder, error.strerror, path)
            copy = original
        with copy:
            yield path if copy is original else Path(f"/proc/self/fd/{copy.fileno()}")


def mapped(path: Path, scratch: str) -> np.ndarray:
    """An array in .npy format, mapped from its staged copy, which lives as long as the array."""
    with tables.reading(path, "a NumPy array"), staged(path, scratch) as file:
        return np.load(file, mmap_mode="r", allow_pickle=False)


def _copy(original, folder: str):
    size = os.fstat(original.fileno()).st_size
    copy = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - it is returned
    try:
        if size:
            os.posix_fallocate(copy.fileno(), 0, size)  # a disk without room is not filled first
        shutil.copyfileobj(original, copy, 1 << 24)
        copy.flush()
    except BaseException:
        copy.close()
        raise
    log.info("%s: %.0f MB copied to %s", original.name, size / 1e6, folder)
    return copy
