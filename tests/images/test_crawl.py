"""A crawl of a loopback web: what it ends with, what it asks for, and what stops it."""

import logging
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import pytest
from engine_server import engine_server
from hostile_bodies import BODIES
from hostile_server import HostileServer
from loopback_crawl import FAST, QUERIES, SOURCE, WEB, asked, bing, crawl, custom, expected, outcomes

from visner.config.images import Crawl, CustomImages, EngineImages
from visner.errors import VisnerError
from visner.images.crawling import network
from visner.images.crawling.buckets import bucket_of
from visner.images.crawling.crawl import Crawl as Crawling
from visner.runtime import tables


@pytest.mark.parametrize("depth, candidates", [(4, 8), (1, 1), (50, 60)])
def test_a_query_ends_with_its_first_usable_pictures(tmp_path, server, depth, candidates):
    rows = crawl(tmp_path, bing(server, depth=depth, candidates=candidates))
    assert outcomes(rows) == expected(server, depth, candidates)
    assert sorted(asked(server, "/pictures/")) == sorted(row["source_url"].removeprefix(server.url) for row in rows)
    assert all((row["bytes"] is None) == (row["reason"] is not None) for row in rows)


def test_nothing_is_asked_twice(tmp_path, server):
    first = crawl(tmp_path, bing(server))
    before = server.requests()
    assert crawl(tmp_path, bing(server)) == first
    assert server.requests() == before
    deeper = bing(server, depth=30, candidates=60)  # needs second pages, too
    rows = crawl(tmp_path, deeper, [*QUERIES, "新しい"])
    assert len(rows) > len(first)
    paths = asked(server, "/images/async") + asked(server, "/pictures/")  # robots.txt: once a crawl
    assert len(paths) == len(set(paths))
    assert crawl(tmp_path, bing(server)) == first  # and less again


def test_a_damaged_bucket_is_set_aside_and_its_queries_alone_are_asked_again(tmp_path, server, caplog):
    first = crawl(tmp_path, bing(server))
    damaged = sorted((tmp_path / "store").rglob("*.sqlite"))[0]
    damaged.write_bytes(damaged.read_bytes()[:30_000])
    before = len(asked(server, "/images/async"))
    assert crawl(tmp_path, bing(server)) == first
    assert f"set aside as {damaged.name}.damaged-" in caplog.text
    lost = [query for query in QUERIES if bucket_of(query) == int(damaged.stem)]
    pages = asked(server, "/images/async")[before:]
    assert sorted({parse_qs(urlsplit(page).query)["q"][0] for page in pages}) == sorted(lost)


def test_fewer_is_a_fact_and_none_a_warning(tmp_path, server, caplog):
    with caplog.at_level(logging.WARNING, logger="visner"):
        rows = crawl(tmp_path, bing(server))
    covered = {row["query"] for row in rows if row["reason"] is None}
    without = {query for query in QUERIES if query not in covered}
    assert without
    assert all(any(repr(query) in message for message in caplog.messages) for query in without)


def with_pictures(server, wanted: bool, number: int) -> list[str]:
    """So many queries that have pictures, or that have none."""
    found = (query for query in map("問{}".format, range(10_000)) if bool(server.web.pictures(query)) == wanted)
    return [next(found) for _ in range(number)]


def test_a_share_of_empty_queries_stops_and_they_are_asked_again(tmp_path, server):
    queries = [*QUERIES[:5], *with_pictures(server, False, 30)]
    with pytest.raises(VisnerError, match=r"no address for \d+ of \d+ queries.*changed its page"):
        crawl(tmp_path, bing(server), queries)
    pictures, pages = asked(server, "/pictures/"), asked(server, "/images/async")
    lenient = FAST.model_copy(update={"max_empty": 1.0})
    crawl(tmp_path, bing(server, crawl=lenient), queries)
    assert len(asked(server, "/images/async")) - len(pages) >= 15  # the empty ones, anew
    again = asked(server, "/pictures/")[len(pictures) :]
    assert len(set(pictures) & set(again)) <= FAST.concurrency  # only what was in flight


def test_of_google_it_is_known_why_its_pages_name_nothing():
    work = Crawling(EngineImages(source="google"), None, {}, [], None, Counter())
    with pytest.raises(VisnerError, match="no address for 20 of 20 queries.*icrawler reads no picture from Google"):
        for number in range(20):
            work._judge(str(number), named=False)


