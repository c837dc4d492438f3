"""Which split a document belongs to: by a hash of its id, by its file, or by lists of ids."""

import hashlib
from pathlib import Path

from visner.config.corpora import CorpusRecipe
from visner.corpora.inputs import CorpusFile, split_lists
from visner.corpora.records import Document, lines
from visner.errors import VisnerError

SPLITS = ("train", "dev", "test")


def by_hash(document_id: str, ratio: tuple[float, float, float], seed: int) -> str:
    """The split of a document: its place in [0, 1), read from the sha256 of seed and id, against the ratio.

    It depends on nothing else: documents that come or go move no other.
    """
    digest = hashlib.sha256(f"{seed}:{document_id}".encode()).digest()
    place = int.from_bytes(digest[:8]) / 2**64 * sum(ratio)
    if place < ratio[0]:
        return "train"
    return "dev" if place < ratio[0] + ratio[1] else "test"


class Splits:
    """The splits of a corpus' documents; checks that no id is used twice and that every listed one exists."""

    def __init__(self, recipe: CorpusRecipe, root: str | Path):
        self._split = recipe.split
        self._plain_text = recipe.format == "text"
        self._met: dict[str, str] = {}  # id -> where its document is
        self._listed: dict[str, tuple[str, str]] = {}  # id -> split, place in its list
        if recipe.split.by == "lists":
            self._read_lists(split_lists(recipe, root))

    def of(self, document: Document, file: CorpusFile) -> str:
        """The document's split. Plain text is training text, unless files or lists say otherwise."""
        at = f"{document.path}:{document.line}"
        if document.document_id in self._met:
            other = self._met[document.document_id]
            raise VisnerError(f"{at}: the document id {document.document_id} is also at {other}; ids must differ")
        self._met[document.document_id] = at
        if file.split is not None:
            return file.split
        if self._split.by == "lists":
            if document.document_id not in self._listed:
                raise VisnerError(f"{at}: the document {document.document_id} is in no list of a split; add it to one")
            return self._listed[document.document_id][0]
        if self._plain_text:
            return "train"
        return by_hash(document.document_id, self._split.ratio, self._split.seed)

    def finish(self) -> None:
        """VisnerError for the first listed id of which no document was met."""
        for document_id, (_, at) in self._listed.items():
            if document_id not in self._met:
                raise VisnerError(f"{at}: there is no document {document_id}")

    def _read_lists(self, paths: dict[str, Path]) -> None:
        for split, path in paths.items():
            for number, line in lines(path):
                document_id, at = line.strip(" \t"), f"{path}:{number}"
                if not document_id:
                    continue
                other = self._listed.setdefault(document_id, (split, at))
                if other[1] != at:
                    raise VisnerError(f"{at}: the document {document_id} is already listed at {other[1]}")
