"""The backbones that torchvision has and their published weights, read from its source: importing it takes seconds."""

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from visner.config.base import is_path
from visner.config.errors import suggest
from visner.config.images import Embedding
from visner.errors import VisnerError


@cache
def backbones() -> dict[str, list[str]]:
    """Each classification model -> the names of its weights; empty where torchvision isn't to be found."""
    found = find_spec("torchvision")
    if found is None or not found.submodule_search_locations:
        return {}
    files = sorted(Path(found.submodule_search_locations[0]).glob("models/*.py"))
    source = "".join(file.read_text(encoding="utf-8") for file in files)
    weights = {  # class -> its members, DEFAULT among them
        name: re.findall(r"^    ([A-Z]\w*) = ", body, re.MULTILINE)
        for name, body in re.findall(r"^class (\w+)\(WeightsEnum\):\n((?:    .*\n|\n)+)", source, re.MULTILINE)
    }
    builders = re.findall(r"^@register_model\(\)\n(?:@.*\n)*def (\w+)\([^)]*?weights: Optional\[(\w+)\]", source, re.M)
    return {builder: weights.get(name, []) for builder, name in sorted(builders)}


def check(recipe: Embedding) -> None:
    """VisnerError where torchvision has no such backbone, or no such weights of it."""
    known = backbones()
    if known and recipe.backbone not in known:
        raise VisnerError(f"backbone: torchvision has no {recipe.backbone!r}{suggest(recipe.backbone, known)}")
    weights = [*known.get(recipe.backbone, ()), "random"]
    if len(weights) > 1 and recipe.weights not in weights and not is_path(recipe.weights):
        raise VisnerError(
            f"weights: torchvision has no {recipe.weights!r} of {recipe.backbone}{suggest(recipe.weights, weights)}; "
            "a path has a dot or a slash"
        )
