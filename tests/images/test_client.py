"""One address to its bytes or its reason, against a real server that misbehaves."""

import asyncio
import os
import resource
import shutil
import subprocess
import sys
import time
import tracemalloc
from email.utils import formatdate

import pytest
from hostile_bodies import gzip_bomb, picture
from hostile_server import HostileServer

pytest.importorskip("aiohttp")

from visner.errors import VisnerError
from visner.images.crawling import client as crawl_client
from visner.images.crawling.client import FAILURES, Client, Failure, request_url
from visner.images.prepare import Rejected, prepare
from visner.recipes import Crawl

LIMIT = 100_000
FAST = {
    "user_agent": "visner-test/1.0 (someone@example.org)",
    "robots": False,
    "host_rate": None,
    "host_concurrency": 20,
    "connect_timeout": 1.0,
    "read_timeout": 0.3,
    "total_timeout": 0.6,
    "retries": 0,
    "allow_hosts": ["127.0.0.1"],
}


@pytest.fixture
def server():
    with HostileServer() as server:
        yield server


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch):
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setattr(crawl_client, "FIRST_DELAY", 0.02)


def get_all(urls, max_bytes: int = LIMIT, heed_robots: bool = True, **settings) -> list:
    """What one client gives for addresses asked for at once: bytes or Failures."""

    async def run():
        async with Client(Crawl(**FAST | settings), max_bytes) as client:
            gets = (client.get(url, heed_robots=heed_robots) for url in urls)
            return await asyncio.wait_for(asyncio.gather(*gets, return_exceptions=True), 20)

    return asyncio.run(run())


def get(url: str, **settings) -> bytes:
    (answer,) = get_all([url], **settings)
    if isinstance(answer, BaseException):
        raise answer
    return answer


def failure(url: str, **settings) -> Failure:
    with pytest.raises(Failure) as caught:
        get(url, **settings)
    assert caught.value.reason in FAILURES or caught.value.reason.startswith("http-")
    return caught.value


def reason(url: str, **settings) -> str:
    return failure(url, **settings).reason


def kept(content: bytes):
    return prepare(content, side=256, max_bytes=LIMIT, max_pixels=40_000_000)


def test_pictures_come_as_they_are_on_one_connection_each(server):
    urls = [f"{server.url}/picture/{number}.jpg" for number in range(30)]
    assert get_all(urls) == [picture(number) for number in range(30)]
    assert len(set(get_all(urls))) == 30
    assert len(server.log) == 60


def test_who_asks_says_so_and_asks_for_pictures(server):
    get(f"{server.url}/picture/1.jpg")
    (headers,) = server.headers
    assert headers["User-Agent"] == FAST["user_agent"]
    assert headers["Accept"].startswith("image/")
    assert headers["Accept-Encoding"] == "identity"
    assert not {"Cookie", "Authorization", "Referer"} & set(headers)


def test_no_name_no_crawl():
    with pytest.raises(VisnerError, match="user_agent"):
        Client(Crawl(), LIMIT)


@pytest.mark.parametrize("name", "png gif webp avif bmp tiff cmyk palette alpha exif-rotated".split())
def test_pictures_of_all_kinds_are_kept(server, name):
    found = kept(get(f"{server.url}/format/{name}"))
    assert (found.width, found.height) == ((30, 40) if name == "exif-rotated" else (40, 30))


@pytest.mark.parametrize(
    "path, expected",
    [
        ("/html-as.jpg", "not-a-picture"),
        ("/entity.svg", "not-a-picture"),
        ("/empty", "empty"),
        ("/truncated.jpg", "broken"),
        ("/bomb.png", "too-many-pixels"),
        ("/frames.gif", "animated"),
    ],
)
def test_good_http_with_bad_pictures(server, path, expected):
    content = get(server.url + path, max_bytes=500_000)
    with pytest.raises(Rejected) as rejection:
        prepare(content, side=256, max_bytes=500_000, max_pixels=40_000_000)
    assert rejection.value.reason == expected
    assert server.paths() == [path]  # nothing that a picture names is fetched


