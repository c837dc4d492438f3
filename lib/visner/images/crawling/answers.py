"""What a crawl was answered: the rows of the crawl store as its users see them, and the reasons of its failures."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from visner.images.prepare import Picture

# Why an address gave nothing, in the words of a table that a user reads; beside these, the REASONS of `prepare`, and a
# status as "http-404".
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


class Outcome(NamedTuple):
    """What came of one address: a picture, or the reason why there is none."""

    url: str
    reason: str | None
    picture: Picture | None


class Known(NamedTuple):
    """An address' committed outcome without its bytes: one of the two is null."""

    reason: str | None
    image_id: str | None


class Origin(NamedTuple):
    """Where a picture comes from, as far as the source names it: the page that shows it, and its licence."""

    page: str | None
    licence: str | None


NOT_NAMED = Origin(None, None)


class PageRead(NamedTuple):
    """A query's result page: its number from 0, the addresses it names in rank order, whether it is the last.

    `origins` has those of the addresses of which the page names any.
    """

    query: str
    page: int
    urls: Sequence[str]
    last: bool
    origins: Mapping[str, Origin] = MappingProxyType({})


class Asked(NamedTuple):
    """What a query was answered so far: addresses in rank order, pages read, whether there are no more."""

    addresses: list[str]
    pages: int
    complete: bool
