"""The search engines' result pages, and what a loopback web has for each query.

The pages have the shape that was recorded of the engines in 2024 and 2025, shortened.
"""

import hashlib
import html
import json
from typing import NamedTuple
from urllib.parse import parse_qs, quote

FAILURES = ("404", "html", "truncated")


def share_of(text: str) -> float:
    """A number in [0, 1) that is the text's for ever."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6]) / 2**48


class Web(NamedTuple):
    """What there is on this web: who has how many pictures, and which of them fail."""

    pictures_per_query: int = 45
    fewest: int | None = None  # between this many and pictures_per_query, by the query's hash
    empty: float = 0.0  # share of queries without a picture
    failing: float = 0.0  # share of addresses: 404, HTML, or a truncated picture

    def pictures(self, query: str) -> list[str]:
        """The paths of the query's pictures in rank order."""
        if share_of(f"empty {query}") < self.empty:
            return []
        fewest = self.pictures_per_query if self.fewest is None else self.fewest
        number = fewest + int(share_of(f"number {query}") * (self.pictures_per_query - fewest + 1))
        folder = hashlib.sha256(query.encode()).hexdigest()[:16]
        return [f"/pictures/{folder}/{rank:04d}.jpg" for rank in range(number)]

    def failure(self, path: str) -> str | None:
        """How the picture at a path fails; None: it doesn't."""
        if share_of(f"failing {path}") >= self.failing:
            return None
        return FAILURES[int(share_of(f"failure {path}") * len(FAILURES))]


def bing_page(addresses: list[str]) -> bytes:
    """A list item a picture; its data are JSON in an attribute."""
    items = []
    for rank, address in enumerate(addresses):
        data = {
            "sid": "",
            "cturl": "",
            "cid": "kT6Pq0fN",
            "purl": "https://blog.example.org/entry?id=7&page=2",
            "murl": address,
            "turl": f"https://tse1.mm.bing.net/th?id=OIP.{rank}&pid=15.1",
            "md5": hashlib.md5(address.encode()).hexdigest(),
            "shkey": "",
            "t": "A picture",
            "mid": f"{rank:032X}",
            "desc": "",
        }
        attribute = html.escape(json.dumps(data, ensure_ascii=False, separators=(",", ":")))
        items.append(
            f'<li data-idx="{rank + 1}"><div class="iuscp isv"><div class="imgpt">'
            f'<a class="iusc" m="{attribute}" href="/images/search?view=detailV2&amp;ccid=kT6P" h="ID=images,5{rank}">'
            f'<div class="img_cont hoff"><img class="mimg" src="https://tse1.mm.bing.net/th?id=OIP.{rank}&amp;w=234"/>'
            '</div></a></div><div class="infopt"><a class="inflnk" href="https://blog.example.org/">blog</a></div>'
            "</div></li>"
        )
    return f'<div class="dgControl hover"><ul class="dgControl_list">{"".join(items)}</ul></div>'.encode()


def google_page(addresses: list[str]) -> bytes:
    """Scripts: a first with the page's own furniture, then one with the results as data."""
    thumbnail = "https://encrypted-tbn0.gstatic.com/images?q=tbn:ANd9GcR"
    results = [
        [1, [0, f"id{rank}", [f"{thumbnail}{rank}", 183, 275], [address, 600, 900], None, 0, "rgb(80,96,112)"]]
        for rank, address in enumerate(addresses)
    ]
    data = json.dumps([None, [None, results]], ensure_ascii=False).replace("=", "\\u003d").replace("&", "\\u0026")
    page = (
        "<!doctype html><html><head><title>x - Google Search</title>"
        '<script nonce="a">window.logo=["https://www.gstatic.com/images/branding/googleg/1x/googleg_128dp.png"];</script>'
        '</head><body><div id="islrg"></div>'
        "<script nonce=\"a\">AF_initDataCallback({key: 'ds:0', hash: '1', data:[null,[]], sideChannel: {}});</script>"
        f"<script nonce=\"a\">AF_initDataCallback({{key: 'ds:1', hash: '2', data:{data}, sideChannel: {{}}}});</script>"
        "</body></html>"
    )
    return page.encode()