@pytest.mark.parametrize(
    "path, expected, transient",
    [
        ("/drip-headers", "timed-out", True),
        ("/drip-body", "timed-out", True),
        ("/hang", "timed-out", True),
        ("/hang/at-once", "timed-out", True),
        ("/reset", "incomplete", True),
        ("/reset/at-once", "unreachable", True),
        ("/announced/+100", "incomplete", True),
        ("/not-http", "bad-answer", False),
        ("/endless", "too-many-bytes", False),
        ("/endless/header", "bad-answer", False),
        ("/announced/100001", "too-many-bytes", False),
        ("/gzip-bomb", "too-many-bytes", False),
        ("/compressed/truncated", "bad-answer", False),
        ("/compressed/garbage", "bad-answer", False),
        ("/compressed/br", "bad-answer", False),
        ("/redirect-loop", "too-many-redirects", False),
        ("/redirect?to=file:///etc/passwd", "refused-scheme", False),
        ("/redirect?to=http://[", "refused-scheme", False),
        ("/redirect?to=http://169.254.169.254/latest/meta-data", "refused-address", False),
        ("/redirect?to=http://10.0.0.1/", "refused-address", False),
        ("/redirect?to=http://[::1]/", "refused-address", False),
        ("/redirect?to=http://[::ffff:127.0.0.2]/", "refused-address", False),
        ("/redirect?to=http://2130706434/", "refused-scheme", False),  # 127.0.0.2, as inet_aton reads it
        ("/redirect?to=http://0x7f.0.0.2/", "refused-address", False),
        ("/status/403", "http-403", False),
        ("/status/404", "http-404", False),
        ("/status/410", "http-410", False),
        ("/status/204", "http-204", False),
        ("/status/429", "throttled", True),
        ("/status/500", "http-500", True),
        ("/status/502", "http-502", True),
        ("/status/503", "throttled", True),
    ],
)
def test_bad_http_has_its_reason_in_bounded_time(server, path, expected, transient):
    began = time.monotonic()
    found = failure(server.url + path)
    assert (found.reason, found.transient) == (expected, transient)
    assert time.monotonic() - began < 2
    assert len(server.log) == (6 if expected == "too-many-redirects" else 1)


def test_a_bomb_is_left_long_before_its_end(server):
    """20 MB of zeros in 20 kB: no more than the limit is ever unpacked."""
    gzip_bomb()
    reason(f"{server.url}/gzip-bomb")
    tracemalloc.start()
    try:
        assert reason(f"{server.url}/gzip-bomb") == "too-many-bytes"
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


def test_more_than_was_announced_is_never_a_picture(server):
    """What is behind the announced length is dropped, or ends the answer if it came with the rest."""
    (answer,) = get_all([f"{server.url}/announced/-300"])
    if isinstance(answer, Failure):
        assert answer.reason == "bad-answer"
    else:
        assert answer == picture(1)[:-300]
        with pytest.raises(Rejected, match="broken"):
            kept(answer)


def test_bodies_without_a_length_and_compressed_ones_come_whole(server):
    paths = ["no-length", "compressed/gzip", "compressed/deflate", "compressed/bare"]
    assert get_all([f"{server.url}/{path}" for path in paths]) == [picture(1)] * 4


def test_the_limit_holds_to_the_byte(server):
    size = len(picture(1))
    for path in ("/picture/1.jpg", "/no-length", "/compressed/gzip"):
        assert len(get(server.url + path, max_bytes=size)) == size
        assert reason(server.url + path, max_bytes=size - 1) == "too-many-bytes"


def test_redirects_are_followed_as_far_as_allowed(server):
    assert get(f"{server.url}/redirect/5") == picture(1)
    assert get(f"{server.url}/redirect?to={server.url}/picture/2.jpg") == picture(2)
    assert get(f"{server.url}/redirect?to=//127.0.0.1:{server.port}/picture/2.jpg") == picture(2)
    assert reason(f"{server.url}/redirect/6") == "too-many-redirects"
    assert reason(f"{server.url}/redirect/1", redirects=0) == "too-many-redirects"


