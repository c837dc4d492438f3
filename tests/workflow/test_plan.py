"""What `visner plan` says of a real project, beside what Snakemake says and does."""

import subprocess
import sys
from collections import Counter

from visner.config import STAGES


def plan(project, *arguments):
    command = [sys.executable, "-m", "visner", "plan", *arguments]
    return subprocess.run(
        command, cwd=project.folder, env=project.environment(), capture_output=True, text=True, timeout=300
    )


def planned(project, *arguments):
    """stage -> the jobs that the plan counts."""
    done = plan(project, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    return {words[0]: int(words[1]) for words in lines if words and words[0] in STAGES}


def due(project, *arguments):
    """And those of Snakemake's own dry run."""
    return Counter(rule.split("_")[0] for rule in project.rules_run("-n", *arguments) if rule != "all")


def test_before_a_run_the_plan_has_the_jobs_of_the_dry_run(unfinished):
    assert planned(unfinished) == due(unfinished, "all")
    target = "results/tiny_gate/scores.json"
    assert planned(unfinished, target) == due(unfinished, target)
    assert not (unfinished.folder / "results").exists()


def test_after_a_run_only_what_remains_is_planned(project):
    target = "results/tiny_gate/scores.json"
    assert "Nothing remains to be done" in plan(project, target).stdout
    config = project.config()
    config["groundings"]["pictures"]["k"] = 1
    project.configure(config)
    assert planned(project, target) == due(project, target)
    assert planned(project, target, "--all") == due(project, target, "--forceall")
    (project.folder / "corpus").rename(project.folder / "elsewhere")
    done = plan(project)
    assert done.returncode == 1
    assert "corpora.tiny.paths: there is no file corpus" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_plan_of_what_nothing_makes_names_it(unfinished):
    done = plan(unfinished, "results/nothing.json")
    assert done.returncode == 1
    assert "results/nothing.json" in done.stderr
    assert "Traceback" not in done.stderr


def test_no_result_depends_on_what_jobs_ask_for(project):
    asked = "ner_train:mem_mb=9000", "ner_train:runtime=99", "nouns_find:mem_mb=9000"
    assert project.rules_run("-n", "--set-resources", *asked, "--", "results/tiny_gate/scores.json") == []
