"""Reads tweets with a picture: `IMGID:<id>`, then a token, a tab and its label a line; an empty line ends a tweet.

    IMGID:16_05_01_1
    Ada	B-PER
    Lovelace	I-PER
    tweets	O

The form of Twitter-2015 (Zhang et al. 2018) and Twitter-2017 (Lu et al. 2018) as UMT publishes them. A tweet is a
document of one sentence; its picture is `<id>.jpg`.
"""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from visner.config.corpora import ImgidCorpus
from visner.corpora.labels import Labels
from visner.corpora.records import Document, Findings, Sentence, comment_remedy, lines
from visner.errors import VisnerError

MARK = "IMGID:"


def read(path: Path, name: str, recipe: ImgidCorpus, findings: Findings) -> Iterator[Document]:
    """The tweets of a file. Tokens are kept byte by byte: one may be U+00A0, U+FE0F or U+200B alone.

    Labels become BIO; I- labels of BIO that continue nothing stay, and are counted. A tweet without a token is left
    out, and counted. VisnerError with file and line where a tweet has no id, or a line isn't a token, a tab and a label
    of the recipe.
    """
    known = Labels(path, recipe, findings)
    for filled, block in groupby(lines(path, recipe.comment, findings), key=lambda numbered: numbered[1] != ""):
        if not filled:
            continue
        (first, head), *rest = block
        image_id = _image_id(path, first, head)
        rows = [_row(path, number, line, known) for number, line in rest]
        tokens = [token for token, _ in rows]
        labels = known.read([number for number, _ in rest], tokens, [label for _, label in rows])
        if not rows:
            findings.add("tweets_empty", path, first, head)
        sentences = [Sentence(image_id, first, tokens, labels)] if rows else []
        yield Document(image_id, path, first, sentences, attachment=f"{image_id}.jpg")


def _image_id(path: Path, number: int, line: str) -> str:
    """The id in a tweet's first line."""
    if not line.startswith(MARK) or "\t" in line:
        raise VisnerError(
            f"{path}:{number}: the tweet has no id; begin it with a line {MARK}<id>, or take away the empty line before"
            f"{comment_remedy(line)}"
        )
    image_id = line.removeprefix(MARK)
    if not image_id or "/" in image_id or "\0" in image_id:
        raise VisnerError(f"{path}:{number}: {image_id!r} is no id; it must be the name of a picture without .jpg")
    return image_id


def _row(path: Path, number: int, line: str, known: Labels) -> tuple[str, str]:
    """A line's token and label."""
    columns = line.split("\t")
    if len(columns) == 1 and line.startswith(MARK):
        raise VisnerError(f"{path}:{number}: a tweet begins inside another; put an empty line before it")
    if len(columns) != 2:
        raise VisnerError(
            f"{path}:{number}: the line has {len(columns) - 1} tab(s); write a token, one tab and its label, "
            f"or an empty line between tweets{comment_remedy(line)}"
        )
    token, label = columns
    if not token:
        raise VisnerError(f"{path}:{number}: the token is empty; write one before the tab, or delete the line")
    known.check(number, label, line)
    return token, label