def test_no_connection_reaches_an_address_that_is_not_allowed(server):
    port = server.port
    secret = f"{server.forbidden_url}/secret"
    assert reason(secret) == "refused-address"
    assert reason(f"{server.url}/redirect?to={secret}") == "refused-address"
    assert reason(f"{server.url}/redirect?to={secret}", robots=True) == "refused-address"
    assert reason(f"{server.url}/secret", allow_hosts=[]) == "refused-address"
    assert reason(f"http://localhost:{port}/secret", allow_hosts=[]) == "refused-address"
    assert server.forbidden_connections == []
    assert "/secret" not in server.paths()
    # The same with what is let through, so that the above refuses and does not just fail.
    assert get(secret, allow_hosts=["127.0.0.0/8"]) == b"secret"
    assert get(f"{server.url}/redirect?to={secret}", allow_hosts=["127.0.0.1", "127.0.0.2"]) == b"secret"
    assert len(server.forbidden_connections) == 2


def test_a_name_is_refused_for_what_it_resolves_to(server):
    """The first hop is allowed, the name that it leads to is this machine's."""
    local = f"http://localhost:{server.port}/secret"
    assert reason(f"{server.forbidden_url}/redirect?to={local}", allow_hosts=["127.0.0.2"]) == "refused-address"
    assert "/secret" not in server.paths()
    assert get(f"{server.forbidden_url}/redirect?to={local}", allow_hosts=["127.0.0.0/8"]) == b"secret"


def test_an_allowed_name_does_not_allow_its_address(server):
    assert get(f"http://LOCALHOST:{server.port}/secret", allow_hosts=["localhost"]) == b"secret"
    assert reason(f"{server.url}/secret", allow_hosts=["localhost"]) == "refused-address"
    assert server.paths() == ["/secret"]


def test_names_that_do_not_resolve_and_ports_that_nobody_listens_on(server):
    found = failure("http://no-such-host.invalid/1.jpg")
    assert (found.reason, found.transient) == ("unresolved", True)
    with HostileServer() as gone:
        pass
    found = failure(f"{gone.url}/picture/1.jpg")
    assert (found.reason, found.transient) == ("unreachable", True)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl command makes the certificate")
