"""How many queries, and how many of their occurrences in the corpus, have pictures: over all shards."""

import csv
from collections import Counter
from pathlib import Path

from visner.errors import VisnerError
from visner.images.fetch import COUNTS, log_counts
from visner.runtime import stages, tables

EMPTY_SHOWN = 50
REJECTED_SHOWN = 20  # of each reason
SHARED = 20  # queries: a picture of more of them may be a placeholder


def coverage(*, queries: Path, shards: list[Path], statistics: Path, rejected: Path) -> None:
    """Make the JSON file `statistics` of a source's shards, and the TSV `rejected` of all that was rejected.

    Beside sums the statistics have the distinct pictures, those that very many queries share, the most frequent queries
    without any, and examples of what was rejected. VisnerError unless the shards were asked all queries of the table.
    """
    asked = tables.read_table(queries, tables.QUERIES, ["query", "occurrences"]).to_pylist()
    sums: Counter = Counter()
    reasons: Counter = Counter()
    examples: dict[str, list[dict]] = {}
    pictures: Counter[bytes] = Counter()  # queries of each
    covered: set[str] = set()
    with tables.atomic_path(rejected) as temporary, open(temporary, "w", encoding="utf-8", newline="") as file:
        write = csv.writer(file, delimiter="\t", lineterminator="\n").writerow
        write(["query", "rank", "reason", "source_url"])
        for shard in shards:
            counts = tables.read_provenance(shard)["counts"]
            sums.update({name: counts[name] for name in COUNTS})
            reasons.update(counts["rejected"])
            for row in tables.iterate_rows(shard, tables.IMAGES, ["query", "rank", "image_id", "reason", "source_url"]):
                if row["reason"] is None:
                    pictures[bytes.fromhex(row["image_id"])] += 1
                    covered.add(row["query"])
                    continue
                write([row["query"], row["rank"], row["reason"], row["source_url"]])
                if len(shown := examples.setdefault(row["reason"], [])) < REJECTED_SHOWN:
                    shown.append({"query": row["query"], "source_url": row["source_url"]})
        if sums["queries"] != len(asked):
            raise VisnerError(
                f"{queries}: it has {len(asked)} queries and the shards were asked {sums['queries']}; "
                "give all shards of this table, each once"
            )
    empty = sorted((-row["occurrences"], row["query"]) for row in asked if row["query"] not in covered)
    occurrences = sum(row["occurrences"] for row in asked)
    summary = {
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
        "rejected": {reason: {"pictures": reasons[reason], "examples": examples[reason]} for reason in sorted(reasons)},
    }
    tables.write_json(statistics, summary)
    stages.log.info("%s of %s occurrences have pictures", summary["occurrences_covered"], occurrences)
    log_counts(summary)
