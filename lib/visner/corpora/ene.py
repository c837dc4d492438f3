"""Reads the Extended Named Entity corpus: inline tags in plain text (GSK2014-A, BCCWJ edition).

The files look like XML but are not always: text may hold a bare `&` or `<`, and tags are whatever the annotators
used. So they are read as text with tags, not by an XML parser:

    <?xml version="1.0" encoding="UTF-8"?>
    <DOC>
    <ID>OC01_00001</ID>
    <TEXT>
    <Province>宮城県</Province><City>石巻市</City>に行った。
    </TEXT>
    </DOC>
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from visner.config.corpora import EneCorpus
from visner.corpora.records import Document, Findings, Sentence, lines
from visner.errors import VisnerError
from visner.runtime.spans import MIX, Span, spans_to_bio

ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
STRUCTURE = re.compile(r"<(/?)(DOC|ID|TEXT)(?:\s[^<>]*)?>")
# What has to follow each structural tag. Between <TEXT> and </TEXT> nothing else is structure.
FOLLOWING = {"": "DOC", "DOC": "ID", "ID": "/ID", "/ID": "TEXT", "TEXT": "/TEXT", "/TEXT": "/DOC", "/DOC": "DOC"}


class _Element(NamedTuple):
    """A tag with its content: characters `start` to `stop`; `parent` is the index of the element around it, or -1."""

    name: str
    start: int
    stop: int
    parent: int


def read(path: Path, name: str, recipe: EneCorpus, findings: Findings) -> Iterator[Document]:
    """The documents of a file; those with `<rejectedBlock>` have no sentences.

    A line is a sentence. The outermost wanted class of nested tags counts; all other tags are plain text. A mention
    with a second wanted class on identical borders, or `<MIX>` itself, has the class MIX. Lines are joined where a
    mention goes on over their break, with a space only between two ASCII letters or digits. VisnerError with file
    and line where a tag is not closed or closes another, or where the frame of DOC, ID and TEXT is broken.
    """
    content = "\n".join(line for _, line in lines(path))
    markup = _markup(recipe.classes)
    for document_id, line, whole, text, text_line in _documents(path, content):
        if re.search(r"</?rejectedBlock\b", whole):
            findings.add("documents_rejected", path, line, document_id)
            yield Document(document_id, path, line, ())
            continue
        text, elements = _parse(path, text_line, text, markup, findings)
        mentions = _mentions(path, text_line, text, elements, {*recipe.classes, MIX}, findings)
        yield Document(document_id, path, line, _sentences(document_id, path, text_line, text, mentions, findings))


def _documents(path: Path, content: str) -> Iterator[tuple[str, int, str, str, int]]:
    """Each document's id, the line of its <DOC>, all that is in it, its text, and the line where the text begins."""
    found, line = {}, 1  # structural tag -> its match; line: of the last one
    last, position, counted = "", 0, 0
    while tag := STRUCTURE.search(content, position):
        position = tag.end()
        if last == "TEXT" and tag[1] + tag[2] != "/TEXT":  # inside the text it is no structure
            continue
        line, counted = line + content.count("\n", counted, tag.start()), tag.start()
        last, expected = tag[1] + tag[2], FOLLOWING[last]
        if last != expected:
            raise VisnerError(f"{path}:{line}: <{last}> stands where <{expected}> must; mend the file")
        found[last] = tag
        if last == "DOC":
            document_line = line
        elif last == "/ID":
            document_id = content[found["ID"].end() : tag.start()].strip()
            if not document_id:
                raise VisnerError(f"{path}:{line}: the <ID> of the document is empty; give it one")
        elif last == "TEXT":
            text_line = line
        elif last == "/DOC":
            text = content[found["TEXT"].end() : found["/TEXT"].start()]
            if text.startswith("\n"):  # the lines of <TEXT> and </TEXT> are no sentences
                text, text_line = text[1:], text_line + 1
            whole = content[found["DOC"].end() : tag.start()]
            yield document_id, document_line, whole, text.removesuffix("\n"), text_line
    if last != "/DOC":
        end = content.rstrip("\n").count("\n") + 1
        raise VisnerError(f"{path}:{end}: the file ends where <{FOLLOWING[last]}> must stand; is it whole?")


def _markup(classes: list[str]) -> re.Pattern[str]:
    """What isn't plain text: tags, entities, and each `&` and `<` that is part of neither.

    A tag's name is ASCII or one of the classes, and an attribute has a value: <笑>, <http://...> and <3 are text.
    """
    name = "|".join([*map(re.escape, sorted(classes, key=len, reverse=True)), r"[A-Za-z_][A-Za-z0-9_.-]*"])
    attribute = r"""\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'|[^\s"'<>/]+)"""
    return re.compile(
        rf"<(?P<close>/?)(?P<name>{name})(?:{attribute})*\s*(?P<empty>/?)>"
        rf"|&(?P<entity>{'|'.join(ENTITIES)}|#[0-9]{{1,7}}|#x[0-9A-Fa-f]{{1,6}});|[&<]"
    )


