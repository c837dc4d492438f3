"""Sources of addresses: a query to its result pages, a result page to its pictures' addresses. Nothing is fetched here.

The public engines are read by icrawler's feeders (they know the pages' addresses) and parsers (they know the pages).
What their parsers spoil is mended here, and said where it is mended. The tests hold exact page and picture addresses:
a newer icrawler, or an engine's new page, shows there first.

|        | photographs only        | language, region          | safe search             | pages, pictures a page |
|--------|-------------------------|---------------------------|-------------------------|------------------------|
| bing   | yes                     | setlang, cc; both: mkt    | off, moderate, strict   | 50, about 35           |
| google | yes                     | lr (Chinese: zh-CN), gl   | off; moderate as strict | 10, 100                |
| baidu  | no                      | none                      | none                    | 34, 30                 |
| flickr | content type and media  | none                      | off, moderate, strict   | 40, 100                |
"""

import contextlib
import html
import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol
from urllib.parse import quote_plus, unquote

from visner.config.base import below
from visner.config.images import CustomImages, EngineImages
from visner.errors import VisnerError
from visner.images.crawling.buckets import Origin
from visner.images.crawling.custom import CustomSource
from visner.images.crawling.result_pages import Engine, NotResults, usable

# What is known of engines whose pages name no picture any more.
SILENT_ENGINES = {"google": "since August 2025 icrawler reads no picture from Google's pages (icrawler#135)."}


class AddressSource(Protocol):
    """What names pictures' addresses; it asks nobody itself."""

    def pages(self, query: str) -> Iterator[str]:
        """The addresses of the query's result pages, first to last; taken one by one while pictures are wanted."""
        ...

    def addresses(self, page: bytes) -> list[str]:
        """The pictures' addresses that a result page names, in rank order; empty: the query has no more.

        Raises ValueError where it isn't a result page (a captcha, a consent page, an API's error): its text says what
        it looks like.
        """
        ...

    def origins(self, page: bytes) -> Mapping[str, Origin]:
        """The source page and the licence of those of its addresses of which the page names any."""
        ...


def open_engine(recipe: EngineImages | CustomImages, root: str | Path) -> AddressSource:
    """The recipe's source; the path of a source of the user's own is relative to `root`."""
    if isinstance(recipe, CustomImages):
        return CustomSource(below(root, recipe.file), recipe.options)
    return {"bing": Bing, "google": Google, "baidu": Baidu, "flickr": Flickr}[recipe.source](recipe)


def redacted(url: str) -> str:
    """The address without what could be a credential, for logs and stores: flickr's pages carry its key.

    Left out are a user and password before the host, the fragment, and parameters whose names end as those of
    credentials do (api_key, access_token, api_sig ...); all else stays as it is. For pages only: two pictures'
    addresses may differ in such a parameter.
    """
    address, mark, parameters = url.partition("#")[0].partition("?")
    address = re.sub(r"^(\w+://)[^/]*@", r"\1", address)
    kept = [one for one in parameters.split("&") if not _CREDENTIAL.search(unquote(one.partition("=")[0]))]
    return address + (mark if kept else "") + "&".join(kept)


_CREDENTIAL = re.compile(r"(key|token|secret|password|passwd|pwd|sig|signature|credential|auth)$", re.IGNORECASE)


class Bing(Engine):
    """Bing's asynchronous pages. Only addresses with `.jpg` come, cut behind it: that is all BingParser looks for.

    Its pages overlap (a page has more pictures than the step between pages): the crawl counts an address once.
    """

    def _feed(self, query: str) -> list[str]:
        filters = {"type": "photo"} if self._recipe.photos else None
        return self._fed(keyword=quote_plus(query), offset=0, max_num=1000, filters=filters)  # it pastes raw keywords

    def _parameters(self) -> dict[str, Any]:
        language, region = self._recipe.language, self._recipe.region
        market = f"{language.lower()}-{region.upper()}" if language and region else None
        return {"adlt": self._recipe.safe_search, "setlang": language, "cc": region, "mkt": market}

    def _read(self, page: bytes) -> list[str]:
        # The parser unescapes entities twice, which would make "&copy=1" of an address into a sign.
        page = page.replace(b"&amp;", b"&amp;amp;")
        try:
            found = self._parsed(page)
        except TypeError:  # a block without a link ends the parser, and all the pictures after it
            found = self._parsed(_without_linkless_blocks(page))
        # It looks for ".jpg" beyond the end of the address: what comes before the quote is another kind of file.
        return [address.partition('"')[0] for address in found]

    def _origins(self, page: bytes) -> Iterator[tuple[str, str | None, str | None]]:
        for data in re.findall(r'\bm="({[^"]*)"', page.decode("utf-8", "ignore")):
            picture = json.loads(html.unescape(data))
            yield "".join(picture["murl"].partition(".jpg")[:2]), picture.get("purl"), None


def _without_linkless_blocks(page: bytes) -> bytes:
    from bs4 import BeautifulSoup

    soup = BeautifulSoup(page.decode("utf-8", "ignore"), "lxml")
    for block in soup.find_all("div", class_="imgpt"):
        if block.a is None:
            block.decompose()
    return str(soup).encode()


