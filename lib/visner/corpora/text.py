"""Reads plain text, a sentence a line, without labels: for word vectors and language models."""

from collections.abc import Iterator
from pathlib import Path

from visner.config.corpora import TextCorpus
from visner.corpora.records import Document, Findings, Sentence, lines


def read(path: Path, name: str, recipe: TextCorpus, findings: Findings) -> Iterator[Document]:
    """The file as one document, however long: its sentences are read one by one."""
    yield Document(name, path, 1, _sentences(path, name, recipe, findings))


def _sentences(path: Path, name: str, recipe: TextCorpus, findings: Findings) -> Iterator[Sentence]:
    for number, line in lines(path, recipe.comment, findings):
        if line.strip():
            yield Sentence(f"{name}:{number}", number, list(line), ["O"] * len(line))
        else:
            findings.add("sentences_empty", path, number, line)
