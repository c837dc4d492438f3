"""What the words of sentences see: their pictures, by the tables that a system's grounding was made from."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from visner.errors import VisnerError
from visner.runtime import tables
from visner.runtime.pictures import first_pictures

SHOWN = 3  # pictures of a word at most: a page has thousands of words


class Picture(NamedTuple):
    """A picture that is seen, or that should be there; `image_id` is None where there is none."""

    image_id: str | None
    what: str  # whose picture it is (a query, an attachment), or why there is none
    score: float | None = None  # of the search


class Word(NamedTuple):
    """Units `start` to `stop` (exclusive), and the first of their pictures, best first."""

    start: int
    stop: int
    pictures: Sequence[Picture]


class Sight(NamedTuple):
    """A sentence's words; `own` is the picture that all of them see, where they see the same."""

    words: Sequence[Word]
    own: Picture | None = None


def sights(
    by: str,
    k: int | None,
    sentences: dict[str, dict],
    images: Sequence[Path],
    words: Path | None = None,
    vokens: Sequence[Path] | None = None,
) -> dict[str, Sight]:
    """sentence -> what its words see, for some rows of the sentences table by id.

    `by` and `k` are those of a grounding; the tables are those that it was made from. Raises VisnerError where one is
    needed and not given, or where a sentence is missing from it.
    """
    if by == "attachment":
        return _attached(sentences, images)
    table, rows = ("words", words) if by == "query" else ("vokens", vokens)
    if rows is None:
        raise VisnerError(f"`by: {by}` reads the table {table}: give it")
    shown = min(k, SHOWN)
    seen = _queries(shown, sentences, images, words) if by == "query" else _vokens(shown, sentences, vokens)
    missing = sentences.keys() - seen.keys()
    if missing:
        raise VisnerError(f"{len(missing)} sentences are in no table of words or vokens, {min(missing)} is one")
    return seen


def _queries(k: int, sentences: dict[str, dict], images: Sequence[Path], table: Path) -> dict[str, Sight]:
    """A word sees the first `k` pictures of its first query that has any."""
    pictures = first_pictures(images, k)
    found = {}
    for row in _rows(table, tables.WORDS, sentences):
        words = []
        for word in row["words"]:
            query = next((one for one in word["queries"] if one in pictures), None)
            seen = [Picture(image_id, query) for image_id in pictures[query]] if query is not None else []
            if word["queries"] and not seen:
                seen = [Picture(None, f"no picture of {word['queries'][0]}")]
            words.append(Word(word["start"], word["stop"], seen))
        found[row["sentence_id"]] = Sight(_gapless(words, len(sentences[row["sentence_id"]]["units"])))
    return found


def _vokens(k: int, sentences: dict[str, dict], table: Sequence[Path]) -> dict[str, Sight]:
    """A word sees its first `k` vokens."""
    found = {}
    for row in _rows(table, tables.VOKENS, sentences):
        words = []
        for place, (image_ids, scores) in enumerate(zip(row["image_ids"], row["scores"], strict=True)):
            seen = [Picture(image_id, "voken", score) for image_id, score in zip(image_ids, scores, strict=True)][:k]
            words.append(Word(place, place + 1, seen or [Picture(None, "no voken")]))
        found[row["sentence_id"]] = Sight(words)
    return found


def _attached(sentences: dict[str, dict], images: Sequence[Path]) -> dict[str, Sight]:
    """All words see their sentence's own picture."""
    names = {row["attachment"] for row in sentences.values()} - {None}
    pictures: dict[str, Picture] = {}
    for row in tables.iterate_rows(images, tables.IMAGES, ["query", "image_id", "reason"]):
        if row["query"] in names:
            what = row["query"] if row["image_id"] else f"{row['query']}: {row['reason']}"
            pictures[row["query"]] = Picture(row["image_id"], what)
    return {
        name: Sight(
            [Word(place, place + 1, []) for place in range(len(row["units"]))],
            pictures.get(row["attachment"], Picture(None, f"{row['attachment'] or 'this sentence'}: no picture")),
        )
        for name, row in sentences.items()
    }


def _rows(path: Path | Sequence[Path], schema, sentences: dict[str, dict]) -> Iterable[dict]:
    return (row for row in tables.iterate_rows(path, schema) if row["sentence_id"] in sentences)


def _gapless(words: Sequence[Word], length: int) -> list[Word]:
    """The words, and what is between them (spaces) as words without pictures."""
    found, place = [], 0
    for word in words:
        if word.start > place:
            found.append(Word(place, word.start, []))
        found.append(word)
        place = word.stop
    return [*found, Word(place, length, [])] if place < length else found


def kept_pictures(shards: Sequence[Path], image_ids: set[str]) -> dict[str, bytes]:
    """image_id -> its kept form, of some pictures. Raises VisnerError where one is in no shard."""
    found: dict[str, bytes] = {}
    for batch in tables.iterate_batches(shards, tables.IMAGES, ["image_id", "bytes"], 256):
        for place, image_id in enumerate(batch.column("image_id").to_pylist()):
            if image_id in image_ids and image_id not in found:
                found[image_id] = batch.column("bytes")[place].as_py()
    missing = image_ids - found.keys()
    if missing:
        raise VisnerError(f"{len(missing)} pictures are in no shard, {min(missing)} is one; run the stage images again")
    return found