def test_empty_queries_are_judged_by_what_the_engine_says_and_not_by_who_is_done_first(tmp_path, server):
    some, none = with_pictures(server, True, 40), with_pictures(server, False, 30)
    mixed = [query for pair in zip(some, none, strict=False) for query in pair] + some[30:]
    recipe = bing(server, depth=15, candidates=40)
    assert {row["query"] for row in crawl(tmp_path, recipe, mixed)} == set(some)


def test_better_days_in_the_store_excuse_no_empty_pages_now(tmp_path, server):
    good, none = with_pictures(server, True, 60), with_pictures(server, False, 25)
    first = crawl(tmp_path, bing(server, depth=1, candidates=1), good)
    with pytest.raises(VisnerError, match="changed its page"):
        crawl(tmp_path, bing(server, depth=1, candidates=1), [*good, *none])
    assert crawl(tmp_path, bing(server, depth=1, candidates=1), good) == first


def test_a_network_that_is_away_is_no_fault_of_the_addresses(tmp_path):
    with engine_server(tmp_path, **WEB) as server:
        shallow, deep = bing(server, depth=1, candidates=1), bing(server, depth=6, candidates=9)
        crawl(tmp_path, shallow)  # their pages are known now
    with pytest.raises(VisnerError, match="no server answers any more|unreachable"):
        crawl(tmp_path, deep)
    with engine_server(tmp_path, port=int(server.url.rpartition(":")[2]), **WEB) as server:
        rows = crawl(tmp_path, deep)
        assert outcomes(rows) == expected(server, 6, 9)


def test_a_network_that_comes_back_is_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(network, "FIRST_PAUSE", 0.2)
    with engine_server(tmp_path, **WEB) as server:
        crawl(tmp_path, bing(server, depth=1, candidates=1))
    port = int(server.url.rpartition(":")[2])
    patient = FAST.model_copy(update={"patience": 120.0})
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(crawl, tmp_path, bing(server, depth=6, candidates=9, crawl=patient))
        time.sleep(1.5)
        with engine_server(tmp_path, port=port, **WEB) as server:
            rows = coming.result()
    assert outcomes(rows) == expected(server, 6, 9)


def test_a_finished_store_needs_neither_network_nor_name(tmp_path):
    with engine_server(tmp_path, **WEB) as server:
        first = crawl(tmp_path, bing(server))
    assert crawl(tmp_path, bing(server, crawl=Crawl())) == first


def test_an_engine_that_is_away_stops_with_nothing_lost(tmp_path):
    with engine_server(tmp_path, **WEB) as server:
        recipe = bing(server)
        first = crawl(tmp_path, recipe, QUERIES[:8])
    with pytest.raises(VisnerError, match="first=0.* unreachable: .*run again later"):
        crawl(tmp_path, recipe)
    with engine_server(tmp_path, port=int(server.url.rpartition(":")[2]), **WEB) as server:
        rows = crawl(tmp_path, recipe)
    assert rows[: len(first)] == first
    paths = asked(server, "/images/async") + asked(server, "/pictures/")
    assert len(paths) == len(set(paths))


def test_one_address_for_many_queries_is_fetched_once_a_bucket(tmp_path, server):
    paths = [path for path in server.web.pictures("京都") if server.web.failure(path) is None][:3]
    (tmp_path / "mine.py").write_text(SOURCE)
    same = [query for query in map(str, range(2000)) if bucket_of(query) == bucket_of("0")][:10]
    recipe = CustomImages(
        source="custom", file="mine.py", options={"server": server.url, "paths": paths}, depth=3, side=32, crawl=FAST
    )
    rows = crawl(tmp_path, recipe, same, root=tmp_path)
    assert [row["source_url"].removeprefix(server.url) for row in rows] == paths * 10
    assert sorted(asked(server, "/pictures/")) == sorted(paths)


HOSTILE = {
    "/drip-body": "timed-out",
    "/hang": "timed-out",
    "/hang/at-once": "timed-out",
    "/reset/at-once": "unreachable",
    "/truncated.jpg": "broken",
    "/announced/+100": "incomplete",
    "/html-as.jpg": "not-a-picture",
    "/bomb.png": "too-many-pixels",
    "/frames.gif": "animated",
    "/entity": "not-a-picture",
    "/empty": "empty",
    "/endless": "too-many-bytes",
    "/redirect-loop": "too-many-redirects",
    "/redirect?to=file:///etc/passwd": "refused-scheme",
    "/status/403": "http-403",
    "/status/410": "http-410",
    "/compressed/br": "bad-answer",
    "/format/webp": None,
    "/format/cmyk": None,
    "/picture/1.jpg": None,
}


