"""Where the files of a HuggingFace encoder are: a folder, an installed package, or fetched from the hub by a rule."""

import os
import re
from importlib.util import find_spec
from pathlib import Path

from visner.config.base import below
from visner.errors import VisnerError

FETCHED = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")  # of an encoder of the hub
NEEDED = (  # by `visner.runtime.pretrained`: one of each row
    ("config.json",),
    ("model.safetensors", "model.safetensors.index.json"),
    ("tokenizer.json", "vocab.txt", "vocab.json", "spiece.model", "sentencepiece.bpe.model", "tokenizer.model"),
)
NO_NAME = "it can't be a name of the hub, NAME@REVISION or, where there is no folder OWNER, OWNER/NAME@REVISION"
PACKAGE = "package:"  # before NAME/FOLDER, a folder in an installed Python package


def of_hub(encoder: str, root: Path) -> bool:
    """Whether a recipe's encoder is NAME@REVISION of the hub, not a folder below `root` or in a package."""
    return not encoder.startswith(PACKAGE) and not below(root, encoder).is_dir()


def of_revision(encoder: str) -> tuple[str, str]:
    """The name and the revision of an encoder of the hub; VisnerError where it doesn't say both."""
    matched = re.fullmatch(r"([A-Za-z0-9][\w.-]*(?:/[\w.-]+)?)(?:@([\w./-]+))?", encoder)
    if not matched:
        raise VisnerError(NO_NAME)
    name, revision = matched.groups()
    if revision is None:
        raise VisnerError(
            f"a name of the hub needs a revision, a commit or a tag: write {name}@REVISION, since what the hub has can "
            f"change; huggingface.co/{name}/commits/main lists the commits"
        )
    return name, revision


def folder(encoder: str, root: Path) -> str:
    """The folder of an encoder: its own, or that which it is fetched to; VisnerError where a package has none."""
    if encoder.startswith(PACKAGE):
        return _in_package(encoder)
    return f"resources/encoders/{encoder.replace('/', '--')}" if of_hub(encoder, root) else str(below(root, encoder))


def files(encoder: str, root: Path) -> list[str]:
    """The files in it, fetched yet or not: an edit of one makes again what follows from it."""
    place = Path(folder(encoder, root))
    if of_hub(encoder, root):
        return [str(place / name) for name in FETCHED]
    return sorted(str(path) for path in place.iterdir() if path.is_file() and path.name[0] != ".")


def check(encoder: str, root: Path) -> None:
    """VisnerError where a recipe's encoder can be none of these, or lacks a file that `load` reads."""
    if of_hub(encoder, root):
        owner = encoder.rpartition("/")[0]
        try:
            if owner and (root / owner).is_dir():
                raise VisnerError(NO_NAME)
            of_revision(encoder)
        except VisnerError as error:
            raise VisnerError(f"there is no folder {below(root, encoder)}, and {error}") from None
        return
    place = Path(folder(encoder, root))
    for names in NEEDED:
        if not any((place / name).is_file() for name in names):
            raise VisnerError(f"the folder {place} has no {names[0]}; write it with transformers' save_pretrained")


def _in_package(encoder: str) -> str:
    """Relative, so that a project that is moved with its environment doesn't look like a changed one."""
    package, _, inside = encoder.removeprefix(PACKAGE).partition("/")
    found = find_spec(package) if package.isidentifier() else None
    if found is None or not found.submodule_search_locations:
        raise VisnerError(
            f"there is no Python package {package!r} in this environment; install it "
            "(MiniLM's comes with the lock file, and with pip install 'visner[minilm]')"
        )
    place = Path(found.submodule_search_locations[0]) / inside
    if not place.is_dir():
        raise VisnerError(f"the Python package {package} has no folder {inside}")
    return os.path.relpath(place)
