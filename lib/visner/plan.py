"""Say what a study will ask for, before anything is submitted.

Snakemake says which jobs it would run now. A stage a line tells how many, and the time and memory that they ask for
(docs/planning.md): most take less. Below is the longest chain of jobs that wait for each other: no number of processors
makes it shorter. A table that isn't there yet counts as large as its corpus; pictures and vectors once they are there.
"""

import argparse
import re
from collections.abc import Sequence
from contextlib import redirect_stdout
from graphlib import TopologicalSorter
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

from visner import sizes
from visner.config import STAGES
from visner.config import files as config_files
from visner.errors import VisnerError


class Job(NamedTuple):
    """One job that would run: its rule and wildcards, what it asks for, the longest chain of jobs that it waits for."""

    name: str
    threads: int
    gpu: int
    minutes: int
    mem_mb: int
    chain: tuple["Job", ...]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="files to be made (default: all of the study)")
    parser.add_argument("--configfile", type=Path, action="append", default=[], metavar="FILE", help="as Snakemake's")
    parser.add_argument("--snakefile", type=Path, default=Path("Snakefile"), metavar="FILE", help="(%(default)s)")
    parser.add_argument("--directory", type=Path, metavar="FOLDER", help="where results/ is, as Snakemake's (here)")
    parser.add_argument("--all", action="store_true", help="everything, as if nothing were there yet")


def run(arguments: argparse.Namespace) -> None:
    """Print the plan of what Snakemake would run, by the profile beside the Snakefile."""
    from snakemake.api import SnakemakeApi
    from snakemake.cli import parse_args
    from snakemake.settings.types import ConfigSettings, DAGSettings, OutputSettings, Quietness, ResourceSettings

    config_files.check(arguments.configfile)
    try:
        with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api, redirect_stdout(StringIO()):
            triggers = parse_args(["--snakefile", str(arguments.snakefile)])[1].rerun_triggers  # the profile's
            cores = ResourceSettings(cores=1024)  # no limit: a job has the threads that its rule names
            config = ConfigSettings(configfiles=[file.absolute() for file in arguments.configfile])
            workflow = api.workflow(cores, config, snakefile=arguments.snakefile, workdir=arguments.directory)
            settings = DAGSettings(targets=set(arguments.targets), forceall=arguments.all, rerun_triggers=triggers)
            workflow.dag(settings).printd3dag()  # makes the graph, runs nothing, and prints too little of it
            jobs = due_jobs(workflow._workflow.dag)
    except Exception as error:
        raise VisnerError(f"Snakemake would stop: {error}") from None
    print(as_text(jobs) if jobs else "Nothing remains to be done (--all plans everything).")


def due_jobs(dag: Any) -> list[Job]:
    """The jobs that Snakemake would run."""
    due = {job: dag.dependencies[job] for job in dag.needrun_jobs() if not job.rule.norun}
    jobs: dict[Any, Job] = {}
    crawl: list[Job] = []  # the last one: crawls run one at a time
    coming: dict[str, float] = {}  # MB of the tables that aren't there yet

    def size(file: str) -> float:
        return coming.get(file) or sizes.megabytes(file)

    for job in filter(due.__contains__, TopologicalSorter(due).static_order()):
        rule, files, gpu, crawls = job.rule.name, job.input, job.resources.gpu, job.resources.get("crawls", 0)
        minutes = sizes.runtime(job.wildcards, files, rule, job.threads, 1, gpu, size)
        mem_mb = sizes.mem_mb(job.wildcards, files, rule, 1, size)
        chain = longest([jobs[one] for one in due[job] if one in jobs] + crawl * crawls)
        jobs[job] = Job(" ".join((rule, *job.wildcards_dict.values())), job.threads, gpu, minutes, mem_mb, chain)
        crawl = [jobs[job]] if crawls else crawl
        text = [size(file) for file in files if sizes.factor(file, rule) == sizes.TEXT]
        megabytes = sum(text) if rule == "corpora_read" else max(text, default=0)
        coming |= {file: megabytes for file in job.output if sizes.factor(file, rule) == sizes.TEXT and not size(file)}
    return list(jobs.values())


def longest(jobs: Sequence[Job]) -> tuple[Job, ...]:
    """The chain that takes longest, of those that end with one of these jobs."""
    return max(((*job.chain, job) for job in jobs), key=lambda chain: sum(job.minutes for job in chain), default=())


def as_text(jobs: Sequence[Job]) -> str:
    """A plan as a table for a terminal."""
    lines = [f"{'stage':<12}{'jobs':>6}{'core hours':>12}{'GPU hours':>12}{'longest job':>13}{'most memory':>13}"]
    for stage in (*STAGES, "total"):
        if own := [job for job in jobs if stage in ("total", re.split("[_ ]", job.name)[0])]:
            core, gpu = (sum(job.minutes * job[field] for job in own) / 60 for field in (1, 2))
            hours, memory = max(job.minutes for job in own) / 60, max(job.mem_mb for job in own) / 1e3
            lines.append(f"{stage:<12}{len(own):>6}{core:>12,.1f}{gpu:>12,.1f}{hours:>11,.1f} h{memory:>10,.1f} GB")
    chain = longest(jobs)
    lines += ["", f"longest chain: {sum(job.minutes for job in chain) / 60:.1f} h, one job after the other:"]
    return "\n".join(lines + [f"{job.minutes / 60:>8.1f} h  {job.name}" for job in chain])
