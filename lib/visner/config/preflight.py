"""What can be known to be wrong before the first job, and is said then: files that are missing, or plainly unusable.

Snakemake ignores an input that isn't there as soon as an older output exists. So every path is looked at whenever a
configuration is loaded, by a run as by a dry run. Nothing here imports torch, or reads a large file to its end.
"""

import os
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial
from pathlib import Path

from visner import corpora
from visner.config import Config, encoders
from visner.config.base import below
from visner.embeddings import published
from visner.errors import VisnerError
from visner.evaluation.published import read_published
from visner.runtime import keyed_vectors
from visner.runtime.provenance import sha256_file

GPUS = ("nvidia[0-9]*", "dxg", "kfd")  # in /dev: NVIDIA's, the same under Windows, AMD's
EXISTS = {"file": os.path.isfile, "folder": os.path.isdir, "file or folder": os.path.exists}

Look = tuple[str, Callable[[], object]]  # how its faults begin, with the key; raises VisnerError where there is one


DOWNLOADS = "resources/corpora/{corpus}/{file}"  # where a rule puts what it downloads


def check(config: Config, root: Path) -> None:
    """VisnerError with a line for each key that names something missing or unusable; relative paths start at `root`.

    Files that a rule downloads need not be there yet.
    """
    coming = {path for name in config.corpora for path in _downloaded(config, root, name)}
    paths = ((f"{key}: ", partial(_look_for, place.kind, root, text, coming)) for key, text, place in config.places())
    faults = _faults(paths) or _faults(_contents(config, root))
    if faults:
        raise VisnerError("\n".join(f"configuration: {fault}" for fault in faults))


def corpus_files(config: Config, root: Path) -> dict[str, list[Path]]:
    """corpus -> all its files; those that a rule downloads need not be there yet, but none may be another variant.

    VisnerError where a corpus has no files. It is raised when the configuration is loaded, for Snakemake shows errors
    of input functions as tracebacks.
    """
    return {name: _files_of(config, root, name) for name in config.corpora}


def _downloaded(config: Config, root: Path, corpus: str) -> dict[Path, str]:
    """The files of a corpus that a rule downloads, and the sha256 that each must have."""
    download = getattr(config.corpora[corpus], "download", None)
    sums = download.sha256 if download else {}
    return {Path(root, DOWNLOADS.format(corpus=corpus, file=file)): sums[file] for file in sums}


def _files_of(config: Config, root: Path, corpus: str) -> list[Path]:
    coming = _downloaded(config, root, corpus)
    try:
        for path, sha256 in coming.items():
            if path.is_file():
                corpora.refuse_other_variant(f"download: {path}", sha256, sha256_file(path))
        files = corpora.files(config.corpora[corpus], root, coming)
        unread = [str(path) for path in coming if path not in files]
        if unread:
            raise VisnerError(
                f"download: no split reads {', '.join(unread)}: name it there, or leave out `download`, and what "
                "`split` names is read unchecked"
            )
        return files
    except VisnerError as error:
        raise VisnerError(f"configuration: corpora.{corpus}.{error}") from None


def sees_gpu(devices: str | Path = "/dev") -> bool:
    """Whether this machine seems to have a GPU: by its device files, or by NVIDIA's program."""
    return any(any(Path(devices).glob(name)) for name in GPUS) or shutil.which("nvidia-smi") is not None


def _faults(looks: Iterable[Look]) -> list[str]:
    faults = []
    for start, look in looks:
        try:
            look()
        except VisnerError as error:
            faults.append(f"{start}{error}")
    return faults


def _look_for(kind: str, root: Path, text: str, coming: Collection[Path]) -> None:
    path = below(root, text)
    if kind == "new folder":
        there = next(one for one in (path, *path.parents) if os.path.lexists(one))
        if not os.path.isdir(there):  # a link to a disk that isn't mounted, too
            raise VisnerError(f"{there} is no folder, and nothing can be made in it")
    elif not EXISTS[kind](path) and path not in coming:
        raise VisnerError(f"there is no {kind.split()[0]} {path}")


def _contents(config: Config, root: Path) -> Iterator[Look]:
    """What is looked at in files that are there, and names that are no paths."""
    for name, corpus in config.corpora.items():
        if not corpus.of_tokens:
            yield f"corpora.{name}.", partial(_find_dictionary, corpus.nouns.dictionary, root)
    for name, images in config.images.items():
        if images.source == "folder" and images.manifest:
            yield f"images.{name}.manifest: ", partial(_look_at_manifest, images, root)
    for name, embedding in config.embeddings.items():
        yield f"embeddings.{name}.", partial(published.check, embedding)
    for name, vectors in config.vectors.items():
        for part in ("glove_char", "glove_word"):
            if (glove := getattr(vectors, part)) and glove.path:
                yield f"vectors.{name}.{part}.dimensions: ", partial(_compare_dimensions, glove, root)
    for key, encoder in config.encoders().items():
        yield f"{key}: ", partial(encoders.check, encoder, root)
    for name, study in config.studies.items():
        for file in study.files(root):
            yield f"studies.{name}.published: ", partial(read_published, file)


def _find_dictionary(dictionary: str, root: Path) -> None:
    from visner.nouns.dictionary import find_folder  # with it comes MeCab

    find_folder(dictionary, root)


def _look_at_manifest(recipe, root: Path) -> None:
    from visner.images.sources import check_manifest  # with it comes Pillow

    check_manifest(below(root, recipe.manifest), recipe.query_column, recipe.files_column)


def _compare_dimensions(recipe, root: Path) -> None:
    file = below(root, recipe.path)
    found = keyed_vectors.dimensions(file)
    if found not in (None, recipe.dimensions):
        raise VisnerError(
            f"{file}: its vectors have {found} dimensions; set `dimensions: {found}` (it is {recipe.dimensions})"
        )
