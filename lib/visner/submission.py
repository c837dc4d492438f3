"""What is refused before a run begins: jobs that would fail after they have waited in a queue, or never end."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from visner.errors import VisnerError


class Due(NamedTuple):
    """A job that a run has to do."""

    rule: str
    resources: Mapping[str, int]


def check_run(workflow: Any) -> None:
    """`check` of the jobs that a workflow is about to run; what waits for a checkpoint can become due, too."""
    resources, timespan = workflow.global_resources, workflow.scheduling_settings.max_jobs_per_timespan
    limits = {name: one.value for name, one in resources.items() if name[0] != "_" and isinstance(one.value, int)}
    at_once = {"--jobs": workflow.nodes, "--max-jobs-per-timespan": timespan and timespan.max_jobs}
    due = set(workflow.dag.needrun_jobs())
    due.update(workflow.dag.bfs(workflow.dag.depending, *(job for job in due if job.is_checkpoint)))
    asked = [Due(job.rule.name, {name: job.resources.get(name, 0) for name in ("gpu", *limits)}) for job in due]
    arrays = getattr(workflow.executor_settings, "array_jobs", None) or ""
    check(asked, arrays, {name: limit for name, limit in at_once.items() if limit}, limits)


def check(due: Sequence[Due], arrays: str, at_once: Mapping[str, int], limits: Mapping[str, int]) -> None:
    """VisnerError where the jobs that are due can't be run as they are asked for.

    `arrays` are the rules, by commas, that the SLURM plugin submits as job arrays ("all", or "" or "none" for none),
    `at_once` the limits of how many jobs are submitted at once, `limits` those of resources that all jobs share; the
    keys of both are what a message calls them. The plugin (2.8.0) drops jobs of an array while not all that are ready
    may be submitted, and waits for them.
    """
    for job in due:
        if job.resources.get("gpu", 0) > 1:
            raise VisnerError(
                f"{job.rule}: a job of it asks for {job.resources['gpu']} GPUs and would use one: set gpu to 0 or 1; "
                "more GPUs are used by more jobs"
            )
    names = {name.strip() for name in arrays.split(",")}
    counts = Counter(job.rule for job in due)
    rules = sorted(rule for rule, count in counts.items() if count > 1 and (rule in names or "all" in names))
    if not rules:
        return
    lost = (
        f"snakemake could wait for ever for those of {', '.join(rules)}, which are a job array. Raise it, or add "
        "--slurm-array-jobs none"
    )
    for name, limit in at_once.items():
        if limit < len(due):
            raise VisnerError(f"{name} {limit} is less than the {len(due)} jobs of this run: {lost}")
    used: Counter = Counter()
    for job in due:
        used.update({name: amount for name, amount in job.resources.items() if name in limits})
    for name, limit in limits.items():
        if used[name] > limit and any(job.resources.get(name) for job in due if job.rule in rules):
            raise VisnerError(
                f"--resources {name}={limit} is less than the {used[name]} that the jobs of this run ask for: {lost}"
            )
