"""How a client asks: again or not, at which rate, with how many at a time, and what robots.txt says."""

import asyncio
import time
from email.utils import formatdate
from urllib.parse import urlencode

import pytest
from client_calls import FAST, LIMIT, failure, get, get_all, reason
from hostile_bodies import picture
from hostile_server import HostileServer

from visner.config.images import Crawl
from visner.images.crawling.client import Client

pytestmark = pytest.mark.usefixtures("plain_environment")


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again(hostile, status):
    url = f"{hostile.url}/flaky/{status}/2/a.jpg"
    assert get(url, retries=2) == picture(1)
    assert len(hostile.log) == 3
    found = failure(f"{hostile.url}/flaky/{status}/3/b.jpg", retries=2)
    assert found.transient
    assert len(hostile.log) == 6


@pytest.mark.parametrize("path, tries", [("/status/404", 1), ("/reset", 3), ("/reset/at-once", 3), ("/hang", 3)])
def test_what_stays_is_asked_once_and_network_failures_again(hostile, path, tries):
    failure(hostile.url + path, retries=2)
    assert len(hostile.log) == tries


def test_retry_after_holds_for_the_whole_host(hostile):
    """Ten requests in flight or waiting: after the 429 nothing is sent for the second that it asks for."""
    urls = [f"{hostile.url}/flaky/429/1/x.jpg?after=1"] + [f"{hostile.url}/picture/{n}.jpg" for n in range(10)]
    assert get_all(urls, retries=1, host_concurrency=1) == [picture(1), *(picture(n) for n in range(10))]
    times = [when for when, _ in hostile.log]
    assert hostile.paths()[0].startswith("/flaky")
    assert 0.95 < times[1] - times[0] < 5
    assert len(times) == 12


def test_retry_after_as_a_date(hostile):
    date = formatdate(time.time() + 2, usegmt=True).replace(" ", "%20")
    began = time.monotonic()
    assert get(f"{hostile.url}/flaky/503/1/x.jpg?after={date}", retries=1) == picture(1)
    assert 0.9 < time.monotonic() - began < 8


def test_a_wait_that_is_too_long_is_not_waited_for(hostile):
    urls = [f"{hostile.url}/flaky/429/1/x.jpg?after=60", *(f"{hostile.url}/picture/{n}.jpg" for n in range(5))]
    began = time.monotonic()
    found = get_all(urls, retries=3, host_concurrency=1, longest_wait=30)
    assert [(failure.reason, failure.transient) for failure in found] == [("throttled", True)] * 6
    assert time.monotonic() - began < 15
    assert len(hostile.log) == 1


def test_rate_and_concurrency_of_a_host(hostile):
    get_all([f"{hostile.url}/picture/{n}.jpg" for n in range(8)], host_rate=20.0)
    times = [when for when, _ in hostile.log]
    assert min(b - a for a, b in zip(times, times[1:], strict=False)) > 0.03
    assert times[-1] - times[0] > 0.3
    hostile.log.clear()
    get_all([f"{hostile.url}/hang"] * 4, host_concurrency=2, read_timeout=1.5, total_timeout=3.0)
    times = [when for when, _ in hostile.log]
    assert times[1] - times[0] < 0.7 < times[2] - times[1]


def test_bandwidth_is_shared(hostile):
    urls = [f"{hostile.url}/picture/{n}.jpg" for n in range(10)]
    size = sum(len(picture(n)) for n in range(10))
    began = time.monotonic()
    get_all(urls, bandwidth=size * 2, total_timeout=5.0)
    assert 0.4 < time.monotonic() - began < 4


ROBOTS = "User-agent: *\nDisallow: /picture\nAllow: /picture/1.jpg$\nDisallow: /redirect"


def test_robots_are_asked_once_and_heeded_on_every_hop(hostile):
    hostile.robots = (200, ROBOTS)
    urls = [f"{hostile.url}/picture/{n}.jpg" for n in (1, 2, 3)] + [
        f"{hostile.forbidden_url}/redirect?to={hostile.url}/x"
    ]
    allowed, *forbidden = get_all(urls, robots=True, allow_hosts=["127.0.0.0/8"])
    assert allowed == picture(1)
    assert [(failure.reason, failure.transient) for failure in forbidden] == [("robots", False)] * 3
    assert sorted(hostile.paths()) == ["/picture/1.jpg", "/robots.txt", "/robots.txt"]
    hostile.robots = (200, "User-agent: visner-test\nDisallow: /picture")
    assert reason(f"{hostile.url}/redirect/1", robots=True) == "robots"


def test_robots_can_be_left_aside(hostile):
    hostile.robots = (200, "User-agent: *\nDisallow: /")
    assert get(f"{hostile.url}/picture/1.jpg", robots=False) == picture(1)
    assert get(f"{hostile.url}/picture/1.jpg", robots=True, heed_robots=False) == picture(1)
    assert "/robots.txt" not in hostile.paths()


