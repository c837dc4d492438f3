"""Ready vectors from other programs: word2vec's text and binary formats, GloVe's text, and our own files."""

import io
import math
from pathlib import Path

import numpy as np

from visner.errors import VisnerError
from visner.stages import log
from visner.vectors.keyed import is_safetensors, read_vectors

REMEDIES = {
    b"\x80": "a pickle, as gensim's own save() writes; pickles run code. Load it with gensim where you trust it and "
    "write it with save_word2vec_format",
    b"PK\x03\x04": "a zip archive; unpack it",
    b"\x1f\x8b": "compressed with gzip; decompress it",
}


def import_vectors(path: str | Path, dimensions: int) -> tuple[list[str], np.ndarray]:
    """Keys and vectors [V, `dimensions`] float32 of a file, of whichever known format it is.

    Keys are taken as they are, U+0020 and U+3000 too. A key that comes twice counts where it comes first, with a
    warning. VisnerError, with the line, where the file is of no known format or is damaged.
    """
    path = Path(path)
    try:
        with open(path, "rb") as file:
            start = file.read(16)
            file.seek(0)
            for magic, remedy in REMEDIES.items():
                if start.startswith(magic):
                    raise VisnerError(f"{path}: {remedy}")
            if is_safetensors(path):
                keys, vectors = read_vectors(path)
                _expect_dimensions(path, vectors.shape[1], dimensions)
                return keys, vectors
            header = _header(file.readline())
            if header is None:
                file.seek(0)
                return _read_text(path, file, dimensions, 1)
            _expect_dimensions(path, header[1], dimensions)
            here = file.tell()
            binary = _numbers(file.readline(), dimensions) is None
            file.seek(here)
            keys, vectors = (
                _read_binary(path, file, *header) if binary else _read_text(path, file, dimensions, 2, header[0])
            )
    except FileNotFoundError:
        raise VisnerError(f"{path}: no such file of vectors") from None
    return keys, vectors


def _header(line: bytes) -> tuple[int, int] | None:
    """(V, D) of word2vec's first line; None where the line is none, as in GloVe's files."""
    fields = line.split()
    return (int(fields[0]), int(fields[1])) if len(fields) == 2 and all(map(bytes.isdigit, fields)) else None


def _numbers(line: bytes, dimensions: int) -> tuple[bytes, np.ndarray] | None:
    """The key and vector of a line of text; None where it isn't a key and `dimensions` numbers."""
    fields = line.rstrip().rsplit(b" ", dimensions)  # from the right: a key can hold or be a space
    try:
        return (fields[0], np.array(fields[1:], np.float32)) if len(fields) == dimensions + 1 else None
    except ValueError:
        return None


def _read_text(path: Path, file: io.BufferedReader, dimensions: int, first: int, expected: int | None = None):
    found = _Found(path)
    fields = []  # of each line
    for number, line in enumerate(file, first):
        fields.append(len(line.split()))
        parsed = _numbers(line, dimensions)
        if parsed is None:
            raise VisnerError(
                f"{path}:{number}: not a key and {dimensions} numbers (the line has {fields[-1]} fields); set "
                "`dimensions` to what the file has, or mend the line"
            )
        found.add(f"{path}:{number}", *parsed)
    if fields and min(fields) > dimensions + 1:  # not some keys with a space, but all: numbers were read as keys
        _expect_dimensions(path, min(fields) - 1, dimensions)
    if expected is not None and found.read != expected:
        raise VisnerError(f"{path}:1: {expected} vectors are announced, and {found.read} follow; the file is cut off?")
    return found.result()


def _read_binary(path: Path, file: io.BufferedReader, count: int, dimensions: int):
    found = _Found(path)
    for number in range(1, count + 1):
        key = file.read(1)
        if key == b"\n":  # some writers end each vector with one
            key = file.read(1)
        while key and (byte := file.read(1)) != b" ":  # its first byte is never the separator: the key can be U+0020
            if not byte:
                break
            key += byte
        content = file.read(4 * dimensions)
        if len(content) < 4 * dimensions:
            raise VisnerError(f"{path}: ends in vector {number} of {count}; fetch it again")
        found.add(f"{path}: vector {number}", key, np.frombuffer(content, "<f4"))
    if file.read().strip():
        raise VisnerError(f"{path}: goes on after its {count} vectors; was it written by word2vec's or gensim's code?")
    return found.result()


class _Found:
    """The vectors of a file as they come, checked."""

    def __init__(self, path: Path):
        self.path, self.read, self.rows, self.vectors = path, 0, {}, []

    def add(self, where: str, key: bytes, vector: np.ndarray) -> None:
        self.read += 1
        try:
            text = key.decode()
        except UnicodeDecodeError:
            raise VisnerError(f"{where}: the key {key!r} is not UTF-8; convert the file") from None
        if not all(map(math.isfinite, vector.tolist())):
            raise VisnerError(f"{where}: the vector of {text!r} is not finite; remove it from the file")
        if text not in self.rows:
            self.rows[text] = len(self.vectors)
            self.vectors.append(vector)

    def result(self) -> tuple[list[str], np.ndarray]:
        if not self.rows:
            raise VisnerError(f"{self.path}: holds no vectors")
        if self.read > len(self.rows):
            log.warning("%s: %d keys come again; their first vectors count", self.path, self.read - len(self.rows))
        return list(self.rows), np.stack(self.vectors)


def _expect_dimensions(path: Path, found: int, expected: int) -> None:
    if found != expected:
        raise VisnerError(f"{path}: its vectors have {found} dimensions; set `dimensions: {found}` (it is {expected})")
