"""Which files a corpus is made of."""

import os
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path, PurePath
from typing import NamedTuple

from visner.config.base import below
from visner.config.corpora import CorpusRecipe
from visner.corpora.records import Findings
from visner.errors import VisnerError
from visner.runtime.provenance import files_below

SUFFIXES = {
    "ene": (".xml",),
    "stockmark": (".json",),
    "conll": (".txt", ".conll", ".bio"),
    "imgid": (".txt",),
    "text": (".txt",),
}


class CorpusFile(NamedTuple):
    """A file with documents."""

    path: Path
    name: str  # below the folder that the recipe names, and with the folders around it where names repeat: for ids
    split: str | None  # given by `split: {by: files}`


def files(recipe: CorpusRecipe, root: str | Path, coming: Collection[Path] = ()) -> list[Path]:
    """Every file that reading the corpus opens, sorted: documents, corrections, lists of splits, a reader.

    Relative paths of the recipe are relative to `root`. VisnerError, naming the key, where a path does not exist or a
    folder holds no file of the format; the files in `coming` need not exist yet.
    """
    found = {file.path for file in corpus_files(recipe, root, coming)}
    if recipe.split.by == "lists":
        found |= set(split_lists(recipe, root).values())
    corrections = corrections_file(recipe, root)
    if corrections is not None:
        found.add(corrections)
    if recipe.format == "custom":
        found.add(below(root, recipe.file))
    return sorted(found)


def corpus_files(
    recipe: CorpusRecipe, root: str | Path, coming: Collection[Path] = (), findings: Findings | None = None
) -> list[CorpusFile]:
    """The files with documents, in the recipe's order, sorted by name inside a folder; each once.

    What is in the folders and isn't read goes to `findings`.
    """
    if recipe.split.by == "files":
        entries = [
            (f"split.{split}", entry, split)
            for split in ("train", "dev", "test")
            for entry in getattr(recipe.split, split)
        ]
    else:
        entries = [("paths", entry, None) for entry in recipe.paths]
    found: dict[Path, CorpusFile] = {}
    for key, entry, split in entries:
        for path, name in _expand(key, below(root, entry), _suffixes(recipe), coming, findings):
            first = found.setdefault(path.resolve(), CorpusFile(path, name, split))
            if first.split != split:
                raise VisnerError(f"{key}: {path} is also in split.{first.split}; a file belongs to one split")
    return _with_different_names(list(found.values()))


def _suffixes(recipe: CorpusRecipe) -> tuple[str, ...]:
    return tuple(recipe.suffixes) if recipe.format == "custom" else SUFFIXES[recipe.format]


def split_lists(recipe: CorpusRecipe, root: str | Path) -> dict[str, Path]:
    """Split -> the file that lists its documents, for `split: {by: lists}`."""
    return {
        split: _existing(f"split.{split}", below(root, getattr(recipe.split, split)))
        for split in ("train", "dev", "test")
    }


def corrections_file(recipe: CorpusRecipe, root: str | Path) -> Path | None:
    """The file of hand-made corrections, if the recipe names one."""
    name = getattr(recipe, "corrections", None)
    return None if name is None else _existing("corrections", below(root, name))


def refuse_other_variant(file: str | Path, expected: str, found: str) -> None:
    """VisnerError where a file's sha256 isn't the expected one."""
    if found != expected:
        raise VisnerError(
            f"{file}: the sha256 is {found}, not {expected}: another variant of the data (some circulate with "
            "other labels, and a table must never mix them). Give the right address, or delete the wrong file; to use "
            "this one, name it in `split` and leave out `download`"
        )


def _existing(key: str, path: Path, coming: Collection[Path] = ()) -> Path:
    if not path.is_file() and path not in coming:
        raise VisnerError(f"{key}: there is no file {path}")
    return path


def _expand(
    key: str, path: Path, suffixes: tuple[str, ...], coming: Collection[Path], findings: Findings | None
) -> Iterator[tuple[Path, str]]:
    """A file as it is; of a folder, all files of the format below it. Hidden files are a file manager's, not text."""
    if not path.is_dir():
        yield _existing(key, path, coming), path.name
        return
    unopened: list[tuple[str, str]] = []
    names = sorted(name for name, _ in files_below(path, unopened) if _is_visible(name))
    read = [name for name in names if not suffixes or PurePath(name).suffix in suffixes]
    unopened += [(name, "no permission to read it") for name in read if not os.access(path / name, os.R_OK)]
    closed = {name for name, _ in unopened}
    chosen = [name for name in read if name not in closed]
    unread = sorted(set(names) - set(read))
    if not chosen:
        listed = ", ".join([*unread, *sorted(closed)][:3])
        raise VisnerError(
            f"{key}: the folder {path} holds no file that ends in {' or '.join(suffixes)}"
            + (f" and can be read, but {listed}; rename files, or name them in `{key}`" if listed else "")
        )
    if findings is not None:
        for name in unread:
            findings.add("files_unread", path / name, None, "")
        for name, reason in sorted(unopened):
            if _is_visible(name):
                findings.add("files_unopened", path / name, None, reason)
    for name in chosen:
        yield path / name, name


def _is_visible(name: str) -> bool:
    return not any(part.startswith(".") for part in name.split("/"))


def _with_different_names(files: list[CorpusFile]) -> list[CorpusFile]:
    """The files, with as many of the folders around them in names that repeat as it takes to tell them apart."""
    for depth in range(2, 2 + max((len(file.path.parts) for file in files), default=0)):
        names = Counter(file.name for file in files)
        if len(names) == len(files):
            break
        files = [
            file._replace(name="/".join(_parts(file.path, depth))) if names[file.name] > 1 else file for file in files
        ]
    return files


def _parts(path: Path, depth: int) -> list[str]:
    """The last `depth` parts of a path; where a folder around it has no name, it is empty."""
    return [*path.parts[-depth:-1], path.name] if len(path.parts) > 1 else ["", path.name]
