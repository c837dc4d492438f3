"""kill -9 at random moments of `make run`."""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import psutil


def make_run(project, target):
    """`make run` of a tiny project, with the environment that the tests run in."""
    # -o: the environment is as it is, and not to be made
    command = ["make", "-o", ".venv/.installed", "run", f"TARGET={target}", "CORES=2"]
    with open(project.folder / "log.txt", "a") as log:
        return subprocess.Popen(
            command, cwd=project.folder, env=project.environment(), stdout=log, stderr=log, start_new_session=True
        )


def kill(process, everything):
    """SIGKILL for make and all below it, or for Snakemake only, whose jobs must then end by themselves."""
    if everything:
        os.killpg(process.pid, signal.SIGKILL)
    end = time.monotonic() + 60
    while process.poll() is None:  # none may have been there yet
        assert time.monotonic() < end
        with contextlib.suppress(psutil.Error):  # it has ended meanwhile
            for one in psutil.Process(process.pid).children(recursive=True):
                if any(part.endswith("snakemake") for part in one.cmdline()[:2]):
                    one.kill()
        time.sleep(0.05)


def prepare(project, root):
    """What `make run` needs beside the project."""
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(root / name, project.folder)
    (project.folder / ".venv").symlink_to(sys.prefix)


def survive(project, target, kills, latest):
    """Make the target in spite of so many kills, each within `latest` seconds of a start; nothing half made is left."""
    generator = random.Random(1)
    for number in range(kills):
        process = make_run(project, target)
        end = time.monotonic() + generator.uniform(2, latest)
        while time.monotonic() < end and process.poll() is None:
            time.sleep(0.05)
        if process.poll() is None:
            kill(process, everything=number % 2 == 0)
        else:  # all was made before the moment came: once more from the start, so that each moment is a real one
            assert process.returncode == 0, (project.folder / "log.txt").read_text()[-3000:]
            shutil.rmtree(project.folder / "results")
    last = make_run(project, target)
    assert last.wait(timeout=600) == 0, (project.folder / "log.txt").read_text()[-3000:]
    assert not list((project.folder / "results").rglob("*.part"))