def _parse(
    path: Path, line: int, source: str, markup: re.Pattern[str], findings: Findings
) -> tuple[str, list[_Element]]:
    """The text without its markup, and the elements in the order of their opening tags."""
    pieces: list[str] = []
    elements: list[_Element] = []
    open_elements: list[tuple[int, int]] = []  # index of the element, where its tag stands in the source
    length, position = 0, 0

    def at(place: int) -> int:
        return line + source.count("\n", 0, place)

    for found in markup.finditer(source):
        piece = source[position : found.start()]
        position = found.end()
        if found["name"] is None:
            character = _character(found["entity"])
            if character is None:
                findings.add("markup_stray", path, at(found.start()), source[found.start() : found.start() + 40])
            piece += character or found[0]
        pieces.append(piece)
        length += len(piece)
        name = found["name"]
        if name and not found["close"]:
            parent = open_elements[-1][0] if open_elements else -1
            if not found["empty"]:
                open_elements.append((len(elements), found.start()))
            elements.append(_Element(name, length, length, parent))
        elif name:
            if not open_elements:
                raise VisnerError(f"{path}:{at(found.start())}: </{name}> closes nothing; delete it, or open <{name}>")
            index, opened = open_elements.pop()
            if elements[index].name != name:
                raise VisnerError(
                    f"{path}:{at(found.start())}: </{name}> where <{elements[index].name}> of line {at(opened)} is "
                    "open; tags must nest"
                )
            elements[index] = elements[index]._replace(stop=length)
    if open_elements:
        index, opened = open_elements[-1]
        raise VisnerError(
            f"{path}:{at(opened)}: <{elements[index].name}> is never closed; close it, or write &lt; if it is text"
        )
    return "".join([*pieces, source[position:]]), elements


def _character(entity: str | None) -> str | None:
    """The character that an entity stands for; None for control characters, surrogates and what is no entity."""
    if entity is None or not entity.startswith("#"):
        return ENTITIES.get(entity)
    code = int(entity[2:], 16) if entity[1] == "x" else int(entity[1:])
    printable = code >= 0x20 and not 0x7F <= code < 0xA0 and not 0xD800 <= code < 0xE000 and code < 0x110000
    return chr(code) if printable else None


def _mentions(
    path: Path, line: int, text: str, elements: list[_Element], wanted: set[str], findings: Findings
) -> list[Span]:
    """The mentions of a text: its outermost wanted elements, without the line breaks at their edges."""
    mentions: dict[int, Span] = {}  # by the index of the element
    around: list[int] = []  # element -> the mention that it is or is in, or -1

    def at(place: int) -> int:
        return line + text.count("\n", 0, place)

    for index, (name, start, stop, parent) in enumerate(elements):
        outer = around[parent] if parent >= 0 else -1
        around.append(outer)
        if name not in wanted:
            findings.other_classes[name] += 1
            continue
        content = text[start:stop]
        start, stop = start + len(content) - len(content.lstrip("\n")), start + len(content.rstrip("\n"))
        if start >= stop:
            findings.add("mentions_empty", path, at(start), f"<{name}></{name}>")
        elif outer < 0:
            mentions[index] = Span(start, stop, name)
            around[index] = index
        elif mentions[outer] == (start, stop, MIX):
            continue  # one more of its classes
        elif mentions[outer][:2] == (start, stop) and mentions[outer].label != name:
            findings.add("mentions_mixed", path, at(start), f"<{mentions[outer].label}><{name}>{text[start:stop]}")
            mentions[outer] = Span(start, stop, MIX)
        else:
            findings.add("mentions_nested", path, at(start), f"<{name}>{text[start:stop]}")
    return list(mentions.values())


def _sentences(
    document_id: str, path: Path, line: int, text: str, mentions: list[Span], findings: Findings
) -> Iterator[Sentence]:
    """The lines of a text as sentences, those joined that a mention connects."""
    breaks = [found.start() for found in re.finditer("\n", text)]
    starts = [mention.start for mention in mentions]
    start = 0
    for stop in [*breaks, len(text)]:
        here = mentions[bisect_left(starts, start) : bisect_left(starts, stop)]
        if here and stop < here[-1].stop:
            continue  # the break is inside a mention
        number = line + bisect_left(breaks, start)
        kept = [position for position in range(start, stop) if text[position] != "\n" or _spaces(text, position)]
        units = [" " if text[position] == "\n" else text[position] for position in kept]
        if not text[start:stop].strip():
            findings.add("sentences_empty", path, number, "")
        else:
            if "\n" in text[start:stop]:
                findings.add("lines_joined", path, number, "".join(units))
            spans = [Span(bisect_left(kept, span.start), bisect_left(kept, span.stop), span.label) for span in here]
            yield Sentence(f"{document_id}:{number}", number, units, spans_to_bio(spans, len(units)))
        start = stop + 1


def _spaces(text: str, position: int) -> bool:
    """Whether a break inside a mention becomes a space: the first one between two ASCII letters or digits."""
    before, after = text[position - 1], text[position:].lstrip("\n")[0]
    return before.isascii() and before.isalnum() and after.isascii() and after.isalnum()
