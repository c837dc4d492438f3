"""Look up the pictures of a corpus' queries.

`fetch` asks a source for the pictures of one shard of the queries: each candidate is opened, checked, turned upright
and kept as a small JPEG, until a query has `depth` usable pictures. A candidate that is no usable picture stays in
the table as a row with the reason. `coverage` then sums the shards: which queries have pictures, and how much of the
corpus that is.

    visner images fetch --recipe config.yaml:images.sample --queries results/nouns/ene/queries.parquet --shard 0 \\
        --output results/images/sample/ene/0.parquet
    visner images coverage --shards results/images/sample/ene/*.parquet \\
        --queries results/nouns/ene/queries.parquet --output results/images/sample/ene/statistics.json \\
        --rejected results/images/sample/ene/rejected.tsv
"""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verbs `fetch` and `coverage`."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    fetch = verbs.add_parser("fetch", help="the pictures of one shard of the queries")
    fetch.add_argument("--recipe", required=True, help="the images recipe: JSON, or FILE.yaml:images.NAME")
    fetch.add_argument("--root", default=".", metavar="DIR", help="what the recipe's paths are relative to")
    fetch.add_argument("--store", default="store", metavar="DIR", help="where what is crawled is kept for ever")
    fetch.add_argument("--crawl", metavar="JSON", help="how a crawl behaves, in place of the recipe's `crawl`")
    fetch.add_argument("--queries", required=True, metavar="FILE", help="queries.parquet of the stage nouns")
    fetch.add_argument("--shard", required=True, type=int, metavar="I", help="the shard of the queries, from 0")
    fetch.add_argument("--output", required=True, metavar="FILE", help="the shard's images table")
    fetch.add_argument("--workers", type=int, default=1, metavar="N", help="pictures prepared at a time")

    coverage = verbs.add_parser("coverage", help="which queries have pictures, over all shards")
    coverage.add_argument("--shards", required=True, nargs="+", metavar="FILE", help="the images tables")
    coverage.add_argument("--queries", required=True, metavar="FILE", help="queries.parquet of the stage nouns")
    coverage.add_argument("--output", required=True, metavar="FILE", help="the statistics, as JSON")
    coverage.add_argument("--rejected", required=True, metavar="FILE", help="all that was rejected, and why, as TSV")


def run(arguments: argparse.Namespace) -> None:
    """Run a verb."""
    from visner import stages, tables
    from visner.config import read_recipe
    from visner.images.coverage import coverage
    from visner.images.fetch import fetch
    from visner.recipes import Crawl, Images

    stages.die_with_parent()
    with stages.locked(arguments.output):
        if arguments.verb == "fetch":
            recipe = read_recipe(arguments.recipe, Images)
            if arguments.crawl and recipe.on_network:
                recipe = recipe.model_copy(update={"crawl": Crawl.model_validate_json(arguments.crawl)})
            places = (arguments.root, arguments.store, arguments.queries)
            counts = fetch(recipe, *places, arguments.shard, arguments.output, arguments.workers)
        else:
            counts = coverage(arguments.shards, arguments.queries, arguments.rejected)
            tables.write_json(arguments.output, counts)
            stages.log.info("%s of %s occurrences have pictures", counts["occurrences_covered"], counts["occurrences"])
    stages.log.info(
        "%s of %s queries have pictures: %s pictures, %.1f MB",
        *(counts[name] for name in ("queries_covered", "queries", "pictures")),
        counts["bytes"] / 1e6,
    )
