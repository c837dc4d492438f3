"""Published scores, and on which data they are: a file that people keep, as data/published/twitter.json."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from visner.errors import VisnerError
from visner.runtime import tables


class Entry(BaseModel):
    """A group of keys; a key that it doesn't have is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Variant(Entry):
    """A variant of a dataset, known by the sha256 of its files."""

    dataset: str
    variant: str
    sha256: dict[Literal["train", "dev", "test"], str]


class PublishedScore(Entry):
    """One F1 in percent of a test set."""

    system: str
    dataset: str
    variant: str
    metric: Literal["micro", "weighted"]
    reading: Literal["strict", "lenient"] | None = None  # of BIO; null: the source doesn't say
    f1: float
    source: str


class Published(Entry):
    """The whole file."""

    variants: list[Variant]
    scores: list[PublishedScore]

    def variant_of(self, corpus: dict) -> Variant | None:
        """The variant that a corpus is, by its statistics; None where none has just the same files."""
        files = sorted((one["split"], one["sha256"]) for one in corpus.get("files_sha256", []))
        return next((one for one in self.variants if sorted(one.sha256.items()) == files), None)


def read_published(path: str | Path) -> Published:
    """The file's content; VisnerError names the first mistake."""
    try:
        return Published.model_validate(tables.read_json(path))
    except ValidationError as error:
        first = error.errors()[0]
        raise VisnerError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
