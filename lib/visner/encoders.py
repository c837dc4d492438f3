"""Where the files of a HuggingFace encoder are: a folder, an installed package, or fetched from the hub by a rule."""

import os
import re
from importlib.util import find_spec
from pathlib import Path

from visner.errors import VisnerError

FETCHED = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")  # of an encoder of the hub
PACKAGE = "package:"  # before NAME/FOLDER, a folder in an installed Python package


def of_hub(encoder: str, root: Path) -> bool:
    """Whether a recipe's encoder is NAME@REVISION of the hub, not a folder below `root` or in a package."""
    return not encoder.startswith(PACKAGE) and not (root / encoder).is_dir()


def of_revision(encoder: str) -> tuple[str, str]:
    """The name and the revision of an encoder of the hub; VisnerError where it doesn't say both."""
    matched = re.fullmatch(r"([A-Za-z0-9][\w.-]*(?:/[\w.-]+)?)(?:@([\w./-]+))?", encoder)
    if not matched:
        raise VisnerError(f"no name of the hub is like {encoder}")
    name, revision = matched.groups()
    if revision is None:
        raise VisnerError(
            f"say which revision of {name} is meant, a commit or a tag, as {name}@REVISION: what the hub has can "
            f"change; huggingface.co/{name}/commits/main lists the commits"
        )
    return name, revision


def folder(encoder: str, root: Path) -> str:
    """The folder of an encoder: its own, or that which it is fetched to; VisnerError where a package has none."""
    if encoder.startswith(PACKAGE):
        return _in_package(encoder)
    return f"resources/encoders/{encoder.replace('/', '--')}" if of_hub(encoder, root) else str(root / encoder)


def files(encoder: str, root: Path) -> list[str]:
    """The files in it, fetched yet or not: an edit of one makes again what follows from it."""
    place = Path(folder(encoder, root))
    if of_hub(encoder, root):
        return [str(place / name) for name in FETCHED]
    return sorted(str(path) for path in place.iterdir() if path.is_file() and path.name[0] != ".")


def check(key: str, encoder: str, root: Path) -> None:
    """VisnerError where a recipe's encoder can be none of these."""
    try:
        if of_hub(encoder, root):
            of_revision(encoder)
        else:
            folder(encoder, root)
    except VisnerError as error:
        missing = f"there is no folder {root / encoder}; " if of_hub(encoder, root) else ""
        raise VisnerError(f"configuration: {key}: {missing}{error}") from None


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
