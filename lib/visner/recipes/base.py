"""What all recipes share: the types of their keys, and the model that refuses keys it doesn't have."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")]  # it becomes a folder's name
PositiveInt = Annotated[int, Field(gt=0, strict=True)]  # strict: neither "10" nor true is a number
Seed = Annotated[int, Field(ge=0, strict=True)]

# UMT's BERT, as the hub has it at one commit.
BERT = "google-bert/bert-base-cased@cd5ef92a9fb2f889e972770a36d4ed042daf221e"


def is_path(text: str) -> bool:
    """Whether a key that takes a name or a file holds a file: names have no dot and no slash."""
    return "/" in text or "." in text


class Recipe(BaseModel):
    """A group of keys; a key that it doesn't have is an error, not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def fingerprint(self, *without: str, only: Iterable[str] | None = None) -> str:
        """The recipe as JSON with sorted keys, the same for the same content: what a rule has in its params."""
        content = self.model_dump(mode="json", exclude=set(without), include=set(only) if only else None)
        return json.dumps(content, sort_keys=True, ensure_ascii=False)

    def files(self, root: Path) -> list[Path]:
        """The files that the recipe names; relative paths start at `root`."""
        return [root / path for path in self._paths()]

    def _paths(self) -> list[str]:
        return []
