"""kill -9 at ten random moments of `make run`, and on again: the same scores.json as an undisturbed run."""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import psutil

KILLS = 10
TARGET = "results/tiny_gate/scores.json"


def make_run(project):
    """`make run` of the tiny project, with the environment that the tests run in."""
    # -o: the environment is as it is, and not to be made
    command = ["make", "-o", ".venv/.installed", "run", f"TARGET={TARGET}", "CORES=2"]
    with open(project.folder / "log.txt", "a") as log:
        return subprocess.Popen(
            command, cwd=project.folder, env=project.environment(), stdout=log, stderr=log, start_new_session=True
        )


def kill(process, everything):
    """SIGKILL for make and all below it, or for Snakemake only, whose jobs must then end by themselves."""
    if everything:
        os.killpg(process.pid, signal.SIGKILL)
    end = time.monotonic() + 60
    while process.poll() is None:  # the first that is found may have been `snakemake --unlock`, and make goes on
        assert time.monotonic() < end
        with contextlib.suppress(psutil.Error):  # it has ended meanwhile
            for one in psutil.Process(process.pid).children(recursive=True):
                if any(part.endswith("snakemake") for part in one.cmdline()[:2]):
                    one.kill()
        time.sleep(0.05)


def test_ten_kills_leave_no_trace_in_the_scores(finished, unfinished, request):
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(request.config.rootpath / name, unfinished.folder)
    (unfinished.folder / ".venv").symlink_to(sys.prefix)
    generator = random.Random(1)
    for number in range(KILLS):
        process = make_run(unfinished)
        end = time.monotonic() + generator.uniform(2, 12)
        while time.monotonic() < end and process.poll() is None:
            time.sleep(0.05)
        if process.poll() is None:
            kill(process, everything=number % 2 == 0)
        else:  # all was made before the moment came: once more from the start, so that ten moments are real ones
            assert process.returncode == 0, (unfinished.folder / "log.txt").read_text()[-3000:]
            shutil.rmtree(unfinished.folder / "results")
    last = make_run(unfinished)
    assert last.wait(timeout=600) == 0, (unfinished.folder / "log.txt").read_text()[-3000:]
    assert (unfinished.folder / TARGET).read_bytes() == (finished.folder / TARGET).read_bytes()
    assert not list((unfinished.folder / "results").rglob("*.part"))
