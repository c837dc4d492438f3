"""visner, which sends itself SIGTERM when its log says something: signals that come at the same place every time.

python self_terminating.py TEXT ARGUMENTS_OF_VISNER...
"""

import logging
import os
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


if __name__ == "__main__":
    from visner import cli, stages

    stages.log.addHandler(_Terminate(sys.argv[1]))
    sys.exit(cli.main(sys.argv[2:]))