def test_a_certificate_that_proves_nothing(server, tmp_path):
    url = server.https_url(tmp_path)
    found = failure(f"{url}/picture/1.jpg")
    assert (found.reason, found.transient) == ("bad-certificate", False)
    assert reason(url.replace("https", "http") + "/picture/1.jpg") in ("unreachable", "bad-answer", "incomplete")
    assert reason(server.url.replace("http", "https") + "/picture/1.jpg") == "bad-answer"
    assert server.log == [] or "/picture/1.jpg" not in server.paths()
    # Who trusts the certificate is answered: nothing else is wrong.
    code = (
        "import asyncio, sys\n"
        "from visner.images.crawling.client import Client, Crawl\n"
        "async def run():\n"
        "    crawl = Crawl(user_agent='x (a@b.example)', robots=False, allow_hosts=['127.0.0.1'])\n"
        "    async with Client(crawl, 100_000) as client:\n"
        "        print(len(await client.get(sys.argv[1])))\n"
        "asyncio.run(run())"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    environment["SSL_CERT_FILE"] = str(tmp_path / "certificate.pem")
    command = [sys.executable, "-c", code, f"{url}/picture/1.jpg"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.stdout.strip() == str(len(picture(1))), done.stderr


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again(server, status):
    url = f"{server.url}/flaky/{status}/2/a.jpg"
    assert get(url, retries=2) == picture(1)
    assert len(server.log) == 3
    found = failure(f"{server.url}/flaky/{status}/3/b.jpg", retries=2)
    assert found.transient
    assert len(server.log) == 6


@pytest.mark.parametrize("path, tries", [("/status/404", 1), ("/reset", 3), ("/reset/at-once", 3), ("/hang", 3)])
def test_what_stays_is_asked_once_and_network_failures_again(server, path, tries):
    failure(server.url + path, retries=2)
    assert len(server.log) == tries


def test_retry_after_holds_for_the_whole_host(server):
    """Ten requests in flight or waiting: after the 429 nothing is sent for the second that it asks for."""
    urls = [f"{server.url}/flaky/429/1/x.jpg?after=1"] + [f"{server.url}/picture/{n}.jpg" for n in range(10)]
    assert get_all(urls, retries=1, host_concurrency=1) == [picture(1), *(picture(n) for n in range(10))]
    times = [when for when, _ in server.log]
    assert server.paths()[0].startswith("/flaky")
    assert 0.95 < times[1] - times[0] < 1.5
    assert len(times) == 12


def test_retry_after_as_a_date(server):
    date = formatdate(time.time() + 2, usegmt=True).replace(" ", "%20")
    began = time.monotonic()
    assert get(f"{server.url}/flaky/503/1/x.jpg?after={date}", retries=1) == picture(1)
    assert 0.9 < time.monotonic() - began < 3


def test_a_wait_that_is_too_long_is_not_waited_for(server):
    urls = [f"{server.url}/flaky/429/1/x.jpg?after=60", *(f"{server.url}/picture/{n}.jpg" for n in range(5))]
    began = time.monotonic()
    found = get_all(urls, retries=3, host_concurrency=1, longest_wait=30)
    assert [(failure.reason, failure.transient) for failure in found] == [("throttled", True)] * 6
    assert time.monotonic() - began < 1
    assert len(server.log) == 1


def test_rate_and_concurrency_of_a_host(server):
    get_all([f"{server.url}/picture/{n}.jpg" for n in range(8)], host_rate=20.0)
    times = [when for when, _ in server.log]
    assert min(b - a for a, b in zip(times, times[1:], strict=False)) > 0.03
    assert times[-1] - times[0] > 0.3
    server.log.clear()
    get_all([f"{server.url}/hang"] * 4, host_concurrency=2)  # each 0.3 s
    times = [when for when, _ in server.log]
    assert times[1] - times[0] < 0.2 < times[2] - times[1]


def test_bandwidth_is_shared(server):
    urls = [f"{server.url}/picture/{n}.jpg" for n in range(10)]
    size = sum(len(picture(n)) for n in range(10))
    began = time.monotonic()
    get_all(urls, bandwidth=size * 2, total_timeout=5.0)
    assert 0.4 < time.monotonic() - began < 1.5


ROBOTS = "User-agent: *\nDisallow: /picture\nAllow: /picture/1.jpg$\nDisallow: /redirect"


def test_robots_are_asked_once_and_heeded_on_every_hop(server):
    server.robots = (200, ROBOTS)
    urls = [f"{server.url}/picture/{n}.jpg" for n in (1, 2, 3)] + [f"{server.forbidden_url}/redirect?to={server.url}/x"]
    allowed, *forbidden = get_all(urls, robots=True, allow_hosts=["127.0.0.0/8"])
    assert allowed == picture(1)
    assert [(failure.reason, failure.transient) for failure in forbidden] == [("robots", False)] * 3
    assert sorted(server.paths()) == ["/picture/1.jpg", "/robots.txt", "/robots.txt"]
    server.robots = (200, "User-agent: visner-test\nDisallow: /picture")
    assert reason(f"{server.url}/redirect/1", robots=True) == "robots"


def test_robots_can_be_left_aside(server):
    server.robots = (200, "User-agent: *\nDisallow: /")
    assert get(f"{server.url}/picture/1.jpg", robots=False) == picture(1)
    assert get(f"{server.url}/picture/1.jpg", robots=True, heed_robots=False) == picture(1)
    assert "/robots.txt" not in server.paths()


@pytest.mark.parametrize("status, expected", [(404, None), (403, None), (503, "throttled"), (500, "robots")])
def test_robots_that_cannot_be_had(server, status, expected):
    server.robots = (status, "User-agent: *\nDisallow: /")
    answers = get_all([f"{server.url}/picture/1.jpg"] * 2, robots=True)
    if expected is None:
        assert answers == [picture(1)] * 2
    else:
        assert [(failure.reason, failure.transient) for failure in answers] == [(expected, True)] * 2
    assert server.paths().count("/robots.txt") == 1


def test_a_long_robots_file_counts_to_its_limit(server):
    padding = "#" + 80 * "x" + "\n"
    server.robots = (200, "User-agent: *\nDisallow: /picture\n" + padding * 10_000 + "Allow: /picture\n")
    assert reason(f"{server.url}/picture/1.jpg", robots=True) == "robots"


def test_crawl_delay_is_kept(server):
    server.robots = (200, "User-agent: *\nCrawl-delay: 0.3")
    get_all([f"{server.url}/picture/{n}.jpg" for n in range(3)], robots=True)
    times = [when for when, path in server.log if path != "/robots.txt"]
    assert min(b - a for a, b in zip(times, times[1:], strict=False)) > 0.25


@pytest.mark.parametrize(
    "written, sent",
    [
        ("/picture/1.jpg?q=猫", "/picture/1.jpg?q=%E7%8C%AB"),
        ("/picture/1.jpg?a b&c=%20%E7", "/picture/1.jpg?a%20b&c=%20%E7"),
        ("/picture/1.jpg?100%&x=%zz", "/picture/1.jpg?100%25&x=%25zz"),
        ("/picture/1.jpg?%7euser+x#part", "/picture/1.jpg?%7euser+x"),
        (" /picture/1.jpg\n".strip(), "/picture/1.jpg"),
        ("/picture/1.jpg?u=http://x/;a|b{c}", "/picture/1.jpg?u=http://x/;a%7Cb%7Bc%7D"),
    ],
)
def test_addresses_as_pages_have_them(server, written, sent):
    assert get(server.url + written) == picture(1)
    assert server.paths() == [sent]


def test_hosts_in_any_script_and_no_credentials(server):
    assert str(request_url("http://bücher.example/ü")) == "http://xn--bcher-kva.example/%C3%BC"
    assert str(request_url("HTTPS://例え.テスト:8443")) == "https://xn--r8jz45g.xn--zckzah:8443/"
    assert get(f"http://user:password@127.0.0.1:{server.port}/picture/1.jpg") == picture(1)
    assert "Authorization" not in server.headers[0]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "picture.jpg",
        "//host/x",
        "file:///etc/passwd",
        "data:image/png;base64,AA",
        "ftp://host/x",
        "http://",
        "http://[",
    ]
    + ["http://host:99999/", "http://host:port/", "http://a b/", "http://a\\b/", "http://host/\ud800", "javascript:0"],
)
def test_what_is_no_url_of_the_web(url):
    assert reason(url) == "refused-scheme"


