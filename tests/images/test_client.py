"""One address to its bytes or its reason, against a real server that misbehaves."""

import asyncio
import resource
import time
import tracemalloc

import pytest
from client_calls import FAST, LIMIT, failure, get, get_all, reason
from hostile_bodies import gzip_bomb, picture

from visner.config.images import Crawl
from visner.errors import VisnerError
from visner.images.crawling.client import Client
from visner.images.crawling.failures import Failure
from visner.images.prepare import Rejected, prepare

pytestmark = pytest.mark.usefixtures("plain_environment")


def kept(content: bytes):
    return prepare(content, side=256, max_bytes=LIMIT, max_pixels=40_000_000)


def test_pictures_come_as_they_are_on_one_connection_each(hostile):
    urls = [f"{hostile.url}/picture/{number}.jpg" for number in range(30)]
    assert get_all(urls) == [picture(number) for number in range(30)]
    assert len(set(get_all(urls))) == 30
    assert len(hostile.log) == 60


def test_who_asks_says_so_and_asks_for_pictures(hostile):
    get(f"{hostile.url}/picture/1.jpg")
    (headers,) = hostile.headers
    assert headers["User-Agent"] == FAST["user_agent"]
    assert headers["Accept"].startswith("image/")
    assert headers["Accept-Encoding"] == "identity"
    assert not {"Cookie", "Authorization", "Referer"} & set(headers)


def test_no_name_no_crawl():
    with pytest.raises(VisnerError, match="user_agent"):
        Client(Crawl(), LIMIT)


@pytest.mark.parametrize("name", "png gif webp avif bmp tiff cmyk palette alpha exif-rotated".split())
def test_pictures_of_all_kinds_are_kept(hostile, name):
    found = kept(get(f"{hostile.url}/format/{name}"))
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
def test_good_http_with_bad_pictures(hostile, path, expected):
    content = get(hostile.url + path, max_bytes=500_000)
    with pytest.raises(Rejected) as rejection:
        prepare(content, side=256, max_bytes=500_000, max_pixels=40_000_000)
    assert rejection.value.reason == expected
    assert hostile.paths() == [path]  # nothing that a picture names is fetched


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
def test_bad_http_has_its_reason_in_bounded_time(hostile, path, expected, transient):
    began = time.monotonic()
    found = failure(hostile.url + path)
    assert (found.reason, found.transient) == (expected, transient)
    assert time.monotonic() - began < 2
    assert len(hostile.log) == (6 if expected == "too-many-redirects" else 1)


def test_a_bomb_is_left_long_before_its_end(hostile):
    """20 MB of zeros in 20 kB: no more than the limit is ever unpacked."""
    gzip_bomb()
    reason(f"{hostile.url}/gzip-bomb")
    tracemalloc.start()
    try:
        assert reason(f"{hostile.url}/gzip-bomb") == "too-many-bytes"
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


def test_more_than_was_announced_is_never_a_picture(hostile):
    """What is behind the announced length is dropped, or ends the answer if it came with the rest."""
    (answer,) = get_all([f"{hostile.url}/announced/-300"])
    if isinstance(answer, Failure):
        assert answer.reason == "bad-answer"
    else:
        assert answer == picture(1)[:-300]
        with pytest.raises(Rejected, match="broken"):
            kept(answer)


def test_bodies_without_a_length_and_compressed_ones_come_whole(hostile):
    paths = ["no-length", "compressed/gzip", "compressed/deflate", "compressed/bare"]
    assert get_all([f"{hostile.url}/{path}" for path in paths]) == [picture(1)] * 4


def test_the_limit_holds_to_the_byte(hostile):
    size = len(picture(1))
    for path in ("/picture/1.jpg", "/no-length", "/compressed/gzip"):
        assert len(get(hostile.url + path, max_bytes=size)) == size
        assert reason(hostile.url + path, max_bytes=size - 1) == "too-many-bytes"


def test_too_few_open_files_are_no_hosts_fault(hostile):
    async def run():
        async with Client(Crawl(**FAST), LIMIT) as client:
            soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
            try:
                await client.get(f"{hostile.url}/picture/1.jpg")
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
