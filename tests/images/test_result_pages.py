"""What is read from engines' result pages, of the recorded shape (engine_pages.py), by icrawler's real parsers.

Addresses are exact: if one of these tests fails after an upgrade of icrawler, a parser has changed what it reads.
"""

import json
from urllib.parse import urlsplit

import pytest
from engine_pages import baidu_page, bing_page, flickr_page, google_page
from engine_sources import ENGINES, source
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.usefixtures("flickr_key")


PAGES = {"bing": bing_page, "google": google_page, "baidu": baidu_page, "flickr": flickr_page}

PLAIN = ["https://a.example/1.jpg", "https://b.example/%E4%BA%AC/2.jpg?", "https://c.example/3.jpg"]


@pytest.mark.parametrize("name", ENGINES)
def test_a_picture_twice_on_a_page_keeps_its_first_rank(name):
    one, two = "https://a.example/1.jpg", "https://b.example/2.jpg"
    assert source(name).addresses(PAGES[name]([one, two, one])) == [one, two]


@pytest.mark.parametrize("name", ENGINES)
def test_an_empty_result_page_is_no_error(name):
    assert source(name).addresses(PAGES[name]([])) == []


@pytest.mark.parametrize("name", ENGINES)
def test_the_query_repeated_on_an_empty_page_makes_it_no_captcha(name):
    word = "captcha unusual traffic consent.google.com /sorry/ turnstile"
    link = "<a class='q' href='/search?q=captcha+turnstile&tbm=vid'>Videos</a>"
    page = f"<html><title>{word}</title><input name='q' value='{word}'>{link}<p>No results for <b>{word}</b>".encode()
    if name in ("bing", "google"):
        assert source(name).addresses(page) == []


def test_googles_link_for_those_without_javascript_makes_an_empty_page_no_refusal():
    link = b'<noscript><meta content="0;url=/httpservice/retry/enablejs?sei=x" http-equiv="refresh"></noscript>'
    assert source("google").addresses(google_page([]).replace(b"<body>", b"<body>" + link)) == []


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize(
    "address, expected",
    [
        ("https://a.example/?reg=1&copy=2&amp=3&file=x.jpg", "https://a.example/?reg=1&copy=2&amp=3&file=x.jpg"),
        (
            "https://a.example/京都 の/写真.jpg",
            "https://a.example/%E4%BA%AC%E9%83%BD%20%E3%81%AE/%E5%86%99%E7%9C%9F.jpg",
        ),
        ("https://a.example/%E4%BA%AC.jpg", "https://a.example/%E4%BA%AC.jpg"),
        ("https://a.example/100%.jpg", "https://a.example/100%25.jpg"),
        ("https://a.example/it's+1,(2);~x.jpg", "https://a.example/it's+1,(2);~x.jpg"),
        ("https://a.example/?a=1&amp;b=2.jpg", "https://a.example/?a=1&b=2.jpg"),
        ("https://例え.jp/a.jpg", "https://例え.jp/a.jpg"),
        ("http://a.example:8080/🗻.jpg", "http://a.example:8080/%F0%9F%97%BB.jpg"),
    ],
)
@pytest.mark.parametrize("escaped", [False, True], ids=["as it is", "escaped"])
def test_addresses_come_out_of_entities_and_escapes(name, address, expected, escaped):
    page = PAGES[name]([address])
    if escaped:  # as JSON may write it
        written = json.dumps(address)[1:-1].replace("/", "\\/").replace("&", "\\u0026").replace("=", "\\u003d")
        if name == "bing":
            page = bing_page(["HERE.jpg"]).replace(b"HERE.jpg", written.encode())
        elif name == "google":
            page = google_page(["HERE"]).replace(b"HERE", written.encode())
        else:  # all their text is enciphered, or read by json
            page = page.replace(b"&", b"\\u0026").replace(b"=", b"\\u003d")
    assert source(name).addresses(page) == [expected]


def test_bing_finds_jpg_addresses_cut_behind_it():
    found = source("bing").addresses(
        bing_page(["https://a.example/1.jpg?w=300", "https://a.example/2.png", "https://a.example/3.jpg"])
    )
    assert found == ["https://a.example/1.jpg", "https://a.example/3.jpg"]


