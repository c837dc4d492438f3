"""What docs/cluster.md and the README tell a user to type."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_project import TARGET

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "cluster.md").read_text() + (ROOT / "README.md").read_text()
COMMANDS = sorted(
    set(re.findall(r"^    (snakemake [^#\n]*--workflow-profile profiles/slurm[^#\n]*)", TEXT, re.MULTILINE))
)


def typed(project, cluster, command, *more):
    """A command of the docs, for the tiny project."""
    command = re.sub(r"results/ene_gate/scores.json|TARGET", TARGET, command).replace("mine.yaml", "config.yaml")
    _, *arguments = shlex.split(command)
    command = [sys.executable, "-m", "snakemake", *more, *arguments]
    environment = cluster.environment | project.project.environment()
    return subprocess.run(command, cwd=project.folder, env=environment, capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_commands_are_understood(unfinished, cluster, command):
    done = typed(unfinished, cluster, command, "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "ner_train" in done.stdout + done.stderr


def test_the_crawl_runs_on_the_login_node_and_the_rest_as_jobs(unfinished, cluster):
    (crawl,) = re.findall(r"^    (snakemake .*results/images/bing/ene/statistics.json)", TEXT, re.MULTILINE)
    done = typed(unfinished, cluster, crawl.replace("bing/ene", "sample/tiny"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert unfinished.jobs() == []
    rest = typed(unfinished, cluster, f"snakemake --workflow-profile profiles/slurm {TARGET}", "--dry-run")
    assert "embeddings_embed" in rest.stdout + rest.stderr
    assert "images_fetch" not in rest.stdout + rest.stderr
