"""What made a result: library versions, the data's sha256, recipes."""

import hashlib
import os
import platform
import stat
from collections import deque
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

from visner.errors import VisnerError


def versions(*packages: str) -> dict[str, str]:
    """Versions of visner, Python and the named packages that are installed."""
    found = {"python": platform.python_version()}
    for package in ("visner", *packages):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def sha256_file(path: str | Path) -> str:
    """The sha256 of a file's bytes, in hexadecimal."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        raise VisnerError(f"{path}: no such file") from None


def sha256_files(paths: Iterable[str | Path]) -> str:
    """One sha256 for many files: of their sha256s in sorted order, so that names and places don't matter."""
    digest = hashlib.sha256()
    for one in sorted(sha256_file(path) for path in paths):
        digest.update(one.encode())
    return digest.hexdigest()


def sentence_bytes(row: dict) -> bytes:
    """What is trained on and scored of a row of the sentences table: id, split, units and labels."""
    parts = [row["sentence_id"], row["split"], *row["units"], "", *row["labels"], "\n"]
    return "\0".join(parts).encode()


def sha256_sentences(rows: Iterable[dict]) -> str:
    """`sentences_sha256`: another split, another cut or other labels of the same files show in it."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(sentence_bytes(row))
    return digest.hexdigest()


def files_below(
    folder: str | Path, unopened: list[tuple[str, str]] | None = None
) -> Iterator[tuple[str, os.stat_result]]:
    """The path below a folder of each file in it, and its status, in the order of the paths' parts.

    Folders that are links come after all others, and each folder comes once: loops end. What can't be opened goes to
    `unopened`, with the reason; without that list, VisnerError for a folder, and links that lead nowhere are left out.
    Not by pathlib, which takes seven times as long: each run walks all pictures, of which there may be a million.
    """
    met: set[tuple[int, int]] = set()  # device and inode of each folder
    waiting = deque([(str(folder), "")])

    def walk(place: str, above: str) -> Iterator[tuple[str, os.stat_result]]:
        try:
            status = os.stat(place)
            if (status.st_dev, status.st_ino) in met:
                return
            met.add((status.st_dev, status.st_ino))
            with os.scandir(place) as entries:
                inside = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            if unopened is None:
                raise VisnerError(f"{place}: {error.strerror}") from None
            unopened.append((above.removesuffix("/"), error.strerror))
            return
        for entry in inside:
            name = above + entry.name
            if entry.is_dir(follow_symlinks=False):
                yield from walk(entry.path, f"{name}/")
                continue
            try:
                status = entry.stat()
            except OSError as error:  # a link that leads nowhere, or round in circles
                if unopened is not None:
                    unopened.append((name, error.strerror))
                continue
            if stat.S_ISDIR(status.st_mode):
                waiting.append((entry.path, f"{name}/"))
            elif stat.S_ISREG(status.st_mode):
                yield name, status

    while waiting:
        yield from walk(*waiting.popleft())