def test_bing_does_not_run_on_into_the_next_value():
    page = bing_page(["https://a.example/2.png"]).replace(b"A picture", b"holiday.jpg")
    assert source("bing").addresses(page) == ["https://a.example/2.png"]


def test_bings_blocks_without_a_link_cost_no_picture():
    page = bing_page(["https://a.example/1.jpg?a=1&b=2", "https://a.example/?a=1&copy=2.jpg"])
    page = page.replace(b'<li data-idx="2">', b'<li><div class="imgpt"><span>An advert</span></div></li><li>')
    assert source("bing").addresses(page) == ["https://a.example/1.jpg", "https://a.example/?a=1&copy=2.jpg"]


def test_google_passes_over_its_own_furniture_only():
    own = ["https://www.google.co.jp/images/nav_logo.png", "https://ssl.gstatic.com/ui/v1/icon.png"]
    users = [
        "https://lh3.googleusercontent.com/p/a.jpg",
        "https://google.com.example.org/b.png",
        "https://mygoogle.com/c.jpg",
    ]
    assert source("google").addresses(google_page([*own, *users])) == users
    assert source("google").addresses(google_page(own)) == []


@pytest.mark.filterwarnings("error")  # Python means to refuse unknown escapes, of which JSON's \\/ is one
def test_google_is_read_beyond_scripts_that_only_look_like_addresses():
    script = rb'<script>s=["http://schema.org/X","logo.png"];p="http\user\xzz.jpg";</script><script>AF_init'
    page = google_page(["https://a.example/1.jpg"]).replace(b'<script nonce="a">AF_init', script, 1)
    assert source("google").addresses(page) == ["https://a.example/1.jpg"]


def test_google_takes_the_address_that_ends_as_a_picture_of_several():
    page = b'<script>[1,"https://blog.example/entry","https://a.example/1.jpg",600]</script>'
    assert source("google").addresses(page) == ["https://a.example/1.jpg"]


@pytest.mark.filterwarnings("error")
def test_google_reads_a_string_within_a_string():
    page = rb'<script>x="[\"https:\/\/a.example\\/\/?a\\u003d1\\u0026b\\u003d2.jpg\",600]"</script>'
    assert source("google").addresses(page) == ["https://a.example//?a=1&b=2.jpg"]


def test_baidu_takes_the_hover_address_where_there_is_no_other():
    page = json.loads(baidu_page(["https://a.example/1.jpg", "https://a.example/2.jpg", "https://a.example/3.jpg"]))
    del page["data"][1]["objURL"]
    page["data"][2] = {"hoverURL": ""}
    hover = "http://img1.baidu.com/it/u=1,2&fm=253&fmt=auto"
    assert source("baidu").addresses(json.dumps(page).encode()) == ["https://a.example/1.jpg", hover]


def test_baidus_spoilt_json_is_read():
    page = baidu_page(["https://a.example/1.jpg"]).replace("图片".encode(), rb"it\'s" + b"\n")
    assert source("baidu").addresses(page) == ["https://a.example/1.jpg"]


def test_flickr_gives_the_large_size_before_the_original_and_leaves_out_what_has_none():
    photos = [
        {"id": "1", "url_o": "https://live.staticflickr.com/1_o.jpg", "url_l": "https://live.staticflickr.com/1_b.jpg"},
        {"id": "2", "url_m": "https://live.staticflickr.com/2.jpg", "url_o": "https://live.staticflickr.com/2_o.png"},
        {"id": "3"},
        {"id": "4", "url_m": "https://live.staticflickr.com/4.jpg", "url_z": "https://live.staticflickr.com/4_z.jpg"},
    ]
    page = json.dumps({"photos": {"page": 1, "pages": 1, "photo": photos}, "stat": "ok"}).encode()
    assert source("flickr").addresses(page) == [
        "https://live.staticflickr.com/1_b.jpg",
        "https://live.staticflickr.com/2_o.png",
        "https://live.staticflickr.com/4_z.jpg",
    ]


