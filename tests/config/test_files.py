"""The files of a configuration: what stops with file and line, where YAML itself would say nothing, or less."""

import sys
from pathlib import Path

import pytest
import yaml

from visner.config import files as config_files
from visner.config import load, read_recipe
from visner.config.experiments import Experiment
from visner.errors import VisnerError

ROOT = Path(__file__).resolve().parents[2]


def mistake(folder, text, **options):
    """What is said of a file with this text, without the folder's name."""
    file = folder / "mine.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode(**options))
    with pytest.raises(VisnerError) as error:
        config_files.read(file)
    return str(error.value).replace(f"{folder}/", "")


@pytest.mark.parametrize(
    "text, expected",
    [
        ("seeds: [1]\nseeds: [2]\n", ["2: seeds: this key is on line 1, too"]),
        ("experiments:\n  a: {k: 1}\ngpu: 0\nexperiments:\n  b: {k: 1}\n", ["4: experiments: this key is on line 1"]),
        ("e:\n  a:\n    seeds: [1]\n    k: 1\n    seeds: [2]\n", ["5: e.a.seeds: this key is on line 3, too"]),
        ("e: {a: {k: 1, k: 1}}\n", ["1: e.a.k: this key is on line 1, too"]),  # with the same value, too
        ("e:\n- {x: 1}\n- x: 1\n  'x': 2\n", ["4: e.1.x: this key is on line 3, too"]),
        ("a: 1\nb: {c: 1, c: 2}\na: 3\na: 4\n", ["2: b.c: ", "3: a: this key is on line 1", "4: a: this key is on l"]),
        ("x: &x {a: 1}\ny: {<<: *x, a: 2, a: 3}\n", ["2: y.a: this key is on line 2, too"]),
        ('{"a": 1,\n\t"a": 2}', ["2: a: this key is on line 1, too"]),  # JSON, indented by a tab
    ],
)
def test_case_a_key_that_a_mapping_has_twice_stops_with_its_line(tmp_path, text, expected):
    lines = mistake(tmp_path, text).splitlines()
    assert len(lines) == len(expected)
    for line, start in zip(lines, expected, strict=True):
        assert line.startswith(f"mine.yaml:{start}")
        assert line.endswith("and only the last one would count; keep one")


@pytest.mark.parametrize(
    "text, line",
    [("a:\n  b: 1\n\tc: 1\n", 3), ("a:\t1\n", 1), ("a: 1\nb: 2\t\n", 2), ("\t\na: 1\n", 1), ("a: |\n  x\n\ty\n", 3)],
)
def test_case_a_tab_stops_with_its_line(tmp_path, text, line):
    assert mistake(tmp_path, text) == f"mine.yaml:{line}: not YAML: a tab, where YAML has spaces only; replace it"


@pytest.mark.parametrize(
    "text, expected",
    [
        ("a: 1\nb: [\n", "mine.yaml:3: not YAML: expected the node content"),
        ("a: 1\nb: caf\xe9\n".encode("latin-1"), "mine.yaml:2: not UTF-8; convert the file"),
        ("a: 1\nb: \x07\n", "mine.yaml:2: not YAML: special characters are not allowed"),
        ("a: 1\n---\nb: 1\n", "mine.yaml:2: not YAML: but found another document"),
        ("", "mine.yaml:1: a configuration is a mapping of sections"),
        ("- corpora\n", "mine.yaml:1: a configuration is a mapping of sections"),
    ],
)
def test_what_is_no_configuration_stops_with_its_line(tmp_path, text, expected):
    assert mistake(tmp_path, text).startswith(expected)


def test_a_folder_and_a_file_that_is_not_there_are_named(tmp_path):
    with pytest.raises(VisnerError, match=f"^{tmp_path}: Is a directory$"):
        config_files.read(tmp_path)
    with pytest.raises(VisnerError, match=f"^{tmp_path}/gone.yaml: no such configuration file$"):
        config_files.read(tmp_path / "gone.yaml")


@pytest.mark.parametrize(
    "text",
    [
        "x: &x {a: 1, b: [1]}\ny:\n  <<: *x\n  a: 2\nz: {<<: [*x, {a: 3}], b: 4}\n",
        "x: &x {a: 1}\ny: *x\nz: [*x, *x]\n",  # an alias is read once
        "x: {a: 1}\ny: {a: 1}\n1: x\n'1': y\n",  # equal keys of two mappings; a number and a text
        "note: 'a\ttab'  # and a\ttab\n",
        "\ufeffa: 1\n",
        '{"a":\t{"b": 1e3},\n\t"c": ["\\ud83c\\udf63", "\\/"]}',
    ],
)
def test_what_is_right_is_read_as_pyyaml_reads_it(tmp_path, text):
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    expected = {"a": {"b": 1000.0}, "c": ["🍣", "/"]} if text[0] == "{" else yaml.safe_load(text)
    assert config_files.read(tmp_path / "mine.yaml") == expected


def test_a_recipe_out_of_a_file_with_a_key_twice_is_refused(tmp_path):
    text = (ROOT / "config.yaml").read_text().replace("    seeds: [1]\n", "    seeds: [1]\n    seeds: [2]\n")
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    line = text[: text.index("seeds: [2]")].count("\n") + 1
    expected = f"mine.yaml:{line}: experiments.ene_baseline.seeds: this key is on line {line - 1}, too"
    for reading in (lambda: read_recipe(f"{file}:experiments.ene_gate", Experiment), lambda: load(file)):
        with pytest.raises(VisnerError, match=expected):
            reading()


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a configuration and a result, where we are."""
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text("gpu: 0\n")
    Path("other.yaml").write_text("gpu: 0\n")
    Path("results/x").mkdir(parents=True)
    Path("results/x/scores.json").write_text('{"f1": 1}')
    return tmp_path


@pytest.mark.parametrize("target", ["results/x/scores.json", "results/new/scores.json", "all"])
def test_case_a_target_that_configfile_has_swallowed_is_named_with_what_to_write(here, target):
    expected = (
        f"^{target}: no configuration file; --configfile takes all words that follow it: write targets before it "
        rf"\(snakemake {target} --configfile mine.yaml\), or after `--`$"
    )
    with pytest.raises(VisnerError, match=expected):
        config_files.check(["mine.yaml", here / target])


def test_several_configurations_and_a_mistyped_one(here):
    config_files.check(["mine.yaml", here / "other.yaml"])
    with pytest.raises(VisnerError, match="^mien.yaml: no such configuration file$"):
        config_files.check(["mien.yaml"])


def test_the_command_line_is_read_as_snakemake_reads_it(here, monkeypatch):
    def said(program, *words):
        monkeypatch.setattr(sys, "argv", [program, *words])
        try:
            config_files.check_command_line()
        except SystemExit as end:
            return end.code

    right = (
        "--configfile mine.yaml other.yaml -n",
        "--configfiles mine.yaml -- all",
        "--configfile=mine.yaml all",
        "all --configfile mine.yaml",
        "-n all",
    )
    for program in ("/env/bin/snakemake", "/env/lib/python3.11/site-packages/snakemake/__main__.py"):
        assert [said(program, *words.split()) for words in right] == [None] * len(right)
        assert said(program, "-n", "--configfile", "mine.yaml", "all").startswith("Error: all: no configuration file; ")
    assert said("/env/bin/visner", "plan", "--configfile", "mine.yaml", "all") is None
