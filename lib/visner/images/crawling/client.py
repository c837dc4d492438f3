"""One address to its bytes, or to the reason why there are none: all of HTTP that a crawl speaks.

A client waits for its host's turn, asks robots.txt, follows redirects one by one, tries again what may pass, heeds
X-Robots-Tag, and bounds everything that the other side could make long: names, headers, bodies, compression, waiting.
"""

import asyncio
import errno
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from random import uniform
from urllib.parse import quote, urljoin, urlsplit

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from visner.config.images import Crawl
from visner.errors import VisnerError
from visner.images.crawling.bodies import read_body
from visner.images.crawling.failures import TRANSIENT, Failure
from visner.images.crawling.guard import Guard, Proxies, RefusedAddress
from visner.images.crawling.politeness import Bandwidth, Host, Hosts, WaitTooLong, retry_after
from visner.images.crawling.robots import MAX_BYTES as ROBOTS_BYTES
from visner.images.crawling.robots import Robots, RobotsCache, reserves

REDIRECTS = (301, 302, 303, 307, 308)
FIRST_DELAY = 1.0  # seconds before the first retry, give or take half; doubled for each further one
SAFE = "!#$%&'()*+,/:;=?@[]~"  # what may stand in a path and a query as it is
HEADERS = {
    "Accept": "image/jpeg,image/png,image/webp;q=0.9,image/*;q=0.8,*/*;q=0.5",
    "Accept-Encoding": "identity",
}
KEPT_ALIVE = 5  # seconds that an idle connection is kept: each is an open file, and hosts are many
DNS_LASTS = 300  # seconds; whatever it says, the guard looks at the address


class Client:
    """An asynchronous context manager; any number of `get`s may run within it at a time.

    crawl: how it behaves (visner.config.images.Crawl).
    max_bytes: the longest body.
    Cookies are not kept; credentials in URLs (user:password@) are dropped.
    Raises VisnerError without a User-Agent.
    """

    def __init__(self, crawl: Crawl, max_bytes: int):
        if crawl.user_agent is None:
            raise VisnerError(
                "crawl.user_agent is not set: say who asks and how they can be reached, "
                "as in 'our-crawl/1.0 (someone@example.org)'"
            )
        self._crawl = crawl
        self._max_bytes = max_bytes
        self._guard = Guard(crawl.allow_hosts)
        self._proxies = Proxies()
        self._hosts = Hosts(crawl.host_concurrency, crawl.host_rate)
        self._bandwidth = Bandwidth(crawl.bandwidth)
        self._robots = RobotsCache(self._ask_robots)
        self._places = asyncio.Semaphore(crawl.concurrency)

    async def __aenter__(self) -> "Client":
        self._guarded = self._session(socket_factory=self._guard.socket)
        self._open = self._session()  # for the names of allow_hosts, and for the proxy
        return self

    async def __aexit__(self, *_) -> None:
        await self._robots.close()
        await self._guarded.close()
        await self._open.close()

    def _session(self, **connecting) -> aiohttp.ClientSession:
        crawl = self._crawl
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0, keepalive_timeout=KEPT_ALIVE, ttl_dns_cache=DNS_LASTS, **connecting
            ),
            timeout=aiohttp.ClientTimeout(total=None, connect=crawl.connect_timeout, sock_read=crawl.read_timeout),
            headers=HEADERS | {"User-Agent": crawl.user_agent},
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            middlewares=(_send_once,),
        )

    async def get(self, url: str, *, heed_robots: bool = True) -> bytes:
        """The body at an address, decompressed, at most `max_bytes` long; raises Failure."""
        async with self.answer(url, heed_robots=heed_robots) as answer:
            if isinstance(answer, Failure):
                raise answer
            return answer

    @asynccontextmanager
    async def answer(self, url: str, *, heed_robots: bool = True) -> AsyncIterator[bytes | Failure]:
        """As `get`, as a context that is one of the `concurrency` in flight until it ends, when the body is stored.

        Who waits for a host's turn, or for a retry, is not in flight.
        """
        read = self._read_unless_reserved if heed_robots and self._crawl.x_robots_tag else read_body
        read = partial(read, most=self._max_bytes, bandwidth=self._bandwidth)
        place = Place(self._places)
        try:
            try:
                answer = await self._follow(request_url(url), read, place, heed_robots and self._crawl.robots)
            except Failure as failure:
                answer = failure
            yield answer
        finally:
            place.give_back()

    def forget_failures(self) -> None:
        """Ask again for the robots.txt of hosts that didn't answer: this machine's network was away."""
        self._robots.forget_failures()

    async def _follow(self, url: URL, read: partial, place: "Place", heed_robots: bool) -> bytes:
        for _ in range(self._crawl.redirects + 1):
            place.give_back()  # from the last hop: robots.txt needs a place, too
            delay = await self._heed_robots(url) if heed_robots else 0.0
            answer = await self._persist(url, read, place, self._hosts.get(url.raw_host, url.port, delay))
            if isinstance(answer, bytes):
                return answer
            url = request_url(_joined(url, answer))
        raise Failure("too-many-redirects")

    async def _read_unless_reserved(self, response: aiohttp.ClientResponse, **limits) -> bytes:
        """As read_body; raises Failure where the answer's X-Robots-Tag reserves it."""
        if reserves(response.headers.getall("X-Robots-Tag", ()), self._crawl.user_agent):
            raise Failure("x-robots-tag")
        return await read_body(response, **limits)

    async def _heed_robots(self, url: URL) -> float:
        """The seconds between requests that robots.txt asks for; raises Failure where it forbids the path."""
        answer = await self._robots.get(str(url.origin()))
        if isinstance(answer, Failure):
            raise Failure(answer.reason)
        if not answer.allows(url.raw_path_qs):
            raise Failure("robots")
        return min(answer.delay, self._crawl.longest_wait)

    async def _ask_robots(self, origin: str) -> Robots | Failure:
        """RFC 9309, 2.3.1: where there is no robots.txt all is allowed; where it cannot be had, nothing."""
        read = partial(read_body, most=ROBOTS_BYTES, bandwidth=self._bandwidth, cut=True)
        place = Place(self._places)
        try:
            content = await self._follow(URL(f"{origin}/robots.txt", encoded=True), read, place, False)
        except Failure as failure:
            if failure.reason.startswith("http-5"):
                return Failure("robots-unavailable")
            if not failure.reason.startswith("http-") and failure.reason != "too-many-redirects":
                return Failure(failure.reason)
            content = b""
        finally:
            place.give_back()
        return Robots(content.decode("utf-8-sig", "replace"), self._crawl.user_agent)

    async def _persist(self, url: URL, read: partial, place: "Place", host: Host) -> bytes | str:
        """The body, or where the answer redirects to, after as many tries as it takes and `retries` allows."""
        longest_wait = self._crawl.longest_wait
        for attempt in range(self._crawl.retries + 1):
            delay = min(uniform(0.5, 1.5) * FIRST_DELAY * 2**attempt, longest_wait)
            try:
                async with host.request(longest_wait):
                    await place.take()
                    return await self._request(url, read, host, delay)
            except WaitTooLong:
                raise Failure("throttled") from None
            except Failure as failure:
                if not failure.transient or attempt == self._crawl.retries:
                    raise
                throttled = failure.reason == "throttled"
            place.give_back()
            if not throttled:  # then the host's rest is the wait, for this request and for all others
                await asyncio.sleep(delay)
        raise AssertionError("the last attempt returns or raises")

    async def _request(self, url: URL, read: partial, host: Host, delay: float) -> bytes | str:
        """One request: the body, or where it redirects to; raises Failure.

        A host that has enough of us is given the rest that it asks for, or `delay` seconds.
        """
        proxy = self._proxies.of(url)
        session = self._open if proxy or self._guard.allows_name(url.raw_host) else self._guarded
        try:
            if proxy:
                async with asyncio.timeout(self._crawl.connect_timeout):
                    await self._guard.check_proxied(url)
            async with (
                asyncio.timeout(self._crawl.total_timeout) as limit,
                session.get(url, allow_redirects=False, proxy=proxy) as response,
            ):
                if response.status == 200:
                    return await read(response, limit=limit)
                if response.status in REDIRECTS and "Location" in response.headers:
                    return response.headers["Location"]
                reason = "throttled" if response.status in (429, 503) else f"http-{response.status}"
                if reason in TRANSIENT:
                    rest = retry_after(response.headers.get("Retry-After"))
                    if rest is None and reason == "throttled":
                        rest = delay
                    host.back_off(rest or 0.0)
                raise Failure(reason)
        except (aiohttp.ClientError, HttpProcessingError, OSError, ValueError) as error:
            raise failure_of(error, proxy is not None) from error


