"""The files of a corpus: what the rule lists is what the stage reads."""

import os
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from visner import corpora
from visner.config.corpora import Corpus
from visner.errors import VisnerError


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


def _conll(read, **recipe):
    return read(**{"format": "conll", "paths": ["corpus"], "classes": ["PER"], **recipe})


def test_case_a_folder_that_is_a_link_is_walked_and_loops_end(write, read, tmp_path):
    write("corpus/a.txt", "a O\n")
    write("corpus/real/b.txt", "b O\n")
    write("elsewhere/deep/c.txt", "c O\n")
    (tmp_path / "corpus" / "0link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "corpus" / "again").symlink_to("real")  # met already, under the name that it has without links
    (tmp_path / "elsewhere" / "loop").symlink_to(tmp_path / "corpus")
    corpus = _conll(read)
    assert [row["document_id"] for row in corpus.rows] == ["0link/deep/c.txt:1", "a.txt:1", "real/b.txt:1"]
    assert [row["units"] for row in corpus.rows] == [["c"], ["a"], ["b"]]
    assert corpus.statistics["files"] == 3
    listed = [path.relative_to(tmp_path).as_posix() for path in corpora.files(_recipe("corpus"), tmp_path)]
    assert listed == ["corpus/0link/deep/c.txt", "corpus/a.txt", "corpus/real/b.txt"]  # the rule's inputs are the same


def _recipe(path):
    return TypeAdapter(Corpus).validate_python({"format": "conll", "paths": [path], "classes": []})


def test_case_what_cannot_be_opened_is_listed_with_a_warning(write, read, tmp_path, caplog):
    write("corpus/a.txt", "a O\n")
    (tmp_path / "corpus" / "gone.txt").symlink_to("nothing")
    (tmp_path / "corpus" / "round").symlink_to("round")
    (tmp_path / "corpus" / ".hidden").symlink_to("nothing")
    with caplog.at_level("WARNING", logger="visner"):
        corpus = _conll(read)
    finding = corpus.statistics["findings"]["files_unopened"]
    assert finding["count"] == 2
    assert finding["examples"] == [
        {"at": str(tmp_path / "corpus" / "gone.txt"), "text": "No such file or directory"},
        {"at": str(tmp_path / "corpus" / "round"), "text": "Too many levels of symbolic links"},
    ]
    assert "2: files and folders that can't be opened: left out" in [record.getMessage() for record in caplog.records]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_files_and_folders_without_permission_are_listed(write, read, tmp_path):
    write("corpus/a.txt", "a O\n")
    write("corpus/closed.txt", "a O\n").chmod(0)
    write("corpus/closed/b.txt", "a O\n")
    (tmp_path / "corpus" / "closed").chmod(0)
    assert _conll(read).count("files_unopened") == 2
    (tmp_path / "corpus" / "closed").chmod(0o700)


def test_case_files_with_other_suffixes_are_listed_as_unread(write, read, tmp_path):
    write("corpus/a.txt", "a O\n")
    for name in ("B.TXT", "c.sgm", "d.txt.gz", ".DS_Store"):
        write(f"corpus/{name}", "a O\n")
    corpus = _conll(read)
    finding = corpus.statistics["findings"]["files_unread"]
    assert [one["at"] for one in finding["examples"]] == [
        str(tmp_path / "corpus" / name) for name in ("B.TXT", "c.sgm", "d.txt.gz")
    ]
    assert finding["count"] == 3
    assert corpus.statistics["sentences"] == 1
    named = _conll(read, paths=["corpus", "corpus/B.TXT"])  # the remedy that the finding names
    assert named.statistics["sentences"] == 2


def test_a_folder_with_other_suffixes_only_says_what_is_there(write, tmp_path):
    write("d/a.XML", "")
    write("d/b.xml.gz", "")
    with pytest.raises(
        VisnerError, match=r"holds no file that ends in \.xml and can be read, but a\.XML, b\.xml\.gz; ren"
    ):
        _files(tmp_path, format="ene", paths=["d"])
