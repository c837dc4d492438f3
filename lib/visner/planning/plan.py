"""A whole study before it runs: its jobs as Snakemake sees them, what they take together, the longest chain of them."""

from collections.abc import Hashable, Iterable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from visner.config_files import check
from visner.errors import VisnerError

Node = TypeVar("Node", bound=Hashable)


class Job(NamedTuple):
    """One job that would run."""

    rule: str
    wildcards: dict[str, str]
    threads: int
    gpu: int
    crawls: int
    minutes: int  # asked for, as mem_mb is
    mem_mb: int
    seconds: float  # expected, as those below
    disk: float  # MB
    benchmark: str  # the file in which Snakemake writes what it then took
    waits_for: tuple[int, ...]  # places, in the list of jobs, of those whose outputs it reads


class Plan(NamedTuple):
    """All jobs, and what their sizes were estimated from: the names of corpora that aren't counted yet."""

    jobs: list[Job]
    estimated: list[str]


def plan(
    snakefile: Path, directory: Path | None, configfiles: list[Path], targets: list[str], everything: bool
) -> Plan:
    """The jobs that Snakemake would run now for `targets` (none: the default target); or all, if nothing were there.

    What counts as done is decided as a run in this folder would: by the profile beside the Snakefile; but a file that a
    killed run may have left half done, which a run makes again, counts. VisnerError says what a run would stop with.
    """
    from snakemake.api import SnakemakeApi
    from snakemake.cli import parse_args
    from snakemake.settings.types import ConfigSettings, DAGSettings, OutputSettings, Quietness, ResourceSettings

    check(configfiles)
    silence = StringIO()
    try:
        with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api, redirect_stdout(silence):
            with redirect_stderr(silence):  # it tells which profile it reads
                run = parse_args(["--snakefile", str(snakefile)])[1]
            workflow_api = api.workflow(
                resource_settings=ResourceSettings(cores=1024),  # no limit: a job has the threads that its rule names
                config_settings=ConfigSettings(configfiles=[file.absolute() for file in configfiles]),
                snakefile=snakefile,
                workdir=directory,
            )
            settings = DAGSettings(targets=set(targets), forceall=everything, rerun_triggers=run.rerun_triggers)
            workflow_api.dag(settings).printd3dag()  # builds the graph, runs nothing, and prints too little of it:
            workflow = workflow_api._workflow  # the API has no other way to a job's wildcards and resources
            return _read(workflow.dag, workflow.globals["SIZES"])
    except VisnerError:
        raise
    except Exception as error:
        raise VisnerError(f"Snakemake would stop: {error}") from None


def _read(dag: Any, sizes: Any) -> Plan:
    due = [job for job in dag.needrun_jobs() if not job.rule.norun]  # all but the rule `all`, which runs nothing
    places = {job: place for place, job in enumerate(due)}
    jobs = []
    for job in due:
        expected = sizes.expected(job.rule.name, job.wildcards, job.threads)
        asked = job.resources
        before = tuple(sorted(places[one] for one in dag.dependencies[job] if one in places))
        jobs.append(
            Job(
                job.rule.name,
                dict(job.wildcards_dict),
                job.threads,
                asked.gpu,
                asked.get("crawls", 0),
                asked.runtime,
                asked.mem_mb,
                expected.seconds,
                expected.disk,
                str(job.benchmark),
                before,
            )
        )
    return Plan(jobs, [name for name in sizes.config.corpora if not sizes.counts.text(name).counted])


def longest_chain(seconds: Mapping[Node, float], waits_for: Mapping[Node, Iterable[Node]]) -> list[Node]:
    """The jobs that take longest one after the other, the first one first; none in a circle are allowed."""
    ends: dict[Node, float] = {}
    previous: dict[Node, Node | None] = {}
    waiting = list(seconds)
    while waiting:  # not by recursion: a chain can be longer than Python's stack
        node = waiting[-1]
        missing = [one for one in waits_for.get(node, ()) if one not in ends]
        if missing:
            waiting += missing
            continue
        waiting.pop()
        previous[node] = max(waits_for.get(node, ()), key=ends.__getitem__, default=None)
        ends[node] = seconds[node] + (ends[previous[node]] if previous[node] is not None else 0.0)
    chain: list[Node] = []
    node = max(ends, key=ends.__getitem__, default=None)
    while node is not None:
        chain.append(node)
        node = previous[node]
    return chain[::-1]
