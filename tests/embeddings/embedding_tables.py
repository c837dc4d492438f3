"""What a table of vectors and a store have in them."""

import sqlite3

import numpy as np
import pyarrow.parquet as pq

from visner import tables


def dimensions(path) -> int:
    return pq.read_schema(path).field("vector").type.list_size


def vectors_of(path) -> dict[str, np.ndarray]:
    table = tables.read_table(path, tables.embeddings_schema(dimensions(path))).to_pylist()
    return {row["image_id"]: np.array(row["vector"], np.float32) for row in table if row["region"] == 0}


def stored(store) -> int:
    """The vectors in the store; 0 while there is none."""
    files = list(store.glob("embeddings/*/vectors.sqlite"))
    if not files:
        return 0
    database = sqlite3.connect(files[0], timeout=30)
    try:
        return database.execute("SELECT count(*) FROM vectors").fetchone()[0]
    except sqlite3.OperationalError:  # not yet created
        return 0
    finally:
        database.close()
