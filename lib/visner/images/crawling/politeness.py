"""Manners towards a host: how many requests at a time, how far apart, and how long to leave it alone.

Nothing here polls: who waits sleeps until its turn.
"""

import asyncio
import math
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

HOSTS = 4096  # remembered; with more, those at rest are forgotten
CREDIT = 0.05  # seconds of bandwidth that may be made up for: sleeps are a little longer than asked for


class WaitTooLong(Exception):
    """The host asked to be left alone for longer than is waited for."""


class Host:
    """One host's limits: `concurrency` requests at a time, their starts `interval` seconds apart."""

    def __init__(self, concurrency: int, interval: float):
        self.interval = interval
        self._slots = asyncio.Semaphore(concurrency)
        self._turn = asyncio.Lock()
        self._next_start = -math.inf
        self._not_before = -math.inf
        self._users = 0

    @asynccontextmanager
    async def request(self, longest_wait: float) -> AsyncIterator[None]:
        """Wait for a request's turn, first come first served, and hold its place while it runs.

        Raises WaitTooLong, at once, while the host is to be left alone for more than `longest_wait` seconds; the wait
        for other requests' turns has no bound.
        """
        self._users += 1
        try:
            self._wait_to_be_left_alone(longest_wait)
            async with self._slots:
                # Only the next to start sleeps; a back-off that comes meanwhile holds for it and for all behind it.
                async with self._turn:
                    while True:
                        rest = self._wait_to_be_left_alone(longest_wait)
                        wait = max(rest, self._next_start - time.monotonic())
                        if wait <= 0:
                            break
                        await asyncio.sleep(wait)
                    self._next_start = time.monotonic() + self.interval
                yield
        finally:
            self._users -= 1

    def _wait_to_be_left_alone(self, longest_wait: float) -> float:
        wait = self._not_before - time.monotonic()
        if wait > longest_wait:
            raise WaitTooLong
        return wait

    def back_off(self, seconds: float) -> None:
        """Start no request to this host for so many seconds; the longest of several holds."""
        self._not_before = max(self._not_before, time.monotonic() + seconds)

    @property
    def at_rest(self) -> bool:
        """Whether this host's state can be dropped."""
        return not self._users and max(self._next_start, self._not_before) <= time.monotonic()


class Hosts:
    """The hosts of a crawl, by name and port; as many as are in use, and few more than HOSTS."""

    def __init__(self, concurrency: int, rate: float | None):
        self._concurrency = concurrency
        self._interval = 1 / rate if rate else 0.0
        self._hosts: dict[tuple[str, int], Host] = {}

    def __len__(self) -> int:
        return len(self._hosts)

    def get(self, name: str, port: int, delay: float = 0.0) -> Host:
        """The host, whose requests start at least `delay` seconds apart whatever the configured rate."""
        host = self._hosts.get((name, port))
        if host is None:
            if len(self._hosts) >= HOSTS:
                self._hosts = {key: known for key, known in self._hosts.items() if not known.at_rest}
            host = self._hosts[name, port] = Host(self._concurrency, self._interval)
        host.interval = max(host.interval, delay)
        return host


class Bandwidth:
    """Bytes a second, over all who take."""

    def __init__(self, rate: int | None):
        self._rate = rate
        self._paid_until = -math.inf

    def take(self, size: int) -> float:
        """Account for bytes that have come: the seconds to wait before the next may."""
        if self._rate is None:
            return 0.0
        now = time.monotonic()
        self._paid_until = max(self._paid_until, now - CREDIT) + size / self._rate
        return max(0.0, self._paid_until - now)


def retry_after(value: str | None) -> float | None:
    """The seconds that a Retry-After header asks for (RFC 9110, 10.2.3: a number or a date); None: it says nothing."""
    value = (value or "").strip()
    if re.fullmatch("[0-9]+", value):
        return float(value) if len(value) < 10 else math.inf
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, IndexError, TypeError, OverflowError):
        return None
    if date.tzinfo is None:  # "-0000": UTC, of unknown origin
        date = date.replace(tzinfo=UTC)
    return max(0.0, (date - datetime.now(UTC)).total_seconds())