@pytest.mark.parametrize(
    "status, expected", [(404, None), (403, None), (503, "throttled"), (500, "robots-unavailable")]
)
def test_robots_that_cannot_be_had(hostile, status, expected):
    hostile.robots = (status, "User-agent: *\nDisallow: /")
    answers = get_all([f"{hostile.url}/picture/1.jpg"] * 2, robots=True)
    if expected is None:
        assert answers == [picture(1)] * 2
    else:
        assert [(failure.reason, failure.transient) for failure in answers] == [(expected, True)] * 2
    assert hostile.paths().count("/robots.txt") == 1


def test_a_long_robots_file_counts_to_its_limit(hostile):
    padding = "#" + 80 * "x" + "\n"
    hostile.robots = (200, "User-agent: *\nDisallow: /picture\n" + padding * 10_000 + "Allow: /picture\n")
    assert reason(f"{hostile.url}/picture/1.jpg", robots=True) == "robots"


def tagged(server, *tags: str) -> str:
    return f"{server.url}/tagged/1.jpg?{urlencode([('tag', tag) for tag in tags])}"


# The name in the tests' User-Agent is visner-test.
@pytest.mark.parametrize(
    "tags, reserved",
    [
        (["noai"], True),
        (["NoImageAI, noarchive"], True),
        (["noarchive", "noindex"], True),
        (["none"], True),
        (["nofollow, noarchive, all"], False),
        (["max-image-preview: none, nosnippet"], False),
        (["googlebot: noindex"], False),
        (["googlebot: noindex, noai"], False),
        (["googlebot: nofollow", "noai"], True),
        (["Visner-Test: noai"], True),
        (["*: noimageai"], True),
        (["googlebot: noindex, visner-test: noimageindex"], True),
        (["visner-test: nofollow, otherbot: noindex"], False),
        (["unavailable_after: Wed, 25 Jun 2031 15:00:00 GMT, noindex"], True),
        (["otherbot: unavailable_after: 25 Jun 2031 15:00:00 PST, noindex"], False),
    ],
)
def test_case_x_robots_tag_is_heeded_by_its_grammar(hostile, tags, reserved):
    if reserved:
        found = failure(tagged(hostile, *tags))
        assert (found.reason, found.transient) == ("x-robots-tag", False)
    else:
        assert get(tagged(hostile, *tags)) == picture(1)


def test_x_robots_tag_can_be_left_aside_and_is_not_for_result_pages(hostile):
    assert get(tagged(hostile, "noindex"), x_robots_tag=False) == picture(1)
    assert get(tagged(hostile, "noindex"), heed_robots=False) == picture(1)


def test_crawl_delay_is_kept(hostile):
    hostile.robots = (200, "User-agent: *\nCrawl-delay: 0.3")
    get_all([f"{hostile.url}/picture/{n}.jpg" for n in range(3)], robots=True)
    times = [when for when, path in hostile.log if path != "/robots.txt"]
    assert min(b - a for a, b in zip(times, times[1:], strict=False)) > 0.25


def test_one_slow_host_holds_up_no_other(hostile):
    """Waiting for a host takes nothing that another host would need."""

    async def run():
        async with Client(Crawl(**FAST | {"host_concurrency": 1, "allow_hosts": ["127.0.0.0/8"]}), LIMIT) as client:
            slow = [asyncio.create_task(client.get(f"{hostile.url}/hang")) for _ in range(50)]
            await asyncio.sleep(0.05)
            began = time.monotonic()
            for number in range(20):
                await client.get(f"{hostile.forbidden_url}/picture/{number}.jpg")
            took = time.monotonic() - began
            for task in slow:
                task.cancel()
            await asyncio.gather(*slow, return_exceptions=True)
            assert await client.get(f"{hostile.url}/picture/1.jpg") == picture(
                1
            )  # the cancelled gave their places back
            return took

    assert asyncio.run(run()) < 5  # behind the other host's fifty it would take fifteen seconds


def test_redirects_leave_their_place_to_the_robots_txt_they_wait_for(hostile):
    with HostileServer() as other:
        other.robots = (500, "")
        urls = [f"{hostile.url}/redirect?to={other.url}/picture/{number}.jpg" for number in range(6)]
        answers = get_all(urls, robots=True, concurrency=2, retries=1, total_timeout=2)
        assert [answer.reason for answer in answers] == ["robots-unavailable"] * 6
        other.robots = (404, "")
        assert len(get_all(urls, robots=True, concurrency=1, total_timeout=2)[5]) > 100


def test_ones_own_bandwidth_is_no_time_out_of_the_host(hostile):
    size = len(get(f"{hostile.url}/picture/1.jpg"))
    urls = [f"{hostile.url}/picture/{number}.jpg" for number in range(20)]
    answers = get_all(urls, bandwidth=10 * size, total_timeout=0.6)  # two seconds for all
    assert [isinstance(answer, bytes) for answer in answers] == [True] * 20
