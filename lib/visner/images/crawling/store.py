"""What people do with the crawl store: look into it, check it, take pictures out of it, have things asked again."""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from visner import config
from visner.config.base import below
from visner.config.images import CrawledImages, Images
from visner.errors import VisnerError
from visner.images.crawling import database as db
from visner.images.crawling.buckets import BUCKETS, Bucket, bucket_of, folder_of
from visner.images.crawling.failures import meaning
from visner.runtime import stages

# A bucket's queries: the numbers of their addresses, pictures and failures, and when the last page was read.
QUERIES = """
    SELECT queries.query, named, complete, count(picture), count(reason), queries.time
    FROM queries LEFT JOIN ranks ON ranks.query = queries.id LEFT JOIN addresses ON addresses.id = address
    GROUP BY queries.id ORDER BY queries.id
"""
FAILED = "SELECT reason, count(*) FROM addresses WHERE reason IS NOT NULL GROUP BY reason"
AGAIN = " (snakemake sees no change in the store: give it --forcerun images_fetch)"
COLUMNS = ["rank", "file", "reason", "width", "height", "image_id", "source_url", "source_page", "licence"]


def find(recipe_text: str, store: Path | None) -> Path:
    """The folder that a recipe's crawl has; VisnerError where there is none."""
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


def show(folder: Path, list_queries: bool = False) -> None:
    """Print what there is; also while a crawl is running."""
    queries, failures = [], Counter()
    addresses = found = failed = pictures = size = 0
    numbers = _numbers(folder)
    for number in numbers:
        with Bucket(folder, number, read_only=True) as bucket:
            queries += bucket.select(QUERIES)
            failures.update(dict(bucket.select(FAILED)))
            (of_addresses,) = bucket.select("SELECT count(*), count(picture), count(reason) FROM addresses")
            (of_pictures,) = bucket.select("SELECT count(*), coalesce(sum(bytes), 0) FROM pictures")
        addresses, found, failed = addresses + of_addresses[0], found + of_addresses[1], failed + of_addresses[2]
        pictures, size = pictures + of_pictures[0], size + of_pictures[1]
    covered = sum(with_picture > 0 for _, _, _, with_picture, _, _ in queries)
    empty = sum(complete and not named for _, named, complete, _, _, _ in queries)
    file_size = sum((folder / f"{number:02d}.sqlite").stat().st_size for number in numbers)
    print(folder)
    _print_table(
        [
            ("queries asked", len(queries), ""),
            ("  with pictures", covered, _share(covered, len(queries))),
            ("  no picture yet", len(queries) - covered - empty, _share(len(queries) - covered - empty, len(queries))),
            ("  empty", empty, _share(empty, len(queries))),
            ("addresses", addresses, ""),
            ("  with a picture", found, _share(found, addresses)),
            ("  failed", failed, _share(failed, addresses)),
            ("  not requested", addresses - found - failed, _share(addresses - found - failed, addresses)),
            ("pictures, distinct", pictures, _megabytes(size)),
            ("files", len(numbers), _megabytes(file_size)),
        ]
    )
    for damaged in sorted(folder.glob("*.damaged-*")):
        print(f"set aside, as it was damaged: {damaged.name}, {_megabytes(damaged.stat().st_size)}")
    if failures:
        print("\nfailed addresses")
        _print_table([(f"  {reason}", number, meaning(reason)) for reason, number in failures.most_common()])
    if list_queries:
        print("\n  addresses   pictures     failed  asked (UTC)       query")
        for query, named, _, with_picture, without, time in queries:
            day = datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M")
            print(f"{named:>11,}{with_picture:>11,}{without:>11,}  {day}  {query}")


