"""Corpora in formats of the user's own, and what is said of a reader that is none."""

import json
import re
from pathlib import Path

import pytest
import yaml

import visner
from visner.config.corpora import CustomCorpus
from visner.corpora import inputs
from visner.errors import VisnerError

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "extending.md").read_text().split("## A corpus\n")[1].split("\n## ")[0]
SENTENCES = [
    ("a", ["Ada", "Lovelace", "went", "home"], ["B-PER", "I-PER", "O", "O"]),
    ("a", ["London"], ["B-LOC"]),
    ("b", ["Nothing"], ["O"]),
]


def write(folder: Path, reader: str, sentences=SENTENCES) -> dict:
    """The corpus of the document, with these sentences; its recipe."""
    (folder / "resources" / "letters").mkdir(parents=True)
    (folder / "resources" / "jsonl.py").write_text(reader)
    rows = [{"document": one, "words": words, "labels": labels} for one, words, labels in sentences]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "resources" / "letters" / "1.jsonl").write_text(lines)
    (folder / "resources" / "letters" / "notes.txt").write_text("no corpus")
    return yaml.safe_load(re.search(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL)[1])["corpora"]["letters"]


def test_the_documents_reader_reads_json_lines(tmp_path):
    (reader,) = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
    assert len(reader.splitlines()) < 60
    rows = visner.read_corpus(write(tmp_path, reader), tmp_path)
    assert [(row["document_id"], row["units"], row["labels"]) for row in rows] == SENTENCES
    assert len({row["sentence_id"] for row in rows}) == 3
    assert len({row["split"] for row in rows if row["document_id"] == "a"}) == 1
    recipe = CustomCorpus.model_validate(write(tmp_path / "other", reader))
    assert tmp_path / "other/resources/jsonl.py" in inputs.files(recipe, tmp_path / "other")  # an edit is seen


READ = "def read(path, key):\n    yield {}\n"
GIVEN = "'a', 3, ['Ada', 'x'], ['B-PER', 'O']"


@pytest.mark.parametrize(
    "reader, message",
    [
        ("def read(path, key):\n    return 1 / 0\n", r"jsonl.py:2: ZeroDivisionError"),
        ("def read(path, key:\n", r"jsonl.py:1: "),
        ("x = 1\n", r"jsonl.py: there is no function read in it"),
        (
            "def read(path):\n    return []\n",
            r"options: .*jsonl.py: read can't be called with a path and them: ",
        ),
        (READ.format(f"({GIVEN})").replace("B-PER", "B-CAT"), r"letters/1.jsonl:3: the label 'B-CAT' is unknown"),
        (READ.format(f"({GIVEN})").replace("'O'", ""), r"jsonl.py: read: .*1.jsonl, sentence 1: 2 units and 1 labels"),
        (READ.format(f"[{GIVEN}]"), r"sentence 1: a sentence is a tuple \(document_id: str, line: int, units"),
        (
            READ.format(f"({GIVEN})").replace("'x'", "''"),
            r"sentence 1: units and labels are strings, and none is empty",
        ),
        ("def read(path, key):\n    return []\n", r"there is no sentence in the 2 file\(s\)"),
    ],
)
def test_a_reader_that_is_none_is_one_line(tmp_path, reader, message):
    recipe = write(tmp_path, reader)
    with pytest.raises(VisnerError, match=message) as error:
        visner.read_corpus(recipe, tmp_path)
    assert "\n" not in str(error.value)


def test_characters_are_single_and_other_schemes_become_bio(tmp_path):
    reader = "def read(path, key):\n    yield 'a', 1, list('東京都へ'), ['B-LOC', 'I-LOC', 'E-LOC', 'O']\n"
    recipe = write(tmp_path, reader) | {"units": "characters", "scheme": "BIOES"}
    (row,) = visner.read_corpus(recipe, tmp_path)
    assert (row["text"], row["labels"]) == ("東京都へ", ["B-LOC", "I-LOC", "I-LOC", "O"])
    (tmp_path / "resources/jsonl.py").write_text("def read(path, key):\n    yield 'a', 1, ['東京'], ['O']\n")
    with pytest.raises(VisnerError, match="'東京' is no single character; set `units: tokens`, or split it"):
        visner.read_corpus(recipe, tmp_path)
