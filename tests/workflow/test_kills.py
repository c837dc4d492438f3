"""kill -9 at ten random moments of `make run`, and on again: the same bytes as an undisturbed run."""

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
STUDY = "results/studies/tweets/index.json"
OF_TWEETS = ["results/text/scores.json", "results/gate/scores.json", "results/vokens/tiny/scores.json", STUDY]


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


def survive(project, target, latest):
    """Make the target in spite of ten kills, each within `latest` seconds of a start; nothing half made is left."""
    generator = random.Random(1)
    for number in range(KILLS):
        process = make_run(project, target)
        end = time.monotonic() + generator.uniform(2, latest)
        while time.monotonic() < end and process.poll() is None:
            time.sleep(0.05)
        if process.poll() is None:
            kill(process, everything=number % 2 == 0)
        else:  # all was made before the moment came: once more from the start, so that ten moments are real ones
            assert process.returncode == 0, (project.folder / "log.txt").read_text()[-3000:]
            shutil.rmtree(project.folder / "results")
    last = make_run(project, target)
    assert last.wait(timeout=600) == 0, (project.folder / "log.txt").read_text()[-3000:]
    assert not list((project.folder / "results").rglob("*.part"))


def test_ten_kills_leave_no_trace_in_the_scores(finished, unfinished, request):
    prepare(unfinished, request.config.rootpath)
    survive(unfinished, TARGET, latest=12)
    assert (unfinished.folder / TARGET).read_bytes() == (finished.folder / TARGET).read_bytes()


def test_ten_kills_leave_no_trace_in_a_study_of_tweets(tweets, tmp_path, request):
    content = tweets.config()
    content["studies"]["tweets"]["systems"] = ["gate"]
    tweets.configure(content)
    undisturbed, began = tweets.copy(tmp_path / "undisturbed"), time.monotonic()
    done = undisturbed.run(STUDY)
    assert done.returncode == 0, done.stdout + done.stderr
    prepare(tweets, request.config.rootpath)
    survive(tweets, STUDY, latest=max(4, (time.monotonic() - began) / 4))  # ten such moments are spread over a run
    for path in OF_TWEETS:
        assert (tweets.folder / path).read_bytes() == (undisturbed.folder / path).read_bytes(), path


def wait_for(find):
    """What `find` finds, once it does, within a minute."""
    end = time.monotonic() + 60
    while not (found := find()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return found


def test_a_kill_while_the_lock_is_taken_away_is_survived(unfinished, request):
    """The run that went on to Snakemake's complaint about the lock forgot that there was one to take away."""
    prepare(unfinished, request.config.rootpath)
    target, locks = "results/corpora/tiny/statistics.json", unfinished.folder / ".snakemake" / "locks"
    first = make_run(unfinished, target)
    wait_for(lambda: locks.is_dir() and any(locks.iterdir()))
    kill(first, everything=True)
    second = make_run(unfinished, target)
    below = psutil.Process(second.pid).children
    wait_for(lambda: [one for one in below(recursive=True) if "--unlock" in one.cmdline()])[0].kill()
    assert second.wait(timeout=60) != 0
    assert make_run(unfinished, target).wait(timeout=120) == 0, (unfinished.folder / "log.txt").read_text()[-3000:]
