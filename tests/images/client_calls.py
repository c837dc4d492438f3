"""A client of the web, asked once: what it gives, or why it gives nothing."""

import asyncio

import pytest

from visner.config.images import Crawl
from visner.images.crawling.client import Client
from visner.images.crawling.failures import FAILURES, Failure

LIMIT = 100_000
FAST = {
    "user_agent": "visner-test/1.0 (someone@example.org)",
    "robots": False,
    "host_rate": None,
    "host_concurrency": 20,
    "connect_timeout": 1.0,
    "read_timeout": 0.6,
    "total_timeout": 1.2,
    "retries": 0,
    "allow_hosts": ["127.0.0.1"],
}


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
