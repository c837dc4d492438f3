"""Reads any format by the function `read` of a Python file of the user's own (docs/extending.md)."""

import inspect
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from visner.config.corpora import CustomCorpus
from visner.corpora.labels import Labels
from visner.corpora.records import Document, Findings, Sentence
from visner.errors import VisnerError
from visner.runtime.user_code import UserCode


def read(path: Path, name: str, recipe: CustomCorpus, findings: Findings, code: UserCode) -> Iterator[Document]:
    """The documents of a file: runs of sentences with the same id.

    `code.module.read(path, **options)` yields a tuple (document_id, line, units, labels) a sentence. VisnerError with
    its own line for what it raises, and with the corpus file's where a sentence has a label that the recipe doesn't
    know, or isn't such a tuple.
    """
    for (document_id, line), group in groupby(_sentences(path, name, recipe, findings, code), lambda found: found[0]):
        yield Document(document_id, path, line, (sentence for _, sentence in group))


def load(file: Path, options: dict[str, Any]) -> UserCode:
    """The file, which must have a function `read(path, ...)` that takes the options; VisnerError where it hasn't."""
    code = UserCode(file, "file")
    function = getattr(code.module, "read", None)
    if not inspect.isfunction(function):
        raise VisnerError(f"{file}: there is no function read in it")
    try:
        inspect.signature(function).bind(Path(), **options)
    except TypeError as error:
        raise VisnerError(f"options: {file}: read can't be called with a path and them: {error}") from None
    return code


def _sentences(
    path: Path, name: str, recipe: CustomCorpus, findings: Findings, code: UserCode
) -> Iterator[tuple[tuple[str, int], Sentence]]:
    """The sentences, each with the id and the first line of its document."""
    known, document = Labels(path, recipe, findings), ("", 0)
    with code.explained():
        for number, given in enumerate(code.module.read(path, **recipe.options), start=1):
            document_id, line, units, labels = _checked(given, f"{code.file}: read: {path}, sentence {number}", recipe)
            if not units:
                findings.add("sentences_empty", path, line, document_id)
                continue
            for label in labels:
                known.check(line, label, "")
            if document_id != document[0]:
                document = document_id, line
            labels = known.read([line] * len(units), units, labels)
            yield document, Sentence(f"{document_id}:{line}", line, units, labels)


def _checked(given: Any, at: str, recipe: CustomCorpus) -> tuple[str, int, list[str], list[str]]:
    if not isinstance(given, tuple) or [type(one) for one in given] != [str, int, list, list]:
        raise VisnerError(f"{at}: a sentence is a tuple (document_id: str, line: int, units: list, labels: list)")
    _, _, units, labels = given
    if len(units) != len(labels):
        raise VisnerError(f"{at}: {len(units)} units and {len(labels)} labels; give a label a unit")
    if not all(isinstance(one, str) and one for one in (*units, *labels)):
        raise VisnerError(f"{at}: units and labels are strings, and none is empty")
    if recipe.units == "characters" and (longer := [one for one in units if len(one) > 1]):
        raise VisnerError(f"{at}: {longer[0]!r} is no single character; set `units: tokens`, or split it")
    return given
