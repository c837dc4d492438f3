"""MeCab's dictionary: where it is, whether it is usable, which one it was."""

import importlib
import os
import shlex
from importlib import metadata
from pathlib import Path

import fugashi

from visner.config.base import below
from visner.errors import VisnerError
from visner.runtime import provenance

PACKAGES = {"unidic-lite": "unidic_lite", "unidic": "unidic"}  # package -> module
COMPILED = ("sys.dic", "unk.dic", "matrix.bin", "char.bin")  # what decides MeCab's output


def open_tagger(dictionary: str, root: str | Path = ".") -> fugashi.GenericTagger:
    r"""MeCab with a dictionary: "unidic-lite", "unidic", or a folder (relative to `root`).

    Its `parse` answers with a line a word: the white space before it, surface, \t, features. Raises VisnerError
    where there is no such dictionary, or one that is not in UTF-8.
    """
    folder = find_folder(dictionary, root)
    # Of known (-F) and unknown (-U) words it prints white space and surface (%M) and features (%H), whatever format the
    # dictionary's own settings name (-O). The resource file of the machine (-r) is shut out.
    settings = rf"-r {os.devnull} -O '' -F '%M\t%H\n' -U '%M\t%H\n' -E ''"
    try:
        tagger = fugashi.GenericTagger(f"{settings} -d {shlex.quote(str(folder))}", quiet=True)
    except RuntimeError:
        raise VisnerError(
            f"nouns.dictionary: MeCab cannot read the dictionary in {folder}; it needs dicrc, {', '.join(COMPILED)}"
        ) from None
    charset = tagger.dictionary_info[0]["charset"]
    if charset.lower().replace("-", "") != "utf8":
        raise VisnerError(
            f"nouns.dictionary: {folder} is in {charset}; compile it for UTF-8 (mecab-dict-index -t utf-8)"
        )
    return tagger


def find_folder(dictionary: str, root: str | Path = ".") -> Path:
    """The folder of a dictionary; VisnerError with the remedy where it is missing."""
    if dictionary not in PACKAGES:
        folder = below(root, dictionary)
        remedy = f"choose {', '.join(PACKAGES)}, or the folder of a compiled MeCab dictionary"
    else:
        remedy = f"run: pip install {dictionary}"
        if dictionary == "unidic":
            remedy += " && python -m unidic download (or choose unidic-lite, which carries its own)"
        try:
            folder = Path(importlib.import_module(PACKAGES[dictionary]).DICDIR)
        except ModuleNotFoundError:
            raise VisnerError(f"nouns.dictionary: the package {dictionary} is not installed; {remedy}") from None
    if not (folder / "sys.dic").is_file():
        raise VisnerError(f"nouns.dictionary: {folder} holds no MeCab dictionary (sys.dic); {remedy}")
    return folder


def describe(dictionary: str, root: str | Path = ".") -> dict[str, str]:
    """Which dictionary it was: its package's version, or the sha256 of a folder's compiled files."""
    folder = find_folder(dictionary, root)
    if dictionary in PACKAGES:
        return {"name": dictionary, "version": metadata.version(dictionary)}
    return {"name": dictionary, "sha256": provenance.sha256_files(folder / name for name in COMPILED)}
