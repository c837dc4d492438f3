"""The crawl store against plain dicts, with real files and processes."""

import hashlib
import sqlite3
import tempfile
from contextlib import closing

import pytest
from bucket_model import BUCKET, FORK, Model, contents, picture, queries
from hypothesis import given, settings
from hypothesis import strategies as st

from visner.config.images import CustomImages, EngineImages
from visner.errors import VisnerError
from visner.images.crawling import database
from visner.images.crawling.buckets import Bucket, Origin, Outcome, PageRead, bucket_of, folder_of, store_folder
from visner.runtime import tables
from visner.runtime.tables import shard_of

PICTURES = [picture(number, 40) for number in range(4)]
QUERIES = queries(4)
some_urls = st.lists(st.sampled_from([f"http://h/{n}?é=😀\0" for n in range(12)]), max_size=6)
some_queries = st.lists(st.sampled_from(QUERIES), max_size=3)
some_text = st.none() | st.sampled_from(["https://h/page", "CC BY 4.0"])
some_origins = some_urls.flatmap(
    lambda urls: st.fixed_dictionaries({url: st.builds(Origin, some_text, some_text) for url in urls})
)
some_pages = st.lists(
    st.builds(PageRead, st.sampled_from(QUERIES), st.integers(0, 3), some_urls, st.booleans(), some_origins),
    max_size=3,
)
reasons = st.sampled_from(["http-404", "broken", "timed-out"])
some_outcomes = some_urls.flatmap(
    lambda urls: st.tuples(
        *(
            st.one_of(
                st.builds(Outcome, st.just(url), reasons, st.none()),
                st.builds(Outcome, st.just(url), st.none(), st.sampled_from(PICTURES)),
            )
            for url in urls
        )
    )
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("commit"), some_pages, some_outcomes),
        st.tuples(st.just("forget"), some_queries),
        st.tuples(st.just("forget_failures"), st.none() | st.lists(reasons, max_size=2), st.none() | some_queries),
        st.tuples(st.just("reopen")),
    ),
    max_size=8,
)


@given(steps=steps, depth=st.integers(1, 5), candidates=st.integers(1, 8))
@settings(max_examples=25)
def test_a_bucket_answers_as_dicts_do(steps, depth, candidates):
    model = Model()
    with tempfile.TemporaryDirectory() as folder:
        bucket = Bucket(folder, BUCKET).__enter__()
        for name, *values in steps:
            if name == "reopen":
                bucket.__exit__()
                bucket = Bucket(folder, BUCKET).__enter__()
            else:
                assert getattr(bucket, name)(*values) == getattr(model, name)(*values)
        for query in QUERIES:
            assert bucket.query(query) == model.asked.get(query)
            assert bucket.rows(query, depth, candidates) == model.rows(query, depth, candidates)
        urls = [f"http://h/{n}?é=😀\0" for n in range(12)]
        assert bucket.outcomes(urls) == model.known()
        assert sorted(bucket.empties()) == sorted(q for q, a in model.asked.items() if a.complete and not a.addresses)
        bucket.__exit__()
        assert database.fault(bucket.path, thorough=True) is None


def test_a_picture_under_ten_addresses_is_kept_once_and_an_address_of_ten_queries_too(tmp_path):
    asked = queries(10)
    urls = [f"http://h/{number}" for number in range(10)]
    with Bucket(tmp_path, BUCKET) as bucket:
        bucket.commit(
            [PageRead(query, 0, urls, True) for query in asked], [Outcome(url, None, picture(1)) for url in urls]
        )
        assert contents(bucket) == [10, 1, 1]
        bucket.forget(asked[1:])
        assert contents(bucket) == [10, 1, 1]
        assert len(bucket.rows(asked[0], 15, 45)) == 10
        bucket.forget(asked)
        assert contents(bucket) == [0, 0, 0]


def test_what_is_forgotten_is_not_in_the_file(tmp_path):
    with Bucket(tmp_path, BUCKET) as bucket:
        bucket.commit([PageRead(QUERIES[0], 0, ["http://h/1"], True)], [Outcome("http://h/1", None, picture(1))])
        assert picture(1).kept[:500] in bucket.path.read_bytes()
        bucket.forget(QUERIES[:1])
    assert picture(1).kept[100:200] not in bucket.path.read_bytes()


