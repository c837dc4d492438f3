"""Pictures by sentence: every unit sees the sentence's own picture, whole or as its grid of regions."""

from collections.abc import Iterator
from pathlib import Path

from visner.runtime.tables import SENTENCES, iterate_rows


def ground(sentences: Path, rows: dict[str, list[int]]) -> Iterator[dict]:
    """The grounding table's rows; `rows` is attachment -> its picture's rows, none for an unusable one."""
    for sentence in iterate_rows(sentences, SENTENCES, ["sentence_id", "units", "attachment"]):
        seen = rows.get(sentence["attachment"], [])
        count = len(sentence["units"])
        yield {
            "sentence_id": sentence["sentence_id"],
            "rows": [seen] * count,
            "scores": [[1.0] * len(seen)] * count,  # nothing was searched
        }