class Place:
    """One place among those in flight: held or not."""

    def __init__(self, places: asyncio.Semaphore):
        self._places = places
        self._held = False

    async def take(self) -> None:
        """Hold a place, waiting for one."""
        if not self._held:
            await self._places.acquire()
            self._held = True

    def give_back(self) -> None:
        """Hold none."""
        if self._held:
            self._places.release()
            self._held = False


def request_url(url: str) -> URL:
    """A URL as it is sent: percent-encoded UTF-8, what is encoded already as it stands, the host in ASCII (IDNA).

    Addresses come from pages, with spaces, umlauts and stray percent signs. Credentials and fragment are dropped.
    Raises Failure("refused-scheme").
    """
    try:
        parts = urlsplit(url.strip())
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Failure("refused-scheme")
        origin = URL.build(scheme=parts.scheme, host=parts.hostname, port=parts.port).origin()
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        path = re.sub("%(?![0-9A-Fa-f]{2})", "%25", path)
        return URL(f"{origin}{quote(path, safe=SAFE, errors='surrogateescape') or '/'}", encoded=True)
    except ValueError:
        raise Failure("refused-scheme") from None


def _joined(url: URL, location: str) -> str:
    try:
        return urljoin(str(url), location.strip())
    except ValueError:
        raise Failure("refused-scheme") from None


async def _send_once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """A middleware that keeps aiohttp from repeating a request on its own, which no limit would know of."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError):
        raise Failure("unreachable") from None


def failure_of(error: Exception, proxied: bool) -> Failure:
    """What an exception of the connection, before or after its answer's headers, means.

    Raises VisnerError for what is this machine's fault: no address may be blamed for it.
    """
    match error:
        case OSError(errno=errno.EMFILE | errno.ENFILE):
            raise VisnerError("too many open files: lower crawl.concurrency, or raise the limit (ulimit -n)") from error
        case RefusedAddress() | aiohttp.ClientConnectorError(os_error=RefusedAddress()):
            return Failure("refused-address")
        case TimeoutError():
            return Failure("timed-out")
        case aiohttp.ClientHttpProxyError():
            return Failure("proxy" if error.status >= 500 else "proxy-refused")
        case aiohttp.ClientConnectorCertificateError():
            return Failure("bad-certificate")
        case aiohttp.ClientConnectorSSLError():
            return Failure("bad-answer")
        case aiohttp.ClientConnectorError() if proxied:
            return Failure("proxy")
        case aiohttp.ClientConnectorDNSError():
            return Failure("unresolved")
        case aiohttp.ClientConnectionError() | OSError():
            return Failure("unreachable")
        case ValueError():  # aiohttp.InvalidURL, and host names that cannot be encoded
            return Failure("refused-scheme")
        case _:
            return Failure("bad-answer")
