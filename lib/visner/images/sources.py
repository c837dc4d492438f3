"""Where a query's pictures come from. A source has one method: query -> candidates in rank order.

Candidates come lazily: the next is asked for only while pictures are still wanted. A source is shared by threads.
"""

import hashlib
import os
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from visner.config.base import below
from visner.config.images import AttachedImages, FolderImages, LocalImages
from visner.errors import VisnerError
from visner.images.folder import Folder, as_text, is_text
from visner.images.prepare import Rejected
from visner.runtime import stages


class Candidate(NamedTuple):
    """A picture that answers a query: its address, and how to open its bytes (raises Rejected where there are none)."""

    source_url: str
    open: Callable[[], BinaryIO]


class Found(NamedTuple):
    """What a source has for some queries: its provenance, and each query's rows, in the order of the queries."""

    origin: dict[str, Any]
    rows: Iterator[list[dict]]


class Source(Protocol):
    """What every source has."""

    def candidates(self, query: str) -> Iterator[Candidate]:
        """The query's pictures, best first, one after the other as they are asked for; none for an unknown query."""
        ...


def open_source(recipe: LocalImages, root: str | Path) -> Source:
    """The recipe's source; its relative paths are relative to `root`."""
    return (FolderSource if recipe.source == "folder" else AttachedSource)(recipe, Path(root))


class FolderSource:
    """Pictures on disk, by a manifest (query -> files in rank order) or in a folder a query (files by name).

    Queries and the names of folders are compared after NFKC. Hidden files and folders in folders are no pictures.
    """

    def __init__(self, recipe: FolderImages, root: Path):
        self._folder = Folder(below(root, recipe.folder))
        if recipe.manifest is None:
            self._files = None
            folders = _visible(self._folder.path, os.DirEntry.is_dir)
            if unnamed := [name for name in folders if not is_text(name)]:
                stages.log.warning(
                    "%s: the names of %d folders aren't UTF-8, so that no query is theirs (%s ...); rename them "
                    "(convmv does it for all)", self._folder.path, len(unnamed), as_text(unnamed[0]),
                )  # fmt: skip
            self._folders = _by_query((name, [name]) for name in folders)
        else:
            manifest = below(root, recipe.manifest)
            self._files = _by_query(_read_manifest(manifest, recipe.query_column, recipe.files_column))

    def candidates(self, query: str) -> Iterator[Candidate]:
        """The query's files; the address is the path relative to the recipe's folder."""
        for name in self._names(query):
            yield Candidate(as_text(name), lambda name=name: self._folder.open(name))

    def listing(self, query: str) -> str:
        """See `Folder.listing`."""
        return self._folder.listing(self._names(query))

    def _names(self, query: str) -> list[str]:
        query = unicodedata.normalize("NFKC", query)
        if self._files is not None:
            return self._files.get(query, [])
        return [
            f"{folder}/{name}"
            for folder in self._folders.get(query, [])
            for name in _visible(self._folder.path / folder, os.DirEntry.is_file)
        ]


class AttachedSource:
    """A sentence's own picture: the query is the attachment's name, its one candidate the file of that name."""

    def __init__(self, recipe: AttachedImages, root: Path):
        self._folder = Folder(below(root, recipe.folder))
        self._placeholders = frozenset(recipe.placeholders)

    def candidates(self, query: str) -> Iterator[Candidate]:
        """The one file; a name that would leave the folder is that of no file."""
        yield Candidate(query, lambda: self._open(query))

    def listing(self, query: str) -> str:
        """See `Folder.listing`."""
        return self._folder.listing([query])

    def _open(self, name: str) -> BinaryIO:
        if "/" in name or "\0" in name or name in ("", ".", ".."):
            raise Rejected("missing")
        file = self._folder.open(name)
        if self._placeholders and hashlib.file_digest(file, "sha256").hexdigest() in self._placeholders:
            file.close()
            raise Rejected("placeholder")
        file.seek(0)
        return file


def _visible(folder: Path, wanted: Callable[[os.DirEntry], bool]) -> list[str]:
    """The names of what a folder has and doesn't hide, sorted; not by pathlib, which takes seven times as long."""
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if entry.name[0] != "." and wanted(entry))


