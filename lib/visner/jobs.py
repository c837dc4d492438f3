"""From a rule to the function that does its job.

The rule PACKAGE_VERB calls the function VERB of the module visner.PACKAGE.VERB: `ner_train` calls
`visner.ner.train.train`. What the rule names reaches the function under the same names.
"""

import importlib
import inspect
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_type_hints

from pydantic import TypeAdapter

from visner import config
from visner.config.base import below
from visner.errors import VisnerError
from visner.runtime import stages


def run(job: Any, root: str | Path) -> None:
    """Do one job of Snakemake's: `job` is the `snakemake` of its script, `root` the Snakefile's folder.

    The job holds the lock of its first output, and ends when Snakemake ends. A VisnerError is logged as one line that
    begins with the rule's name; any other error with its traceback. Both end the process with status 1.
    """
    stages.die_with_parent()
    stages.start_log(job.log[0])
    try:
        function = function_of(job.rule)
        with stages.locked(job.output[0]):
            function(**arguments(function, job, os.path.relpath(root)))
    except VisnerError as error:
        stages.log.error("%s: %s", job.rule, error)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception:  # a mistake of ours, or a full disk: the log shows where
        stages.log.exception("%s: unexpected error", job.rule)
        sys.exit(1)


def function_of(rule: str) -> Callable[..., Any]:
    """The function that a rule calls."""
    package, _, verb = rule.partition("_")
    return getattr(importlib.import_module(f"visner.{package}.{verb}"), verb)


def arguments(function: Callable, job: Any, root: str) -> dict[str, Any]:
    """The keyword arguments of a job's function.

    The rule's named inputs, outputs and params are all handed over. So that a rule says what its result depends on, the
    rest is handed over only where the function has a parameter of that name: wildcards, and what changes no result
    (`untracked`). Inputs and outputs without a name are only waited for.
    """
    hints, parameters = get_type_hints(function), inspect.signature(function).parameters
    given = {name: _paths(value, hints.get(name)) for part in (job.input, job.output) for name, value in part.items()}
    params = {name: value for name, value in job.params.items() if name != "version"}
    if "recipe" in params and "recipe" in hints:
        params["recipe"] = TypeAdapter(hints["recipe"]).validate_json(params["recipe"])
    wildcards = {
        name: int(value) if hints.get(name) is int else value
        for name, value in job.wildcards.items()
        if name in parameters
    }
    rest = {name: value() for name, value in untracked(job, root).items() if name in parameters}
    return wildcards | rest | params | given


def untracked(job: Any, root: str) -> dict[str, Callable[[], Any]]:
    """Arguments that make nothing again when they change."""
    settings = config.Config.model_validate(job.config)

    def images():
        source = job.wildcards.get("source")
        if source is None:
            experiment = settings.experiments[job.wildcards.experiment]
            grounding = settings.groundings.get(experiment.grounding)
            source = grounding and settings.pictures_of(grounding, experiment.corpus)[0]
        return settings.images.get(source)

    def device():
        from visner.runtime.device import select  # torch takes seconds to import

        return select(job.resources.gpu, settings.training_threads)

    return {
        "root": lambda: Path(root),
        "store": lambda: Path(os.path.relpath(below(root, settings.store))),
        "scratch": lambda: settings.scratch or "",
        "resume": lambda: Path("results/.resume"),
        "workers": lambda: job.threads,
        "device": device,
        "crawl": lambda: getattr(images(), "crawl", None),
        "url": lambda: f"{settings.corpora[job.wildcards.corpus].download.base.rstrip('/')}/{job.wildcards.file}",
    }


def _paths(value: Any, hint: Any) -> Path | list[Path] | None:
    """One file, or a list where the function wants one; None where it could do without, and there is none."""
    if isinstance(value, str):
        return Path(value)
    paths = [Path(one) for one in value]
    options = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    if not paths and NoneType in options:
        return None
    return paths[0] if len(paths) == 1 and Path in options else paths
