"""The stage: its table, its provenance, its page."""

import json

import pytest

from visner.config.corpora import EneCorpus
from visner.corpora import files
from visner.corpora.page import page
from visner.errors import VisnerError
from visner.runtime import tables
from visner.runtime.provenance import sha256_files

TEXTS = {"A": "<City>広島</City>と<City>広島</City>|x\n\n<MIX>仏独</MIX>", "B": "<Country>米</Country>&c"}


def test_the_table_says_what_made_it(ene, tmp_path):
    corpus = ene(TEXTS)
    made_from = tables.read_provenance(corpus.table)
    recipe = EneCorpus(format="ene", paths=["ene"])
    assert made_from["sha256"] == sha256_files(files(recipe, tmp_path)) == corpus.statistics["sha256"]
    assert made_from["recipe"]["classes"] == recipe.classes
    assert "nouns" not in made_from["recipe"]
    assert "pyarrow" in made_from["versions"]


def test_the_same_files_make_the_same_bytes(ene):
    first = ene(TEXTS)
    made = first.table.read_bytes(), first.statistics
    again = ene(TEXTS, nouns={"shards": 3})  # how nouns are found is no part of this stage
    assert (again.table.read_bytes(), again.statistics) == made


def test_a_corpus_without_a_sentence_writes_nothing(ene, tmp_path):
    with pytest.raises(VisnerError, match="paths: there is no sentence"):
        ene({"A": ""})
    assert not [path for path in (tmp_path / "out").iterdir() if not path.name.startswith(".")]


def test_an_error_keeps_the_table_that_was_there(ene):
    before = ene(TEXTS).table
    content = before.read_bytes()
    with pytest.raises(VisnerError):
        ene({**TEXTS, "C": "<City>"})
    assert before.read_bytes() == content


def test_the_page_shows_the_tables_and_what_was_left_out(ene, write, tmp_path):
    corpus = ene(TEXTS)
    nouns = write("nouns.json", json.dumps({"words": 1234, "lexicon": 56, "nouns": 530, "coverage": 0.43}))
    output = tmp_path / "index.md"
    statistics = corpus.table.with_name("statistics.json")
    page(statistics=statistics, nouns=nouns, output=output, published={})
    lines = output.read_text().splitlines()
    for row in (
        "| words | 1,234 |",
        "| lexicon | 56 |",
        "| documents | 2 |",
        "| sentences | 3 |",
        "| City | 1 | 2 |",  # Table 2: types, mentions
        "| MIX | 1 | 1 |",
        "- `" + str(tmp_path / "ene/B.xml:5") + "` \\&c",
    ):
        assert row in lines
    assert "530 words are nouns: 43.0% of the words" in output.read_text()
    table_3 = lines[lines.index("## Table 3: mentions by class and split") :]
    expected = [0, 0, 0]
    expected[("train", "dev", "test").index(corpus.rows[0]["split"])] = 2
    assert f"| City | {' | '.join(map(str, expected))} |" in table_3


def test_a_class_without_a_mention_is_said(ene, caplog):
    with caplog.at_level("WARNING", logger="visner"):
        ene({"A": "<City>広島</City>"}, classes=["City", "Contry"])
    assert [record.getMessage() for record in caplog.records] == ["classes: no mention has the class Contry"]
