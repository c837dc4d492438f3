"""Corpora written into a fresh folder and read as the rule does."""

import json
from pathlib import Path
from typing import NamedTuple

import pytest
from pydantic import TypeAdapter

from visner.config.corpora import Corpus as CorpusRecipe
from visner.corpora.read import read as read_corpus
from visner.runtime import spans, tables


class Corpus(NamedTuple):
    rows: list[dict]
    statistics: dict
    table: Path

    def count(self, finding: str) -> int:
        return self.statistics["findings"][finding]["count"]

    def mentions(self) -> list[list[tuple[str, str]]]:
        """Of each sentence the surfaces and classes of its mentions."""
        return [
            [("".join(row["units"][start:stop]), label) for start, stop, label in spans.bio_to_spans(row["labels"])]
            for row in self.rows
        ]


@pytest.fixture
def write(tmp_path):
    """Writes a file below the folder that recipes' paths are relative to."""

    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.fixture
def read(tmp_path):
    """Reads a recipe: the rows of the table, the statistics, the table's path."""

    def read(root: Path = tmp_path, **recipe) -> Corpus:
        table, statistics = tmp_path / "out" / "sentences.parquet", tmp_path / "out" / "statistics.json"
        recipe = TypeAdapter(CorpusRecipe).validate_python(recipe)
        read_corpus(sentences=table, statistics=statistics, recipe=recipe, root=root)
        rows = list(tables.iterate_rows(table, tables.SENTENCES))
        return Corpus(rows, json.loads(statistics.read_text()), table)

    return read


@pytest.fixture
def ene(write, read):
    """Writes the texts as documents (id -> the lines between <TEXT> and </TEXT>) and reads them."""

    def ene(documents: dict[str, str], **recipe) -> Corpus:
        for document_id, text in documents.items():
            frame = '<?xml version="1.0" encoding="UTF-8"?>', "<DOC>", f"<ID>{document_id}</ID>", "<TEXT>"
            write(f"ene/{document_id}.xml", "\n".join([*frame, text, "</TEXT>", "</DOC>", ""]))
        return read(**{"format": "ene", "paths": ["ene"], **recipe})

    return ene
