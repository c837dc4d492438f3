"""Why an address gave nothing, in the words of a table that a user reads."""

import errno

import aiohttp

from visner.errors import VisnerError
from visner.images.crawling.guard import RefusedAddress

FAILURES = {
    "unresolved": "its host's name has no address",
    "refused-address": "a private or local address, none of the web (crawl.allow_hosts makes exceptions)",
    "refused-scheme": "neither http nor https, or no URL at all",
    "unreachable": "the connection was refused, or broke before an answer",
    "proxy": "the proxy was not to be reached, or had an error",
    "proxy-refused": "the proxy would not connect",
    "bad-certificate": "the host's certificate does not prove who it is",
    "timed-out": "longer than connect_timeout, read_timeout or total_timeout",
    "throttled": "the host asked for fewer requests (429, 503) to the last try, or for a wait beyond longest_wait",
    "too-many-redirects": "more than redirects",
    "too-many-bytes": "more than max_bytes",
    "incomplete": "fewer bytes came than were announced",
    "bad-answer": "no HTTP that can be read, or its compression is broken or unknown",
    "robots": "the host's robots.txt forbids it",
    "robots-unavailable": "the host's robots.txt could not be had because of an error of the host",
    "x-robots-tag": "its X-Robots-Tag has noai, noimageai, noindex, noimageindex or none",
}
# What may come at another time: tried again now, and, where that is in vain, kept and asked again by the next run.
TRANSIENT = frozenset(
    {"unresolved", "unreachable", "proxy", "timed-out", "throttled", "incomplete", "robots-unavailable"}
    | {"http-500", "http-502", "http-504"}
)


class Failure(Exception):
    """One address gave nothing; `reason` is a key of FAILURES, or a status other than 200 as "http-404"."""

    def __init__(self, reason: str):
        super().__init__(f"{reason}: {FAILURES[reason]}" if reason in FAILURES else reason)
        self.reason = reason

    @property
    def transient(self) -> bool:
        """Whether it may come at another time."""
        return self.reason in TRANSIENT


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