def test_what_the_open_web_does_becomes_rows_with_reasons(tmp_path):
    for path in HOSTILE.keys() & BODIES.keys():
        BODIES[path][1]()  # made now: on a busy machine that may take longer than the time-out
    with HostileServer() as server:
        (tmp_path / "mine.py").write_text(SOURCE)
        options = {"server": server.url, "page": "/page"}
        options["paths"] = [*HOSTILE, f"/redirect?to={server.forbidden_url}"]
        limits = FAST.model_copy(update={"read_timeout": 0.5, "total_timeout": 1.0})
        sizes = {"depth": 30, "max_bytes": 3_000_000}
        recipe = CustomImages(source="custom", file="mine.py", options=options, crawl=limits, **sizes)
        rows = crawl(tmp_path, recipe, ["京都"], root=tmp_path)
        found = {row["source_url"].removeprefix(server.url): row["reason"] for row in rows}
        assert found == HOSTILE | {f"/redirect?to={server.forbidden_url}": "refused-address"}
        assert not server.forbidden_connections


TRANSIENT = {"/flaky/503/1/a": "throttled", "/flaky/429/1/b": "throttled", "/flaky/502/1/c": "http-502"}
TRANSIENT |= {"/late/1/2.jpg": "timed-out", "/flaky/404/1/d": "http-404", "/picture/1.jpg": None}


def test_case_what_failed_for_now_is_asked_again_by_the_next_run(tmp_path, plain_environment, caplog):
    with HostileServer() as server, caplog.at_level(logging.INFO, "visner"):
        limits = FAST.model_copy(update={"total_timeout": 1.0})
        recipe = custom(tmp_path, server, list(TRANSIENT), "/page", crawl=limits)

        def reasons() -> dict:
            rows = crawl(tmp_path, recipe, ["京都"], root=tmp_path)
            return {row["source_url"].removeprefix(server.url): row["reason"] for row in rows}

        assert reasons() == TRANSIENT
        assert "failed for now: the next run asks them again" in caplog.text
        before = len(server.paths())
        assert reasons() == dict.fromkeys(TRANSIENT) | {"/flaky/404/1/d": "http-404"}
        again = [path for path in server.paths()[before:] if path != "/robots.txt"]
        assert set(again) == {path for path, reason in TRANSIENT.items() if reason and reason != "http-404"}
        before = server.paths()
        assert reasons() == dict.fromkeys(TRANSIENT) | {"/flaky/404/1/d": "http-404"}
        assert server.paths() == before


def test_a_picture_that_comes_later_takes_its_place_in_rank_order(tmp_path, plain_environment):
    with HostileServer() as server:
        recipe = custom(tmp_path, server, ["/flaky/503/1/a", "/picture/1.jpg", "/picture/2.jpg"], "/page", depth=2)
        found = [
            [(row["rank"], row["reason"]) for row in crawl(tmp_path, recipe, ["京都"], root=tmp_path)] for _ in range(2)
        ]
    assert found == [[(0, "throttled"), (1, None), (2, None)], [(0, None), (1, None)]]


def test_where_only_what_failed_for_now_is_missing_no_network_is_needed(tmp_path, plain_environment, caplog):
    with HostileServer() as server:
        patient = FAST.model_copy(update={"patience": 3600.0})
        recipe = custom(tmp_path, server, ["/status/503", "/picture/1.jpg"], "/page", crawl=patient)
        first = crawl(tmp_path, recipe, ["京都"], root=tmp_path)
        assert [row["reason"] for row in first] == ["throttled", None]
    assert crawl(tmp_path, recipe, ["京都"], root=tmp_path) == first
    assert "what had failed for now stays so" in caplog.text
    with pytest.raises(VisnerError, match="run again later"):  # of a query that was never asked, it is
        crawl(tmp_path, custom(tmp_path, server, ["/status/503", "/picture/1.jpg"], "/page"), ["富士山"], root=tmp_path)


def test_case_a_picture_that_its_host_reserves_is_a_row_and_counted(tmp_path):
    with HostileServer() as server:
        recipe = custom(tmp_path, server, ["/tagged/1.jpg?tag=noai", "/picture/2.jpg"], "/page")
        rows = crawl(tmp_path, recipe, ["京都"], root=tmp_path)
    assert [row["reason"] for row in rows] == ["x-robots-tag", None]
    assert tables.read_provenance(tmp_path / "0.parquet")["counts"]["rejected"] == {"x-robots-tag": 1}