class Google(Engine):
    """Google's pages of pictures, as it gives them to clients without JavaScript; often it gives those a captcha.

    GoogleParser takes whatever looks like an address with "jpg", "png" or "bmp" in it, up to there. So addresses on
    Google's own page furniture (google.*, gstatic.com) are left out; its hosts of users' pictures
    (googleusercontent.com, blogspot.com, ggpht.com) are not: they are results as any other.
    """

    def _feed(self, query: str) -> list[str]:
        filters = {"type": "photo"} if self._recipe.photos else None
        return self._fed(keyword=query, offset=0, max_num=1000, language=self._recipe.language, filters=filters)

    def _parameters(self) -> dict[str, Any]:
        region = self._recipe.region
        safe = "off" if self._recipe.safe_search == "off" else "active"
        return {"safe": safe, "gl": region.lower() if region else None}

    def _read(self, page: bytes) -> list[str]:
        # The parser stops at the first script with any address, be it a logo's: each script gets its turn.
        for script in page.split(b"<script")[1:]:
            script = b"<script" + script.partition(b"</script>")[0] + b"</script>"
            if not re.search(rb"jpg|png|bmp", script):
                continue
            script = _ESCAPE.sub(lambda escape: escape[0] if escape[1] else b"", script)
            found = [_googles_address(address) for address in self._parsed(script)]
            found = [address for address in found if address and not _GOOGLES_OWN.match(address)]
            if found:
                return found
        return []


def _googles_address(address: str) -> str | None:
    """What is an address in a match: the last string of several, its bytes read as UTF-8 and not as Latin-1."""
    address = address.rpartition('"')[2]
    with contextlib.suppress(UnicodeError):  # where it was written with escapes
        address = address.encode("latin-1").decode("utf-8")
    return usable(address)


_GOOGLES_OWN = re.compile(r"https?://([\w-]+\.)*(google(\.\w{2,3}){1,2}|gstatic\.com)(?![\w.-])")
# What Python's codec knows after a backslash; the parser warns of anything else, or dies on it.
_ESCAPE = re.compile(rb"\\([\\'\"abfnrtv0-7]|u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2})?")


class Baidu(Engine):
    """Baidu's JSON. It has no filter for photographs: `static` only leaves out what moves."""

    def _feed(self, query: str) -> list[str]:
        return self._fed(keyword=quote_plus(query), offset=0, max_num=1000)  # it pastes raw keywords

    def _read(self, page: bytes) -> list[str]:
        # The parser takes what isn't JSON for an empty answer, and so would a refusal be.
        answer = self._answer(page)
        if not isinstance(answer.get("data"), list):
            raise NotResults(f"baidu: no result page: {answer.get('message') or 'its JSON has no data'}")
        return self._parsed(page)

    def _origins(self, page: bytes) -> Iterator[tuple[str, str | None, str | None]]:
        decoded = self._parser._decode_url  # both are enciphered
        for picture in self._answer(page)["data"]:
            if picture.get("objURL") and picture.get("fromURL"):
                yield decoded(picture["objURL"]), decoded(picture["fromURL"]), None

    @staticmethod
    def _answer(page: bytes) -> dict:
        return json.loads(page.decode("utf-8", "ignore").replace("\\'", "'"), strict=False)


class Flickr(Engine):
    """Flickr's API, by relevance. Its key is taken from the environment's FLICKR_APIKEY, and every page address has it.

    The search is asked for the addresses of the sizes, as extras: a request a page. FlickrParser asks again for every
    picture, and 3,600 requests an hour are allowed.
    """

    # The resized ones first: kept forms are small, and an original can be a hundred times as large or a TIFF.
    _SIZES: ClassVar[list[str]] = ["url_l", "url_c", "url_z", "url_o", "url_m"]
    # flickr.photos.licenses.getInfo; those of later numbers are named by their number.
    _LICENCES: ClassVar[list[str]] = [
        "all rights reserved", "CC BY-NC-SA 2.0", "CC BY-NC 2.0", "CC BY-NC-ND 2.0", "CC BY 2.0", "CC BY-SA 2.0",
        "CC BY-ND 2.0", "no known copyright restrictions", "United States government work", "CC0 1.0",
        "public domain mark 1.0",
    ]  # fmt: skip
    _SAFE_SEARCH: ClassVar[dict[str, int]] = {"strict": 1, "moderate": 2, "off": 3}

    def __init__(self, recipe: EngineImages):
        super().__init__(recipe)
        self._key = os.environ.get("FLICKR_APIKEY", "").strip()
        if not self._key:
            raise VisnerError("images: source 'flickr': set the environment variable FLICKR_APIKEY to your API key")

    def _feed(self, query: str) -> list[str]:
        extras = ",".join([*self._SIZES, "license"])
        asked = {"text": query, "sort": "relevance", "extras": extras, "per_page": 100}
        asked["safe_search"] = self._SAFE_SEARCH[self._recipe.safe_search]
        if self._recipe.photos:
            asked["content_type"] = 1
        return self._fed(apikey=self._key, **asked)

    def _parameters(self) -> dict[str, Any]:
        return {"media": "photos" if self._recipe.photos else None}  # content type 1 alone has videos in it

    def _read(self, page: bytes) -> list[str]:
        answer = json.loads(page)
        if answer.get("stat") != "ok":
            raise NotResults(f"flickr: {answer.get('message') or 'its JSON has no stat'}")
        photos = answer["photos"]
        if photos["page"] > photos["pages"]:
            return []  # the last page over again
        return [address for address in map(self._address, photos["photo"]) if address]

    def _origins(self, page: bytes) -> Iterator[tuple[str, str | None, str | None]]:
        for photo in json.loads(page)["photos"]["photo"]:
            if address := self._address(photo):
                number = photo.get("license")
                known = number is not None and int(number) < len(self._LICENCES)
                licence = self._LICENCES[int(number)] if known else number and f"flickr license {number}"
                yield address, f"https://www.flickr.com/photos/{photo['owner']}/{photo['id']}", licence

    def _address(self, photo: dict) -> str | None:
        return next((photo[size] for size in self._SIZES if photo.get(size)), None)
