"""What the engines share: page addresses from icrawler's feeders, picture addresses from its parsers, both mended."""

import contextlib
import json
import logging
import queue
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from visner.config.images import EngineImages
from visner.errors import VisnerError
from visner.images.crawling.buckets import Origin


class NotResults(ValueError):
    """A page that is no result page."""


class Engine(ABC):
    """What the engines share: pages of a feeder, at the recipe's address, and addresses as a client can use them."""

    def __init__(self, recipe: EngineImages):
        if recipe.engine is not None and not re.fullmatch(r"https?://[^/?#\s]+/?", recipe.engine):
            raise VisnerError(f"images: engine: {recipe.engine!r} is not an address such as https://www.example.org:80")
        self._recipe = recipe
        icrawler = _icrawler(recipe.source)
        self._feeder = getattr(icrawler, f"{type(self).__name__}Feeder")
        self._parser = getattr(icrawler, f"{type(self).__name__}Parser")(1, None, None)
        self._parser.logger = _SILENT

    def pages(self, query: str) -> Iterator[str]:
        """See AddressSource. The addresses are made together, which is cheap; fetching them is what is lazy."""
        parameters = {name: value for name, value in self._parameters().items() if value is not None}
        for url in self._feed(query):
            if parameters:
                url += "&" + urlencode(parameters)
            if self._recipe.engine is not None:
                scheme, host = self._recipe.engine.rstrip("/").split("://")
                url = urlsplit(url)._replace(scheme=scheme, netloc=host).geturl()
            yield url

    def addresses(self, page: bytes) -> list[str]:
        """See AddressSource. An address that no client could ask for is left out; a page of such alone is an error."""
        try:
            found = self._read(page)
            kept = [address for address in map(usable, found) if address is not None]
        except _UNREADABLE as error:
            self._refuse_other_pages(page)
            if isinstance(error, NotResults):
                raise
            what = f"{type(error).__name__}: {error}"
            raise NotResults(f"{self._recipe.source}: not a result page that icrawler reads ({what})") from None
        if not kept:
            self._refuse_other_pages(page)
        if found and not kept:
            raise NotResults(f"{self._recipe.source}: none of the page's {len(found)} addresses can be read")
        return list(dict.fromkeys(kept))

    def origins(self, page: bytes) -> dict[str, Origin]:
        """See AddressSource. What can't be read of them is left out: the pictures are none the worse for it."""
        found: dict[str, Origin] = {}
        with contextlib.suppress(*_UNREADABLE):
            for address, source_page, licence in self._origins(page):
                if (address := usable(address)) is not None:
                    found.setdefault(address, Origin(source_page and usable(source_page), licence))
        return found

    def _origins(self, page: bytes) -> Iterable[tuple[str, str | None, str | None]]:
        """Addresses, source pages and licences as the page has them; may raise one of _UNREADABLE."""
        return ()

    def _parameters(self) -> dict[str, Any]:
        """What is added to the feeder's addresses."""
        return {}

    @abstractmethod
    def _feed(self, query: str) -> list[str]:
        """The addresses of the query's pages as icrawler makes them."""

    def _fed(self, **arguments: Any) -> list[str]:
        feeder = self._feeder(1, _NO_SIGNAL, None)
        feeder.logger = _SILENT
        feeder.out_queue = queue.Queue()  # its own holds five: with nobody reading, it would wait for ever
        feeder.feed(**arguments)
        return list(feeder.out_queue.queue)

    def _read(self, page: bytes) -> list[str]:
        """The addresses as the page has them; raises one of _UNREADABLE where it can't be read."""
        return self._parsed(page)

    def _parsed(self, page: bytes) -> list[str]:
        tasks = self._parser.parse(SimpleNamespace(content=page))  # None: GoogleParser's word for nothing
        return [task["file_url"] for task in tasks or ()]

    def _refuse_other_pages(self, page: bytes) -> None:
        """Raise where a page without pictures is one of the usual others.

        Marks are pieces of markup or whole sentences: an honest empty page repeats the query, and that may be any word.
        """
        for mark, what in _OTHER_PAGES:
            if mark.search(page):
                raise NotResults(f"{self._recipe.source}: {what}")


_OTHER_PAGES = [
    (re.compile(rb"detected unusual traffic from your|/sorry/(index|image)\?"), "a page about unusual traffic"),
    (re.compile(rb"<form[^<>]+action=[\"']?https?://consent\."), "a page that asks for consent to cookies"),
    # A result page has this link too, for those without JavaScript, but also its data.
    (re.compile(rb"\A(?!.*AF_initDataCallback).*/retry/enablejs", re.DOTALL), "a page that asks for JavaScript"),
    (re.compile(rb"<[^<>]+(id|class|src|action|href)=[\"'][^\"'<>?]*(captcha|turnstile)", re.IGNORECASE), "a captcha"),
    (re.compile("<title>百度安全验证</title>".encode()), "a captcha"),
]
_UNREADABLE = (AttributeError, KeyError, RecursionError, TypeError, ValueError)  # what parsers die of
_NO_SIGNAL = SimpleNamespace(get=lambda name: None)  # icrawler's way to say "go on"
_SILENT = logging.Logger("icrawler", logging.CRITICAL + 1)  # its feeders log addresses, and flickr's have the key


def _icrawler(source: str) -> ModuleType:
    try:
        from icrawler import builtin
    except ImportError as error:
        raise VisnerError(
            f"images: source {source!r} needs {error.name}: make install, or pip install 'visner[crawl]'"
        ) from None
    return builtin


def usable(address: str) -> str | None:
    """The address as a client can ask for it: absolute, http(s), its path and query percent-encoded, no fragment.

    Undone on the way: JSON's escapes (also those of a string in a string), the entity &amp;, UTF-16 halves of one
    character. None for what is no such address. A host's name stays as it is: the client knows its own IDNA.
    """
    try:
        while "\\" in address:
            address = json.loads(f'"{address}"')
        address = address.replace("&amp;", "&").encode("utf-16", "surrogatepass").decode("utf-16")
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"[\s\"<>]", parts.netloc):
            return None
        _ = parts.port  # raises ValueError where it is none
    except ValueError:
        return None
    path, query = (_LONE_PERCENT.sub("%25", quote(part, _ALLOWED)) for part in (parts.path, parts.query))
    return parts._replace(path=path, query=query, fragment="").geturl()


_ALLOWED = "%/:?@[]!$&'()*+,;=~"  # what has been encoded, and what RFC 3986 has a use for
_LONE_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")
