"""The gallery as one HTML file: its style and its pictures are in it, and it needs no script."""

import base64
import io
import unicodedata
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from PIL import Image

from visner.evaluation.mentions import Mention
from visner.evaluation.shown import SHOWN, Picture, Sight, Word

SIDE = 64  # of a thumbnail, in pixels
STYLE = """
body { font: 15px/1.4 system-ui, "Noto Sans CJK JP", "Hiragino Sans", "Noto Color Emoji", sans-serif;
  margin: 2rem auto; max-width: 75rem; padding: 0 1rem; color: #222; background: #fff; }
h2 { font-size: 1rem; margin: 2.5rem 0 .5rem; border-top: 1px solid #bbb; padding-top: .6rem; }
h2 code { overflow-wrap: anywhere; }
table { border-collapse: collapse; margin: .6rem 0; }
th, td { border: 1px solid #ccc; padding: .15rem .6rem; text-align: left; }
td.number { text-align: right; }
.warning { border-left: 4px solid #D55E00; padding: .2rem .8rem; background: #fdf3ec; }
.words { display: flex; flex-wrap: wrap; gap: .4rem; padding: 0; margin: .5rem 0; list-style: none; }
.words li { border: 1px solid #ddd; border-radius: 4px; padding: .25rem .4rem; }
.words li.mention { border-color: #0072B2; border-width: 2px; }
.word { display: block; font-weight: 600; white-space: pre-wrap; overflow-wrap: anywhere; max-width: 20rem; }
.class { color: #0072B2; font-size: .75rem; }
.pictures { display: flex; flex-wrap: wrap; gap: .25rem; }
figure { margin: 0; width: 68px; font-size: .72rem; color: #444; }
figure img { display: block; max-width: 64px; max-height: 64px; }
.none { width: 62px; min-height: 40px; border: 1px dashed #999; color: #666; padding: 2px; overflow-wrap: anywhere; }
.gate { font-size: .75rem; color: #444; }
.right { color: #00664d; } .wrong, .missed { color: #b34700; }
"""
SEES = {
    "query": f"Each noun sees the mean of its query's pictures, of which the first {SHOWN} are here.",
    "voken": f"Each word sees its vokens; the best {SHOWN} at most are here, each with the score of the search.",
    "attention": "Each word looks at the vokens of all words of its sentence; with each are its own, the best "
    f"{SHOWN} at most, and the score of the search.",
    "attachment": "All words see the picture that came with the sentence (or its regions).",
}


class Outcome(NamedTuple):
    """The mentions of one sentence: in the gold standard, the baseline's, the system's."""

    gold: set[Mention]
    baseline: set[Mention]
    system: set[Mention]

    @property
    def differ(self) -> bool:
        """Whether baseline and system say different things."""
        return self.baseline != self.system

    @property
    def all_right(self) -> bool:
        """Whether both are right in all."""
        return self.gold == self.baseline == self.system


class Case(NamedTuple):
    """A sentence of the page; `gate` is a value a unit, None where it sees no picture or there is no gate."""

    sentence: str
    units: Sequence[str]
    sight: Sight
    gate: Sequence[float | None] | None
    outcome: Outcome


def write_page(
    study: str,
    seeds: dict[str, int],
    sees: str,
    warnings: Sequence[str],
    outcomes: Sequence[Outcome],
    cases: Sequence[Case],
    pictures: dict[str, bytes],
) -> str:
    """The HTML document.

    `sees` is a key of SEES, `seeds` are those shown of the baseline and the system, in this order; `outcomes` are of
    all test sentences, `cases` those that the page shows; `pictures` are kept forms by image_id.
    """
    names = list(seeds)
    thumbnails = {image_id: thumbnail(content) for image_id, content in pictures.items()}
    differing = sum(one.differ for one in outcomes)
    title = f"Gallery of the study {escape(study)}"
    parts = [
        "<!DOCTYPE html>",
        f'<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>",
        *(f'<p class="warning">{escape(warning)}</p>' for warning in warnings),
        f"<p>The system <code>{escape(names[1])}</code> (seed {seeds[names[1]]}) beside the baseline "
        f"<code>{escape(names[0])}</code> (seed {seeds[names[0]]}), each by the seed that was best on dev. "
        f"{SEES[sees]} λ is the gate: 0, and no picture gets in. A frame marks gold mentions.</p>",
        _counts(names, outcomes),
        f"<p>They differ in {differing:,} of {len(outcomes):,} test sentences. {len(cases):,} are shown: first "
        "those in which they differ, then those in which they are wrong alike, in the order of the corpus.</p>",
        *(_case(case, names, thumbnails) for case in cases),
        "</body>\n</html>",
    ]
    return "\n".join(parts) + "\n"


