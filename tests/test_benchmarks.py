"""What benchmarks share, and the one of a GPU: rounds until two agree, how busy others were, a run without a GPU."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def quiet(monkeypatch):
    """The module that benchmarks share."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    from machine import quiet

    return quiet


def scripted(*seconds):
    """A way that says that it took these seconds, one after the other."""
    remaining = list(seconds)
    return lambda: remaining.pop(0)


def test_rounds_go_on_until_two_agree_in_the_ratios(quiet):
    """The third round's ratio, 1.95, is within a tenth of the first's, 2; the machine was slower by a half."""
    ways = {"peer": scripted(2.0, 2.0, 3.0, 9.0), "ours": scripted(1.0, 0.5, 1.54, 9.0)}
    rounds = quiet.until_two_agree(ways, most=6, tolerance=0.1)
    assert rounds.agreeing == (0, 2)
    assert rounds.seconds["peer"] == [2.0, 2.0, 3.0]
    assert rounds.typical("peer") == pytest.approx(2.5)
    assert rounds.ratio("ours", "peer") == pytest.approx(5 / 2.54)
    assert str(rounds).startswith("rounds 1 and 3 of 3 agree within 10%; others took ")


def test_rounds_that_never_agree_end_and_say_so(quiet):
    rounds = quiet.until_two_agree({"ours": scripted(1.0, 2.0, 4.0, 8.0)}, most=3, tolerance=0.1)
    assert rounds.agreeing is None
    assert rounds.typical("ours") == 2.0
    assert "no two of 3 rounds agree within 10% (medians; repeat it on a quieter machine); others took" in str(rounds)


def test_a_way_that_says_nothing_is_timed(quiet):
    rounds = quiet.until_two_agree({"sleep": lambda: time.sleep(0.05)}, most=2)
    assert 0.05 <= min(rounds.seconds["sleep"]) < 1


@pytest.mark.skipif(not Path("/proc/stat").exists(), reason="needs Linux")
def test_how_busy_others_were_counts_others_and_not_this_process(quiet):
    spin = [sys.executable, "-c", "while True: pass"]
    other, processors = subprocess.Popen(spin), os.cpu_count()
    try:
        time.sleep(0.2)
        with quiet.Busy() as busy:
            began, mine, before = (
                time.perf_counter(),
                time.process_time(),
                sum(psutil.Process(other.pid).cpu_times()[:2]),
            )
            while time.perf_counter() - began < 1:
                pass
            took = (time.perf_counter() - began) * processors
            mine = (time.process_time() - mine) / took
            others = (sum(psutil.Process(other.pid).cpu_times()[:2]) - before) / took
    finally:
        other.kill()
        other.wait()
    assert others - 0.1 <= busy.share <= 1 - mine + 0.1
