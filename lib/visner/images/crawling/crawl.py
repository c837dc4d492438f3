"""The crawl of some queries: the addresses that a source names, and what comes from them, into the store's buckets.

A query's addresses are tried in rank order, several at a time but never more than could still be wanted: those tried
are always the shortest beginning of the list that has `depth` usable pictures. So what a query ends with depends on the
web alone, not on which answer was faster or where a crawl was interrupted.
"""

import asyncio
import re
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from urllib.parse import urlsplit

from tqdm import tqdm

from visner import stages
from visner.errors import VisnerError
from visner.images.crawling.answers import NOT_NAMED, TRANSIENT, Asked, Known, Origin, Outcome, PageRead
from visner.images.crawling.buckets import Bucket, bucket_of
from visner.images.crawling.client import Client, Failure
from visner.images.crawling.engines import AddressSource, redacted
from visner.images.crawling.network import SILENT, Network, is_answer, pauses
from visner.images.crawling.writer import Writer
from visner.images.decoding import Decoders
from visner.images.prepare import Picture
from visner.recipes import CrawledImages

ENOUGH_TO_JUDGE = 20  # queries before the share of empty ones says anything
NO_SUCH_PAGE = ("http-400", "http-404", "http-414")  # of one query: too long, say


def crawl(
    recipe: CrawledImages,
    source: AddressSource,
    buckets: Mapping[int, Bucket],
    queries: Sequence[str],
    workers: int,
    shown: tqdm,
    counts: Counter,
) -> None:
    """Ask for what the store doesn't have yet of some distinct queries.

    `workers` processes decode pictures; `shown` is advanced a query at a time; `counts` gets the number of addresses by
    what came of them. Raises VisnerError, with all that came in the store, where the engine can't be read, the network
    is away, the disk is full, or too many queries are empty.
    """
    empty: set[str] = set()
    found: list[BaseException] = []
    try:
        asyncio.run(_crawl(recipe, source, buckets, queries, workers, shown, counts, empty))
    except* VisnerError as stopped:
        found = _leaves(stopped)
    if not found:
        return
    suspicious = [error for error in found if isinstance(error, TooManyEmpty)]
    if suspicious:
        for query in empty:  # so that they are asked again
            buckets[bucket_of(query)].forget([query])
    raise (suspicious or found)[0] from None


class TooManyEmpty(VisnerError):
    """The engine names no addresses for a suspicious share of the queries."""


def _leaves(group: BaseException) -> list[BaseException]:
    if not isinstance(group, BaseExceptionGroup):
        return [group]
    return [leaf for one in group.exceptions for leaf in _leaves(one)]


async def _crawl(recipe, source, buckets, queries, workers, shown, counts, empty) -> None:
    # Names are resolved in threads: one slow name server must not hold up the others.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(32))
    with (
        ThreadPoolExecutor(1, thread_name_prefix="pages") as reader,
        Decoders(recipe, workers) as decoders,
        ThreadPoolExecutor(workers, thread_name_prefix="decode") as decoding,
    ):
        prepare = partial(asyncio.get_running_loop().run_in_executor, decoding, decoders.prepare)
        async with Client(recipe.crawl, recipe.max_bytes) as client, Writer() as writer:
            crawl = Crawl(recipe, source, buckets, queries, client, writer, reader, prepare, shown, counts, empty)
            # More queries than pictures in flight: those that wait for a slow host hold none up.
            turns = asyncio.Semaphore(2 * recipe.crawl.concurrency)
            async with asyncio.TaskGroup() as group:
                crawl.group = group
                for query in queries:
                    await turns.acquire()
                    group.create_task(crawl.query(query)).add_done_callback(lambda _: turns.release())


def stored(bucket: Bucket, query: str, candidates: int) -> tuple[Asked, dict[str, Known]]:
    """What the store has: the query's addresses, and the lasting outcomes of those that may be tried."""
    asked = bucket.query(query) or Asked([], 0, False)
    return asked, lasting(bucket, asked.addresses[:candidates])


def lasting(bucket: Bucket, urls: Sequence[str]) -> dict[str, Known]:
    """The outcomes of addresses but for transient failures: those are asked again, once a crawl."""
    return {url: known for url, known in bucket.outcomes(urls).items() if known.reason not in TRANSIENT}


