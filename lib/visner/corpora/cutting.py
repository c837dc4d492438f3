"""Cuts sentences: lines that hold several, and sentences of more than `max_units`. Never inside a mention."""

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

from visner.config.corpora import CorpusRecipe
from visner.corpora.records import Document, Findings, Sentence

ENDS = frozenset("。！？")
PAUSES = frozenset("。、")
BRACKETS = dict(zip("「『（(【〔［[〈《｛{“", "」』）)】〕］]〉》｝}”", strict=True))
CLOSING = frozenset(BRACKETS.values())


def cut(document: Document, recipe: CorpusRecipe, findings: Findings) -> Document:
    """The document with its sentences cut as the recipe asks; the parts' ids end in .1, .2, ..."""
    return document._replace(sentences=_parts(document, recipe, findings))


def sentence_ends(units: Sequence[str], labels: Sequence[str]) -> list[int]:
    """Where a line is cut into sentences: after 。！？ outside brackets, and after what closes behind them.

    A bracket counts with its partner in the same line; alone, it is an ordinary character. Positions in units,
    without the line's own ends.
    """
    inside = _in_brackets(units)
    end = len("".join(units).rstrip())  # white space at the end is no sentence
    cuts = []
    for position in range(1, len(units)):
        if units[position - 1] in ENDS and not inside[position - 1]:
            while position < end and units[position] in CLOSING:
                position += 1
            if position < end and units[position] not in ENDS and not labels[position].startswith("I-"):
                cuts.append(position)
    return cuts


def length_cuts(units: Sequence[str], labels: Sequence[str], limit: int) -> list[int]:
    """Where a sentence is cut so that its parts have at most `limit` units.

    After the last 。, 、 or white space within the limit; without one at the limit, or before the mention that
    stands there; behind a mention that is longer than the limit.
    """
    cuts, start = [], 0
    while len(units) - start > limit:
        within = range(start + limit, start, -1)
        allowed = [position for position in within if not labels[position].startswith("I-")]
        pauses = (position for position in allowed if units[position - 1] in PAUSES or units[position - 1].isspace())
        beyond = (stop for stop in range(start + limit, len(units)) if not labels[stop].startswith("I-"))
        start = next(pauses, None) or next(iter(allowed), None) or next(beyond, len(units))
        if start < len(units):
            cuts.append(start)
    return cuts


def _in_brackets(units: Sequence[str]) -> list[bool]:
    """For each unit whether it is inside a pair of brackets (or is the opening one)."""
    changes = [0] * len(units)
    opened: list[int] = []
    for position, unit in enumerate(units):
        if unit in BRACKETS:
            opened.append(position)
        elif unit in CLOSING:
            # the nearest partner: brackets that were opened inside and never closed don't count
            for depth in range(len(opened) - 1, -1, -1):
                if BRACKETS[units[opened[depth]]] == unit:
                    changes[opened[depth]] += 1
                    changes[position] -= 1
                    del opened[depth:]
                    break
    return [depth > 0 for depth in accumulate(changes)]


def _parts(document: Document, recipe: CorpusRecipe, findings: Findings) -> Iterator[Sentence]:
    for sentence_id, line, units, labels in document.sentences:
        ends = sentence_ends(units, labels) if getattr(recipe, "split_sentences", False) else []
        cuts = [*ends]
        if ends:
            findings.add("sentences_split", document.path, line, "".join(units))
        for start, stop in pairwise([0, *ends, len(units)]):
            more = length_cuts(units[start:stop], labels[start:stop], recipe.max_units)
            cuts += [start + position for position in more]
            if more:
                findings.add("sentences_long", document.path, line, "".join(units[start:stop]))
        borders = [0, *sorted(cuts), len(units)]
        for number, (start, stop) in enumerate(pairwise(borders), 1):
            if stop - start > recipe.max_units:
                findings.add("mentions_long", document.path, line, "".join(units[start:stop]))
            part_id = f"{sentence_id}.{number}" if cuts else sentence_id
            yield Sentence(part_id, line, units[start:stop], labels[start:stop])
