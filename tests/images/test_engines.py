"""What the engines are asked, by icrawler's real feeders, and what comes of it over HTTP.

Addresses are exact: if one of these tests fails after an upgrade of icrawler, a feeder has changed what it asks.
"""

import subprocess
import sys
from itertools import islice
from urllib.parse import parse_qs, urlsplit

import pytest
from engine_server import engine_server
from engine_sources import ENGINES, get, source
from hypothesis import given, settings
from hypothesis import strategies as st

from visner.errors import VisnerError
from visner.images.crawling.engines import redacted

pytestmark = pytest.mark.usefixtures("flickr_key")


QUERY_PARAMETER = {"bing": "q", "google": "q", "baidu": "word", "flickr": "text"}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with engine_server(tmp_path_factory.mktemp("web"), pictures_per_query=150, fewest=101, empty=0.3) as running:
        yield running


def pages(name: str, query: str, number: int = 2, **keys) -> list[str]:
    return list(islice(source(name, **keys).pages(query), number))


def test_bings_pages():
    assert pages("bing", "富士 山", language="ja", region="jp", safe_search="strict") == [
        "https://www.bing.com/images/async?q=%E5%AF%8C%E5%A3%AB+%E5%B1%B1&first=0&qft=+filterui:photo-photo"
        "&adlt=strict&setlang=ja&cc=jp&mkt=ja-JP",
        "https://www.bing.com/images/async?q=%E5%AF%8C%E5%A3%AB+%E5%B1%B1&first=20&qft=+filterui:photo-photo"
        "&adlt=strict&setlang=ja&cc=jp&mkt=ja-JP",
    ]
    assert pages("bing", "x", 1, photos=False, language="ja") == [
        "https://www.bing.com/images/async?q=x&first=0&adlt=moderate&setlang=ja"
    ]


def test_googles_pages():
    assert pages("google", "富士 山", language="ja", region="JP") == [
        "https://www.google.com/search?q=%E5%AF%8C%E5%A3%AB+%E5%B1%B1&ijn=0&start=0&tbs=itp%3Aphoto&tbm=isch"
        "&lr=lang_ja&safe=active&gl=jp",
        "https://www.google.com/search?q=%E5%AF%8C%E5%A3%AB+%E5%B1%B1&ijn=1&start=100&tbs=itp%3Aphoto&tbm=isch"
        "&lr=lang_ja&safe=active&gl=jp",
    ]
    assert pages("google", "x", 1, photos=False, safe_search="off") == [
        "https://www.google.com/search?q=x&ijn=0&start=0&tbs=&tbm=isch&safe=off"
    ]


def test_baidus_pages():
    asked = "http://image.baidu.com/search/acjson?tn=resultjson_com&ipn=rj&word=%E5%AF%8C%E5%A3%AB+%E5%B1%B1"
    assert pages("baidu", "富士 山", language="zh", safe_search="strict") == [
        f"{asked}&pn=0&rn=30",
        f"{asked}&pn=30&rn=30",
    ]


def test_flickrs_pages(flickr_key):
    start = (
        f"https://api.flickr.com/services/rest/?method=flickr.photos.search&api_key={flickr_key}&format=json&nojsoncallback=1"
        "&text=%E5%AF%8C%E5%A3%AB+%E5%B1%B1&sort=relevance&extras=url_l%2Curl_c%2Curl_z%2Curl_o%2Curl_m%2Clicense&per_page=100"
    )
    assert pages("flickr", "富士 山") == [
        f"{start}&safe_search=2&content_type=1&page=1&media=photos",
        f"{start}&safe_search=2&content_type=1&page=2&media=photos",
    ]
    assert pages("flickr", "富士 山", 1, safe_search="off", photos=False) == [f"{start}&safe_search=3&page=1"]


@pytest.mark.parametrize("name, number", [("bing", 50), ("google", 10), ("baidu", 34), ("flickr", 40)])
def test_an_engine_has_pages_up_to_its_cap_and_none_twice(name, number):
    asked = pages(name, "x", 1000)
    assert len(set(asked)) == len(asked) == number


ODD_QUERIES = ["A&B", "C#", "日本 京都", "100%", "a+b", "%26", "x&q=y", "#&?/=;", "\\", "\0"]


@pytest.mark.parametrize("name", ENGINES)
@settings(max_examples=30)
@given(query=st.text(min_size=1) | st.sampled_from(ODD_QUERIES))
def test_any_query_arrives_as_it_was_asked(server, name, query):
    engine = source(name, language="ja", region="JP", engine=server.url)
    page = next(engine.pages(query))
    assert page.isascii()
    # The pictures are the server's for the query that it saw.
    on_a_page = {"bing": 35, "google": 100, "baidu": 30, "flickr": 100}[name]
    assert engine.addresses(get(page)) == [f"{server.url}{path}" for path in server.web.pictures(query)[:on_a_page]]
    assert parse_qs(urlsplit(server.requests()[-1].path).query, keep_blank_values=True)[QUERY_PARAMETER[name]] == [
        query
    ]


