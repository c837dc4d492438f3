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
import csv
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from visner.errors import VisnerError


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
    folder = _folder(arguments.recipe, arguments.store)
    VERBS[arguments.verb](folder, arguments)


def _folder(recipe_text: str, store: Path | None) -> Path:
    """The folder that the recipe's crawl has; VisnerError where there is none."""
    from visner import config
    from visner.images.crawling.buckets import folder_of
    from visner.recipes import CrawledImages, Images, below

    recipe = config.read_recipe(recipe_text, Images)
    if not isinstance(recipe, CrawledImages):
        raise VisnerError(f"--recipe: pictures of the source {recipe.source!r} are not crawled, and not in the store")
    if store is None:
        if recipe_text.lstrip().startswith("{"):
            raise VisnerError("--store: needed with a recipe in JSON; or give FILE.yaml:images.NAME")
        store = below("", config.load(recipe_text.rpartition(":")[0]).store)
    folder = folder_of(store, recipe)
    if not folder.is_dir():
        raise VisnerError(
            f"{folder}: there is no such folder: nothing was crawled with this recipe yet, or the store is elsewhere "
            "(--store DIR; a relative one starts at the current folder)"
        )
    return folder


def show(folder: Path, arguments: argparse.Namespace) -> None:
    """Print what a crawl's folder holds."""
    from visner.images.crawling.inventory import asked_queries, bucket_numbers, count, meaning

    numbers = bucket_numbers(folder)
    counts, failures = count(_read_only(folder, numbers))
    waiting = counts["addresses"] - counts["found"] - counts["failed"]
    no_picture = counts["queries"] - counts["covered"] - counts["empty"]
    print(folder)
    _print_table(
        [
            ("queries asked", counts["queries"], ""),
            ("  with pictures", counts["covered"], _share(counts["covered"], counts["queries"])),
            ("  no picture yet", no_picture, _share(no_picture, counts["queries"])),
            ("  empty", counts["empty"], _share(counts["empty"], counts["queries"])),
            ("addresses", counts["addresses"], ""),
            ("  with a picture", counts["found"], _share(counts["found"], counts["addresses"])),
            ("  failed", counts["failed"], _share(counts["failed"], counts["addresses"])),
            ("  not requested", waiting, _share(waiting, counts["addresses"])),
            ("pictures, distinct", counts["pictures"], _megabytes(counts["bytes"])),
            ("files", counts["files"], _megabytes(counts["file_bytes"])),
        ]
    )
    for damaged in sorted(folder.glob("*.damaged-*")):
        print(f"set aside, as it was damaged: {damaged.name}, {_megabytes(damaged.stat().st_size)}")
    if failures:
        print("\nfailed addresses")
        _print_table([(f"  {reason}", number, meaning(reason)) for reason, number in failures.most_common()])
    if arguments.queries:
        print("\n  addresses   pictures     failed  asked (UTC)       query")
        for bucket in _read_only(folder, numbers):
            for asked in asked_queries(bucket):
                day = datetime.fromtimestamp(asked.time, UTC).strftime("%Y-%m-%d %H:%M")
                print(f"{asked.addresses:>11,}{asked.pictures:>11,}{asked.failed:>11,}  {day}  {asked.query}")


def verify(folder: Path, arguments: argparse.Namespace) -> None:
    """Check all buckets' files; VisnerError where one is damaged and was not repaired."""
    from visner import stages
    from visner.images.crawling.database import explained, fault, forget_wrong_pictures, set_aside
    from visner.images.crawling.inventory import bucket_numbers

    numbers = bucket_numbers(folder)
    damaged = 0
    for number in stages.progress(numbers, "verify"):
        path = folder / f"{number:02d}.sqlite"
        with stages.locked(path), explained(path):
            problem = fault(path, thorough=True)
            wrong = 0 if problem else forget_wrong_pictures(path, arguments.repair)
            damaged += bool(problem or wrong)
            if wrong:
                again = ": they are asked again" if arguments.repair else ""
                stages.log.warning("%s: %d pictures are not what their checksums say%s", path, wrong, again)
            elif problem:
                stages.log.warning("%s", set_aside(path, problem) if arguments.repair else f"{path}: {problem}")
    if damaged and not arguments.repair:
        raise VisnerError(
            f"{damaged} of {len(numbers)} files are damaged; `visner store verify --repair` sets damaged files aside "
            "and forgets damaged pictures, and the next run asks for them again"
        )
    print(f"{len(numbers)} files: {f'{damaged} repaired' if damaged else 'every picture is as it was kept'}")


