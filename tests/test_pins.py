"""One set of versions: the lock file, the conda environments and the ranges of pyproject.toml agree."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
REMEDY = "run `make lock`, and commit what it writes"


def pins(lines):
    """Lines name==version, some with a marker, as a dict; each must be just that: no address or option slips in."""
    found = {}
    for line in lines:
        match = re.fullmatch(r"([A-Za-z0-9._-]+)==([A-Za-z0-9._+!]+)(?: ; (.+))?", line)
        assert match, f"{line!r} is no pin; {REMEDY}"
        found[canonicalize_name(match[1])] = match[2]
    return found


@pytest.fixture(scope="module")
def lines():
    """The lock file's lines, a package each, with its hashes."""
    text = (ROOT / "requirements.lock").read_text().replace("\\\n", "")
    return [line for line in text.splitlines() if not line.startswith("#")]


@pytest.fixture(scope="module")
def locked(lines):
    return pins([re.sub(r" +--hash=sha256:[0-9a-f]{64}", "", line).strip() for line in lines])


def test_every_file_of_every_package_has_its_hash(lines):
    assert len(lines) > 100
    for line in lines:
        assert "--hash=sha256:" in line, f"{line!r} has no hash; {REMEDY}"


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.mark.parametrize("name", ["visner", "visner-gpu"])
def test_the_conda_environments_have_the_locked_versions(name, locked):
    content = yaml.safe_load((ROOT / "workflow" / "envs" / f"{name}.yaml").read_text())
    python, _, of_pip = content["dependencies"]
    expected = dict(locked)
    if name == "visner-gpu":
        expected["faiss-gpu"] = expected.pop("faiss-cpu")
    assert pins(of_pip["pip"]) == expected, REMEDY
    assert content["name"] == name
    assert python == "python=3.11"


def test_the_ranges_of_the_project_admit_the_locked_versions(locked, project):
    extras = project["project"]["optional-dependencies"]
    listed = [*project["build-system"]["requires"], *project["project"]["dependencies"], *sum(extras.values(), [])]
    for requirement in map(Requirement, listed):
        version = locked.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement.name} is not locked; {REMEDY}"
        assert version in requirement.specifier, f"{requirement} does not admit {version}; {REMEDY}"


def test_every_locked_package_runs_on_the_least_python_that_is_promised(locked, project):
    """By the metadata of what is installed; the least Python is also that of long-lived distributions."""
    least = project["project"]["requires-python"].removeprefix(">=") + ".0"
    refusing = [
        f"{one.name} {one.version}"
        for one in distributions()
        if canonicalize_name(one.name) in locked
        and least not in SpecifierSet(one.metadata.get("Requires-Python") or "")
    ]
    assert refusing == [], f"they refuse Python {least}: add a bound to pyproject.toml, and run `make lock`"


def test_the_conda_environments_are_what_the_generator_writes(tmp_path):
    """In a copy, so that the files here stay."""
    copy = tmp_path / "workflow"
    (copy / "envs").mkdir(parents=True)
    for path in ("workflow/lock.py", "requirements.lock"):
        (tmp_path / path).write_text((ROOT / path).read_text())
    subprocess.run([sys.executable, copy / "lock.py"], check=True, stdout=subprocess.DEVNULL)
    for path in ("workflow/envs/visner.yaml", "workflow/envs/visner-gpu.yaml"):
        assert (tmp_path / path).read_text() == (ROOT / path).read_text(), REMEDY
