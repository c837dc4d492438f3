"""Checkpoints of trainings: safetensors files under a hash of all that a result follows from.

What differs in one thing that changes results (a recipe, an input, the kind of device, the threads) has another
checkpoint; what is the same under two names has one, and its lock.
"""

import hashlib
import importlib
import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from safetensors import SafetensorError, safe_open

from visner.errors import VisnerError
from visner.runtime.stages import locked
from visner.runtime.tables import atomic_path

Framework = Literal["pt", "np"]  # torch or NumPy: whose arrays are kept


@contextmanager
def checkpoint(folder: Path, *content: Any) -> Iterator[Path]:
    """The path of the checkpoint of what `content` (JSON) makes; locked in the block, deleted when that ends well."""
    path = folder / f"{hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]}.safetensors"
    with locked(path):
        yield path
        path.unlink(missing_ok=True)


def save(path: Path, groups: dict[str, dict[str, Any]], said: dict[str, str], framework: Framework = "pt") -> None:
    """Write named groups of named arrays, and metadata."""
    library = importlib.import_module({"pt": "safetensors.torch", "np": "safetensors.numpy"}[framework])
    arrays = {f"{group}.{name}": value for group, values in groups.items() for name, value in values.items()}
    if framework == "pt":
        arrays = {name: value.detach().cpu().contiguous() for name, value in arrays.items()}
    with atomic_path(path) as temporary:
        library.save_file(arrays, temporary, said)


@contextmanager
def opened(path: Path, framework: Framework = "pt") -> Iterator[tuple[dict[str, dict[str, Any]], dict[str, str]]]:
    """What `save` was given. VisnerError where it can't be read, or the block can't go on from it."""
    groups: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    try:
        with safe_open(path, framework) as file:
            for key in file.keys():  # noqa: SIM118 - a safetensors file is no mapping
                group, _, name = key.partition(".")
                groups[group][name] = file.get_tensor(key)
            said = file.metadata()
        yield groups, said
    except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise VisnerError(
            f"{path}: can't resume from this checkpoint ({error}); delete it, and the training starts anew"
        ) from None