@pytest.mark.parametrize("host", ["a" * 70 + ".example", "a..example", ".example", "%31"])
def test_names_that_cannot_be_are_failures_too(host):
    assert reason(f"http://{host}/") in ("refused-scheme", "unresolved")


def test_a_proxy_is_used_and_what_is_behind_it_guarded(server, monkeypatch):
    """The server stands for a proxy: it is sent whole URLs. It is local and not allowed, as proxies are."""
    with HostileServer() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.replace("//", "//user:word@"))
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        behind = "http://no-such-host.invalid/picture/1.jpg"
        assert get(behind, allow_hosts=[]) == picture(1)  # the proxy's answer
        assert proxy.paths() == [behind]
        assert proxy.headers[0]["Proxy-Authorization"].startswith("Basic ")
        for local in (
            server.forbidden_url,
            "http://localhost:80",
            "http://10.0.0.1",
            "http://2130706434",
            "http://[::1]",
        ):
            assert reason(f"{local}/x", allow_hosts=[]) in ("refused-address", "refused-scheme")
        assert proxy.paths() == [behind]
        assert reason(f"{server.forbidden_url}/x", allow_hosts=["127.0.0.2"]) == "http-404"
        assert proxy.paths() == [behind, f"{server.forbidden_url}/x"]
        assert get(f"{server.url}/picture/1.jpg") == picture(1)  # no_proxy
        assert len(proxy.log) == 2
    assert reason(behind) == "proxy"  # it is gone
    monkeypatch.setenv("http_proxy", "socks5://127.0.0.1:1")
    with pytest.raises(VisnerError, match="proxies"):
        Client(Crawl(**FAST), LIMIT)