def baidu_page(addresses: list[str], query: str = "") -> bytes:
    """JSON whose objURL is enciphered letter by letter; its list ends with an empty object."""
    cipher = str.maketrans("abcdefghijklmnopqrstuvw1234567890", "wkv1ju2it3hs4g5rq6fp7eo8dn9cm0bla")
    items = [
        {
            "thumbURL": f"http://img{rank % 6}.baidu.com/it/u=1,2&fm=253&fmt=auto",
            "hoverURL": f"http://img{rank % 6}.baidu.com/it/u=1,2&fm=253&fmt=auto",
            "objURL": _dotted(address.translate(cipher)),
            "width": 600,
            "height": 400,
            "type": "jpg",
            "di": f"{rank}",
            "fromPageTitleEnc": "图片",
        }
        for rank, address in enumerate(addresses)
    ]
    answer = {
        "queryEnc": quote(query),
        "queryExt": query,
        "listNum": len(items),
        "displayNum": len(items),
        "bdIsClustered": "1",
    }
    return json.dumps({**answer, "data": [*items, {}]}, ensure_ascii=False).replace("/", "\\/").encode()


def _dotted(address: str) -> str:
    return address.replace(":", "_z2C$q").replace(".", "_z&e3B").replace("/", "AzdH3F")


def flickr_page(addresses: list[str], page: int = 1, pages: int = 1) -> bytes:
    """The answer to flickr.photos.search with extras."""
    photos = [
        {
            "id": f"5300{rank}",
            "owner": "9@N00",
            "secret": "c0ffee",
            "title": "A picture",
            "ispublic": 1,
            "url_l": address,
        }
        | {"height_l": 683, "width_l": 1024, "url_z": f"{address}?z", "height_z": 427, "width_z": 640}
        for rank, address in enumerate(addresses)
    ]
    found = {"page": page, "pages": pages, "perpage": 100, "total": 100 * pages, "photo": photos}
    return json.dumps({"photos": found, "stat": "ok"}).replace("/", "\\/").encode()


def institute_page(addresses: list[str], total: int) -> bytes:
    """The answer of an institute's picture server (see test_custom.py)."""
    items = [{"id": rank, "files": {"thumbnail": f"{one}?s=1", "original": one}} for rank, one in enumerate(addresses)]
    return json.dumps({"total": total, "items": items}).encode()


def result_page(web: Web, host: str, target: str) -> tuple[str, bytes] | None:
    """The content type and the page that answers a request's target; None: there is no such page."""
    path, _, parameters = target.partition("?")
    asked = {name: values[0] for name, values in parse_qs(parameters, keep_blank_values=True).items()}

    def found(name: str, first: int, number: int) -> list[str]:
        return [f"http://{host}{one}" for one in web.pictures(asked[name])[first : first + number]]

    try:
        if path == "/images/async":  # 35 a page, as Bing does: pages overlap where they are asked for every 20
            return "text/html; charset=utf-8", bing_page(found("q", int(asked["first"]), 35))
        if path == "/search" and asked["tbm"] == "isch":
            return "text/html; charset=utf-8", google_page(found("q", int(asked["start"]), 100))
        if path == "/search/acjson":
            return "application/json", baidu_page(found("word", int(asked["pn"]), int(asked["rn"])), asked["word"])
        if path == "/services/rest/" and asked["method"] == "flickr.photos.search":
            if asked["api_key"] == "wrong":
                failure = {"stat": "fail", "code": 100, "message": "Invalid API Key (Key has invalid format)"}
                return "application/json", json.dumps(failure).encode()
            pages = -(-len(web.pictures(asked["text"])) // int(asked["per_page"]))
            page = min(int(asked["page"]), max(pages, 1))  # beyond the last one: the last one over again
            first = (page - 1) * int(asked["per_page"])
            addresses = found("text", first, int(asked["per_page"]))
            return "application/json", flickr_page(addresses, int(asked["page"]), pages)
        if path == "/api/search":
            addresses = found("text", 20 * (int(asked["page"]) - 1), 20)
            return "application/json", institute_page(addresses, len(web.pictures(asked["text"])))
    except (KeyError, ValueError):
        pass
    return None
