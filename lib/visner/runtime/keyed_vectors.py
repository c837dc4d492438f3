"""Keyed vectors on disk: a safetensors file with the tensor `vectors` [V, D] and its keys."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from visner.errors import VisnerError
from visner.runtime import tables

UNSEEN = ""  # the key, if it is there, of the vector of everything that has no key: no unit and no word is empty
HEADER_LIMIT = 90_000_000  # bytes; safetensors reads no header of more than 100 MB


def write_vectors(path: str | Path, keys: Sequence[str], vectors: np.ndarray, provenance: dict[str, Any]) -> None:
    """Write `vectors` [V, D] float32 and their V distinct keys; VisnerError where a vector isn't finite.

    All metadata is one JSON entry, `visner`: {"keys": [...], "provenance": {...}}. (safetensors writes several
    entries in random order: the same content would not be the same bytes.)
    """
    if len(set(keys)) != len(vectors):
        raise ValueError(f"{len(set(keys))} distinct keys for {len(vectors)} vectors")
    broken = np.flatnonzero(~np.isfinite(vectors).all(1))
    if len(broken):
        raise VisnerError(
            f"{path}: the vector of {keys[broken[0]]!r} and {len(broken) - 1} others are not finite; if they were "
            "trained, lower learning_rate"
        )
    metadata = json.dumps({"keys": list(keys), "provenance": provenance}, ensure_ascii=False, sort_keys=True)
    if len(json.dumps(metadata, ensure_ascii=False).encode()) > HEADER_LIMIT:
        raise VisnerError(f"{path}: {len(keys)} keys are too many for a safetensors file; raise min_count")
    with tables.atomic_path(path) as temporary:
        save_file({"vectors": np.ascontiguousarray(vectors, np.float32)}, temporary, metadata={"visner": metadata})


def read_vectors(path: str | Path) -> tuple[list[str], np.ndarray]:
    """The keys, and their vectors [V, D] float32, of a file that `write_vectors` made.

    VisnerError where the file is missing, damaged, or another.
    """
    with tables.reading(path, "a file of vectors", tables.FETCHED), safe_open(path, "numpy") as file:
        return json.loads(file.metadata()["visner"])["keys"], file.get_tensor("vectors")


def is_safetensors(path: str | Path) -> bool:
    """Whether a file begins as safetensors do: the header's length in eight bytes, then JSON."""
    with open(path, "rb") as file:
        return file.read(10)[8:] == b'{"'


def dimensions(path: str | Path) -> int | None:
    """The length of the vectors in a file, ours or another program's, by how it begins; None where that doesn't say.

    word2vec's formats begin with `V D`, GloVe's with a key and its numbers, safetensors with the tensor's shape.
    """
    if is_safetensors(path):
        try:
            with safe_open(path, "numpy") as file:
                return file.get_slice("vectors").get_shape()[1]
        except (SafetensorError, IndexError):
            return None
    with open(path, "rb") as file:
        first, *rest = file.readline(1 << 20).split() or [b""]
    try:
        numbers = [float(number) for number in rest]
    except ValueError:
        return None
    return int(rest[0]) if len(rest) == 1 and first.isdigit() and rest[0].isdigit() else len(numbers) or None


def load_keyed_vectors(path: str | Path):
    """The vectors as gensim's KeyedVectors, with its `most_similar` and the rest."""
    from gensim.models import KeyedVectors  # a second to import

    keys, vectors = read_vectors(path)
    keyed = KeyedVectors(vectors.shape[1])
    keyed.add_vectors(keys, vectors)
    return keyed