def export(folder: Path, arguments: argparse.Namespace) -> None:
    """Write a query's pictures, named by rank, and a table of all its addresses."""
    from visner.images.crawling.buckets import Bucket, bucket_of

    number = bucket_of(arguments.query)
    asked = None
    if (folder / f"{number:02d}.sqlite").exists():
        with Bucket(folder, number, read_only=True) as bucket:
            asked = bucket.query(arguments.query)
            rows = [] if asked is None else bucket.rows(arguments.query, len(asked.addresses), len(asked.addresses))
    if asked is None:
        raise VisnerError(
            f"{arguments.query}: this query was never asked; `visner store show --queries` lists those that were"
        )
    target = arguments.folder
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise VisnerError(f"{target}: is there and not an empty folder; give another")
    target.mkdir(parents=True, exist_ok=True)
    by_rank = {row["rank"]: row for row in rows}
    with open(target / "addresses.tsv", "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, "excel-tab", lineterminator="\n")
        table.writerow(
            ["rank", "file", "reason", "width", "height", "image_id", "source_url", "source_page", "licence"]
        )
        for rank, url in enumerate(asked.addresses):
            row = by_rank.get(rank, {"reason": "not requested", "image_id": None})
            name = f"{rank:02d}.jpg" if row["image_id"] else None
            if name:
                (target / name).write_bytes(row["bytes"])
            found = [row.get(key) for key in ("reason", "width", "height", "image_id")]
            table.writerow([rank, name, *found, url, row.get("source_page"), row.get("licence")])
    print(f"{target}: {sum(row['image_id'] is not None for row in rows)} pictures of {len(asked.addresses)} addresses")


def retry(folder: Path, arguments: argparse.Namespace) -> None:
    """Forget failed addresses."""
    from visner.images.crawling.buckets import Bucket
    from visner.images.crawling.inventory import bucket_numbers

    forgotten = 0
    if arguments.query is None:
        for number in bucket_numbers(folder):
            with Bucket(folder, number) as bucket:
                forgotten += bucket.forget_failures(arguments.reason)
    else:
        for bucket, queries in _buckets_of(folder, arguments.query):
            forgotten += bucket.forget_failures(arguments.reason, queries)
    hint = AGAIN if forgotten else " (`visner store show` lists what failed, and why)"
    print(f"{forgotten:,} failed addresses are requested again by the next run{hint}")


def forget(folder: Path, arguments: argparse.Namespace) -> None:
    """Forget queries."""
    from visner.images.crawling.buckets import Bucket
    from visner.images.crawling.inventory import bucket_numbers

    if bool(arguments.queries) == arguments.empty:
        raise VisnerError("forget: give queries, or --empty")
    forgotten = 0
    for number in bucket_numbers(folder) if arguments.empty else ():
        with Bucket(folder, number) as bucket:
            forgotten += bucket.forget(bucket.empties())
    forgotten += sum(bucket.forget(queries) for bucket, queries in _buckets_of(folder, arguments.queries))
    print(f"{forgotten:,} queries are forgotten{AGAIN if forgotten else ''}")


VERBS = {"show": show, "verify": verify, "export": export, "retry": retry, "forget": forget}
AGAIN = " (snakemake sees no change in the store: give it --forcerun images_fetch)"


def _read_only(folder: Path, numbers: list[int]) -> Iterator:
    """Buckets, each open while it is looked at, without their locks."""
    from visner.images.crawling.buckets import Bucket

    for number in numbers:
        with Bucket(folder, number, read_only=True) as bucket:
            yield bucket


def _buckets_of(folder: Path, queries: list[str]) -> Iterator[tuple]:
    """The queries' buckets, each with those of the queries that were asked; the others are named in a warning."""
    from visner import stages
    from visner.images.crawling.buckets import Bucket, bucket_of
    from visner.images.crawling.inventory import bucket_numbers

    by_bucket = defaultdict(list)
    for query in dict.fromkeys(queries):
        by_bucket[bucket_of(query)].append(query)
    unknown = set(queries)
    for number in sorted(by_bucket.keys() & set(bucket_numbers(folder))):
        with Bucket(folder, number) as bucket:
            asked = [query for query in by_bucket[number] if bucket.query(query) is not None]
            unknown -= set(asked)
            yield bucket, asked
    if unknown:
        stages.log.warning("never asked: %s", ", ".join(sorted(unknown)))


def _print_table(rows: list[tuple[str, int, str]]) -> None:
    """Names, numbers and remarks in aligned columns."""
    names = max(len(name) for name, _, _ in rows)
    numbers = max(len(f"{number:,}") for _, number, _ in rows)
    for name, number, remark in rows:
        print(f"{name:<{names}}  {number:>{numbers},}  {remark}".rstrip())


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:5.1f} %" if whole else ""


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