def test_an_outcome_is_a_picture_or_a_reason_and_nothing_of_a_wrong_commit_is_kept(tmp_path):
    with Bucket(tmp_path, BUCKET) as bucket:
        with pytest.raises(ValueError, match="http://h/2"):
            bucket.commit(
                [PageRead(QUERIES[0], 0, ["http://h/1"], True)],
                [Outcome("http://h/1", None, picture(1)), Outcome("http://h/2", "broken", picture(2))],
            )
        assert bucket.query(QUERIES[0]) is None
        assert contents(bucket) == [0, 0, 0]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_shards_whose_number_divides_64_share_no_bucket(query):
    digest = hashlib.sha256(query.encode()).digest()
    assert bucket_of(query) == int.from_bytes(digest[:8], "big") % 64
    for shards in (1, 2, 16, 32, 64):
        assert bucket_of(query) % shards == shard_of(query, shards)


def test_the_folder_depends_on_what_decides_the_answer_and_the_kept_form(tmp_path):
    bing = EngineImages(source="bing", language="ja")
    folder = store_folder(tmp_path, bing)
    assert folder == folder_of(tmp_path, bing)
    assert folder.parent == tmp_path / "crawl"
    assert folder.name.startswith("bing-")
    assert tables.read_json(folder / "recipe.json")["language"] == "ja"
    for same in ({"depth": 3}, {"candidates": 99}, {"max_bytes": 5}, {"max_pixels": 5}, {"crawl": {"concurrency": 1}}):
        assert folder_of(tmp_path, EngineImages(source="bing", language="ja", **same)) == folder
    others = [{"language": "en"}, {"region": "JP"}, {"photos": False}, {"safe_search": "off"}, {"engine": "http://e"}]
    folders = {folder_of(tmp_path, EngineImages(**{"source": "bing", "language": "ja", **key})) for key in others}
    folders |= {folder_of(tmp_path, EngineImages(source=source, language="ja")) for source in ("google", "flickr")}
    folders |= {folder_of(tmp_path, EngineImages(source="bing", language="ja", side=128))}
    folders |= {folder_of(tmp_path, CustomImages(source="custom", file=file)) for file in ("a.py", "b.py")}
    folders |= {folder_of(tmp_path, CustomImages(source="custom", file="a.py", options={"x": 1}))}
    assert len(folders | {folder}) == len(others) + 7


def test_a_bucket_is_looked_at_while_another_process_writes_and_waited_for_when_written(tmp_path):
    go = FORK.Event()
    waiting = FORK.Process(target=open_when, args=(go, tmp_path), daemon=True)
    waiting.start()  # now: a fork inherits locks
    with Bucket(tmp_path, BUCKET) as writer:
        writer.commit([PageRead(QUERIES[0], 0, [], True)], [])
        with Bucket(tmp_path, BUCKET, read_only=True) as reader:
            assert reader.empties() == QUERIES[:1]
            writer.commit([PageRead(QUERIES[1], 0, [], True)], [])
            assert reader.empties() == QUERIES[:2]
            with pytest.raises(VisnerError, match="readonly"):
                reader.forget(QUERIES)
        go.set()
        waiting.join(0.5)
        assert waiting.is_alive()
    waiting.join(10)
    assert waiting.exitcode == 0


def open_when(go, folder):
    go.wait(20)
    with Bucket(folder, BUCKET) as bucket:
        assert bucket.empties() == QUERIES[:2]


def test_a_database_that_another_program_has_locked_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(database, "PATIENCE", 0.2)
    with Bucket(tmp_path, BUCKET) as bucket, closing(sqlite3.connect(bucket.path)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(
            VisnerError, match="locked: another program has it locked .*: run again when that program has ended$"
        ):
            bucket.commit([PageRead(QUERIES[0], 0, [], True)], [])
        other.execute("ROLLBACK")
        bucket.commit([PageRead(QUERIES[0], 0, [], True)], [])


@pytest.mark.parametrize("version", [1, 9])
def test_a_store_of_another_visner_is_refused_and_left_alone(tmp_path, version):
    with Bucket(tmp_path, BUCKET) as bucket:
        bucket.select(f"PRAGMA user_version = {version}")
    before = bucket.path.read_bytes()
    with pytest.raises(VisnerError, match=f"of version {version}, this visner's of 2"), Bucket(tmp_path, BUCKET):
        pass
    assert bucket.path.read_bytes() == before
