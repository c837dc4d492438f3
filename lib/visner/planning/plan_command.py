"""Say what a study will take, before anything is submitted.

Asks Snakemake which jobs it would run now, and prints a stage a line: how many jobs, core hours, GPU hours, what they
leave on disk, the longest job, and the most that one of them asks the scheduler for; then the longest chain of jobs
that wait for each other, which no number of processors makes shorter. With --all the plan is for everything, as if
nothing were there yet.

    visner plan --configfile config/ene.yaml
    visner plan results/ene_gate/scores.json --all

Hours are those expected on the machine on which they were measured (docs/planning.md); what jobs ask for is larger.
Before a corpus is read and its nouns are found, their numbers are estimated from the bytes of its files.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path

from visner.errors import VisnerError
from visner.planning.plan import Job, Plan, longest_chain, plan
from visner.stages import STAGES


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="files to be made (default: all of the study)")
    parser.add_argument(
        "--configfile", type=Path, action="append", default=[], metavar="FILE", help="as Snakemake's (config.yaml)"
    )
    parser.add_argument("--snakefile", type=Path, default=Path("Snakefile"), metavar="FILE", help="(%(default)s)")
    parser.add_argument("--directory", type=Path, metavar="FOLDER", help="where results/ is, as Snakemake's (here)")
    parser.add_argument("--all", action="store_true", help="everything, not only what remains to be done")


def run(arguments: argparse.Namespace) -> None:
    """Print the plan."""
    for file in (arguments.snakefile, *arguments.configfile):
        if not file.is_file():
            raise VisnerError(f"{file}: there is no such file; run this where the Snakefile is, or name it")
    found = plan(
        arguments.snakefile, arguments.directory, arguments.configfile, arguments.targets, everything=arguments.all
    )
    print(as_text(found))


def as_text(found: Plan) -> str:
    """A plan as a table for a terminal."""
    if not found.jobs:
        return "Nothing remains to be done (--all plans everything)."
    rows = [("stage", "jobs", "core hours", "GPU hours", "disk", "longest job", "asks for at most")]
    for stage in STAGES:
        jobs = [job for job in found.jobs if job.rule.split("_")[0] == stage]
        if jobs:
            rows.append((stage, *_totals(jobs)))
    rows.append(("total", *_totals(found.jobs)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows]
    lines.insert(len(lines) - 1, "-" * len(lines[0]))

    chain = [found.jobs[place] for place in chain_of(found.jobs)]
    lines += ["", f"longest chain: {_time(sum(job.seconds for job in chain))}, one job after the other:"]
    lines += [f"  {_time(job.seconds):>9}  {job.rule} {' '.join(job.wildcards.values())}".rstrip() for job in chain]
    crawls = [job for job in found.jobs if job.crawls]
    if crawls:
        together = _time(sum(job.seconds for job in crawls))
        lines += ["", f"Crawls, one at a time where crawls=1: {together} together"]
    if found.estimated:
        names = ", ".join(found.estimated)
        lines += ["", f"Not read and searched for nouns yet, so estimated from the bytes of their files: {names}"]
    return "\n".join(lines)


def chain_of(jobs: list[Job]) -> list[int]:
    """The places of the jobs of the longest chain."""
    places = range(len(jobs))
    return longest_chain({n: jobs[n].seconds for n in places}, {n: jobs[n].waits_for for n in places})


def core_hours(jobs: Iterable[Job]) -> float:
    """Hours of all threads that jobs hold."""
    return sum(job.seconds * job.threads for job in jobs) / 3600


def _totals(jobs: list[Job]) -> tuple[str, ...]:
    gpu = sum(job.seconds * job.gpu for job in jobs) / 3600
    return (
        f"{len(jobs):,}",
        _hours(core_hours(jobs)),
        _hours(gpu) if gpu else "-",
        _size(sum(job.disk for job in jobs)),
        _time(max(job.seconds for job in jobs)),
        f"{_size(max(job.mem_mb for job in jobs))}, {_time(60 * max(job.minutes for job in jobs))}",
    )


def _hours(hours: float) -> str:
    return f"{hours:,.0f}" if hours >= 100 else f"{hours:.1f}" if hours >= 1 else f"{hours:.3f}"


def _size(megabytes: float) -> str:
    for size, unit in ((1e6, "TB"), (1e3, "GB")):
        if megabytes >= size:
            return f"{megabytes / size:.1f} {unit}"
    return f"{megabytes:.0f} MB"


def _time(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 600:
        return f"{seconds / 60:.1f} min"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"
