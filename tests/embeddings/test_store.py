"""Each picture once: real processes that claim, are killed, and give way."""

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import numpy as np
import pytest

from visner.embeddings import store as store_module
from visner.embeddings.store import Store
from visner.errors import VisnerError

CLAIM_AND_WAIT = """
import sys, time
from visner.embeddings.store import Store
with Store(sys.argv[1], 1, {}) as store:
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
    with Store(tmp_path, 50, {}) as store:
        assert store.claim(["a", "b", "c"]) == ["a", "b", "c"]
        store.put(["a", "b", "c"], vectors)
    with Store(tmp_path, 50, {}) as store:
        assert store.missing(["c", "x", "a"]) == ["x"]
        np.testing.assert_array_equal(store.vectors(["c", "a"]), vectors[[2, 0]])


def test_a_living_jobs_claims_count_and_a_killed_ones_do_not(tmp_path):
    process, claimed = claimant(tmp_path, ["a", "b"])
    try:
        assert claimed == ["a", "b"]
        with Store(tmp_path, 1, {}) as store:
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
    with Store(tmp_path, 1, {}) as store:
        store.claim(["a", "b"])
        store.put(["a"], np.ones((1, 1, 4), np.float32))
    with Store(tmp_path, 1, {}) as store:
        assert store.claim(["a", "b"]) == ["b"]


def test_a_put_is_whole_or_not_at_all(tmp_path):
    with Store(tmp_path, 1, {}) as store:
        store.claim(["a", "b"])
        with pytest.raises(ValueError, match="zip"):
            store.put(["a", "b"], np.ones((1, 1, 4), np.float32))
        assert store.missing(["a", "b"]) == ["a", "b"]


def test_a_damaged_file_is_named_with_a_remedy_that_destroys_nothing(tmp_path):
    (tmp_path / "vectors.sqlite").write_bytes(b"no database, though long enough to be read as one" * 100)
    remedy = f"{tmp_path}/vectors.sqlite: file is not a database: the file is damaged; move {tmp_path} out of the store"
    with pytest.raises(VisnerError, match=f"^{remedy}") as error, Store(tmp_path, 1, {}):
        pass
    assert "delete" not in str(error.value)


def test_case_a_database_that_another_program_has_locked_is_no_reason_to_delete_it(tmp_path, monkeypatch):
    monkeypatch.setattr(store_module, "PATIENCE", 0.2)
    with Store(tmp_path, 1, {}) as store, closing(sqlite3.connect(tmp_path / "vectors.sqlite")) as other:
        store.claim(["a"])
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(VisnerError) as error:
            store.put(["a"], np.ones((1, 1, 4), np.float32))
        assert str(error.value) == (
            f"{tmp_path}/vectors.sqlite: database is locked: another program has it locked for more than 0.2 s, and "
            "nothing that was committed is lost: run again when that program has ended"
        )
        other.execute("ROLLBACK")
        store.put(["a"], np.ones((1, 1, 4), np.float32))
        assert store.missing(["a"]) == []


def test_a_vector_is_said_to_be_of_what_made_it_and_not_of_what_finds_it(tmp_path):
    ones, first, second = np.ones((2, 1, 4), np.float32), {"device": "cuda"}, {"device": "cpu"}
    with Store(tmp_path, 1, first) as store:
        store.claim(["a", "b"])
        store.put(["a", "b"], ones)
    with Store(tmp_path, 1, second) as store:
        store.claim(["c"])
        store.put(["c"], ones[:1])
        store.put(["a"], ones[:1])  # it has one
        assert store.makers(["a", "c"]) == [{"pictures": 1, "made_by": second}, {"pictures": 1, "made_by": first}]
        assert store.makers(["a", "b"]) == [{"pictures": 2, "made_by": first}]


def test_a_store_of_an_older_visner_opens_and_its_vectors_makers_are_unknown(tmp_path):
    old = np.arange(4, dtype="<f4")
    with closing(sqlite3.connect(tmp_path / "vectors.sqlite")) as database, database:
        database.execute("CREATE TABLE vectors (image_id TEXT PRIMARY KEY, vector BLOB NOT NULL)")
        database.execute("CREATE TABLE claims (image_id TEXT PRIMARY KEY, owner TEXT NOT NULL)")
        database.execute("INSERT INTO vectors VALUES ('a', ?)", [old.tobytes()])
    with Store(tmp_path, 1, {"device": "cpu"}) as store:
        assert store.claim(["a", "b"]) == ["b"]
        store.put(["b"], np.ones((1, 1, 4), np.float32))
        np.testing.assert_array_equal(store.vectors(["a"])[0, 0], old)
        assert store.makers(["a", "b"]) == [
            {"pictures": 1, "made_by": "unknown"},
            {"pictures": 1, "made_by": {"device": "cpu"}},
        ]
