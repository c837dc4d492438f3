"""One shard's queries to their pictures: the first `depth` usable ones of each, and what was rejected on the way."""

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pyarrow.compute as pc

from visner import provenance, stages, tables
from visner.images import VERSION
from visner.images.decoding import Decoders
from visner.images.prepare import Rejected, kept_form
from visner.images.sources import Found, Source, open_source
from visner.recipes import Images, LocalImages

ROW_GROUP = 128  # rows: a few megabytes, the unit in which pictures are written and read again


def fetch(
    recipe: Images,
    root: str | Path,
    store: str | Path,
    queries: str | Path,
    shard: int,
    output: str | Path,
    workers: int = 1,
) -> dict:
    """Write the images table of one shard of the queries table, and return its counts.

    The rows are in the order of the queries and their ranks, whatever the number of workers (processes that decode).
    The counts and the recipe are kept as the table's provenance. Nothing in the table depends on the queries of other
    shards, or on how often a query occurs: Snakemake makes no shard again where they change.
    """
    asked = tables.read_table(queries, tables.QUERIES, ["query", "shard"])
    names = asked["query"].filter(pc.equal(asked["shard"], shard)).to_pylist()
    counts = Counter(queries=len(names))
    rejected: Counter = Counter()
    what = f"images {shard}"
    if recipe.on_network:
        from visner.images.crawling.shard import crawled

        looking = crawled(recipe, Path(root), Path(store), names, workers, f"crawl {shard}")
    else:
        looking = opened(recipe, root, names, workers)
    made_by = {
        "stage": "images",
        "version": VERSION,
        "recipe": json.loads(recipe.fingerprint()),
        "kept": kept_form(recipe.side),
        "shard": shard,
        "queries": names,
        "versions": provenance.versions("pillow", "pyarrow"),
    }
    # JPEGs don't compress, and no two of them are alike.
    plain = {"compression": {"bytes": "none"}, "use_dictionary": ["query", "reason"], "write_statistics": False}
    with looking as found, tables.table_writer(output, tables.IMAGES, made_by, **plain) as append:
        made_by |= found.origin
        waiting: list[dict] = []
        for rows in stages.progress(found.rows, what, total=len(names)):
            usable = [row for row in rows if row["reason"] is None]
            rejected.update(row["reason"] for row in rows if row["reason"] is not None)
            counts["pictures"] += len(usable)
            counts["bytes"] += sum(len(row["bytes"]) for row in usable)
            counts["queries_covered"] += bool(usable)
            waiting += rows
            while len(waiting) >= ROW_GROUP:
                append(waiting[:ROW_GROUP])
                del waiting[:ROW_GROUP]
        append(waiting)
        made_by["counts"] = {name: counts[name] for name in COUNTS} | {"rejected": dict(sorted(rejected.items()))}
    return made_by["counts"]


COUNTS = ("queries", "queries_covered", "pictures", "bytes")


@contextmanager
def opened(recipe: LocalImages, root: str | Path, queries: list[str], workers: int) -> Iterator[Found]:
    """Pictures of a source on this machine, looked up as they are taken."""
    source = open_source(recipe, root)
    with Decoders(recipe, workers) as decoders, ThreadPoolExecutor(workers) as pool:
        look = partial(pictures, source, recipe, decoders)
        yield Found({}, stages.ordered_map(pool, look, queries, ahead=2 * workers))


def pictures(source: Source, recipe: LocalImages, decoders: Decoders, query: str) -> list[dict]:
    """A query's rows of the images table: candidates in rank order until `depth` of them are usable.

    A rejected candidate is a row with its reason and no picture; the next candidate takes its turn, not its place.
    """
    rows: list[dict] = []
    usable = 0
    for rank, candidate in enumerate(source.candidates(query)):
        row = dict.fromkeys(tables.IMAGES.names) | {
            "query": query,
            "rank": rank,
            "source_url": candidate.source_url,
        }
        rows.append(row)
        try:
            with candidate.open() as file:
                content = file.read(recipe.max_bytes + 1)
            picture = decoders.prepare(content)
        except Rejected as rejection:
            picture = rejection.reason
        if isinstance(picture, str):
            row["reason"] = picture
            continue
        row |= {
            "image_id": picture.image_id,
            "bytes": picture.kept,
            "width": picture.width,
            "height": picture.height,
        }
        usable += 1
        if usable == recipe.depth:
            break
    return rows
