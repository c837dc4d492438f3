"""What all recipes share: the types of their keys, and the model that refuses keys it doesn't have."""

import json
import os
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_type_hints

from pydantic import BaseModel, ConfigDict, Field

from visner.errors import VisnerError

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")]  # it becomes a folder's name
PositiveInt = Annotated[int, Field(gt=0, strict=True)]  # strict: neither "10" nor true is a number
Seed = Annotated[int, Field(ge=0, strict=True)]

# UMT's BERT, as the hub has it at one commit.
BERT = "google-bert/bert-base-cased@cd5ef92a9fb2f889e972770a36d4ed042daf221e"


class Place(NamedTuple):
    """What must be at the path that a key names, before the first job; `or_name`: it may hold a name instead."""

    kind: Literal["file", "folder", "file or folder", "new folder"]
    or_name: bool = False


File = Annotated[str, Place("file")]
Folder = Annotated[str, Place("folder")]
NewFolder = Annotated[str, Place("new folder")]  # made where it isn't there
FileOrFolder = Annotated[str, Place("file or folder")]
FolderOrName = Annotated[str, Place("folder", or_name=True)]
FileOrName = Annotated[str, Place("file", or_name=True)]


def is_path(text: str) -> bool:
    """Whether a key that takes a name or a file holds a file: names have no dot, slash, tilde or variable."""
    return any(character in text for character in "./~$")


def below(root: str | Path, text: str) -> Path:
    """The path that a key's text names: a relative one starts at `root`; `~` and $VARIABLES are replaced.

    Called where a path is used, never for what is recorded: a recipe is the same on every machine. VisnerError where
    there is no such user, or where a variable isn't set or is empty.
    """

    def value(variable: re.Match) -> str:
        found = os.environ.get(variable[1] or variable[2])
        if not found:
            raise VisnerError(
                f"{text}: the environment variable {variable[0]} isn't set; set it, or write out the path"
            )
        return found

    path = os.path.expanduser(re.sub(r"\$(?:(\w+)|\{(\w+)\})", value, text, flags=re.ASCII))
    if path.startswith("~"):
        raise VisnerError(f"{text}: there is no user {path.split('/')[0][1:]}; if it is a file's name, write ./{text}")
    return Path(root) / path


class Recipe(BaseModel):
    """A group of keys; a key that it doesn't have is an error, not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def fingerprint(self, *, without: Iterable[str] = ()) -> str:
        """The recipe as JSON with sorted keys, the same for the same content: what a rule has in its params.

        Keys that don't change the rule's result are left out by `without`.
        """
        content = self.model_dump(mode="json", exclude=set(without))
        return json.dumps(content, sort_keys=True, ensure_ascii=False)

    def files(self, root: Path) -> list[Path]:
        """The files that the recipe names, for a rule's inputs; relative paths start at `root`."""
        return [below(root, text) for _, text, place in self.places() if place.kind == "file"]

    def places(self) -> Iterator[tuple[str, str, Place]]:
        """Every path that the recipe and those inside it name: its key, its text, what it must be."""
        for key, place in _declared(type(self)).items():
            yield from _places(key, getattr(self, key), place)


@cache
def _declared(recipe: type[Recipe]) -> dict[str, Place | None]:
    """The Place in the annotation of each key."""
    hints = get_type_hints(recipe, include_extras=True)
    return {key: _place(hints[key]) for key in recipe.model_fields}


def _place(hint: Any) -> Place | None:
    return hint if isinstance(hint, Place) else next(filter(None, map(_place, get_args(hint))), None)


def _places(key: str, value: Any, place: Place | None) -> Iterator[tuple[str, str, Place]]:
    if isinstance(value, Recipe):
        yield from ((f"{key}.{inner}", *rest) for inner, *rest in value.places())
    elif isinstance(value, dict):
        for name, one in value.items():
            yield from _places(f"{key}.{name}", one, place)
    elif isinstance(value, list):
        for one in value:
            yield from _places(key, one, place)
    elif place and isinstance(value, str) and (is_path(value) or not place.or_name):
        yield key, value, place
