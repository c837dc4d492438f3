"""The pictures of one shard's queries: the first `depth` usable ones of each, and what was rejected on the way."""

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from visner.config.images import Crawl, Images, LocalImages
from visner.images import VERSION
from visner.images.decoding import Decoders
from visner.images.prepare import Rejected, kept_form
from visner.images.sources import Found, Source, open_source
from visner.runtime import provenance, stages, tables

COUNTS = ("queries", "queries_covered", "pictures", "bytes")
ROW_GROUP = 128  # rows: a few megabytes, the unit in which pictures are written and read again


def fetch(
    *,
    queries: Path,
    images: Path,
    recipe: Images,
    root: Path = Path(),
    store: Path = Path("store"),
    crawl: Crawl | None = None,
    workers: int = 1,
) -> None:
    """Make the table `images` of one shard of queries.

    `crawl` says how a source on the network is asked, in place of the recipe's own key. Nothing in the table depends on
    that, on the number of workers (processes that decode), on other shards, or on how often a query occurs.
    """
    if crawl and recipe.on_network:
        recipe = recipe.model_copy(update={"crawl": crawl})
    names = tables.read_table(queries, tables.SHARD_QUERIES)["query"].to_pylist()
    log_counts(look_up(names, images, recipe, root, store, workers))


def look_up(
    queries: list[str], images: Path, recipe: Images, root: Path, store: Path, workers: int = 1
) -> dict[str, int | dict[str, int]]:
    """Make the images table of these queries, in their order and that of the ranks; its counts.

    The counts and the recipe are kept as the table's provenance.
    """
    counts = Counter(queries=len(queries))
    rejected: Counter = Counter()
    if recipe.on_network:
        from visner.images.crawling.shard import crawled

        looking = crawled(recipe, root, store, queries, workers, f"crawl {images.stem}")
    else:
        looking = opened(recipe, root, queries, workers)
    made_by = {
        "stage": "images",
        "version": VERSION,
        "recipe": json.loads(recipe.fingerprint()),
        "kept": kept_form(recipe.side),
        "versions": provenance.versions("pillow", "pyarrow"),
    }
    # JPEGs don't compress, and no two of them are alike.
    plain = {"compression": {"bytes": "none"}, "use_dictionary": ["query", "reason"], "write_statistics": False}
    with looking as found, tables.table_writer(images, tables.IMAGES, made_by, **plain) as append:
        made_by |= found.origin
        waiting: list[dict] = []
        for rows in stages.progress(found.rows, f"images {images.stem}", total=len(queries)):
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


def log_counts(counts: dict) -> None:
    """Say how many queries have pictures, of a shard or of all."""
    stages.log.info(
        "%s of %s queries have pictures: %s pictures, %.1f MB",
        *(counts[name] for name in ("queries_covered", "queries", "pictures")),
        counts["bytes"] / 1e6,
    )


@contextmanager
def opened(recipe: LocalImages, root: Path, queries: list[str], workers: int) -> Iterator[Found]:
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
