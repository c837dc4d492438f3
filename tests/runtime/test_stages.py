"""Locks wait, and a stage dies with its parent: real processes."""

import os
import re
import socket
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

from terminal import on_a_terminal

LIBRARY = Path(__file__).resolve().parents[2] / "lib"


def start(code, **options):
    environment = {**os.environ, "PYTHONPATH": str(LIBRARY)}
    return subprocess.Popen([sys.executable, "-c", code], env=environment, text=True, **options)


def wait_for(path, seconds=20):
    end = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < end, path
        time.sleep(0.02)


def hold(folder, name, until=None, **options):
    """A process that holds the lock of one file, says so by another, and waits for a third."""
    code = (
        "import time, pathlib\nfrom visner.runtime import stages\nstages.start_log(None)\n"
        f"with stages.locked({str(folder / 'output')!r}):\n"
        f"    pathlib.Path({str(folder / name)!r}).touch()\n"
        f"    while not pathlib.Path({str(folder / (until or name))!r}).exists():\n        time.sleep(0.02)"
    )
    return start(code, **options)


def test_a_second_holder_waits_and_says_for_whom(tmp_path):
    first = hold(tmp_path, "first", until="released")
    wait_for(tmp_path / "first")
    second = hold(tmp_path, "second", stderr=subprocess.PIPE)
    line = second.stderr.readline().rstrip()
    assert not (tmp_path / "second").exists()
    (tmp_path / "released").touch()
    assert second.communicate(timeout=30)[1] == ""
    assert first.wait(timeout=30) == 0
    taken = datetime.fromisoformat(re.search(f"by process {first.pid} since (.{{19}}): waiting", line)[1])
    assert abs(taken.timestamp() - (tmp_path / "first").stat().st_mtime) < 2
    assert f"delete {tmp_path / '.output.lock'} and run again" in line


def test_the_lock_of_a_killed_holder_is_free(tmp_path):
    first = hold(tmp_path, "first", until="never")
    wait_for(tmp_path / "first")
    first.kill()
    first.wait()
    second = hold(tmp_path, "second", stderr=subprocess.PIPE)
    assert f"by process {first.pid}, which ended without finishing" in second.communicate(timeout=30)[1]
    assert second.returncode == 0


def test_a_holder_that_ended_by_itself_leaves_no_name(tmp_path):
    assert hold(tmp_path, "first").wait(timeout=30) == 0
    failed = start(
        f"from visner.runtime import stages\nwith stages.locked({str(tmp_path / 'output')!r}):\n    1 / 0",
        stderr=subprocess.DEVNULL,
    )
    assert failed.wait(timeout=30) == 1
    second = hold(tmp_path, "second", 0, stderr=subprocess.PIPE)
    assert second.communicate(timeout=30)[1] == ""


def test_a_holder_on_another_host_is_named_with_it(tmp_path):
    (tmp_path / ".output.lock").write_text("node7:1234")
    second = hold(tmp_path, "second", 0, stderr=subprocess.PIPE)
    assert "by process 1234 on node7, which ended" in second.communicate(timeout=30)[1]


def test_a_stage_ends_when_its_parent_is_killed(tmp_path):
    child = (
        "import os, time, pathlib\nfrom visner.runtime import stages\nstages.die_with_parent()\n"
        f"pathlib.Path({str(tmp_path / 'pid.part')!r}).write_text(str(os.getpid()))\n"
        f"os.replace({str(tmp_path / 'pid.part')!r}, {str(tmp_path / 'pid')!r})\ntime.sleep(60)"
    )
    parent = start(f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {child!r}])")
    wait_for(tmp_path / "pid")
    pid = int((tmp_path / "pid").read_text())
    parent.kill()
    parent.wait()
    end = time.monotonic() + 10
    while running(pid):
        assert time.monotonic() < end
        time.sleep(0.05)


def running(pid):
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_log_begins_with_the_job_of_the_cluster(tmp_path, monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "12")
    start(
        f"from visner.runtime import stages\nstages.start_log({str(tmp_path / 'log')!r})\nstages.log.info('more')"
    ).wait()
    assert (tmp_path / "log").read_text().splitlines() == [f"SLURM job 12 on {socket.gethostname()}", "more"]


def test_a_message_on_a_terminal_has_a_line_of_its_own():
    code = (
        "from visner.runtime import stages\nstages.start_log(None)\n"
        "for number in stages.progress(range(3), 'work'):\n    stages.log.info('message %d', number)"
    )
    status, _, shown = on_a_terminal(lambda terminal: start(code, stderr=terminal), columns=80)
    assert status == 0
    assert shown[:3] == ["message 0", "message 1", "message 2"]
    assert "100%" in shown[3]
