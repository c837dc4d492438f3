"""Copies on a scratch disk: they are what is read, nothing of them is left, and a disk without room is one line."""

import logging
import os
import resource
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from visner.runtime.scratch import mapped, staged


@pytest.fixture
def array(tmp_path):
    """A file of vectors, and what it holds."""
    content = np.random.default_rng(1).standard_normal((500, 40)).astype(np.float32)
    np.save(tmp_path / "vectors.npy", content)
    return tmp_path / "vectors.npy", content


@pytest.fixture
def scratch(tmp_path):
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def test_the_copy_is_what_is_read(array, scratch):
    path, content = array
    found, original = mapped(path, str(scratch)), mapped(path, "")
    with open(path, "r+b") as file:  # in place: what is mapped from the original changes with it
        file.seek(-4, os.SEEK_END)
        file.write(np.float32(7).tobytes())
    assert (found[-1, -1], original[-1, -1]) == (content[-1, -1], 7)
    np.testing.assert_array_equal(found, content)


def test_a_copy_has_no_name_and_ends_with_its_block(array, scratch):
    path, _ = array
    with staged(path, str(scratch)) as copy:
        assert copy.read_bytes() == path.read_bytes()
        assert list(scratch.iterdir()) == []
    assert not copy.exists()


def test_variables_are_the_process_own(array, scratch, monkeypatch):
    monkeypatch.setenv("MY_SCRATCH", str(scratch))
    monkeypatch.setenv("HOME", str(scratch.parent))
    for folder in ("$MY_SCRATCH/", "~/scratch"):
        with staged(array[0], folder) as copy:
            assert os.readlink(copy).startswith(f"{scratch}/")


@pytest.mark.parametrize("folder", ["$NOT_SET_HERE", "/nowhere"])
def test_a_folder_that_is_not_there_is_one_line(array, folder, caplog):
    with caplog.at_level(logging.INFO, "visner"), staged(array[0], folder) as file:
        assert file == array[0]
    (line,) = caplog.messages
    assert line == f"scratch {folder}: No such file or directory: {array[0]} is read where it lies"


def test_what_fails_in_the_block_is_not_taken_for_a_full_disk(array, scratch):
    with pytest.raises(OSError, match="mine"), staged(array[0], str(scratch)):
        raise OSError("mine")


def run(code, *arguments, **options):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE, **options)


HOLD = """
import sys, time
from pathlib import Path
from visner.runtime.scratch import mapped
found = mapped(Path(sys.argv[1]), sys.argv[2])
print(found[0, 0], flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGKILL])
def test_a_killed_process_leaves_nothing_on_the_disk(tmp_path, scratch, sent):
    np.save(tmp_path / "large.npy", np.ones((10_000, 1000), np.float32))  # 40 MB
    before = free(scratch)
    process = run(HOLD, tmp_path / "large.npy", scratch)
    assert process.stdout.readline() == "1.0\n"
    assert list(scratch.iterdir()) == []
    assert free(scratch) < before - 30e6
    process.send_signal(sent)
    process.wait(timeout=30)
    end = time.monotonic() + 10
    while free(scratch) < before - 10e6:
        assert time.monotonic() < end
        time.sleep(0.1)


def free(folder):
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize


FULL = """
import resource, signal, sys
from pathlib import Path
from visner.runtime import scratch, stages
stages.start_log(None)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, resource.RLIM_INFINITY))
print(float(scratch.mapped(Path(sys.argv[1]), sys.argv[2]).sum()))
"""


def test_a_disk_without_room_is_one_line_and_the_original_is_read(array, scratch):
    """The disk is a limit on the size of files here."""
    path, content = array
    if resource.getrlimit(resource.RLIMIT_FSIZE)[1] != resource.RLIM_INFINITY:
        pytest.skip("the size of files is limited already")
    process = run(FULL, path, scratch, stderr=subprocess.PIPE)
    found, said = process.communicate(timeout=60)
    assert float(found) == float(content.sum())
    assert said == f"scratch {scratch}: File too large: {path} is read where it lies\n"
    assert list(scratch.iterdir()) == []
