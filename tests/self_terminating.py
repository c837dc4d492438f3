"""visner, which sends itself SIGTERM when its log says something: signals that come at the same place every time.

python self_terminating.py TEXT ARGUMENTS_OF_VISNER...
python self_terminating.py TEXT < a pickled rule, log and keyword arguments of its function
"""

import logging
import os
import pickle
import signal
import subprocess
import sys
from pathlib import Path


class _Terminate(logging.Handler):
    def __init__(self, text: str):
        super().__init__()
        self.text = text

    def emit(self, record: logging.LogRecord) -> None:
        if self.text in record.getMessage():
            os.kill(os.getpid(), signal.SIGTERM)


def run(arguments: list, at: str | None = None) -> int:
    """The exit status of visner, with SIGTERM at the first line of its log that has `at` in it (None: never)."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "visner"] if at is None else [sys.executable, Path(__file__).resolve(), at]
    command = list(map(str, [*command, *arguments]))
    return subprocess.run(command, env=environment, stderr=subprocess.DEVNULL, timeout=120).returncode


def call(rule: str, log: Path, at: str | None = None, **arguments) -> int:
    """The same of a process that calls a rule's function with these arguments, its log in a file."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, Path(__file__).resolve(), at or ""]
    given = pickle.dumps((rule, log, arguments))
    return subprocess.run(command, env=environment, input=given, stderr=subprocess.DEVNULL, timeout=300).returncode


if __name__ == "__main__":
    from visner import cli, jobs, stages

    handlers = [_Terminate(sys.argv[1])] if sys.argv[1] else []
    if sys.argv[2:]:
        stages.log.addHandler(*handlers)
        sys.exit(cli.main(sys.argv[2:]))
    rule, log, arguments = pickle.load(sys.stdin.buffer)
    stages.start_log(str(log))
    for handler in handlers:
        stages.log.addHandler(handler)
    jobs.function_of(rule)(**arguments)
