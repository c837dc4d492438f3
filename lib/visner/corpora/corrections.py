"""Corrections of mentions by hand: the paper corrected 328 (section 5.1, footnote 1).

A TSV with a header and a correction a line; `line` is that of the document's file, so that a file of corrections
holds no more of a licensed text than the mentions:

    document_id   line   mention   occurrence   old       new
    OC01_00001    12     広島      1            Province  City
    OC01_00001    12     東京      2            -         City
    OC01_00004    7      桜島      1            City      -

The second adds a mention that was not tagged, the third deletes one (`-`: no mention). To move a border, delete the
mention and add another. `occurrence` counts the places of the mention's surface in the sentence, from 1, tagged or
not. The lines apply in their order.
"""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from visner.config.errors import suggest
from visner.corpora.records import Document, Sentence, lines
from visner.errors import VisnerError
from visner.runtime.spans import MIX, Span, bio_to_spans, spans_to_bio

HEADER = ["document_id", "line", "mention", "occurrence", "old", "new"]
NONE = "-"  # no mention, in the columns old and new


class _Correction(NamedTuple):
    at: str  # the correction's own file and line
    mention: str
    occurrence: int
    old: str
    new: str


class Corrections:
    """The corrections of a file; each must apply to the documents that pass through `correct`."""

    def __init__(self, path: Path | None, classes: list[str]):
        self.applied = 0
        self._waiting: dict[tuple[str, int], list[_Correction]] = defaultdict(list)
        for number, line in lines(path) if path else ():
            at, columns = f"{path}:{number}", line.split("\t")
            if number == 1:
                if columns != HEADER:
                    raise VisnerError(f"{at}: the header must be {' '.join(HEADER)}, separated by tabs")
            elif line:
                key, correction = _parse(at, columns, [*classes, MIX])
                self._waiting[key].append(correction)

    def correct(self, document: Document) -> Document:
        """The document with its corrections; VisnerError where one doesn't fit its sentence."""
        return document._replace(sentences=self._corrected(document))

    def finish(self) -> None:
        """VisnerError for the first correction whose sentence was not met."""
        for (document_id, line), corrections in self._waiting.items():
            raise VisnerError(
                f"{corrections[0].at}: no sentence begins on line {line} of the document {document_id}; see "
                "sentence_id in the table of sentences"
            )

    def _corrected(self, document: Document) -> Iterator[Sentence]:
        for sentence in document.sentences:
            for correction in self._waiting.pop((document.document_id, sentence.line), ()):
                sentence = sentence._replace(labels=_apply(correction, sentence))
                self.applied += 1
            yield sentence


def _parse(at: str, columns: list[str], classes: list[str]) -> tuple[tuple[str, int], _Correction]:
    if len(columns) != len(HEADER):
        raise VisnerError(f"{at}: {len(columns)} columns, not {len(HEADER)}: {' '.join(HEADER)}, separated by tabs")
    document_id, line, mention, occurrence, old, new = columns
    for name, number in (("line", line), ("occurrence", occurrence)):
        if not (number.isascii() and number.isdigit() and int(number) > 0):
            raise VisnerError(f"{at}: {name} is {number!r}, not a number from 1")
    for name in (old, new):
        if name not in (NONE, *classes):
            raise VisnerError(f"{at}: there is no class {name!r}{suggest(name, (NONE, *classes))}")
    if not mention:
        raise VisnerError(f"{at}: the mention is empty")
    if old == new:
        raise VisnerError(f"{at}: old and new are both {old}: it corrects nothing")
    return (document_id, int(line)), _Correction(at, mention, int(occurrence), old, new)


def _apply(correction: _Correction, sentence: Sentence) -> list[str]:
    """The sentence's labels after a correction."""
    at, mention, occurrence, old, new = correction
    text, start = "".join(sentence.units), -1
    for _ in range(occurrence):
        start = text.find(mention, start + 1)
        if start < 0:
            raise VisnerError(f"{at}: the sentence does not hold {mention} {occurrence} time(s): {text}")
    stop, spans = start + len(mention), set(bio_to_spans(sentence.labels))
    if old == NONE:
        for span in spans:
            if span.start < stop and start < span.stop:
                there = text[span.start : span.stop]
                raise VisnerError(f"{at}: {mention} meets the mention {there} ({span.label}); delete that first")
    elif Span(start, stop, old) not in spans:
        found = ", ".join(f"{text[span.start : span.stop]} ({span.label})" for span in sorted(spans)) or "none"
        raise VisnerError(f"{at}: {mention} is no mention of class {old} there; the mentions are: {found}")
    spans.discard(Span(start, stop, old))
    if new != NONE:
        spans.add(Span(start, stop, new))
    return spans_to_bio(spans, len(sentence.units))
