"""The profile beside a site's own, which is the one that docs/cluster.md shows."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from cluster_project import LIMIT, POLLING

ROOT = Path(__file__).resolve().parents[2]
SNAKEFILE = """
rule all:
    localrule: True
    input: "out/tables", expand("out/{shard}", shard=range(3))

rule embeddings_embed:
    output: "out/{shard}"
    resources: mem_mb=600, runtime=5, gpu=1
    shell: "touch {output}"

rule tables:
    output: "out/tables"
    resources: mem_mb=500, runtime=7, gpu=0
    shell: "touch {output}"
"""


def shown_in_docs(name):
    """The content of a file as docs/cluster.md shows it: an indented block after a line that ends with its name."""
    text = (ROOT / "docs" / "cluster.md").read_text()
    block = re.search(rf"^.*`{re.escape(name)}`[^\n]*:\n\n((?:    .*\n|\n)+)", text, re.MULTILINE)[1]
    return re.sub(r"^    ", "", block, flags=re.MULTILINE)


@pytest.fixture
def site(tmp_path):
    """Where a user keeps a profile of the name `site`; without its account, which an accounting database must know."""
    folder = tmp_path / "home" / "snakemake" / "site"
    folder.mkdir(parents=True)
    profile, count = re.subn(r"(?m)^ *slurm_account: .*\n", "", shown_in_docs("~/.config/snakemake/site/config.yaml"))
    assert count == 1
    (folder / "config.yaml").write_text(profile)
    (folder / "partitions.yaml").write_text(shown_in_docs("~/.config/snakemake/site/partitions.yaml"))
    return {"XDG_CONFIG_HOME": str(tmp_path / "home"), "SNAKEMAKE_PROFILE": "site"}


def snakemake(folder, environment, *arguments):
    command = [sys.executable, "-m", "snakemake", "--workflow-profile", str(ROOT / "profiles" / "slurm"), *arguments]
    command = ["timeout", "--kill-after=5", str(LIMIT), *command]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def test_a_sites_partitions_constraint_and_qos_reach_its_jobs(cluster, site, tmp_path):
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    before = len(cluster.jobs())
    done = snakemake(tmp_path, cluster.environment | site, *POLLING)
    assert done.returncode == 0, done.stderr
    *embed, tables = sorted(cluster.jobs()[before:], key=lambda job: job["Partition"] == "cpu")
    assert len(embed) == 3
    assert len({job["ArrayJobId"] for job in embed}) == 1
    assert {job["Partition"] for job in embed} == {"gpu"}
    assert all("gpu" in job["TresPerJob"] for job in embed)
    assert (tables["Partition"], tables["TimeLimit"], tables["MinMemoryNode"]) == ("cpu", "00:07:00", "500M")
    assert "TresPerJob" not in tables
    assert {job["Features"] for job in [*embed, tables]} == {"avx512"}
    assert all(job["Requeue"] == "1" for job in embed)


def test_fewer_jobs_than_a_job_array_needs_are_refused(cluster, unfinished):
    run = unfinished.start("--jobs", "9")
    assert run.process.wait() == 1
    assert "--slurm-array-jobs none" in run.text
    assert cluster.jobs()[unfinished.first_job - 1 :] == []
