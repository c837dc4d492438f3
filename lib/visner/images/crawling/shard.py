"""The pictures of some queries: what the store lacks is crawled, then all is read from it."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from visner.config.images import CrawledImages
from visner.errors import VisnerError
from visner.images.crawling.buckets import Asked, Bucket, bucket_of, store_folder
from visner.images.crawling.engines import open_engine
from visner.images.crawling.failures import TRANSIENT, meaning
from visner.images.sources import Found
from visner.runtime import stages

try:
    from visner.images.crawling.crawl import crawl, stored
except ImportError as error:
    raise VisnerError(f"a crawl needs {error.name}: make install, or pip install 'visner[crawl]'") from None


@contextmanager
def crawled(
    recipe: CrawledImages, root: Path, store: Path, queries: list[str], workers: int, what: str
) -> Iterator[Found]:
    """Crawl what is missing, then give each query's rows of the images table.

    The buckets of the queries stay locked meanwhile. They are taken in their order, so that two jobs never wait for
    each other's. A store that has it all needs neither network nor credentials. What failed for now, in an earlier run,
    is asked again; where nothing else is missing and that can't be asked, the rows are as the store has them.
    """
    folder = store_folder(store, recipe)
    with ExitStack() as stack:
        buckets = {n: stack.enter_context(Bucket(folder, n)) for n in sorted(set(map(bucket_of, queries)))}
        # Bucket by bucket: what is brought together is written together.
        wanted = sorted(dict.fromkeys(queries), key=bucket_of)
        missing, needed = [], False
        for query in wanted:
            bucket = buckets[bucket_of(query)]
            asked, lasting = stored(bucket, query, recipe.candidates)
            if not _suffices(asked, lasting, recipe):
                missing.append(query)
                needed |= not _suffices(asked, bucket.outcomes(asked.addresses[: recipe.candidates]), recipe)
        if missing:
            if not needed:  # the network is not waited for
                recipe = recipe.model_copy(update={"crawl": recipe.crawl.model_copy(update={"patience": 0.0})})
            counts: Counter = Counter()
            done = len(wanted) - len(missing)
            with stages.progress(None, what, total=len(wanted), initial=done, unit=" queries") as shown:
                try:
                    crawl(recipe, open_engine(recipe, root), buckets, missing, workers, shown, counts)
                except VisnerError as error:
                    if needed:
                        raise
                    stages.log.warning("what had failed for now stays so, and all else is in the store: %s", error)
                finally:
                    shown.close()
                    _tell(counts)
        else:
            stages.log.info("nothing is asked: the store has it all")
        rows = (buckets[bucket_of(query)].rows(query, recipe.depth, recipe.candidates) for query in queries)
        yield Found({"crawl_store": folder.name}, rows)


def _suffices(asked: Asked, known: dict[str, str | None], recipe: CrawledImages) -> bool:
    """Whether outcomes are all that a query needs: `depth` usable pictures, or no more addresses to try."""
    usable = 0
    for url in asked.addresses[: recipe.candidates]:
        if url not in known:
            return False
        usable += known[url] is None
        if usable == recipe.depth:
            return True
    return asked.complete or len(asked.addresses) >= recipe.candidates


def _tell(counts: Counter) -> None:
    """What came of the addresses that were asked now, the most frequent first."""
    if counts:
        stages.log.info("%s addresses asked:", f"{counts.total():,}")
    for reason, count in counts.most_common():
        stages.log.info("  %9s  %-20s %s", f"{count:,}", reason, meaning(reason))
    if transient := sum(count for reason, count in counts.items() if reason in TRANSIENT):
        stages.log.info(
            "%s of them failed for now: the next run asks them again (snakemake --forcerun images_fetch)",
            f"{transient:,}",
        )
