"""What a crawl's folder holds, counted over its buckets without reading a picture."""

from collections import Counter
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple

from visner.images import prepare
from visner.images.crawling.answers import FAILURES, TRANSIENT
from visner.images.crawling.buckets import BUCKETS, Bucket

QUERIES = """
    SELECT queries.query, named, complete, count(picture), count(reason), queries.time
    FROM queries LEFT JOIN ranks ON ranks.query = queries.id LEFT JOIN addresses ON addresses.id = address
    GROUP BY queries.id ORDER BY queries.id
"""


class AskedQuery(NamedTuple):
    """A query that was asked: numbers of its addresses, of those with a picture, and of those that failed."""

    query: str
    addresses: int
    complete: bool
    pictures: int
    failed: int
    time: int  # of its last result page, in seconds since 1970


def bucket_numbers(folder: Path) -> list[int]:
    """The buckets of a folder that have a file."""
    return [number for number in range(BUCKETS) if (folder / f"{number:02d}.sqlite").exists()]


def asked_queries(bucket: Bucket) -> list[AskedQuery]:
    """A bucket's queries in the order in which they were asked."""
    return [AskedQuery(*row) for row in bucket.select(QUERIES)]


def count(buckets: Iterator[Bucket]) -> tuple[Counter, Counter]:
    """What there is in open buckets, and their failed addresses by reason.

    Keys of the first: queries, covered (with a picture), empty (no address), addresses, found (addresses with a
    picture), failed, pictures (distinct in a bucket), bytes (of pictures), file_bytes, files.
    """
    counts: Counter = Counter()
    failures: Counter = Counter()
    for bucket in buckets:
        queries = asked_queries(bucket)
        counts["queries"] += len(queries)
        counts["covered"] += sum(query.pictures > 0 for query in queries)
        counts["empty"] += sum(query.complete and query.addresses == 0 for query in queries)
        ((addresses, found, failed),) = bucket.select("SELECT count(*), count(picture), count(reason) FROM addresses")
        ((pictures, size),) = bucket.select("SELECT count(*), coalesce(sum(bytes), 0) FROM pictures")
        counts.update(addresses=addresses, found=found, failed=failed, pictures=pictures, bytes=size)
        counts.update(files=1, file_bytes=bucket.path.stat().st_size)
        failures.update(
            dict(bucket.select("SELECT reason, count(*) FROM addresses WHERE reason IS NOT NULL GROUP BY reason"))
        )
    return counts, failures


def meaning(reason: str) -> str:
    """A failure's reason in words, and whether it is asked again; empty where none are known."""
    kind, _, status = reason.partition("-")
    if kind == "http" and status.isdigit() and status in {str(one.value) for one in HTTPStatus}:
        words = f"the server answered {HTTPStatus(int(status)).phrase}"
    else:
        words = prepare.REASONS.get(reason) or FAILURES.get(reason, "")
    return f"{words}; asked again by the next run" if reason in TRANSIENT else words
