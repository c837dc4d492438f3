"""Look into the crawl store and mend it.

What a crawl was answered is kept in the folder `store`, and only what failed for now is asked for twice. `show` counts
it, also while a crawl is running. `verify` reads all of it and compares every picture with its checksum; with --repair,
damaged files are set aside and damaged pictures forgotten, and the next run asks for them again. `export` writes a
query's pictures to a folder. `retry` forgets failed addresses and `forget` whole queries: the next run asks for them
again. `verify`, `retry` and `forget` wait for a running crawl.

    visner store show --recipe config.yaml:images.bing
    visner store retry --recipe config.yaml:images.bing --reason http-404 --reason robots
    visner store export --recipe config.yaml:images.bing 富士山 fuji/
"""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verbs."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    def verb(name: str, summary: str) -> argparse.ArgumentParser:
        added = verbs.add_parser(name, help=summary, description=summary)
        added.add_argument("--recipe", required=True, help="the images recipe: FILE.yaml:images.NAME, or JSON")
        added.add_argument(
            "--store", type=Path, metavar="DIR", help="where it is kept (default: the configuration's, from here)"
        )
        return added

    show = verb("show", "what there is, and what failed and why")
    show.add_argument("--queries", action="store_true", help="list the queries, too")
    verify = verb("verify", "read everything and compare it with its checksums")
    verify.add_argument("--repair", action="store_true", help="set damaged files aside, forget damaged pictures")
    export = verb("export", "write a query's pictures, and addresses.tsv, to a folder")
    export.add_argument("query", metavar="QUERY")
    export.add_argument("folder", type=Path, metavar="FOLDER", help="a new or empty one")
    retry = verb("retry", "forget failed addresses, so that the next run requests them again")
    retry.add_argument("--reason", action="append", metavar="R", help="only with this reason (may be repeated)")
    retry.add_argument("--query", action="append", metavar="Q", help="only of this query (may be repeated)")
    forget = verb("forget", "forget queries, their addresses, and the pictures that only they have")
    forget.add_argument("queries", nargs="*", metavar="QUERY")
    forget.add_argument("--empty", action="store_true", help="all queries that the engine named no address for")


def run(arguments: argparse.Namespace) -> None:
    """Run a verb on the folder of the recipe."""
    from visner.images.crawling import store

    folder = store.find(arguments.recipe, arguments.store)
    match arguments.verb:
        case "show":
            store.show(folder, arguments.queries)
        case "verify":
            store.verify(folder, arguments.repair)
        case "export":
            store.export(folder, arguments.query, arguments.folder)
        case "retry":
            store.retry(folder, arguments.reason, arguments.query)
        case "forget":
            store.forget(folder, arguments.queries, arguments.empty)
