"""The files of a corpus: what the rule lists is what the stage reads."""

from pathlib import Path

import pytest
from pydantic import TypeAdapter

from visner import corpora
from visner.errors import VisnerError
from visner.recipes import Corpus


def _files(root, **recipe):
    recipe = TypeAdapter(Corpus).validate_python(recipe)
    return [path.relative_to(root).as_posix() for path in corpora.files(recipe, root)]


def test_folders_hold_files_of_the_format_and_all_are_sorted(write, tmp_path):
    for name in (
        "b/2/x.xml",
        "b/1.xml",
        "b/notes.txt",
        "b/._1.xml",
        "b/.git/y.xml",
        "a.xml",
        "fix.tsv",
        "l1",
        "l2",
        "l3",
    ):
        write(name, "")
    lists = {"by": "lists", "train": "l1", "dev": "l2", "test": "l3"}
    found = _files(tmp_path, format="ene", paths=["b", "a.xml", "b/1.xml"], corrections="fix.tsv", split=lists)
    assert found == ["a.xml", "b/1.xml", "b/2/x.xml", "fix.tsv", "l1", "l2", "l3"]


@pytest.mark.parametrize(
    "format, expected",
    [("stockmark", ["a.json"]), ("conll", ["a.bio", "a.conll", "a.txt"]), ("text", ["a.txt"])],
)
def test_each_format_has_its_suffixes(write, tmp_path, format, expected):
    for suffix in ("xml", "json", "txt", "conll", "bio", "md"):
        write(f"d/a.{suffix}", "")
    found = _files(tmp_path, format=format, paths=["d"], classes=[])
    assert found == [f"d/{name}" for name in expected]


def test_a_file_that_is_named_may_end_in_anything(write, tmp_path):
    write("train.tagged", "")
    assert _files(tmp_path, format="conll", paths=["train.tagged"], classes=[]) == ["train.tagged"]


def test_home_and_absolute_paths(write, tmp_path, monkeypatch):
    file = write("home/a.xml", "")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for path in ("~/a.xml", str(file)):
        recipe = TypeAdapter(Corpus).validate_python({"format": "ene", "paths": [path]})
        assert corpora.files(recipe, "elsewhere") == [file]


def test_relative_paths_stay_relative_to_a_relative_root(write, tmp_path, monkeypatch):
    write("data/a.xml", "")
    monkeypatch.chdir(tmp_path)
    recipe = TypeAdapter(Corpus).validate_python({"format": "ene", "paths": ["data"]})
    assert corpora.files(recipe, ".") == [Path("data/a.xml")]


@pytest.mark.parametrize(
    "recipe, message",
    [
        ({"paths": ["none"]}, "paths: there is no file .*none"),
        ({"paths": ["~nobody/x"]}, "paths: there is no file"),
        ({"paths": ["empty"]}, r"paths: the folder .*empty holds no file that ends in \.xml"),
        ({"paths": ["a.xml"], "corrections": "none"}, "corrections: there is no file"),
        ({"split": {"by": "files", "train": ["a.xml"], "dev": ["none"]}}, r"split\.dev: there is no file"),
        (
            {"paths": ["a.xml"], "split": {"by": "lists", "train": "a.xml", "dev": "none", "test": "a.xml"}},
            r"split\.dev: there is no file",
        ),
    ],
)
def test_what_is_not_there_is_named_with_its_key(write, tmp_path, recipe, message):
    write("a.xml", "")
    (tmp_path / "empty").mkdir()
    with pytest.raises(VisnerError, match=message):
        _files(tmp_path, format="ene", **recipe)