@pytest.mark.parametrize("name", ENGINES)
def test_another_address_takes_the_place_of_scheme_and_host_alone(name):
    for public, own in zip(pages(name, "A&B"), pages(name, "A&B", engine="http://127.0.0.1:8080/"), strict=True):
        assert own == "http://127.0.0.1:8080" + public[public.index("/", 8) :]


@pytest.mark.parametrize("engine", ["www.bing.com", "https://mirror.example.org/bing", "ftp://x", "https://x?a=b"])
def test_an_address_that_is_none_is_refused(engine):
    with pytest.raises(VisnerError, match="images: engine: .* is not an address such as"):
        source("bing", engine=engine)


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("query", ["富士山", "A&B", "C#", "100%", "日本 京都"])
def test_pages_on_loopback_give_the_pictures_in_rank_order(server, name, query):
    engine = source(name, engine=server.url)
    asked_before = len(server.requests())
    asked, found = [], []
    for page in engine.pages(query):
        asked.append(page)
        addresses = engine.addresses(get(page))
        if not addresses:
            break
        assert len(set(addresses)) == len(addresses)
        found += addresses
    assert list(dict.fromkeys(found)) == [f"{server.url}{path}" for path in server.web.pictures(query)]
    assert [server.url + request.path for request in server.requests()[asked_before:]] == asked
    assert len(asked) == len(pages(name, query, len(asked)))


def test_the_web_of_these_tests_has_full_and_empty_queries(server):
    numbers = {len(server.web.pictures(query)) for query in ("富士山", "A&B", "C#", "100%", "日本 京都")}
    assert 0 in numbers
    assert max(numbers) > 100  # a second page of every engine


def test_flickr_needs_a_key(monkeypatch):
    monkeypatch.setenv("FLICKR_APIKEY", " ")
    with pytest.raises(VisnerError, match="FLICKR_APIKEY"):
        source("flickr")


def test_a_wrong_key_is_told(server, monkeypatch):
    monkeypatch.setenv("FLICKR_APIKEY", "wrong")
    flickr = source("flickr", engine=server.url)
    with pytest.raises(ValueError, match="flickr: Invalid API Key"):
        flickr.addresses(get(next(flickr.pages("x"))))


def test_the_key_reaches_no_log(caplog, flickr_key):
    caplog.set_level("DEBUG")
    page = pages("flickr", "x", 1)[0]
    assert flickr_key in page
    assert flickr_key not in redacted(page)
    assert flickr_key not in caplog.text
    assert redacted(page) == page.replace(f"api_key={flickr_key}&", "")


@pytest.mark.parametrize(
    "url, expected",
    [
        ("https://a.example/x?q=a&api_key=S&page=2", "https://a.example/x?q=a&page=2"),
        ("https://a.example/x?api_ke%79=S", "https://a.example/x"),
        ("https://a.example/x?accessToken=S&a=%26&b", "https://a.example/x?a=%26&b"),
        ("https://user:S@a.example/x?author=1#token=S", "https://a.example/x?author=1"),
        ("https://a.example/x?keyword=1&q=api_key%3D", "https://a.example/x?keyword=1&q=api_key%3D"),
        ("https://a.example/a@b?", "https://a.example/a@b?"),
        ("no address", "no address"),
    ],
)
def test_credentials_are_left_out(url, expected):
    assert redacted(url) == expected


def test_without_icrawler_the_extra_is_named():
    code = (
        "import sys; sys.modules['icrawler'] = None\n"
        "from visner.images.crawling.engines import open_engine; from visner.config.images import EngineImages\n"
        "open_engine(EngineImages(source='bing'), '.')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.splitlines()[-1].startswith("visner.errors.VisnerError: images: source 'bing' needs icrawler")
    assert done.stderr.splitlines()[-1].endswith("pip install 'visner[crawl]'")


@pytest.mark.parametrize("missing", ["aiohttp", "protego"])
def test_without_what_asks_the_extra_is_named(missing):
    code = f"import sys; sys.modules[{missing!r}] = None\nimport visner.images.crawling.shard"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    line = f"visner.errors.VisnerError: a crawl needs {missing}: make install, or pip install 'visner[crawl]'"
    assert done.stderr.splitlines()[-1] == line
    assert "During handling" not in done.stderr
