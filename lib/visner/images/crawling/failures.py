"""Why an address gave nothing, in the words of a table that a user reads."""

from http import HTTPStatus

from visner.images import prepare

# Beside these: the REASONS of `prepare`, and a status as "http-404".
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
# What a machine without a network finds everywhere.
SILENT = frozenset({"unreachable", "unresolved", "timed-out", "proxy", "proxy-refused"})


class Failure(Exception):
    """One address gave nothing; `reason` is a key of FAILURES, or a status other than 200 as "http-404"."""

    def __init__(self, reason: str):
        super().__init__(f"{reason}: {FAILURES[reason]}" if reason in FAILURES else reason)
        self.reason = reason

    @property
    def transient(self) -> bool:
        """Whether it may come at another time."""
        return self.reason in TRANSIENT

    @property
    def from_the_web(self) -> bool:
        """Whether somebody out there has said so."""
        return self.reason not in SILENT | {"refused-scheme", "refused-address"}


def meaning(reason: str) -> str:
    """A failure's reason in words, and whether it is asked again; empty where none are known."""
    words = prepare.REASONS.get(reason) or FAILURES.get(reason, "")
    if reason.startswith("http-"):
        phrases = {f"http-{status.value}": status.phrase for status in HTTPStatus}
        words = f"the server answered {phrases[reason]}" if reason in phrases else ""
    return f"{words}; asked again by the next run" if reason in TRANSIENT else words
