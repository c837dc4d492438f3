"""Sources of the user's own, and what is said of those that are none."""

import json
import sys
from itertools import islice
from pathlib import Path

import pytest
from engine_sources import get

from visner.config.images import CustomImages
from visner.errors import VisnerError
from visner.images.crawling.engines import open_engine

INSTITUTE = '''
import json
from urllib.parse import urlencode


class Source:
    """The picture server of an institute: /api/search?text=...&collection=...&page=1, twenty pictures a page."""

    def __init__(self, server, collection="photographs"):
        self.server, self.collection = server, collection

    def pages(self, query):
        for page in range(1, 51):
            asked = {"text": query, "collection": self.collection, "page": page}
            yield f"{self.server}/api/search?{urlencode(asked)}"

    def addresses(self, page):
        answer = json.loads(page)
        if "error" in answer:
            raise ValueError(answer["error"])
        return [item["files"]["original"] for item in answer["items"]]
'''


def custom(folder: Path, text: str, name: str = "source.py", **options):
    (folder / name).write_text(text)
    return open_engine(CustomImages(source="custom", file=name, options=options), folder)


def test_an_institutes_server(server, tmp_path):
    institute = custom(tmp_path, INSTITUTE, server=server.url)
    query = next(query for query in ("富士山", "A&B", "C#") if len(server.web.pictures(query)) > 40)
    found = [institute.addresses(get(page)) for page in islice(institute.pages(query), 2)]
    assert found[0] + found[1] == [f"{server.url}{path}" for path in server.web.pictures(query)[:40]]
    assert server.requests()[-1].path.endswith("&collection=photographs&page=2")
    with pytest.raises(ValueError, match=r"source.py:20: no such collection"):
        institute.addresses(b'{"error": "no such collection"}')
    with pytest.raises(ValueError, match=r"source.py:18: Expecting value"):  # json's own
        institute.addresses(b"<html>")


STUB = "class Source:\n def __init__(self, **o): pass\n def pages(self, q):\n  {}\n def addresses(self, p):\n  {}\n"


@pytest.mark.parametrize(
    "text, options, message",
    [
        ("", {}, r"source.py: there is no class Source in it"),
        ("Source = 3", {}, r"source.py: there is no class Source in it"),
        ("class Source:\n    def pages(self, q): pass", {}, r"source.py: the class Source has no method addresses"),
        ("class Source: pass", {}, r"has no method pages and no method addresses"),
        ("x = 1\nclass Source\n", {}, r"source.py:2: expected ':'"),
        ("import os\nimport no_such_module", {}, r"source.py:2: ModuleNotFoundError: No module named 'no_such_module'"),
        (INSTITUTE, {}, r"images: options: .*source.py: .*missing a required argument: 'server'"),
        (INSTITUTE, {"server": "x", "colour": 1}, r"unexpected keyword argument 'colour'"),
        (STUB.format("0", "0").replace("pass", "int([])"), {}, r"source.py:2: TypeError: int"),
    ],
)
def test_a_file_that_is_no_source_is_told_in_one_line(tmp_path, text, options, message):
    with pytest.raises(VisnerError, match=message) as caught:
        custom(tmp_path, text, **options)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_missing_or_no_python(tmp_path):
    with pytest.raises(VisnerError, match="images: file: there is no file .*gone.py"):
        open_engine(CustomImages(source="custom", file="gone.py"), tmp_path)
    with pytest.raises(VisnerError, match="source.txt: the name of a Python file ends in .py"):
        custom(tmp_path, INSTITUTE, "source.txt")


@pytest.mark.parametrize(
    "pages_body, addresses_body, message",
    [
        ("yield 'a'; {}['b']", "return []", r"source.py:4: KeyError: 'b'"),
        ("raise ValueError('odd query')", "return []", r"source.py:4: ValueError: odd query"),
        ("yield b'a'", "return []", r"source.py: Source.pages: an address is a str, not b'a'"),
        ("return None", "return []", r"source.py:1: TypeError: 'NoneType' object is not iterable"),
        ("yield 'a'", "return {}['b']", r"source.py:6: KeyError: 'b'"),
        ("yield 'a'", "import json; json.dumps(p)", r"source.py:6: TypeError: Object of type bytes"),
        (
            "yield 'a'",
            "return 'https://a.example/1.jpg'",
            r"source.py: Source.addresses: it has to return a list of str",
        ),
        ("yield 'a'", "return [3]", r"source.py: Source.addresses: it has to return a list of str"),
        ("yield 'a'", "yield {}['b']", r"source.py:6: KeyError: 'b'"),
    ],
)
def test_what_a_source_raises_names_its_line(tmp_path, pages_body, addresses_body, message):
    own = custom(tmp_path, STUB.format(pages_body, addresses_body))
    with pytest.raises(VisnerError, match=message):
        for _ in own.pages("x"):
            own.addresses(b"page")


@pytest.mark.parametrize("text", ["x = 1\nclass Source\n", "x = 1\n{}['b']\n"])
def test_lines_are_named_where_the_root_is_a_relative_path(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(VisnerError, match=r"^source.py:2: "):
        custom(Path("."), text)


def test_a_source_is_asked_lazily_and_may_be_called_as_a_module_of_python(tmp_path):
    own = custom(tmp_path, STUB.format("yield 'a'; raise SystemExit", "return ['x', 'y', 'x']"), "json.py")
    assert list(islice(own.pages("x"), 1)) == ["a"]
    assert own.addresses(b"") == ["x", "y"]
    assert sys.modules["json"] is json
