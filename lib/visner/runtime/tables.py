"""Every table's schema, with typed readers and writers that make a file whole or not at all."""

import hashlib
import json
import os
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors import SafetensorError

from visner.errors import VisnerError

FETCHED = "delete it and run again, or fetch it again if visner didn't make it"  # a remedy
# What pyarrow, NumPy, safetensors and JSON raise where bytes make no sense; such an OSError of pyarrow's has no errno.
DAMAGE = (
    *(pa.ArrowException, SafetensorError, tokenize.TokenError),
    *(OSError, EOFError, ValueError, KeyError, TypeError, RuntimeError),
)

SENTENCES = pa.schema(
    [
        ("sentence_id", pa.string()),
        ("document_id", pa.string()),
        ("split", pa.string()),
        ("text", pa.string()),
        ("units", pa.list_(pa.string())),
        ("labels", pa.list_(pa.string())),
        ("attachment", pa.string()),  # the file name of a tweet's picture; null elsewhere
    ]
)
WORD = pa.struct(
    [
        ("surface", pa.string()),
        ("pos", pa.string()),
        ("start", pa.int32()),  # in units
        ("stop", pa.int32()),
        ("queries", pa.list_(pa.string())),  # in order of preference; empty: no noun
    ]
)
WORDS = pa.schema([("sentence_id", pa.string()), ("words", pa.list_(WORD))])
QUERIES = pa.schema([("query", pa.string()), ("occurrences", pa.int64()), ("shard", pa.int32())])
SHARD_QUERIES = pa.schema([("query", pa.string())])
IMAGES = pa.schema(
    [
        ("query", pa.string()),
        ("rank", pa.int32()),  # the source's order, from 0
        ("image_id", pa.string()),  # sha256 of the original bytes; null where rejected
        ("reason", pa.string()),  # why it was rejected; null where usable
        ("bytes", pa.binary()),  # the kept form; null where rejected
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("source_url", pa.string()),
        ("source_page", pa.string()),  # the page that shows it, and its licence, where the source names them
        ("licence", pa.string()),
    ]
)
GROUNDING = pa.schema(
    [
        ("sentence_id", pa.string()),
        ("rows", pa.list_(pa.list_(pa.int32()))),  # unit -> rows of vectors.npy, best first; empty: no picture
        ("scores", pa.list_(pa.list_(pa.float32()))),
    ]
)
ROW_KEYS = pa.schema(  # a row of vectors.npy, in its order
    [
        ("key", pa.string()),  # the query whose pictures it is the mean of, or the image_id
        ("region", pa.int32()),  # as in the embeddings table
    ]
)
POOL = pa.schema(  # a picture that is searched, in the order of the index
    [
        ("image_id", pa.string()),
        ("names", pa.list_(pa.string())),  # the attachments, or queries, that have it
    ]
)
VOKENS = pa.schema(
    [
        ("sentence_id", pa.string()),
        ("image_ids", pa.list_(pa.list_(pa.string()))),  # word -> pictures of the pool, best first; empty: no voken
        ("scores", pa.list_(pa.list_(pa.float32()))),
    ]
)
PREDICTIONS = pa.schema(
    [
        ("sentence_id", pa.string()),
        ("gold", pa.list_(pa.string())),
        ("predicted", pa.list_(pa.string())),
        ("gate", pa.list_(pa.float32())),  # one value a unit; null for a model without a gate
    ]
)


def embeddings_schema(dimensions: int, stored: str = "float32") -> pa.Schema:
    """The embeddings table; region 0 is the pooled picture, 1-49 the 7x7 grid in reading order.

    `stored` is the type of a vector's numbers, float16 or float32.
    """
    vector = pa.list_(pa.from_numpy_dtype(stored), dimensions)
    return pa.schema([("image_id", pa.string()), ("region", pa.int32()), ("vector", vector)])


def shard_of(query: str, shards: int) -> int:
    """The shard that a query's pictures are kept in: its sha256's first eight bytes modulo `shards`."""
    return int.from_bytes(hashlib.sha256(query.encode()).digest()[:8], "big") % shards


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """A temporary sibling of `path`, renamed to it when the block ends well, removed when it doesn't.

    Its name is always the same, so that what a killed process leaves is overwritten by the next; stages lock what
    they make (`visner.runtime.stages.locked`).
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    try:
        yield temporary
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)  # some writers give no rights to the group of a shared project
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def table_writer(path: str | Path, schema: pa.Schema, provenance: dict | None = None, **options: Any):
    """A function that appends rows (a list of dicts, or a pyarrow table or batch) to a Parquet file.

    `provenance` is kept in the file's metadata (key `visner`) as it is when the block ends, so that counts can be
    added to it while rows are written; `options` go to pyarrow's ParquetWriter. Pages have checksums: without them half
    of all flipped bits would be read as other data.
    """
    options = {"write_page_checksum": True, **options}
    with atomic_path(path) as temporary, pq.ParquetWriter(temporary, schema, **options) as writer:

        def append(rows: Sequence[dict] | pa.Table | pa.RecordBatch) -> None:
            if not isinstance(rows, pa.Table | pa.RecordBatch):
                rows = pa.Table.from_pylist(list(rows), schema=schema)
            if isinstance(rows, pa.RecordBatch):
                rows = pa.Table.from_batches([rows])
            if rows.num_rows:
                writer.write_table(rows.cast(schema))

        yield append
        writer.add_key_value_metadata({"visner": json.dumps(provenance or {}, ensure_ascii=False, sort_keys=True)})


def write_table(path: str | Path, schema: pa.Schema, rows: Iterable[dict], provenance: dict | None = None) -> int:
    """Rows, as they come, to a Parquet file in groups of 4,096; the number written."""
    written, group = 0, []
    with table_writer(path, schema, provenance) as append:
        for row in rows:
            group.append(row)
            if len(group) == 4096:
                append(group)
                written, group = written + len(group), []
        append(group)
    return written + len(group)


def read_table(path: str | Path, schema: pa.Schema, columns: Sequence[str] | None = None) -> pa.Table:
    """A whole table, or some of its columns; VisnerError where the file isn't such a table, or is damaged."""
    with reading(path):
        return open_table(path, schema).read(columns=list(columns) if columns else schema.names)


