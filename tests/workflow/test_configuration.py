"""What a real Snakemake run stops at before any job, with which line, and a dry run as well."""

import re

import pytest
import torch

GPU = "gpu: 1: this machine seems to have no GPU"


def said(project, *arguments):
    """What Snakemake says as it stops; it must, without a traceback and before any job."""
    done = project.run(*arguments)
    text = done.stdout + done.stderr
    assert done.returncode != 0, text
    assert "Traceback" not in text
    assert not re.search(r"^(local)?rule ", text, re.MULTILINE)
    return text


def test_case_a_key_twice_stops_with_its_line(unfinished):
    text = (unfinished.folder / "config.yaml").read_text()
    line = text[: text.index("    vectors: tiny")].count("\n") + 1
    twice = text.replace("    vectors: tiny\n", "    vectors: tiny\n    vectors: tiny\n") + "experiments: {}\n"
    (unfinished.folder / "config.yaml").write_text(twice)
    text = said(unfinished, "-n")
    assert f"config.yaml:{line + 1}: experiments.tiny_gate.vectors: this key is on line {line}, too" in text
    assert f"config.yaml:{twice.count(chr(10))}: experiments: this key is on line " in text


def test_case_a_tab_stops_with_its_line_in_whichever_file_it_is(unfinished):
    (unfinished.folder / "mine.yaml").write_text("gpu: 0\nimages:\n\tsample: {}\n")
    assert "mine.yaml:3: not YAML: a tab, where" in said(unfinished, "all", "--configfile", "mine.yaml")
    (unfinished.folder / "mine.yaml").rename(unfinished.folder / "config.yaml")
    assert "config.yaml:3: not YAML: a tab, where" in said(unfinished, "-n")


@pytest.mark.parametrize("profile", ["profiles/default", "profiles/slurm", "none"])
def test_case_a_target_that_configfile_swallows_is_named(unfinished, profile):
    """With a profile of ours even one that isn't there, for which Snakemake itself has a traceback only."""
    target = "results/tiny_gate/scores.json"
    (unfinished.folder / "config.yaml").rename(unfinished.folder / "mine.yaml")
    if profile == "none":
        (unfinished.folder / "results/tiny_gate").mkdir(parents=True)
        (unfinished.folder / target).write_text('{"f1": 1}')
    text = said(unfinished, "-n", "--workflow-profile", profile, "--configfile", "mine.yaml", target)
    assert f"(snakemake {target} --configfile mine.yaml), or after `--`" in text


def test_case_a_gpu_where_none_is_seen_is_a_warning_and_said_once(unfinished):
    done = unfinished.run("-n", "--config", "gpu=1")
    text = done.stdout + done.stderr
    assert done.returncode == 0, text
    assert text.count(GPU) == (0 if torch.cuda.is_available() else 1)
