"""A bucket's file that is damaged: what can be read is saved, and nothing is answered wrongly."""

import random
import time
from contextlib import contextmanager

import pytest
from bucket_model import BUCKET, ENDLESS, FORK, Model, contents, picture

from visner.errors import VisnerError
from visner.images.crawling import database, salvage
from visner.images.crawling.answers import Origin
from visner.images.crawling.buckets import Bucket, Outcome, PageRead

SIZE = 60  # queries
DISTINCT = SIZE * 5 + 1  # pictures


def answer(number):
    """Addresses of a query: pictures, failures, one not requested, one that all queries have."""
    urls = ["http://h/all", *(f"http://h/{number}/{rank}" for rank in range(9))]
    outcomes = [Outcome(url, None, picture(100 * number + rank)) for rank, url in enumerate(urls[:6])]
    outcomes[0] = Outcome(urls[0], None, picture(0))
    origins = {url: Origin(f"http://museum/{number}/{rank}", "CC BY 4.0") for rank, url in enumerate(urls[1:7])}
    return PageRead(ENDLESS[number], 0, urls, True, origins), [
        *outcomes,
        *(Outcome(url, "broken", None) for url in urls[6:9]),
    ]


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A bucket's file, and what is in it."""
    folder, model = tmp_path_factory.mktemp("filled"), Model()
    with Bucket(folder, BUCKET) as bucket:
        for first in range(0, SIZE, 10):
            pages, outcomes = zip(*map(answer, range(first, first + 10)), strict=True)
            outcomes = [outcome for some in outcomes for outcome in some]
            bucket.commit(pages, outcomes)
            model.commit(pages, outcomes)
    return bucket.path, model


def read_back(folder, model):
    """Numbers of the queries and pictures in a folder's bucket, all of which must be as in the model."""
    with Bucket(folder, BUCKET) as bucket:
        kept = [query for query in model.asked if bucket.query(query) is not None]
        for query in kept:
            assert bucket.query(query) == model.asked[query]
        known = bucket.outcomes(model.outcomes)
        assert known.items() <= model.known().items()
        for query in kept:
            wanted = [row for row in model.rows(query, 99, 99) if row["source_url"] in known]
            assert bucket.rows(query, 99, 99) == wanted
        assert len(kept) == bucket.select("SELECT count(*) FROM queries")[0][0]
        urls = {url for asked in model.asked.values() for url in asked.addresses}
        assert {url for (url,) in bucket.select("SELECT url FROM addresses")} <= urls
        pictures = contents(bucket)[1]
    return len(kept), pictures


def write_again(folder):
    """A salvaged bucket takes all that was lost."""
    with Bucket(folder, BUCKET) as bucket:
        pages, outcomes = zip(*map(answer, range(SIZE)), strict=True)
        bucket.commit(pages, [outcome for some in outcomes for outcome in some])
    assert salvage.faults(bucket.path) == []


@contextmanager
def said_with_its_remedy():
    """Damage that shows only when it is read stops the work with one line."""
    try:
        yield
    except VisnerError as error:
        if "visner store verify --repair" not in str(error):
            raise


def lengths():
    rng = random.Random(5)
    return [0, 1, 15, 16, 50, 99, 100, 511, 512, 4096, 8191, 8192, 8193, -1, -8192, *(rng.random() for _ in range(6))]


@pytest.mark.parametrize("length", lengths())
def test_a_file_cut_short_is_salvaged(filled, tmp_path, caplog, length):
    path, model = filled
    whole = path.read_bytes()
    length = int(length * len(whole)) if isinstance(length, float) else length % len(whole)
    (tmp_path / "07.sqlite").write_bytes(whole[:length])
    queries, pictures = read_back(tmp_path, model)
    assert "bucket 07: cut short" in caplog.text
    assert f"kept {queries:,} of its queries and {pictures:,} pictures" in caplog.text
    assert len(caplog.records) == 1
    (damaged,) = tmp_path.glob("07.sqlite.damaged-*")
    assert damaged.name in caplog.text
    assert damaged.read_bytes() == whole[:length]
    # Pictures that are whole in what is left are not lost, but for those whose place in the tables is.
    there = sum(outcome.picture.kept[-200:] in whole[:length] for outcome in model.outcomes.values() if outcome.picture)
    if length >= len(whole) - 8192:
        assert pictures >= 0.9 * there
    assert salvage.faults(tmp_path / "07.sqlite") == []
    write_again(tmp_path)
    assert read_back(tmp_path, model) == (SIZE, DISTINCT)


@pytest.mark.parametrize("seed", range(18))
def test_a_file_with_garbage_in_it_never_answers_wrongly(filled, tmp_path, caplog, seed):
    path, model = filled
    rng = random.Random(seed)
    content = bytearray(path.read_bytes())
    length = rng.choice([100, 512, 4096, 20_000])
    at = 0 if seed % 6 == 0 else rng.randrange(len(content) - length)
    content[at : at + length] = bytes(length) if seed % 2 else rng.randbytes(length)
    (tmp_path / "07.sqlite").write_bytes(content)
    with said_with_its_remedy():
        read_back(tmp_path, model)
    if salvage.faults(tmp_path / "07.sqlite"):
        salvage.salvage(tmp_path / "07.sqlite")
    queries, pictures = read_back(tmp_path, model)
    assert salvage.faults(tmp_path / "07.sqlite") == []
    if length < 1000:  # a page or two: that with all the queries here, or some of the pictures
        assert queries == SIZE or pictures == DISTINCT


@pytest.mark.parametrize("copy", [0, 1], ids=["table", "index"])
def test_an_address_that_was_altered_in_the_table_or_in_its_index_is_not_believed(filled, tmp_path, caplog, copy):
    path, model = filled
    content = path.read_bytes()
    at = -1
    for _ in range(copy + 1):
        at = content.index(b"http://h/33/4", at + 1)
    (tmp_path / "07.sqlite").write_bytes(content[:at] + b"httq" + content[at + 4 :])
    queries, pictures = read_back(tmp_path, model)
    assert "index" in caplog.text
    assert queries >= SIZE - 3
    assert pictures == DISTINCT


def test_a_lost_first_page_loses_nothing_else(filled, tmp_path):
    path, model = filled
    (tmp_path / "07.sqlite").write_bytes(bytes(database.PAGE_SIZE) + path.read_bytes()[database.PAGE_SIZE :])
    queries, pictures = read_back(tmp_path, model)
    assert (queries, pictures) == (SIZE, DISTINCT)


def open_and_close(folder):
    with Bucket(folder, BUCKET):
        pass


def test_a_salvage_that_is_killed_loses_nothing(filled, tmp_path):
    path, model = filled
    content = path.read_bytes()[:500_000]
    for name in ("undisturbed", "killed"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "07.sqlite").write_bytes(content)
    kills = 0
    for delay in range(2, 40, 4):
        process = FORK.Process(target=open_and_close, args=(tmp_path / "killed",), daemon=True)
        process.start()
        time.sleep(delay / 1000)
        process.kill()
        process.join()
        kills += process.exitcode != 0
    assert kills > 0
    assert read_back(tmp_path / "killed", model) == read_back(tmp_path / "undisturbed", model)
    assert all(file.read_bytes() == content for file in (tmp_path / "killed").glob("*.damaged-*"))
