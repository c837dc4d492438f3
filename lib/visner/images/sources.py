"""Where a query's pictures come from. A source has one method: query -> candidates in rank order.

Candidates come lazily: the next is asked for only while pictures are still wanted. A source is shared by threads.
"""

import hashlib
import io
import os
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from visner.errors import VisnerError
from visner.images.prepare import Rejected
from visner.recipes import AttachedImages, FolderImages, SampleImages


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


def open_source(recipe: FolderImages | AttachedImages | SampleImages, root: str | Path) -> Source:
    """The recipe's source; its relative paths are relative to `root`."""
    sources = {"sample": SampleSource, "folder": FolderSource, "attached": AttachedSource}
    return sources[recipe.source](recipe, Path(root))


class SampleSource:
    """Pictures of the embedded sample, drawn as they are asked for."""

    def __init__(self, recipe: SampleImages, root: Path):
        from visner.images import drawings

        self._drawings = drawings
        self._seed = recipe.seed
        self._pictures = drawings.manifest(recipe.seed, recipe.drawings)

    def candidates(self, query: str) -> Iterator[Candidate]:
        """The drawings of a word, in the order of the drawing program's manifest."""
        for kind, number in self._pictures.get(query, ()):
            yield Candidate(f"sample:{kind}/{number}", lambda kind=kind, number=number: self._draw(kind, number))

    def _draw(self, kind: str, number: int) -> BinaryIO:
        file = io.BytesIO()
        self._drawings.draw(kind, number, self._seed).save(file, "PNG")
        file.seek(0)
        return file


class FolderSource:
    """Pictures on disk, by a manifest (query -> files in rank order) or in a folder a query (files by name).

    Queries and the names of folders are compared after NFKC. Hidden files and folders in folders are no pictures.
    """

    def __init__(self, recipe: FolderImages, root: Path):
        self._folder = root / recipe.folder
        if not self._folder.is_dir():
            raise VisnerError(f"images: folder: there is no folder {self._folder}")
        if recipe.manifest is None:
            self._files = None
            self._folders = _by_query((name, [name]) for name in _visible(self._folder, os.DirEntry.is_dir))
        else:
            manifest = root / recipe.manifest
            self._files = _by_query(_read_manifest(manifest, recipe.query_column, recipe.files_column))

    def candidates(self, query: str) -> Iterator[Candidate]:
        """The query's files; the address is the path relative to the recipe's folder."""
        for name in self._names(query):
            yield Candidate(name, lambda name=name: self._open(name))

    def listing(self, query: str) -> str:
        """See `listing`."""
        return listing(self._folder, self._names(query))

    def _names(self, query: str) -> list[str]:
        query = unicodedata.normalize("NFKC", query)
        if self._files is not None:
            return self._files.get(query, [])
        return [
            f"{folder}/{name}"
            for folder in self._folders.get(query, [])
            for name in _visible(self._folder / folder, os.DirEntry.is_file)
        ]

    def _open(self, name: str) -> BinaryIO:
        return _open_file(self._folder / name)


class AttachedSource:
    """A sentence's own picture: the query is the attachment's name, its one candidate the file of that name."""

    def __init__(self, recipe: AttachedImages, root: Path):
        self._folder = root / recipe.folder
        if not self._folder.is_dir():
            raise VisnerError(f"images: folder: there is no folder {self._folder}")
        self._placeholders = frozenset(recipe.placeholders)

    def candidates(self, query: str) -> Iterator[Candidate]:
        """The one file; a name that would leave the folder is that of no file."""
        yield Candidate(query, lambda: self._open(query))

    def listing(self, query: str) -> str:
        """See `listing`."""
        return listing(self._folder, [query])

    def _open(self, name: str) -> BinaryIO:
        if "/" in name or "\0" in name or name in ("", ".", ".."):
            raise Rejected("missing")
        file = _open_file(self._folder / name)
        if self._placeholders and hashlib.file_digest(file, "sha256").hexdigest() in self._placeholders:
            file.close()
            raise Rejected("placeholder")
        file.seek(0)
        return file


def listing(folder: Path, names: list[str]) -> str:
    """What a folder lists of some files, a line a file: name, size and time of change; `missing` where it has none.

    Two listings differ where a file of them was added, removed, renamed or changed. It is called for each query before
    each run, so it asks the system once a file and reads none.
    """
    lines, place = [], str(folder)
    for name in names:
        try:
            status = os.stat(f"{place}/{name}")
            lines.append(f"{name}\0{status.st_size}\0{status.st_mtime_ns}\n")
        except (OSError, ValueError):  # no such file; a name with a null
            lines.append(f"{name}\0missing\n")
    return "".join(lines)


def _open_file(path: Path) -> BinaryIO:
    try:
        return open(path, "rb")
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise Rejected("missing") from None
    except PermissionError:
        raise VisnerError(f"{path}: no permission to read it; change its mode or owner") from None


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


def _read_manifest(path: Path, query_column: str, files_column: str) -> Iterator[tuple[str, list[str]]]:
    """A manifest's queries with their files: Parquet by its ending, any other file is tab-separated with a header."""
    if not path.is_file():
        raise VisnerError(f"images: manifest: there is no file {path}")
    if path.suffix == ".parquet":
        yield from _read_parquet(path, query_column, files_column)
        return
    with open(path, encoding="utf-8-sig", newline="\n") as file:
        try:
            header = next(file, "").rstrip("\r\n").split("\t")
            _check_columns(f"{path}:1", header, query_column, files_column)
            places = header.index(query_column), header.index(files_column)
            for number, line in enumerate(file, start=2):
                cells = line.rstrip("\r\n").split("\t")
                if len(cells) != len(header):
                    raise VisnerError(f"{path}:{number}: {len(cells)} columns, the header has {len(header)}")
                yield cells[places[0]], [name for name in cells[places[1]].split("|") if name]
        except UnicodeDecodeError as error:
            raise VisnerError(f"{path}: not UTF-8: {error.reason}; convert it to UTF-8") from None


def _read_parquet(path: Path, query_column: str, files_column: str) -> Iterator[tuple[str, list[str]]]:
    try:
        file = pq.ParquetFile(path)
    except pa.ArrowInvalid as error:
        raise VisnerError(f"{path}: not a Parquet file ({error})") from None
    _check_columns(str(path), file.schema_arrow.names, query_column, files_column)
    for batch in file.iter_batches(columns=[query_column, files_column]):
        queries, files = batch.column(query_column).to_pylist(), batch.column(files_column).to_pylist()
        for query, names in zip(queries, files, strict=True):
            if query is None:
                raise VisnerError(f"{path}: {query_column}: a query is null")
            yield query, [name for name in (names.split("|") if isinstance(names, str) else names or []) if name]


def _check_columns(where: str, columns: list[str], query_column: str, files_column: str) -> None:
    for key, column in (("query_column", query_column), ("files_column", files_column)):
        if column not in columns:
            raise VisnerError(f"{where}: there is no column {column!r} ({key}); the columns are {', '.join(columns)}")
