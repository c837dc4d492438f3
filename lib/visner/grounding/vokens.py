"""Pictures by search: each unit sees the first of its vokens."""

from collections.abc import Iterator
from pathlib import Path

from visner.errors import VisnerError
from visner.runtime.aligned import aligned_rows
from visner.runtime.tables import VOKENS, iterate_rows


def used(vokens: list[Path], k: int) -> list[str]:
    """The pictures that are among the first `k` vokens of any word, sorted."""
    found: set[str] = set()
    for sentence in iterate_rows(vokens, VOKENS, ["image_ids"]):
        for image_ids in sentence["image_ids"]:
            found.update(image_ids[:k])
    return sorted(found)


def ground(sentences: Path, vokens: list[Path], rows: dict[str, int], k: int) -> Iterator[dict]:
    """The grounding table's rows: each unit's first `k` vokens, with the scores of the search."""
    for sentence, found in aligned_rows(sentences, ["units"], [(vokens, VOKENS, None)]):
        if len(sentence["units"]) != len(found["image_ids"]):
            place = f"{vokens[0].parent}: its sentences are not those of {sentences}"
            raise VisnerError(f"{place} ({sentence['sentence_id']}); delete it, run again")
        yield {
            "sentence_id": sentence["sentence_id"],
            "rows": [[rows[image_id] for image_id in image_ids[:k]] for image_ids in found["image_ids"]],
            "scores": [scores[:k] for scores in found["scores"]],
        }
