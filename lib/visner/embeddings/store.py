"""Picture vectors that are computed once, ever: files that are written whole, and never changed.

A *part* is an uncompressed Arrow file of some pictures' vectors, with what made them (device, batch, versions). It is
named after its pictures, and gets that name when it is whole: a job that is killed loses the part in hand. Jobs look
for parts and wait for nobody. Two that embed the same picture at once make it twice; the first part, by name, counts.
"""

import hashlib
import json
import os
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from visner.runtime import tables

PART = 1024  # pictures: two minutes of one core, 2 MB of DenseNet-121's vectors in float16, 100 MB with regions
DAY = 86_400  # seconds after which an unfinished file is a dead job's


class Store:
    """The vectors of one embedding (backbone, weights, precision ...) in `folder`, as far as a job asks for them."""

    def __init__(self, folder: str | Path, image_ids: Iterable[str]):
        """`image_ids` are the pictures that are asked for."""
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._wanted = pa.array(sorted(image_ids), pa.string())
        self._seen: dict[str, pa.Table] = {}  # parts by name, mapped
        self._places: dict[str, tuple[str, int]] = {}  # picture -> part and row
        for left in self.folder.glob(".*"):
            if time.time() - left.stat().st_mtime > DAY:
                left.unlink(missing_ok=True)

    def missing(self) -> set[str]:
        """The pictures that have no vector yet; what other jobs have written meanwhile counts."""
        for path in sorted(self.folder.glob("[!.]*.arrow")):
            if path.name not in self._seen:
                self._look(path)
        return set(self._wanted.to_pylist()) - self._places.keys()

    def _look(self, path: Path) -> None:
        with tables.reading(path, "a part of the store", "delete it and run again: its vectors are made again"):
            part = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
            wanted = pa.compute.is_in(part["image_id"], self._wanted)
            rows = np.flatnonzero(wanted.to_numpy())
            names = part["image_id"].take(rows).to_pylist()
        for image_id, row in zip(names, rows.tolist(), strict=True):
            place = path.name, row
            self._places[image_id] = min(place, self._places.get(image_id, place))
        self._seen[path.name] = part if names else None

    def put(self, image_ids: Sequence[str], vectors: np.ndarray, made_by: dict[str, Any]) -> None:
        """A part of the vectors (n, R, D), float16 or float32, which `made_by` says the making of."""
        flat = vectors.reshape(len(vectors), -1)  # (n, R * D)
        columns = [pa.array(image_ids, pa.string()), pa.FixedSizeListArray.from_arrays(flat.reshape(-1), flat.shape[1])]
        part = pa.table(columns, ["image_id", "vector"])
        part = part.replace_schema_metadata({"made_by": json.dumps(made_by, sort_keys=True)})
        name = hashlib.sha256("".join(image_ids).encode()).hexdigest()[:16]
        unfinished = self.folder / f".{name}.{uuid.uuid4().hex}"  # its own: another job may write the same part
        with pa.ipc.new_file(unfinished, part.schema) as file:
            file.write_table(part.combine_chunks())
        os.replace(unfinished, self.folder / f"{name}.arrow")

    def vectors(self, image_ids: Sequence[str]) -> np.ndarray:
        """The vectors (n, R * D) of pictures that have one, as they are stored."""
        return np.stack([self._matrix(part)[row] for part, row in map(self._places.__getitem__, image_ids)])

    def _matrix(self, part: str) -> np.ndarray:
        """The vectors (n, R * D) of a part, mapped."""
        column = self._seen[part]["vector"].chunk(0)
        return column.flatten().to_numpy().reshape(len(column), -1)

    def makers(self) -> list[dict[str, Any]]:
        """What made the vectors that are asked for (`made_by`), and how many of them (`pictures`)."""
        counts = Counter(self._seen[part].schema.metadata[b"made_by"].decode() for part, _ in self._places.values())
        return [{"pictures": counts[made_by], "made_by": json.loads(made_by)} for made_by in sorted(counts)]
