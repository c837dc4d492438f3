"""Convert a ready character language model, of which Flair vectors are made."""

import shutil
from pathlib import Path

from visner.config.base import below
from visner.config.vectors import Flair
from visner.runtime import tables
from visner.runtime.keyed_vectors import is_safetensors
from visner.runtime.provenance import sha256_file
from visner.vectors import made_by
from visner.vectors.language_model import CharacterLanguageModel


def flair_import(*, output: Path, recipe: Flair, direction: str, root: Path = Path()) -> None:
    """Write the recipe's ready model of a direction as safetensors; one of ours is copied.

    A name of the flair library's is downloaded; a path starts at `root`. VisnerError where it is no such model.
    """
    source = getattr(recipe, direction)
    file = below(root, source)
    if file.is_file() and is_safetensors(file):
        CharacterLanguageModel.load(file, direction)
        with tables.atomic_path(output) as temporary:
            shutil.copyfile(file, temporary)
        return
    from visner.vectors import flair_models  # with it comes flair, which takes seconds to import

    model = flair_models.load(source, root, direction)
    data = sha256_file(file) if file.is_file() else None
    model.save(output, made_by(recipe, data, "flair", "torch") | {"source": source})
