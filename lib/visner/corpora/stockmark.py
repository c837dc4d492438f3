"""Reads Stockmark's Wikipedia NER: one JSON list of sentences, each with its page and its spans.

    [{"curid": "2415078", "text": "東京都に…", "entities": [{"name": "東京都", "span": [0, 3], "type": "地名"}]}, ...]

A page is a document; its sentences need not stand together.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from visner.config.corpora import StockmarkCorpus
from visner.corpora.records import Document, Findings, Sentence, lines
from visner.errors import VisnerError
from visner.runtime.spans import Span, spans_to_bio


def read(path: Path, name: str, recipe: StockmarkCorpus, findings: Findings) -> Iterator[Document]:
    """The documents of a file, in the order in which their first sentences stand.

    A unit is a code point, as spans count them. A sentence whose spans are not in its text, differ from their names
    or overlap is left out; types that the recipe doesn't want are plain text. VisnerError with file and line where
    the file is no such JSON.
    """
    documents: dict[str, Document] = {}
    for line, item in _items(path):
        page, text, spans = _fields(path, line, item)
        document = documents.setdefault(page, Document(page, path, line, []))
        fault = _fault(text, spans)
        if fault:
            findings.add("sentences_rejected", path, line, f"{fault}: {text.encode('utf-8', 'replace').decode()}")
        elif not text.strip():
            findings.add("sentences_empty", path, line, text)
        else:
            findings.other_classes.update(span.label for span, _ in spans if span.label not in recipe.classes)
            wanted = [span for span, _ in spans if span.label in recipe.classes]
            sentence_id = f"{page}:{len(document.sentences) + 1}"
            document.sentences.append(Sentence(sentence_id, line, list(text), spans_to_bio(wanted, len(text))))
    yield from documents.values()


def _items(path: Path) -> Iterator[tuple[int, object]]:
    """The items of the JSON list, each with the line where it begins."""
    content = "\n".join(line for _, line in lines(path))
    decoder = json.JSONDecoder()
    position, line, expected = 0, 1, "["
    while True:
        between = re.compile(r"[ \t\r\n]*([\[\],]?)[ \t\r\n]*").match(content, position)
        line += content.count("\n", position, between.end())
        position = between.end()
        if between[1] == "]" and expected != "[":
            return
        if between[1] != expected:
            missing = "[" if expected == "[" else ", or ]"
            raise VisnerError(f"{path}:{line}: not a JSON list of sentences: {missing} is missing")
        if expected == "[" and content.startswith("]", position):
            return
        try:
            item, stop = decoder.raw_decode(content, position)
        except json.JSONDecodeError as error:
            raise VisnerError(f"{path}:{error.lineno}: not JSON: {error.msg}") from None
        yield line, item
        line += content.count("\n", position, stop)
        position, expected = stop, ","


def _fields(path: Path, line: int, item: object) -> tuple[str, str, list[tuple[Span, str]]]:
    """An item's page, its text, and its spans with the names that they should have."""
    try:
        spans = [(Span(*entity["span"], entity["type"]), entity["name"]) for entity in item["entities"]]
        page, text = item["curid"], item["text"]
    except (KeyError, TypeError) as error:
        raise VisnerError(
            f"{path}:{line}: a sentence needs curid, text and entities, an entity name, span and type ({error!r})"
        ) from None
    strings = [text, *(name for _, name in spans), *(span.label for span, _ in spans)]
    numbers = [number for span, _ in spans for number in span[:2]]
    if not (isinstance(page, str | int) and {*map(type, strings)} == {str} and {*map(type, numbers)} <= {int}):
        raise VisnerError(f"{path}:{line}: curid, text, name and type must be strings, a span two whole numbers")
    return str(page), text, spans


def _fault(text: str, spans: list[tuple[Span, str]]) -> str | None:
    """What is wrong with a sentence's spans, if anything."""
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        return "half of a surrogate pair"
    last = 0
    for span, name in sorted(spans):
        if not 0 <= span.start < span.stop <= len(text):
            return f"the span {span.start}:{span.stop} is empty or leaves the text"
        if text[span.start : span.stop] != name:
            return f"the span {span.start}:{span.stop} is not {name}"
        if span.start < last:
            return f"the span {span.start}:{span.stop} overlaps another"
        last = span.stop
    return None
