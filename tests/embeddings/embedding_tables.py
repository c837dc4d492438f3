"""What a table of vectors and a store have in them."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from visner.runtime import tables


def dimensions(path) -> int:
    return pq.read_schema(path).field("vector").type.list_size


def vectors_of(path, stored="float16") -> dict[str, np.ndarray]:
    table = tables.read_table(path, tables.embeddings_schema(dimensions(path), stored)).to_pylist()
    return {row["image_id"]: np.array(row["vector"], np.float32) for row in table if row["region"] == 0}


def stored(store) -> int:
    """The vectors in the store."""
    parts = store.glob("embeddings/*/*.arrow")
    return sum(pa.ipc.open_file(part).read_all().num_rows for part in parts)
