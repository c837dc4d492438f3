"""A rule's job in a process of its own, which may send itself SIGTERM when its log says something.

So a signal comes at the same place every time: `python self_terminating.py JOB [TEXT]`, the job as JSON.
"""

import json
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

EMPTY = {"corpora": {"c": {"format": "text", "paths": ["texts"], "split": {"by": "hash"}, "classes": []}}}


class _Terminate(logging.Handler):
    def __init__(self, text: str):
        super().__init__()
        self.text = text

    def emit(self, record: logging.LogRecord) -> None:
        if self.text in record.getMessage():
            os.kill(os.getpid(), signal.SIGTERM)


def named(items: dict):
    """Items as Snakemake hands them to a script: strings by name, lists of them as lists."""
    from snakemake.iocontainers import Namedlist

    made = Namedlist()
    for name, value in items.items():
        start = len(made)
        made.extend(value if isinstance(value, list) else [value])
        made._set_name(name, start, end=len(made) if isinstance(value, list) else None)
    return made


def as_job(rule, log, input=None, output=None, params=None, wildcards=None, config=None, gpu=0, threads=1):
    """A job as Snakemake's scripts have it."""
    parts = {"input": input, "output": output, "params": params, "wildcards": wildcards}
    return SimpleNamespace(
        rule=rule,
        log=[str(log)],
        config=config or EMPTY,
        resources=SimpleNamespace(gpu=gpu),
        threads=threads,
        **{name: named(items or {}) for name, items in parts.items()},
    )


def start(job: dict, folder: Path, at: str | None = None) -> subprocess.Popen:
    """The process of a job (`as_job`'s arguments) that runs in `folder`, as Snakemake starts it."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, Path(__file__).resolve(), json.dumps(job, default=str), *([at] if at else [])]
    return subprocess.Popen(list(map(str, command)), cwd=folder, env=environment, stderr=subprocess.DEVNULL)


def run(job: dict, folder: Path, at: str | None = None) -> int:
    """A job's exit status, with SIGTERM at the first line of its log that has `at` in it (None: never)."""
    return start(job, folder, at).wait(120)


if __name__ == "__main__":
    from visner import jobs
    from visner.runtime import stages

    for text in sys.argv[2:]:
        stages.log.addHandler(_Terminate(text))
    jobs.run(as_job(**json.loads(sys.argv[1])), ".")
