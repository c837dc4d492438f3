"""A host's turns, rests and wishes."""

import asyncio
import math
import re
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.robotparser import RobotFileParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visner.images.crawling import politeness, robots
from visner.images.crawling.politeness import Bandwidth, Host, Hosts, WaitTooLong, retry_after
from visner.images.crawling.robots import Robots, RobotsCache


def starts(host: Host, count: int, work: float = 0.0, after_first=None) -> tuple[list[float], int]:
    """The seconds at which so many requests at once got their turn, and how many ran together at most."""

    async def run():
        began = time.monotonic()
        found, running, most = [], 0, 0

        async def one():
            nonlocal running, most
            async with host.request(10):
                found.append(time.monotonic() - began)
                running += 1
                most = max(most, running)
                if after_first and len(found) == 1:
                    after_first()
                await asyncio.sleep(work)
                running -= 1

        await asyncio.gather(*(one() for _ in range(count)))
        return found, most

    return asyncio.run(run())


def test_no_more_at_a_time_than_allowed():
    found, most = starts(Host(3, 0.0), 9, work=0.05)
    assert most == 3
    assert found[-1] >= 0.1


def test_starts_keep_their_distance():
    found, _ = starts(Host(10, 0.04), 6)
    assert all(b - a >= 0.039 for a, b in zip(found, found[1:], strict=False))
    assert found[-1] < 2


def test_without_limits_nobody_waits():
    found, most = starts(Host(1000, 0.0), 500, work=0.01)
    assert most == 500
    assert found[-1] < 4  # one after the other they would take five seconds


def test_a_rest_holds_for_those_that_wait_already_and_does_not_end_in_a_crowd():
    host = Host(10, 0.03)
    found, _ = starts(host, 5, after_first=lambda: (host.back_off(0.6), host.back_off(0.5)))
    assert 0.59 <= found[1] < 1.05
    assert all(b - a >= 0.029 for a, b in zip(found[1:], found[2:], strict=False))


def test_nobody_waits_for_a_rest_that_is_too_long():
    async def run():
        host = Host(1, 0.0)
        began = time.monotonic()

        async def one():
            async with host.request(longest_wait=5):
                await asyncio.sleep(0.05)
                host.back_off(6)

        found = await asyncio.gather(*(one() for _ in range(4)), return_exceptions=True)
        assert [type(answer) for answer in found] == [type(None)] + [WaitTooLong] * 3
        with pytest.raises(WaitTooLong):
            async with host.request(longest_wait=5):
                pass
        assert time.monotonic() - began < 4
        assert not host.at_rest

    asyncio.run(run())


def test_who_gives_up_waiting_leaves_its_place():
    async def run():
        host = Host(1, 0.05)
        async with host.request(1):
            waiting = [asyncio.create_task(host.request(1).__aenter__()) for _ in range(5)]
            await asyncio.sleep(0.01)
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        async with asyncio.timeout(5), host.request(1):
            pass
        await asyncio.sleep(0.06)
        assert host.at_rest

    asyncio.run(run())


def test_hosts_at_rest_are_forgotten_and_no_others(monkeypatch):
    monkeypatch.setattr(politeness, "HOSTS", 20)

    async def run():
        hosts = Hosts(2, None)
        resting = hosts.get("resting.example", 80)
        resting.back_off(60)
        busy = hosts.get("busy.example", 80)
        async with busy.request(1):
            for number in range(1000):
                hosts.get(f"{number}.example", 80)
            assert len(hosts) <= 22
            assert hosts.get("busy.example", 80) is busy
            assert hosts.get("resting.example", 80) is resting
        assert hosts.get("busy.example", 81) is not busy

    asyncio.run(run())


def test_a_hosts_delay_is_kept_if_it_is_longer():
    hosts = Hosts(2, 2.0)
    assert hosts.get("a.example", 80).interval == 0.5
    assert hosts.get("a.example", 80, delay=3.0).interval == 3.0
    assert hosts.get("a.example", 80, delay=0.1).interval == 3.0


def test_bandwidth_is_for_all_together():
    async def run():
        bandwidth = Bandwidth(100_000)
        began = time.monotonic()

        async def one():
            for _ in range(10):
                await asyncio.sleep(bandwidth.take(1000))

        await asyncio.gather(*(one() for _ in range(4)))
        return time.monotonic() - began

    assert 0.3 < asyncio.run(run()) < 3  # each by itself would take a tenth of a second


@pytest.mark.parametrize(
    "value, seconds",
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("0", 0),
        (" 120 ", 120),
        ("9" * 5000, math.inf),
    ],
)
def test_retry_after_in_seconds(value, seconds):
    assert retry_after(value) == seconds


@pytest.mark.parametrize("seconds", [-3600, 90, 86400])
def test_retry_after_as_a_date(seconds):
    date = datetime.now(UTC) + timedelta(seconds=seconds)
    for value in (format_datetime(date, usegmt=True), format_datetime(date.replace(tzinfo=None))):
        assert abs(retry_after(value) - max(0, seconds)) < 2


@given(st.text("0123456789 :-+,GMTMonJan\n", max_size=40))
def test_retry_after_takes_anything(text):
    found = retry_after(text)
    assert found is None or found >= 0


AGENT = "visner-crawl/1.0 (someone@example.org)"


def allowed(text: str, path: str, agent: str = AGENT) -> bool:
    return Robots(text, agent).allows(path)


