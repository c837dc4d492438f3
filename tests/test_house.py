"""The house's rules that a machine can check: one name a stage, what every rule says, which way imports point."""

import ast
import importlib
import inspect
import os
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from visner import jobs
from visner.cli import COMMANDS, build_parser
from visner.config import STAGES

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = ROOT / "lib" / "visner"
ABOVE_THE_STAGES = ("__init__.py", "cli.py", "config/preflight.py", "tagging/tagger.py")


def rules():
    """(file, name, text) of every rule."""
    for file in sorted((ROOT / "workflow" / "rules").glob("*.smk")):
        declared = r"^(?:rule|checkpoint|use rule \w+ as) (\w+)(?::| with:)\n"
        parts = re.split(declared, file.read_text(), flags=re.MULTILINE)
        for name, text in zip(parts[1::2], parts[2::2], strict=True):
            yield pytest.param(file, name, text, id=name)


def test_rule_files_packages_and_subcommands_share_their_names():
    files = {file.stem for file in (ROOT / "workflow" / "rules").glob("*.smk")} - {"common", "stage"}
    assert files == set(STAGES)
    assert re.findall(r"rules/(\w+)\.smk", (ROOT / "Snakefile").read_text()) == ["common", "stage", *STAGES]


def test_every_stage_has_a_version_and_imports_without_torch():
    code = "import sys, visner.cli, visner.jobs, visner.config.preflight"
    code += "; visner.cli.build_parser(); print('torch' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "lib")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
    assert all(importlib.import_module(f"visner.{stage}").VERSION >= 1 for stage in STAGES)


@pytest.mark.parametrize("file, name, text", [rule for rule in rules() if rule.values[0].stem != "stage"])
def test_every_rule_and_its_function_name_the_same_tables(file, name, text):
    parameters = inspect.signature(jobs.function_of(name)).parameters
    given = set()
    for directive in ("input", "output", "params"):
        for block in re.findall(rf"^    {directive}:\n((?:        .*\n)+)", text, re.MULTILINE):
            given |= set(re.findall(r"^        (\w+)=", block, re.MULTILINE))
    assert "version" in given
    needed = {key for key, one in parameters.items() if one.default is inspect.Parameter.empty}
    rest = set(re.findall(r"{(\w+)}", text)) | {
        "root",
        "store",
        "scratch",
        "resume",
        "workers",
        "device",
        "crawl",
        "url",
    }
    assert given - {"version"} <= set(parameters)
    assert needed <= given | rest


@pytest.mark.parametrize("file, name, text", [rule for rule in rules() if rule.values[0].stem != "stage"])
def test_every_rule_says_what_it_does_and_reserves_what_it_computes_on(file, name, text):
    assert name.split("_")[0] == file.stem
    for directive in ("output", "log", "message"):
        assert re.search(rf"^    {directive}:", text, re.MULTILINE), directive
    assert re.search(rf"^        version=\(?visner\.{file.stem}\.VERSION\b", text, re.MULTILINE)
    computes = "device" in inspect.signature(jobs.function_of(name)).parameters
    assert computes == (f"use rule compute as {name} with" in file.read_text())  # threads and GPUs


def test_snakemake_finds_nothing_to_improve():
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "lib")}
    command = [sys.executable, "-m", "snakemake", "--lint"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "in a good condition" in done.stdout + done.stderr


def imported(file):
    """The modules of visner that a file imports."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "visner":
            folder = LIBRARY.parent / node.module.replace(".", "/")
            for alias in node.names:
                is_module = (folder / alias.name).is_dir() or (folder / f"{alias.name}.py").is_file()
                yield f"{node.module}.{alias.name}" if is_module else node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("visner."))


@pytest.mark.parametrize("file", sorted(LIBRARY.rglob("*.py")), ids=lambda file: str(file.relative_to(LIBRARY)))
def test_a_stage_knows_other_stages_by_their_tables_only(file):
    own = file.relative_to(LIBRARY).parts[0]
    packages = {module.split(".")[1] for module in imported(file) if "." in module}
    used = packages & set(STAGES)
    if own in STAGES:
        assert used <= {own}
    elif file.relative_to(LIBRARY).as_posix() not in ABOVE_THE_STAGES:
        assert used == set()
    if own == "runtime":
        assert not {"tagging", "cli", "jobs", "plan"} & packages


def test_no_imports_go_in_circles():
    names = {".".join(file.relative_to(LIBRARY.parent).with_suffix("").parts): file for file in LIBRARY.rglob("*.py")}
    names = {name.removesuffix(".__init__"): file for name, file in names.items()}
    names.pop("visner")  # it imports what it exports when that is first used
    graph = {name: {one for one in imported(file) if one in names and one != name} for name, file in names.items()}
    assert "visner.runtime.tables" in graph["visner.ner.train"]  # imports were followed
    assert set(TopologicalSorter(graph).static_order()) == set(graph)  # CycleError names a circle


def test_flair_is_imported_in_one_module():
    files = [file for file in LIBRARY.rglob("*.py") if re.search(r"^\s*(import|from) flair\b", file.read_text(), re.M)]
    assert [file.name for file in files] == ["flair_models.py"]


@pytest.mark.parametrize("file", sorted(LIBRARY.rglob("*.py")), ids=lambda file: str(file.relative_to(LIBRARY)))
def test_modules_are_short_and_say_what_they_are(file):
    tree = ast.parse(file.read_text())
    assert ast.get_docstring(tree)
    assert len(file.read_text().splitlines()) <= 300


def test_help_teaches(capsys):
    for command in COMMANDS:
        with pytest.raises(SystemExit) as end:
            build_parser().parse_args([command, "--help"])
        assert end.value.code == 0
        text = capsys.readouterr().out
        assert f"visner {command}" in text
        assert len(text.splitlines()) > 8