def test_case_the_source_page_and_the_licence_are_kept(tmp_path, server):
    rows = crawl(tmp_path, bing(server), QUERIES[:2])
    assert rows
    assert {(row["source_page"], row["licence"]) for row in rows} == {
        ("https://blog.example.org/entry?id=7&page=2", None)
    }
    recipe = custom(tmp_path, server, server.web.pictures("京都")[:2], "/robots.txt")
    named = "{self.server + self.paths[0]: {'page': 'https://me:SECRET@museum.example/1', 'licence': 'CC0 1.0'}}"
    (tmp_path / "mine.py").write_text(f"{SOURCE}\n    def origins(self, page):\n        return {named}\n")
    rows = crawl(tmp_path, recipe, ["京都"], root=tmp_path)
    origins = [(row["source_page"], row["licence"]) for row in rows]
    assert origins == [("https://museum.example/1", "CC0 1.0"), (None, None)]


def test_an_engine_that_throttles_is_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(network, "FIRST_PAUSE", 0.05)
    with HostileServer() as server:
        patient = FAST.model_copy(update={"patience": 5.0})
        recipe = custom(tmp_path, server, ["/picture/1.jpg"], "/flaky/503/3/page", crawl=patient)
        rows = crawl(tmp_path, recipe, ["京都"], root=tmp_path)
        assert [row["reason"] for row in rows] == [None]
        assert sum(path.startswith("/flaky") for path in server.paths()) == 4


def test_while_an_engine_is_away_one_query_asks_for_all(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(network, "FIRST_PAUSE", 0.2)
    with engine_server(tmp_path, **WEB) as server:
        pass
    patient = FAST.model_copy(update={"patience": 120.0})
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(crawl, tmp_path, bing(server, crawl=patient))
        time.sleep(2)
        with engine_server(tmp_path, port=int(server.url.rpartition(":")[2]), **WEB) as server:
            assert outcomes(coming.result()) == expected(server, 4, 8)
    waits = sum("asked again" in message for message in caplog.messages)
    assert 1 <= waits < len(QUERIES) // 2


def test_one_query_that_the_engine_always_fails_on_stops_after_patience(tmp_path, monkeypatch):
    monkeypatch.setattr(network, "FIRST_PAUSE", 0.1)
    page = "\n    def pages(self, query):\n        yield self.server + ('/status/500' if query == '空' else '/page')\n"
    with HostileServer() as server:
        recipe = custom(tmp_path, server, [], "/page", crawl=FAST.model_copy(update={"patience": 0.5}))
        (tmp_path / "mine.py").write_text(SOURCE + page)
        with pytest.raises(VisnerError, match=r"'空': .*/status/500: http-500.*run again later"):
            crawl(tmp_path, recipe, root=tmp_path)
        assert server.paths().count("/status/500") <= 4


def test_what_a_page_names_is_stored_without_passwords_and_only_as_text(tmp_path):
    with HostileServer() as server:
        recipe = custom(tmp_path, server, [], "/page")
        secret = server.url.replace("//", "//me:SECRET@") + "/picture/1.jpg"
        source = f"\n    def addresses(self, page):\n        return [{secret!r}, 'http://x/\\ud800.jpg']\n"
        (tmp_path / "mine.py").write_text(SOURCE + source)
        rows = crawl(tmp_path, recipe, ["京都"], root=tmp_path)
        assert [row["source_url"] for row in rows] == [f"{server.url}/picture/1.jpg"]
        assert not [path for path in tmp_path.rglob("store/**/*.sqlite") if b"SECRET" in path.read_bytes()]


def test_a_source_that_names_no_pages_gives_no_pictures(tmp_path, server):
    recipe = custom(tmp_path, server, [], "/page")
    source = "\n    def pages(self, query):\n        return iter(())\n"
    (tmp_path / "mine.py").write_text(SOURCE + source)
    assert crawl(tmp_path, recipe, ["京都"], root=tmp_path) == []


def test_a_wrong_source_of_ones_own_is_named_with_its_line(tmp_path, server):
    (tmp_path / "mine.py").write_text(SOURCE.replace("return [", "return 1 / 0 and ["))
    options = {"server": server.url, "paths": []}
    recipe = CustomImages(source="custom", file="mine.py", options=options, crawl=FAST)
    with pytest.raises(VisnerError, match=r"mine\.py.*division by zero"):
        crawl(tmp_path, recipe, ["京都"], root=tmp_path)