def thumbnail(content: bytes) -> str:
    """A kept picture, at most 64 pixels a side, as the data: URI of a JPEG."""
    with Image.open(io.BytesIO(content)) as picture:
        small = picture.convert("RGB")
    small.thumbnail((SIDE, SIDE))
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def visible(text: str) -> str:
    """Text as HTML that shows all of it: what can't be seen, or be in HTML, is written as its code points."""
    if all(unicodedata.category(character)[0] in "CZM" for character in text):
        return " ".join(f"U+{ord(character):04X}" for character in text) or "(empty)"
    return "".join(escape(character) if _allowed(character) else f"U+{ord(character):04X}" for character in text)


def _allowed(character: str) -> bool:
    """Whether HTML may have it: no control character, no surrogate, no noncharacter."""
    code = ord(character)
    noncharacter = code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF
    return unicodedata.category(character) not in ("Cc", "Cs") and not noncharacter


def _counts(names: Sequence[str], outcomes: Sequence[Outcome]) -> str:
    """How many sentences each of the two has all right."""
    numbers = {(baseline, system): 0 for baseline in (True, False) for system in (True, False)}
    for one in outcomes:
        numbers[one.baseline == one.gold, one.system == one.gold] += 1
    rows = [
        f'<tr><th scope="row">{escape(names[0])} {words}</th>'
        + "".join(f'<td class="number">{numbers[baseline, system]:,}</td>' for system in (True, False))
        + "</tr>"
        for baseline, words in ((True, "all right"), (False, "not"))
    ]
    return (
        f'<table>\n<tr><td>test sentences</td><th scope="col">{escape(names[1])} all right</th>'
        f'<th scope="col">not</th></tr>\n' + "\n".join(rows) + "\n</table>"
    )


def _case(case: Case, names: Sequence[str], thumbnails: dict[str, str]) -> str:
    outcome = case.outcome
    verdicts = [
        f"{escape(name)} {'right' if found == outcome.gold else 'wrong'}"
        for name, found in zip(names, (outcome.baseline, outcome.system), strict=True)
    ]
    parts = [f"<section>\n<h2><code>{escape(case.sentence)}</code>: {', '.join(verdicts)}</h2>"]
    if case.sight.own:
        parts.append(f'<div class="pictures">{_picture(case.sight.own, thumbnails)}</div>')
    words = "\n".join(_word(word, case, thumbnails) for word in case.sight.words)
    parts.append(f'<ul class="words">\n{words}\n</ul>')
    mentions = sorted(outcome.gold | outcome.baseline | outcome.system, key=lambda one: one[1:])
    if mentions:
        heads = "".join(f'<th scope="col">{escape(text)}</th>' for text in ("mention", "class", "gold", *names))
        rows = "\n".join(_mention(mention, outcome, case.units) for mention in mentions)
        parts.append(f"<table>\n<tr>{heads}</tr>\n{rows}\n</table>")
    return "\n".join([*parts, "</section>"])


def _word(word: Word, case: Case, thumbnails: dict[str, str]) -> str:
    text = visible("".join(case.units[word.start : word.stop]))
    classes = sorted(
        {one.label for one in case.outcome.gold if one.start < word.stop and word.start < one.stop}
    )  # a noun of Japanese text can have parts of two mentions
    parts = ['<li class="mention">' if classes else "<li>", f'<span class="word" dir="auto">{text}</span>']
    if classes:
        parts.append(f'<span class="class">{escape(" ".join(classes))}</span>')
    if word.pictures:
        shown = "".join(_picture(picture, thumbnails) for picture in word.pictures)
        parts.append(f'<div class="pictures">{shown}</div>')
    values = [value for value in (case.gate or [])[word.start : word.stop] if value is not None]
    if values:
        parts.append(f'<div class="gate">λ {sum(values) / len(values):.3f}</div>')
    return "".join([*parts, "</li>"])


def _picture(picture: Picture, thumbnails: dict[str, str]) -> str:
    what = visible(picture.what)
    if picture.image_id is None:
        return f'<figure><div class="none">{what}</div></figure>'
    score = "" if picture.score is None else f"<figcaption>{picture.score:.3f}</figcaption>"
    name = escape(picture.image_id)
    return (
        f'<figure><img src="{thumbnails[picture.image_id]}" alt="{what}" title="{what}, {name}" '
        f'data-image="{name}">{score}</figure>'
    )


def _mention(mention: Mention, outcome: Outcome, units: Sequence[str]) -> str:
    separator = "" if all(len(unit) == 1 for unit in units) else " "  # characters, or tokens
    cells = [f"<td>{visible(separator.join(mention.surface))}</td><td>{escape(mention.label)}</td>"]
    real = mention in outcome.gold
    cells.append(f"<td>{'yes' if real else '–'}</td>")
    for found in (outcome.baseline, outcome.system):
        words = {(True, True): "right", (False, True): "wrong", (True, False): "missed"}.get((real, mention in found))
        cells.append(f'<td class="{words}">{words}</td>' if words else "<td>–</td>")
    return f"<tr>{''.join(cells)}</tr>"
