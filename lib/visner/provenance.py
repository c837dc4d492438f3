"""What made a result: library versions, the data's sha256, recipes."""

import hashlib
import platform
from collections.abc import Iterable
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