class Crawl:
    """What the tasks of a crawl share."""

    group: asyncio.TaskGroup

    def __init__(self, recipe, source, buckets, queries, client, writer, reader, prepare, shown, counts, empty):
        self.recipe: CrawledImages = recipe
        self.source: AddressSource = source
        self.buckets: Mapping[int, Bucket] = buckets
        self.client: Client = client
        self.writer: Writer = writer
        self.reader: ThreadPoolExecutor = reader  # of result pages, which are parsed in Python
        self.prepare: Callable[[bytes], Awaitable[Picture | str]] = prepare  # as Decoders.prepare
        self.shown: tqdm = shown
        self.network = Network(client, recipe.crawl.patience, _server_of(source, queries))
        self.counts: Counter = counts
        self.empty: set[str] = empty  # queries whose first page, read now, named no address
        self._first_pages = 0
        self._engine_answered = float("-inf")  # time.monotonic() of its last page
        self._asking_on = asyncio.Lock()
        self._left = Counter(map(bucket_of, queries))  # queries of a bucket that are not done
        self._tasks: dict[Bucket, dict[str, asyncio.Task]] = defaultdict(dict)  # those of the buckets not done

    async def query(self, query: str) -> None:
        """All that a query needs, as far as the store doesn't have it."""
        bucket = self.buckets[bucket_of(query)]
        asked, known = await self.writer.call(bucket, stored, query, self.recipe.candidates)
        usable, position, running = 0, 0, set()
        while True:
            while usable + len(running) < self.recipe.depth and position < self.recipe.candidates:
                if position == len(asked.addresses):
                    if asked.complete:
                        break
                    asked = await self._next_page(bucket, query, asked)
                    wanted = asked.addresses[position : self.recipe.candidates]
                    known |= await self.writer.call(bucket, lasting, wanted)
                    continue
                url = asked.addresses[position]
                position += 1
                if url in known:
                    usable += known[url].reason is None
                else:
                    running.add(self._picture(bucket, url))
            if not running:
                break
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            usable += sum(task.result() for task in done)
        self._left[bucket_of(query)] -= 1
        if not self._left[bucket_of(query)]:
            self._tasks.pop(bucket, None)
        self._count_query(query, asked, usable)

    def _count_query(self, query: str, asked: Asked, usable: int) -> None:
        if not usable:
            tried = min(len(asked.addresses), self.recipe.candidates)
            stages.log.warning("%r: no picture (%d addresses tried)", query, tried)
        share = len(self.empty) / max(self._first_pages, 1)
        self.shown.set_postfix(pictures=self.counts["usable"], empty=f"{share:.0%}", refresh=False)
        self.shown.update()

    def _judge(self, query: str, named: bool) -> None:
        """Count a query whose first page was read now; raises TooManyEmpty.

        Judged is what the engine says now, in the order in which it says it: what the store has from better days, or
        which queries are done first, must not count.
        """
        self._first_pages += 1
        if not named:
            self.empty.add(query)
        limit = self.recipe.crawl.max_empty
        chance = 2 * (self._first_pages * limit * (1 - limit)) ** 0.5  # two standard deviations
        if self._first_pages >= ENOUGH_TO_JUDGE and len(self.empty) > limit * self._first_pages + chance:
            raise TooManyEmpty(
                f"{self.recipe.source}: no address for {len(self.empty)} of {self._first_pages} queries, clearly "
                f"more than max_empty ({limit:.0%}): has the engine changed its page? What came is kept; the empty "
                "queries are asked again by the next run. Where they are truly empty, raise crawl.max_empty"
            )

    async def _next_page(self, bucket: Bucket, query: str, asked: Asked) -> Asked:
        """Read the query's next result page into the store."""
        address = next(self._pages_from(query, asked.pages), None)
        if address is None:
            return await self._keep_page(bucket, query, asked, {})
        where = f"{self.recipe.source}: {query!r}: {redacted(address)}"
        began = time.monotonic()
        found = await self._ask_for_page(bucket, query, asked, address, where)
        if not isinstance(found, Failure):
            return found
        # The engine fails or has enough of us: one query asks on for all, and pictures go on meanwhile.
        async with self._asking_on:
            if self._engine_answered >= began:  # it is back, as another query found
                found = await self._ask_for_page(bucket, query, asked, address, where)
            looks = pauses(self.recipe.crawl.patience)
            while isinstance(found, Failure):
                pause = next(looks, None) if found.transient else None
                if pause is None:
                    raise VisnerError(f"{where}: {found}. What came so far is kept: run again later")
                stages.log.warning("%s: %s: asked again in %.0f s", where, found, pause)
                await asyncio.sleep(pause)
                found = await self._ask_for_page(bucket, query, asked, address, where)
        return found

    async def _ask_for_page(
        self, bucket: Bucket, query: str, asked: Asked, address: str, where: str
    ) -> Asked | Failure:
        """The query with one page more, or the Failure to get it."""
        async with self.client.answer(address, heed_robots=False) as answer:
            if not isinstance(answer, Failure):
                self.network.heard()
                self._engine_answered = time.monotonic()
                return await self._keep_page(bucket, query, asked, await self._read_page(where, answer))
            if answer.reason in NO_SUCH_PAGE:
                stages.log.warning("%s: %s: taken as a query without pictures", where, answer)
                return await self._keep_page(bucket, query, asked, {})
            return answer

    def _pages_from(self, query: str, start: int):
        for number, address in enumerate(self.source.pages(query)):
            if number >= start:
                yield address

    async def _read_page(self, where: str, content: bytes) -> dict[str, Origin]:
        """The addresses that a result page names, as they may be stored, with what it says of their origin."""
        loop = asyncio.get_running_loop()
        try:
            named, origins = await loop.run_in_executor(self.reader, self._parsed, content)
        except ValueError as error:
            raise VisnerError(f"{where}: {error}. What came so far is kept: run again later") from None
        kept = {}
        for address in named:
            if (url := storable(address)) is not None:
                page, licence = origins.get(address, NOT_NAMED)
                kept.setdefault(url, Origin(page and storable(page), licence and storable(licence)))
        if left_out := sum(storable(address) is None for address in named):
            stages.log.warning("%s: %d addresses that are no text were left out", where, left_out)
        return kept

    def _parsed(self, content: bytes) -> tuple[list[str], Mapping[str, Origin]]:
        return self.source.addresses(content), self.source.origins(content)

    async def _keep_page(self, bucket: Bucket, query: str, asked: Asked, named: dict[str, Origin]) -> Asked:
        known = set(asked.addresses)
        fresh = [url for url in named if url not in known]
        last = not fresh
        await self.writer.commit(bucket, PageRead(query, asked.pages, fresh, last, named))
        if asked.pages == 0:
            self._judge(query, bool(fresh))
        return Asked([*asked.addresses, *fresh], asked.pages + 1, last)

    def _picture(self, bucket: Bucket, url: str) -> asyncio.Task:
        """The task that fetches an address, or has fetched it: one for all queries of the bucket that name it."""
        task = self._tasks[bucket].get(url)
        if task is None:
            task = self._tasks[bucket][url] = self.group.create_task(self._fetch(bucket, url))
        return task

    async def _fetch(self, bucket: Bucket, url: str) -> bool:
        """Whether the address has a usable picture: asked, decoded, and on disk."""
        while True:
            began = time.monotonic()
            async with self.client.answer(url) as answer:
                if is_answer(answer):
                    self.network.heard()
                if not isinstance(answer, Failure):
                    picture = await self.prepare(answer)
                    rejected = isinstance(picture, str)
                    outcome = Outcome(url, picture, None) if rejected else Outcome(url, None, picture)
                    return await self._keep(bucket, outcome)
            if answer.reason not in SILENT or not await self.network.was_away(began):
                return await self._keep(bucket, Outcome(url, answer.reason, None))

    async def _keep(self, bucket: Bucket, outcome: Outcome) -> bool:
        await self.writer.commit(bucket, outcome)
        self.counts[outcome.reason or "usable"] += 1
        return outcome.reason is None


def storable(address: str) -> str | None:
    """An address as a file may have it: without user and password; None where it is no text in UTF-8."""
    try:
        address.encode()
    except UnicodeEncodeError:
        return None
    return re.sub(r"^(\w+://)[^/?#]*@", r"\1", address)


def _server_of(source: AddressSource, queries: Sequence[str]) -> str | None:
    """What can be asked of the source's server without asking for a page; None for a source that names no pages."""
    for query in queries:
        for address in source.pages(query):
            parts = urlsplit(address)
            return f"{parts.scheme}://{parts.netloc}/robots.txt"
    return None
