"""Each picture once: real processes that claim, are killed, and give way."""

import signal
import subprocess
import sys

import numpy as np
import pytest
from visner.embeddings.store import Store
from visner.errors import VisnerError

CLAIM_AND_WAIT = """
import sys, time
from visner.embeddings.store import Store
with Store(sys.argv[1], 1) as store:
    print(",".join(store.claim(sys.argv[2].split(","))), flush=True)
    sys.stdin.read()
"""


def claimant(folder, image_ids) -> tuple[subprocess.Popen, list[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", CLAIM_AND_WAIT, str(folder), ",".join(image_ids)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    return process, process.stdout.readline().strip().split(",")


def test_vectors_come_back_as_they_were(tmp_path):
    vectors = np.random.default_rng(1).standard_normal((3, 50, 8)).astype(np.float32)
    with Store(tmp_path, 50) as store:
        assert store.claim(["a", "b", "c"]) == ["a", "b", "c"]
        store.put(["a", "b", "c"], vectors)
    with Store(tmp_path, 50) as store:
        assert store.missing(["c", "x", "a"]) == ["x"]
        np.testing.assert_array_equal(store.vectors(["c", "a"]), vectors[[2, 0]])


def test_a_living_jobs_claims_count_and_a_killed_ones_do_not(tmp_path):
    process, claimed = claimant(tmp_path, ["a", "b"])
    try:
        assert claimed == ["a", "b"]
        with Store(tmp_path, 1) as store:
            assert store.claim(["a", "b", "c"]) == ["c"]
            assert store.claim(["c"]) == []  # not twice by the same job either
            process.send_signal(signal.SIGKILL)
            process.wait()
            assert store.claim(["a", "b", "c"]) == ["a", "b"]
            assert store.missing(["a", "b"]) == ["a", "b"]
    finally:
        process.kill()
        process.wait()
    assert list((tmp_path / "owners").iterdir()) == []


def test_a_job_that_ends_gives_its_claims_back(tmp_path):
    with Store(tmp_path, 1) as store:
        store.claim(["a", "b"])
        store.put(["a"], np.ones((1, 1, 4), np.float32))
    with Store(tmp_path, 1) as store:
        assert store.claim(["a", "b"]) == ["b"]


def test_a_put_is_whole_or_not_at_all(tmp_path):
    with Store(tmp_path, 1) as store:
        store.claim(["a", "b"])
        with pytest.raises(ValueError, match="zip"):
            store.put(["a", "b"], np.ones((1, 1, 4), np.float32))
        assert store.missing(["a", "b"]) == ["a", "b"]


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "vectors.sqlite").write_bytes(b"no database, though long enough to be read as one" * 100)
    with pytest.raises(VisnerError, match="not a database.*delete"), Store(tmp_path, 1):
        pass
