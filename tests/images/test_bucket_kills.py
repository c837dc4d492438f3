"""A bucket's writer that is killed, and a disk that is full: no commit is lost, none is half done."""

import contextlib
import os
import random
import resource
import shutil
import signal
import time

import pytest
from bucket_model import BUCKET, ENDLESS, FORK, contents, picture

from visner.errors import VisnerError
from visner.images.crawling import database
from visner.images.crawling.buckets import Bucket, Outcome, PageRead

PER_COMMIT = 8


def commit_of(number):
    """The `number`th commit of a test: a page and its outcomes."""
    urls = [f"http://h/{number}/{rank}" for rank in range(PER_COMMIT)]
    page = PageRead(ENDLESS[number], 0, urls, True)
    return [page], [Outcome(url, None, picture(100 * number + rank)) for rank, url in enumerate(urls)]


def write_on(folder, pipe, start):
    with Bucket(folder, BUCKET) as bucket:
        for number in range(start, len(ENDLESS)):
            bucket.commit(*commit_of(number))
            pipe.send(number)


def test_ten_kills_lose_no_commit_and_leave_none_half_done(tmp_path):
    rng = random.Random(3)
    start = 0
    for _ in range(10):
        ours, theirs = FORK.Pipe(duplex=False)
        writer = FORK.Process(target=write_on, args=(tmp_path, theirs, start), daemon=True)
        writer.start()
        theirs.close()
        time.sleep(rng.uniform(0.02, 0.3))
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
        done = start
        while ours.poll():
            try:
                done = ours.recv() + 1
            except EOFError:
                break
        with Bucket(tmp_path, BUCKET) as bucket:
            for number in range(done):
                assert [row["bytes"] for row in bucket.rows(ENDLESS[number], 99, 99)] == [
                    one.picture.kept for one in commit_of(number)[1]
                ]
            rows = len(bucket.rows(ENDLESS[done], 99, 99))  # it may have been committed, and not been said
            assert rows in (0, PER_COMMIT)
            assert contents(bucket) == [PER_COMMIT * done + rows] * 3
            start = done + bool(rows)
        assert database.fault(bucket.path, thorough=True) is None
        assert not list(tmp_path.glob("*damaged*"))
    assert start > 2


@pytest.fixture
def killed(tmp_path):
    """The folder of a bucket whose writer ended in the middle of a transaction: SQLite's journal is hot."""
    with Bucket(tmp_path / "alive", BUCKET) as bucket:
        for number in range(4):
            bucket.commit(*commit_of(number))
        bucket.select("PRAGMA cache_size = 5")  # pages are written before the end of the transaction
        before = bucket.path.read_bytes()
        with database.transaction(bucket._database):
            bucket._database.execute("UPDATE pictures SET width = 0")
            bucket._database.execute("DELETE FROM kept")
            bucket._database.execute("INSERT INTO kept SELECT 1000 + id, zeroblob(90000) FROM pictures")
            shutil.copytree(tmp_path / "alive", tmp_path / "killed")
    folder = tmp_path / "killed"
    assert (folder / "07.sqlite-journal").stat().st_size > 0
    assert (folder / "07.sqlite").read_bytes() != before
    return folder


@pytest.mark.parametrize("read_only", [False, True])
def test_a_half_written_transaction_is_undone(killed, read_only, caplog):
    with Bucket(killed, BUCKET, read_only=read_only) as bucket:
        assert [row["width"] for row in bucket.rows(ENDLESS[1], 99, 99)] == [200 + rank for rank in range(PER_COMMIT)]
        assert contents(bucket) == [4 * PER_COMMIT] * 3
    assert database.fault(bucket.path, thorough=True) is None
    assert not list(killed.glob("*damaged*"))


@pytest.mark.parametrize("size", range(8192, 200_000, 24_576))
def test_a_file_cut_short_in_a_half_written_transaction_is_not_taken_for_whole(killed, size):
    """SQLite fills the gap with zeros when it undoes the transaction."""
    os.truncate(killed / "07.sqlite", size)
    with contextlib.suppress(VisnerError), Bucket(killed, BUCKET) as bucket:
        for number in range(4):
            rows = bucket.rows(ENDLESS[number], 99, 99)
            wanted = {one.url: one.picture for one in commit_of(number)[1]}
            assert all(row["bytes"] == wanted[row["source_url"]].kept for row in rows)
    if problem := database.fault(killed / "07.sqlite", thorough=True):
        database.set_aside(killed / "07.sqlite", problem)
    with Bucket(killed, BUCKET) as bucket:
        bucket.commit(*commit_of(0))
        assert len(bucket.rows(ENDLESS[0], 99, 99)) == PER_COMMIT


def test_the_journal_of_a_file_that_was_set_aside_is_not_played_into_the_new_one(killed, caplog):
    """As after a kill between the two: SQLite would give the new file the old one's pages."""
    (killed / "07.sqlite").unlink()
    with Bucket(killed, BUCKET) as bucket:
        assert contents(bucket) == [0, 0, 0]
    assert database.fault(bucket.path, thorough=True) is None
    assert "set aside" not in caplog.text


def fill(folder, pipe):
    """Commit until the disk, here a limit on the size of files, is full; then go on with more room."""
    size = (folder / "07.sqlite").stat().st_size
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 200_000, hard))
    with Bucket(folder, BUCKET) as bucket:
        number = 1
        try:
            while True:
                bucket.commit(*commit_of(number))
                number += 1
        except VisnerError as error:
            message = str(error)
        after_error = contents(bucket)
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        bucket.commit(*commit_of(number))
        pipe.send((message, number, after_error, contents(bucket)))


def test_a_full_disk_is_one_line_and_loses_nothing(tmp_path):
    with Bucket(tmp_path, BUCKET) as bucket:
        bucket.commit(*commit_of(0))
    ours, theirs = FORK.Pipe(duplex=False)
    writer = FORK.Process(target=fill, args=(tmp_path, theirs), daemon=True)
    writer.start()
    assert ours.poll(20)
    message, done, after_error, at_the_end = ours.recv()
    writer.join()
    assert "disk is full" in message
    assert "nothing that was committed is lost" in message
    assert done > 2
    assert after_error == [PER_COMMIT * done] * 3
    assert at_the_end == [PER_COMMIT * (done + 1)] * 3
    assert database.fault(tmp_path / "07.sqlite", thorough=True) is None
