"""A bucket's file that is damaged: it is set aside, its queries are asked again, and nothing is answered wrongly."""

import random
import time
from contextlib import contextmanager

import pytest
from bucket_model import BUCKET, ENDLESS, FORK, Model, contents, picture

from visner.cli import main
from visner.config.images import EngineImages
from visner.errors import VisnerError
from visner.images.crawling import database
from visner.images.crawling.buckets import Bucket, Origin, Outcome, PageRead, store_folder

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
    """A new bucket in the place of a damaged one takes all that was lost."""
    with Bucket(folder, BUCKET) as bucket:
        pages, outcomes = zip(*map(answer, range(SIZE)), strict=True)
        bucket.commit(pages, [outcome for some in outcomes for outcome in some])
    assert database.fault(bucket.path, thorough=True) is None


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
def test_a_file_cut_short_is_set_aside_and_a_run_goes_on(filled, tmp_path, caplog, length):
    path, model = filled
    whole = path.read_bytes()
    length = int(length * len(whole)) if isinstance(length, float) else length % len(whole)
    (tmp_path / "07.sqlite").write_bytes(whole[:length])
    assert read_back(tmp_path, model) == (0, 0)
    (record,) = caplog.records
    (damaged,) = tmp_path.glob("07.sqlite.damaged-*")
    assert record.getMessage().endswith(f"set aside as {damaged.name}, and its queries are asked again")
    assert damaged.read_bytes() == whole[:length]
    write_again(tmp_path)
    assert read_back(tmp_path, model) == (SIZE, DISTINCT)


@pytest.mark.parametrize("first", [0, 16, 24, 40, 60, 90, 100])
@pytest.mark.parametrize("byte", [b"\0", b"\xaa"])
def test_a_damaged_first_page_stops_no_run(filled, tmp_path, first, byte):
    path, model = filled
    content = path.read_bytes()
    (tmp_path / "07.sqlite").write_bytes(content[:first] + 40 * byte + content[first + 40 :])
    assert read_back(tmp_path, model) in [(0, 0), (SIZE, DISTINCT)]
    write_again(tmp_path)


def repair(folder):
    """What `visner store verify --repair` does to the file of a bucket."""
    path = folder / "07.sqlite"
    if problem := database.fault(path, thorough=True):
        database.set_aside(path, problem)
    else:
        database.forget_wrong_pictures(path)


@pytest.mark.parametrize("seed", range(18))
def test_a_file_with_garbage_in_it_never_answers_wrongly(filled, tmp_path, seed):
    path, model = filled
    rng = random.Random(seed)
    content = bytearray(path.read_bytes())
    length = rng.choice([100, 512, 4096, 20_000])
    at = 0 if seed % 6 == 0 else rng.randrange(len(content) - length)
    content[at : at + length] = bytes(length) if seed % 2 else rng.randbytes(length)
    (tmp_path / "07.sqlite").write_bytes(content)
    with said_with_its_remedy():
        read_back(tmp_path, model)
    repair(tmp_path)
    queries, pictures = read_back(tmp_path, model)
    assert (queries, pictures == 0) in [(0, True), (SIZE, False)]
    assert database.fault(tmp_path / "07.sqlite", thorough=True) is None
    write_again(tmp_path)
    assert read_back(tmp_path, model) == (SIZE, DISTINCT)


@pytest.mark.parametrize("copy", [0, 1], ids=["table", "index"])
def test_an_address_that_was_altered_in_the_table_or_in_its_index_is_not_believed(filled, tmp_path, caplog, copy):
    path, model = filled
    content = path.read_bytes()
    at = -1
    for _ in range(copy + 1):
        at = content.index(b"http://h/33/4", at + 1)
    (tmp_path / "07.sqlite").write_bytes(content[:at] + b"httq" + content[at + 4 :])
    assert read_back(tmp_path, model) == (0, 0)
    assert "index" in caplog.text


def test_a_damaged_picture_costs_that_picture_alone(filled, tmp_path):
    path, model = filled
    content = bytearray(path.read_bytes())
    content[content.index(picture(3300 + 2).kept[500:600])] ^= 1
    (tmp_path / "07.sqlite").write_bytes(content)
    with pytest.raises(VisnerError, match="a picture of .* is damaged; run `visner store verify --repair`"):
        read_back(tmp_path, model)
    repair(tmp_path)
    assert read_back(tmp_path, model) == (SIZE, DISTINCT - 1)


def open_and_close(folder):
    with Bucket(folder, BUCKET):
        pass


def test_a_kill_while_a_file_is_set_aside_loses_nothing(filled, tmp_path):
    path, model = filled
    content = path.read_bytes()[:500_000]
    (tmp_path / "07.sqlite").write_bytes(content)
    kills = 0
    for delay in range(0, 40, 4):
        process = FORK.Process(target=open_and_close, args=(tmp_path,), daemon=True)
        process.start()
        time.sleep(delay / 1000)
        process.kill()
        process.join()
        kills += process.exitcode != 0
    assert kills > 0
    assert read_back(tmp_path, model) == (0, 0)
    assert [file.read_bytes() for file in tmp_path.glob("*.damaged-*")] == [content]
    write_again(tmp_path)


def test_what_was_set_aside_is_listed(filled, tmp_path, capsys):
    recipe = EngineImages(source="bing")
    folder = store_folder(tmp_path, recipe)
    (folder / "07.sqlite").write_bytes(filled[0].read_bytes()[:500_000])
    open_and_close(folder)
    assert main(["store", "show", "--recipe", recipe.model_dump_json(), "--store", str(tmp_path)]) == 0
    (damaged,) = folder.glob("07.sqlite.damaged-*")
    assert f"set aside, as it was damaged: {damaged.name}, 0.5 MB" in capsys.readouterr().out
