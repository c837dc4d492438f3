"""Why an address gave nothing: what an error means, as a reason of the store."""

import errno

import aiohttp

from visner.errors import VisnerError
from visner.images.crawling.answers import FAILURES, TRANSIENT
from visner.images.crawling.guard import RefusedAddress


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
