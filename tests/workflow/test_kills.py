"""kill -9 at ten random moments of `make run`, and on again: the same bytes as an undisturbed run."""

import contextlib
import time

import psutil
from killing import kill, make_run, prepare, survive

TARGET = "results/tiny_gate/scores.json"


def test_ten_kills_leave_no_trace_in_the_scores(finished, unfinished, request):
    prepare(unfinished, request.config.rootpath)
    survive(unfinished, TARGET, kills=10, latest=12)
    assert (unfinished.folder / TARGET).read_bytes() == (finished.folder / TARGET).read_bytes()


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

    def unlocking():
        for one in psutil.Process(second.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):  # it has ended meanwhile
                if "--unlock" in one.cmdline():
                    return one
        return None

    wait_for(unlocking).kill()
    assert second.wait(timeout=60) != 0
    assert make_run(unfinished, target).wait(timeout=120) == 0, (unfinished.folder / "log.txt").read_text()[-3000:]