def _by_query(pairs) -> dict[str, list]:
    """Pairs of a query and its files joined by the query's NFKC form, in the order of the pairs, no file twice."""
    joined: dict[str, list] = {}
    for query, files in pairs:
        known = joined.setdefault(unicodedata.normalize("NFKC", query), [])
        known += [file for file in dict.fromkeys(files) if file not in known]
    return joined


def check_manifest(path: Path, query_column: str, files_column: str) -> None:
    """VisnerError where a manifest can't be read, or lacks one of the columns; reads its header and a little more."""
    next(_read_manifest(path, query_column, files_column), None)


def _read_manifest(path: Path, query_column: str, files_column: str) -> Iterator[tuple[str, list[str]]]:
    """A manifest's queries with their files: Parquet by its ending, any other file is tab-separated with a header."""
    if not path.is_file():
        raise VisnerError(f"images: manifest: there is no file {path}")
    if path.suffix == ".parquet":
        yield from _read_parquet(path, query_column, files_column)
        return
    with open(path, "rb") as file:
        header, places = [], (0, 0)
        for number, line in enumerate(file, 1):
            cells = _cells(path, number, line)
            if number == 1:
                header = cells
                _check_columns(f"{path}:1", header, query_column, files_column)
                places = header.index(query_column), header.index(files_column)
                continue
            if len(cells) != len(header):
                raise VisnerError(f"{path}:{number}: {len(cells)} columns, the header has {len(header)}")
            yield cells[places[0]], [name for name in cells[places[1]].split("|") if name]
        if not header:
            raise VisnerError(f"{path}:1: it is empty; a manifest begins with the names of its columns")


def _cells(path: Path, number: int, line: bytes) -> list[str]:
    """The columns of a line of a TSV."""
    if number == 1:
        line = line.removeprefix(b"\xef\xbb\xbf")  # a byte order mark
    try:
        return line.rstrip(b"\r\n").decode().split("\t")
    except UnicodeDecodeError as error:
        raise VisnerError(
            f"{path}:{number}: byte {error.start + 1} of the line (0x{line[error.start]:02x}) is not UTF-8; "
            "convert the file to UTF-8"
        ) from None


def _read_parquet(path: Path, query_column: str, files_column: str) -> Iterator[tuple[str, list[str]]]:
    try:
        file = pq.ParquetFile(path)
        schema = file.schema_arrow
        _check_columns(str(path), schema.names, query_column, files_column)
        for key, column, lists in (("query_column", query_column, False), ("files_column", files_column, True)):
            kind = schema.field(column).type
            if not (_is_text(kind) or (lists and _is_list_of_text(kind))):
                wanted = "text, or lists of text" if lists else "text"
                raise VisnerError(f"{path}: the column {column!r} ({key}) holds {kind}; write it as {wanted}")
        for batch in file.iter_batches(columns=[query_column, files_column]):
            queries, files = batch.column(query_column).to_pylist(), batch.column(files_column).to_pylist()
            for query, names in zip(queries, files, strict=True):
                if query is None:
                    raise VisnerError(f"{path}: {query_column}: a query is null")
                yield query, [name for name in (names.split("|") if isinstance(names, str) else names or []) if name]
    except UnicodeDecodeError as error:  # Parquet doesn't check that its strings are UTF-8
        raise VisnerError(f"{path}: a text in it is not UTF-8 ({error.object!r:.60}); write it anew") from None
    except (pa.ArrowException, OSError) as error:
        damage = str(error).splitlines()[0]
        raise VisnerError(f"{path}: not a Parquet file, or a damaged one ({damage}); copy or write it anew") from None


def _is_text(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def _is_list_of_text(kind: pa.DataType) -> bool:
    lists = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list, pa.types.is_list_view)
    return any(is_one(kind) for is_one in lists) and _is_text(kind.value_type)


def _check_columns(where: str, columns: list[str], query_column: str, files_column: str) -> None:
    for key, column in (("query_column", query_column), ("files_column", files_column)):
        if column not in columns:
            raise VisnerError(f"{where}: there is no column {column!r} ({key}); the columns are {', '.join(columns)}")