@pytest.mark.parametrize(
    "rules, path, expected",
    [
        ("", "/a", True),
        ("Disallow:", "/a", True),
        ("Disallow: /", "/a", False),
        ("Disallow: /a", "/ab/c", False),
        ("Disallow: /a", "/b", True),
        ("Disallow: /a\nAllow: /a/b", "/a/b/c", True),  # the longer rule, wherever it stands
        ("Allow: /a/b\nDisallow: /a", "/a/c", False),
        ("Disallow: /a\nAllow: /a", "/a", True),  # of equals, the one that allows
        ("Disallow: /*.jpg$", "/x/1.jpg", False),
        ("Disallow: /*.jpg$", "/x/1.jpg?s=2", True),
        ("Disallow: /*.jpg", "/x/1.jpg?s=2", False),
        ("Disallow: /a*b*c", "/a1b2c3", False),
        ("Disallow: /a*b*c$", "/a1b2c3", True),
        ("Disallow: /a*b*c$", "/abcbc", False),
        ("Disallow: /*?", "/a?b", False),
        ("Disallow: *", "/a", False),
        ("Disallow: /a$", "/ab", True),
        ("Disallow: /a$", "/a", False),
        ("Disallow: /ab*b$", "/ab", True),  # a star is not a letter that is there already
        ("Disallow: /猫", "/%E7%8C%AB/1.jpg", False),
        ("Disallow: /%7euser", "/~user/1.jpg", False),
        ("Disallow: /a%3cd", "/a%3Cd", False),
        ("disallow : /a # why", "/a", False),
    ],
)
def test_rules_as_rfc_9309_has_them(rules, path, expected):
    assert allowed("User-agent: *\n" + rules, path) is expected


@pytest.mark.parametrize(
    "text, expected",
    [
        ("User-agent: visner-crawl\nDisallow: /\n\nUser-agent: *\nAllow: /", False),
        ("User-agent: *\nDisallow: /\n\nUser-agent: Visner-Crawl\nDisallow: /b", True),
        ("User-agent: visner-crawl/2.0\nDisallow: /", False),
        ("User-agent: visner\nDisallow: /", True),  # another crawler's name
        ("User-agent: other\nUser-agent: visner-crawl\nDisallow: /", False),
        ("User-agent: visner-crawl\n\n\nDisallow: /", False),  # an empty line ends nothing
        (
            "User-agent: visner-crawl\nDisallow: /b\nUser-agent: *\nAllow: /\nUser-agent: visner-crawl\nDisallow: /a",
            False,
        ),
        ("User-agent: other\nDisallow: /\nSitemap: x\nUser-agent: *\nDisallow: /b", True),
        ("Disallow: /\nUser-agent: *\nAllow: /", True),  # rules before any name are nobody's
        ("User-agent: *\r\nDisallow: /\r\n", False),
        ("User-agent: visner-crawl\rDisallow: /\r", False),
        ("Useragent visner-crawl\nDisallow: /\n\nUser-agent: *\nAllow: /", False),  # misspelt, and meant so
        ("User-agent: others\nUser-agent: us\nDisallow: /", True),
        ("<html><body>Disallow: /</body></html>", True),
    ],
)
def test_groups_as_rfc_9309_has_them(text, expected):
    assert allowed(text, "/a") is expected


prefixes = st.lists(st.tuples(st.booleans(), st.text("ab", max_size=4)), max_size=4, unique_by=lambda rule: rule[1])


@given(prefixes, st.text("ab", max_size=6))
def test_prefixes_mean_what_the_standard_librarys_parser_says(rules, path):
    """Where rules are prefixes and the longest stands first, both read the same."""
    rules = sorted(rules, key=lambda rule: -len(rule[1]))
    lines = ["User-agent: *"] + [f"{'Allow' if allow else 'Disallow'}: /{prefix}" for allow, prefix in rules]
    peer = RobotFileParser()
    peer.parse(lines)
    assert allowed("\n".join(lines), "/" + path) == peer.can_fetch(AGENT, "http://host/" + path)


@given(st.text("ab*", max_size=6), st.booleans(), st.text("ab", max_size=8))
def test_patterns_mean_what_a_regular_expression_says(pattern, anchored, path):
    expression = "/" + pattern.replace("*", ".*") + ("$" if anchored else "")
    rule = f"User-agent: *\nDisallow: /{pattern}{'$' if anchored else ''}"
    assert allowed(rule, "/" + path) == (re.match(expression, "/" + path) is None)


def test_a_hostile_robots_file_costs_little():
    text = "User-agent: *\n" + 20 * ("Disallow: /" + "*a" * 10_000 + "$\n")
    began = time.monotonic()
    assert allowed(text, "/" + "a" * 5000 + "b")
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("value, delay", [("2", 2.0), ("0.5", 0.5), ("-1", 0.0), ("soon", 0.0), ("inf", 0.0)])
def test_crawl_delay(value, delay):
    assert Robots(f"User-agent: *\nCrawl-delay: {value}\nDisallow: /a", AGENT).delay == delay


def test_many_who_ask_make_one_request_and_failures_are_forgotten(monkeypatch):
    async def run():
        asked = []

        async def fetch(origin):
            asked.append(origin)
            await asyncio.sleep(0.02)
            return Robots("", AGENT) if "good" in origin else OSError("gone")

        cache = RobotsCache(fetch)
        first = asyncio.create_task(cache.get("http://good"))
        await asyncio.sleep(0.01)
        others = [asyncio.create_task(cache.get("http://good")) for _ in range(5)]
        first.cancel()  # its end is not the others'
        assert all(isinstance(answer, Robots) for answer in await asyncio.gather(*others))
        assert isinstance(await cache.get("http://bad"), OSError)
        assert isinstance(await cache.get("http://bad"), OSError)
        assert asked == ["http://good", "http://bad"]
        monkeypatch.setattr(robots, "FAILURE_LASTS", -1.0)
        await cache.get("http://bad")
        await cache.get("http://good")
        assert asked == ["http://good", "http://bad", "http://bad"]
        await cache.close()

    asyncio.run(run())