def test_case_the_source_page_and_the_licence_are_read_where_an_engine_names_them():
    first, second = "https://a.example/1.jpg", "https://a.example/2.jpg?a=1&copy=2"
    bing = source("bing").origins(bing_page([first, second]))
    page = "https://blog.example.org/entry?id=7&page=2"
    # An address is known as the parser gives it, cut behind .jpg.
    assert bing == {first: (page, None), "https://a.example/2.jpg": (page, None)}
    assert list(bing) == source("bing").addresses(bing_page([first, second]))
    baidu = json.loads(baidu_page([first, page, second]))  # the second is enciphered as its page would be
    baidu["data"][0]["fromURL"] = baidu["data"].pop(1)["objURL"]
    assert source("baidu").origins(json.dumps(baidu).encode()) == {first: (page, None)}
    flickr = json.loads(flickr_page(["https://live.staticflickr.com/1_b.jpg", "https://live.staticflickr.com/2_b.jpg"]))
    flickr["photos"]["photo"][0]["license"] = "4"
    flickr["photos"]["photo"][1]["license"] = 12
    assert source("flickr").origins(json.dumps(flickr).encode()) == {
        "https://live.staticflickr.com/1_b.jpg": ("https://www.flickr.com/photos/9@N00/53000", "CC BY 2.0"),
        "https://live.staticflickr.com/2_b.jpg": ("https://www.flickr.com/photos/9@N00/53001", "flickr license 12"),
    }
    assert source("google").origins(google_page([first])) == {}


def test_flickrs_last_page_over_again_is_no_page():
    assert source("flickr").addresses(flickr_page(PLAIN, page=3, pages=2)) == []


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize(
    "page, what",
    [
        (
            "<html><body><form id='captcha-form' action='index' method='post'><div class='g-recaptcha'></div></form>"
            "Our systems have detected unusual traffic from your computer network.",
            "a page about unusual traffic",
        ),
        ("<a href='https://www.google.com/sorry/index?continue=x'>here</a>", "a page about unusual traffic"),
        (
            "<script>logo='https://www.gstatic.com/images/logo.png'</script>"
            '<form action="https://consent.google.com/save" method="POST"><button>Reject all</button></form>',
            "a page that asks for consent",
        ),
        ("<meta content='0;url=/httpservice/retry/enablejs?sei=x' http-equiv='refresh'>", "asks for JavaScript"),
        ("<h1>One last step</h1><div class=\"captcha\"><iframe src='/turing/captcha/challenge'></iframe>", "a captcha"),
        ("<script src='https://challenges.cloudflare.com/turnstile/v0/api.js'></script>", "a captcha"),
        ("<html><head><title>百度安全验证</title></head>", "a captcha"),
    ],
)
def test_the_usual_other_pages_are_told(name, page, what):
    with pytest.raises(ValueError, match=f"{name}: .*{what}"):
        source(name).addresses(page.encode())


@pytest.mark.parametrize("name", ENGINES)
def test_a_result_page_with_a_banner_about_consent_is_a_result_page(name):
    if name in ("bing", "google"):
        page = b'<form action="https://consent.example.org/save"></form>' + PAGES[name](PLAIN[:1])
        assert source(name).addresses(page) == PLAIN[:1]


@pytest.mark.parametrize(
    "name, page, what",
    [
        ("baidu", b'{"antiFlag":1,"message":"Forbid spider access"}', "Forbid spider access"),
        ("baidu", b"<html>moved</html>", "not a result page that icrawler reads"),
        ("baidu", b"[" * 100_000, "not a result page"),
        ("baidu", b"[]", "not a result page"),
        ("baidu", b'{"data": [null]}', "not a result page"),
        ("baidu", b'{"data": [{"objURL": "https://a.example/1.jpg"}]}', "none of the page's 1 addresses can be read"),
        ("flickr", b'{"stat": "fail", "code": 105, "message": "Service currently unavailable"}', "currently unavail"),
        ("flickr", b"<html>502</html>", "not a result page"),
        ("baidu", b'{"data": [{"hoverURL": 3}]}', "not a result page"),
        ("flickr", b'{"stat": "ok"}', "not a result page"),
    ],
)
def test_an_engines_error_is_told_in_its_words(name, page, what):
    with pytest.raises(ValueError, match=f"^{name}: .*{what}"):
        source(name).addresses(page)


@pytest.mark.parametrize("name", ENGINES)
@given(page=st.binary() | st.text().map(str.encode))
def test_any_page_gives_addresses_or_a_value_error(name, page):
    source(name).origins(page)  # raises nothing
    try:
        found = source(name).addresses(page)
    except ValueError:
        return
    assert all(address.isascii() or urlsplit(address).hostname for address in found)