def verify(folder: Path, repair: bool = False) -> None:
    """Check all buckets' files; VisnerError where one is damaged and was not repaired."""
    numbers = _numbers(folder)
    damaged = 0
    for number in stages.progress(numbers, "verify"):
        path = folder / f"{number:02d}.sqlite"
        with stages.locked(path), db.explained(path):
            problem = db.fault(path, thorough=True)
            wrong = 0 if problem else db.forget_wrong_pictures(path, repair)
            damaged += bool(problem or wrong)
            if wrong:
                again = ": they are asked again" if repair else ""
                stages.log.warning("%s: %d pictures are not what their checksums say%s", path, wrong, again)
            elif problem:
                stages.log.warning("%s", db.set_aside(path, problem) if repair else f"{path}: {problem}")
    if damaged and not repair:
        raise VisnerError(
            f"{damaged} of {len(numbers)} files are damaged; `visner store verify --repair` sets damaged files aside "
            "and forgets damaged pictures, and the next run asks for them again"
        )
    print(f"{len(numbers)} files: {f'{damaged} repaired' if damaged else 'every picture is as it was kept'}")


def export(folder: Path, query: str, target: Path) -> None:
    """Write a query's pictures, named by rank, and a table of all its addresses, to a new or empty folder."""
    asked = None
    if bucket_of(query) in _numbers(folder):
        with Bucket(folder, bucket_of(query), read_only=True) as bucket:
            asked = bucket.query(query)
            rows = [] if asked is None else bucket.rows(query, len(asked.addresses), len(asked.addresses))
    if asked is None:
        raise VisnerError(f"{query}: this query was never asked; `visner store show --queries` lists those that were")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise VisnerError(f"{target}: is there and not an empty folder; give another")
    target.mkdir(parents=True, exist_ok=True)
    by_rank = {row["rank"]: row for row in rows}
    with open(target / "addresses.tsv", "w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, COLUMNS, extrasaction="ignore", dialect="excel-tab", lineterminator="\n")
        table.writeheader()
        for rank, url in enumerate(asked.addresses):
            row = by_rank.get(rank, {"rank": rank, "reason": "not requested", "image_id": None, "source_url": url})
            name = f"{rank:02d}.jpg" if row["image_id"] else None
            if name:
                (target / name).write_bytes(row["bytes"])
            table.writerow(row | {"file": name})
    print(f"{target}: {sum(row['image_id'] is not None for row in rows)} pictures of {len(asked.addresses)} addresses")


def retry(folder: Path, reasons: list[str] | None = None, queries: list[str] | None = None) -> None:
    """Forget failed addresses with one of the reasons, of one of the queries (None: any): they are asked again."""
    forgotten = sum(bucket.forget_failures(reasons, some) for bucket, some in _opened(folder, queries))
    hint = AGAIN if forgotten else " (`visner store show` lists what failed, and why)"
    print(f"{forgotten:,} failed addresses are requested again by the next run{hint}")


def forget(folder: Path, queries: list[str], empty: bool = False) -> None:
    """Forget queries, or all for which the engine named no address, and the pictures that only they have."""
    if bool(queries) == empty:
        raise VisnerError("forget: give queries, or --empty")
    opened = _opened(folder, None if empty else queries)
    forgotten = sum(bucket.forget(bucket.empties() if empty else some) for bucket, some in opened)
    print(f"{forgotten:,} queries are forgotten{AGAIN if forgotten else ''}")


def _numbers(folder: Path) -> list[int]:
    """The buckets of a folder that have a file."""
    return [number for number in range(BUCKETS) if (folder / f"{number:02d}.sqlite").exists()]


def _opened(folder: Path, queries: list[str] | None) -> Iterator[tuple[Bucket, list[str] | None]]:
    """The buckets of queries, each with those that were asked; others are named in a warning. None: all buckets."""
    of_bucket = defaultdict(list)
    for query in dict.fromkeys(queries or ()):
        of_bucket[bucket_of(query)].append(query)
    unknown = set(queries or ())
    for number in _numbers(folder):
        if queries is None or number in of_bucket:
            with Bucket(folder, number) as bucket:
                asked = [query for query in of_bucket[number] if bucket.query(query) is not None]
                unknown -= set(asked)
                yield bucket, None if queries is None else asked
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