def iterate_rows(
    path: str | Path | Sequence[str | Path],
    schema: pa.Schema,
    columns: Sequence[str] | None = None,
    batch: int = 1024,
    rows: range | None = None,
) -> Iterator[dict]:
    """The rows of a table, or of its shards in turn, as dicts; `batch` of them in memory at a time.

    `rows` of the whole are read only, where they are given.
    """
    for shard, found in _batches(path, schema, columns, batch, rows):
        with reading(shard):
            dicts = found.to_pylist()
        yield from dicts


def iterate_batches(
    path: str | Path | Sequence[str | Path],
    schema: pa.Schema | None,
    columns: Sequence[str] | None = None,
    batch: int = 1024,
    rows: range | None = None,
) -> Iterator[pa.RecordBatch]:
    """The same rows as Arrow batches of at most `batch`, for columns that are worked on whole.

    Without `schema` it isn't checked, and `columns` must be given.
    """
    return (found for _, found in _batches(path, schema, columns, batch, rows))


def _batches(path, schema, columns, batch, rows) -> Iterator[tuple[str | Path, pa.RecordBatch]]:
    start = 0
    for shard in [path] if isinstance(path, str | Path) else path:
        with reading(shard):
            batches = open_table(shard, schema).iter_batches(batch, columns=list(columns) if columns else schema.names)
        while True:
            with reading(shard):
                found = next(batches, None)
            if found is None:
                break
            if rows is not None:
                if start >= rows.stop:
                    return
                skipped = max(0, rows.start - start)
                start, found = start + len(found), found[skipped : max(skipped, rows.stop - start)]
            if len(found):
                yield shard, found


def count_rows(path: str | Path) -> int:
    """How many rows a table has."""
    with reading(path):
        return pq.read_metadata(path).num_rows


def shard_rows(path: str | Path, shard: int, shards: int) -> range:
    """The rows of a table that are a shard's, where its rows are spread over `shards` jobs: as many for each."""
    if not 0 <= shard < shards:
        raise VisnerError(f"shard {shard}: shards are counted from 0 to {shards - 1}")
    return shard_range(count_rows(path), shard, shards)


def shard_range(count: int, shard: int, shards: int) -> range:
    """Which of `count` things are a shard's."""
    return range(shard * count // shards, (shard + 1) * count // shards)


def read_provenance(path: str | Path) -> dict:
    """What a table's writer said of its making (see `table_writer`)."""
    with reading(path):
        metadata = pq.read_metadata(path).metadata or {}
        return json.loads(metadata.get(b"visner", b"{}"))


def write_json(path: str | Path, content: Any) -> None:
    """JSON that people read: indented, keys in the order given, NaN refused."""
    text = json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
    write_text(path, text)


def write_text(path: str | Path, text: str) -> None:
    """A UTF-8 text file, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def read_json(path: str | Path) -> Any:
    """A JSON file; VisnerError with file and line where it is none."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise VisnerError(f"{path}:{error.lineno}: not JSON: {error.msg}") from None
    except UnicodeDecodeError as error:
        raise VisnerError(f"{path}: not JSON: byte {error.start + 1} is not UTF-8; is the file whole?") from None
    except FileNotFoundError:
        raise VisnerError(f"{path}: no such file") from None


def load_array(path: str | Path, mapped: Literal["r", "c"] | None = None) -> np.ndarray:
    """An array in .npy format, in memory or mapped: "r" to be read, "c" with changes that stay in memory."""
    with reading(path, "a NumPy array"):
        return np.load(path, mmap_mode=mapped, allow_pickle=False)


@contextmanager
def reading(path: str | Path, kind: str = "a table", remedy: str = "delete it and run again") -> Iterator[None]:
    """Say in one line what is wrong with a file of ours that the block reads: it is missing, or damaged."""
    try:
        yield
    except FileNotFoundError:
        raise VisnerError(f"{path}: no such file; the stage that makes it has not run") from None
    except DAMAGE as error:
        if isinstance(error, OSError) and error.errno:  # the disk or the permissions, not the file
            raise VisnerError(f"{path}: can't be read: {error.strerror}") from None
        reason = (str(error) or type(error).__name__).splitlines()[0].split(". ")[0]
        raise VisnerError(f"{path}: not {kind} of visner's, or damaged ({reason}); {remedy}") from None


def open_table(path: str | Path, schema: pa.Schema | None) -> pq.ParquetFile:
    """A Parquet file to read from inside `reading`; VisnerError where its columns aren't those of `schema`."""
    file = pq.ParquetFile(path, page_checksum_verification=True)
    if schema is not None and not file.schema_arrow.equals(schema):
        columns = f"the columns are {file.schema_arrow.names}, not {', '.join(schema.names)}"
        raise VisnerError(f"{path}: {columns}; made by another version?")
    return file
