"""A corpus' attachments as a table of queries: the source `attached` looks each of them up by its name."""

from collections import Counter
from pathlib import Path

from visner.corpora import VERSION
from visner.runtime import provenance, stages, tables
from visner.runtime.queries import write_queries


def attachments(*, sentences: Path, queries: Path, shards: Path, number_of_shards: int) -> None:
    """Write the table of the distinct attachments of all splits, with how many sentences carry each.

    `shards` is a folder, made with one file of attachments a shard (see `visner.runtime.queries`). A corpus without
    attachments has empty tables.
    """
    rows = tables.iterate_rows(sentences, tables.SENTENCES, ["attachment"])
    counts = Counter(row["attachment"] for row in rows if row["attachment"] is not None)
    origin = {
        "stage": "corpora",
        "version": VERSION,
        "sentences": provenance.sha256_file(sentences),
        "shards": number_of_shards,
        "versions": provenance.versions("pyarrow"),
    }
    write_queries(queries, shards, number_of_shards, counts, origin)
    stages.log.info("%d distinct attachments", len(counts))