def test_a_proxy_that_will_not_connect(server, monkeypatch):
    monkeypatch.setenv("https_proxy", server.url)
    found = failure("https://no-such-host.invalid/")
    assert (found.reason, found.transient) == ("proxy", True)  # 501: the server knows no CONNECT


def test_one_slow_host_holds_up_no_other(server):
    """Waiting for a host takes nothing that another host would need."""

    async def run():
        async with Client(Crawl(**FAST | {"host_concurrency": 1, "allow_hosts": ["127.0.0.0/8"]}), LIMIT) as client:
            slow = [asyncio.create_task(client.get(f"{server.url}/hang")) for _ in range(50)]
            await asyncio.sleep(0.05)
            began = time.monotonic()
            for number in range(20):
                await client.get(f"{server.forbidden_url}/picture/{number}.jpg")
            took = time.monotonic() - began
            for task in slow:
                task.cancel()
            await asyncio.gather(*slow, return_exceptions=True)
            assert await client.get(f"{server.url}/picture/1.jpg") == picture(1)  # the cancelled gave their places back
            return took

    assert asyncio.run(run()) < 0.3


def test_too_few_open_files_are_no_hosts_fault(server):
    async def run():
        async with Client(Crawl(**FAST), LIMIT) as client:
            soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
            try:
                await client.get(f"{server.url}/picture/1.jpg")
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    with pytest.raises(VisnerError, match="open files"):
        asyncio.run(run())


def test_garbage_gives_failures_and_nothing_else():
    """Answers cut and changed at every few bytes: bytes or a Failure, never another exception."""
    whole = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n5\r\nabcde\r\n0\r\n\r\n"
    answers = [whole[:stop] for stop in range(0, len(whole), 3)]
    for place, byte in enumerate(whole):
        answers += [whole[:place] + bytes([byte ^ flip]) + whole[place + 1 :] for flip in (1, 128)]

    async def run():
        waiting = iter(answers)

        async def answer(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(next(waiting))
            writer.close()

        listener = await asyncio.start_server(answer, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/"
        async with listener, Client(Crawl(**FAST), LIMIT) as client:
            return [await asyncio.gather(client.get(url), return_exceptions=True) for _ in answers]

    found = [answer for (answer,) in asyncio.run(run())]
    assert {type(answer) for answer in found} <= {bytes, Failure}
    assert {"bad-answer", "unreachable", "incomplete"} <= {a.reason for a in found if isinstance(a, Failure)}


def test_redirects_leave_their_place_to_the_robots_txt_they_wait_for(server):
    with HostileServer() as other:
        other.robots = (500, "")
        urls = [f"{server.url}/redirect?to={other.url}/picture/{number}.jpg" for number in range(6)]
        answers = get_all(urls, robots=True, concurrency=2, retries=1, total_timeout=2)
        assert [answer.reason for answer in answers] == ["robots"] * 6
        other.robots = (404, "")
        assert len(get_all(urls, robots=True, concurrency=1, total_timeout=2)[5]) > 100


def test_ones_own_bandwidth_is_no_time_out_of_the_host(server):
    size = len(get(f"{server.url}/picture/1.jpg"))
    urls = [f"{server.url}/picture/{number}.jpg" for number in range(20)]
    answers = get_all(urls, bandwidth=10 * size, total_timeout=0.6)  # two seconds for all
    assert [isinstance(answer, bytes) for answer in answers] == [True] * 20
