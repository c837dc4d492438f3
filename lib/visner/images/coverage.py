"""How many queries, and how many of their occurrences in the corpus, have pictures: over all shards."""

import csv
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from visner import tables
from visner.errors import VisnerError
from visner.images.fetch import COUNTS

EMPTY_SHOWN = 50
REJECTED_SHOWN = 20  # of each reason
SHARED = 20  # queries: a picture of more of them may be a placeholder


def coverage(shards: Sequence[str | Path], queries: str | Path, rejected_list: str | Path) -> dict:
    """The statistics of all shards of a source; VisnerError unless they hold each query of the table once.

    Beside the sums: distinct pictures, those that very many queries share, the most frequent queries without any, and
    examples of what was rejected, which is all written to `rejected_list`, a TSV.
    """
    table = tables.read_table(queries, tables.QUERIES, ["query", "occurrences"]).to_pylist()
    with tables.atomic_path(rejected_list) as temporary, open(temporary, "w", encoding="utf-8", newline="") as file:
        write = csv.writer(file, delimiter="\t", lineterminator="\n").writerow
        write(["query", "rank", "reason", "source_url"])
        return _coverage(shards, table, queries, write)


def _coverage(
    shards: Sequence[str | Path], table: list[dict], queries: str | Path, write: Callable[[list], object]
) -> dict:
    sums: Counter = Counter()
    rejected: Counter = Counter()
    examples: dict[str, list[dict]] = {}
    pictures: Counter[bytes] = Counter()  # queries of each
    covered: set[str] = set()
    for path, made_by in _in_order(shards):
        sums.update({name: made_by["counts"][name] for name in COUNTS})
        rejected.update(made_by["counts"]["rejected"])
        for row in tables.iterate_rows(path, tables.IMAGES, ["query", "rank", "image_id", "reason", "source_url"]):
            if row["reason"] is None:
                pictures[bytes.fromhex(row["image_id"])] += 1
                covered.add(row["query"])
                continue
            write([row["query"], row["rank"], row["reason"], row["source_url"]])
            if len(shown := examples.setdefault(row["reason"], [])) < REJECTED_SHOWN:
                shown.append({"query": row["query"], "source_url": row["source_url"]})
    if sums["queries"] != len(table):
        raise VisnerError(
            f"{queries}: it has {len(table)} queries and the shards were asked {sums['queries']}; "
            "give all shards of this table"
        )
    empty = sorted((-row["occurrences"], row["query"]) for row in table if row["query"] not in covered)
    occurrences = sum(row["occurrences"] for row in table)
    return {
        **{name: sums[name] for name in COUNTS},
        "occurrences": occurrences,
        "occurrences_covered": occurrences + sum(count for count, _ in empty),
        "distinct_pictures": len(pictures),
        "shared": [
            {"image_id": image_id.hex(), "queries": count}
            for image_id, count in sorted(pictures.items(), key=lambda item: (-item[1], item[0]))
            if count > SHARED
        ],
        "empty": [{"query": query, "occurrences": -count} for count, query in empty[:EMPTY_SHOWN]],
        "rejected": {
            reason: {"pictures": rejected[reason], "examples": examples[reason]} for reason in sorted(rejected)
        },
    }


def _in_order(shards: Sequence[str | Path]) -> list[tuple[str | Path, dict]]:
    """The shards with their provenance, by number."""
    numbered: dict[int, tuple[str | Path, dict]] = {}
    for path in shards:
        made_by = tables.read_provenance(path)
        if "counts" not in made_by:
            raise VisnerError(f"{path}: no counts in its metadata; not a shard that `visner images fetch` made")
        number = made_by["shard"]
        if number in numbered:
            raise VisnerError(f"{path}: shard {number} is given twice, the other is {numbered[number][0]}")
        numbered[number] = path, made_by
    return [numbered[number] for number in sorted(numbered)]
