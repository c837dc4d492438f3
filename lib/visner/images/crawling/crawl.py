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
from itertools import islice
from urllib.parse import urlsplit

from tqdm import tqdm

from visner.config.images import CrawledImages
from visner.errors import VisnerError
from visner.images.crawling.buckets import NOT_NAMED, Asked, Bucket, Origin, Outcome, PageRead, bucket_of
from visner.images.crawling.client import Client
from visner.images.crawling.engines import SILENT_ENGINES, AddressSource, redacted
from visner.images.crawling.failures import SILENT, TRANSIENT, Failure
from visner.images.crawling.network import Network, pauses
from visner.images.crawling.writer import Writer
from visner.images.decoding import Decoders
from visner.images.prepare import Picture
from visner.runtime import stages

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
    work = Crawl(recipe, source, buckets, queries, shown, counts)
    error: Exception | None = None
    try:
        asyncio.run(work.run(workers))
    except* VisnerError as stopped:
        error = work.suspicion or stopped.exceptions[0]
    if work.suspicion is not None:
        for query in work.empty:  # so that they are asked again
            buckets[bucket_of(query)].forget([query])
    if error is not None:
        raise error from None


def stored(bucket: Bucket, query: str, candidates: int) -> tuple[Asked, dict[str, str | None]]:
    """What the store has: the query's addresses, and the lasting outcomes of those that may be tried."""
    asked = bucket.query(query) or Asked([], 0, False)
    return asked, lasting(bucket, asked.addresses[:candidates])


def lasting(bucket: Bucket, urls: Sequence[str]) -> dict[str, str | None]:
    """The outcomes of addresses but for transient failures: those are asked again, once a crawl."""
    return {url: reason for url, reason in bucket.outcomes(urls).items() if reason not in TRANSIENT}


class Crawl:
    """A crawl: what its tasks share."""

    group: asyncio.TaskGroup
    client: Client
    writer: Writer
    network: Network
    reader: ThreadPoolExecutor  # of result pages, which are parsed in Python
    prepare: Callable[[bytes], Awaitable[Picture | str]]  # as Decoders.prepare

    def __init__(
        self,
        recipe: CrawledImages,
        source: AddressSource,
        buckets: Mapping[int, Bucket],
        queries: Sequence[str],
        shown: tqdm,
        counts: Counter,
    ):
        self.recipe = recipe
        self.source = source
        self.buckets = buckets
        self.queries = queries
        self.shown = shown
        self.counts = counts
        self.empty: set[str] = set()  # queries whose first page, read now, named no address
        self.suspicion: VisnerError | None = None  # that too many are
        self._first_pages = 0
        self._engine_answered = float("-inf")  # time.monotonic() of its last page
        self._asking_on = asyncio.Lock()
        self._left = Counter(map(bucket_of, queries))  # queries of a bucket that are not done
        self._tasks: dict[int, dict[str, asyncio.Task]] = defaultdict(dict)  # bucket -> address -> its fetching

    async def run(self, workers: int) -> None:
        """Do all of it."""
        # Names are resolved in threads: one slow name server must not hold up the others.
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(32))
        crawl = self.recipe.crawl
        with (
            ThreadPoolExecutor(1, thread_name_prefix="pages") as self.reader,
            Decoders(self.recipe, workers) as decoders,
            ThreadPoolExecutor(workers, thread_name_prefix="decode") as decoding,
        ):
            self.prepare = partial(loop.run_in_executor, decoding, decoders.prepare)
            async with Client(crawl, self.recipe.max_bytes) as self.client, Writer() as self.writer:
                self.network = Network(self.client, crawl.patience, _server_of(self.source, self.queries))
                # More queries than pictures in flight: those that wait for a slow host hold none up.
                turns = asyncio.Semaphore(2 * crawl.concurrency)
                async with asyncio.TaskGroup() as self.group:
                    for query in self.queries:
                        await turns.acquire()
                        self.group.create_task(self._query(query)).add_done_callback(lambda _: turns.release())

    async def _query(self, query: str) -> None:
        """All that a query needs, as far as the store doesn't have it."""
        number = bucket_of(query)
        bucket = self.buckets[number]
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
                    usable += known[url] is None
                else:  # one task for all queries of the bucket that name it
                    tasks = self._tasks[number]
                    if url not in tasks:
                        tasks[url] = self.group.create_task(self._fetch(bucket, url))
                    running.add(tasks[url])
            if not running:
                break
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            usable += sum(task.result() for task in done)
        self._left[number] -= 1
        if not self._left[number]:
            self._tasks.pop(number, None)
        if not usable:
            stages.log.warning("%r: no picture (%d addresses tried)", query, position)
        share = len(self.empty) / max(self._first_pages, 1)
        self.shown.set_postfix(pictures=self.counts["usable"], empty=f"{share:.0%}", refresh=False)
        self.shown.update()

    async def _next_page(self, bucket: Bucket, query: str, asked: Asked) -> Asked:
        """Read the query's next result page into the store."""
        address = next(islice(self.source.pages(query), asked.pages, None), None)
        if address is None:
            return await self._keep_page(bucket, query, asked, {})
        where = f"{self.recipe.source}: {query!r}: {redacted(address)}"
        ask = partial(self._ask_for_page, bucket, query, asked, address, where)
        began = time.monotonic()
        answer = await ask()
        if not isinstance(answer, Failure):
            return answer
        # The engine fails or has enough of us: one query asks on for all, and pictures go on meanwhile.
        async with self._asking_on:
            if self._engine_answered >= began:  # it is back, as another query found
                answer = await ask()
            looks = pauses(self.recipe.crawl.patience)
            while isinstance(answer, Failure):
                pause = next(looks, None) if answer.transient else None
                if pause is None:
                    raise VisnerError(f"{where}: {answer}. What came so far is kept: run again later")
                stages.log.warning("%s: %s: asked again in %.0f s", where, answer, pause)
                await asyncio.sleep(pause)
                answer = await ask()
        return answer

    async def _ask_for_page(
        self, bucket: Bucket, query: str, asked: Asked, address: str, where: str
    ) -> Asked | Failure:
        """The query with one page more, or the Failure to get it."""
        async with self.client.answer(address, heed_robots=False) as answer:
            if not isinstance(answer, Failure):
                self.network.hear(answer)
                self._engine_answered = time.monotonic()
                return await self._keep_page(bucket, query, asked, await self._read_page(where, answer))
            if answer.reason in NO_SUCH_PAGE:
                stages.log.warning("%s: %s: taken as a query without pictures", where, answer)
                return await self._keep_page(bucket, query, asked, {})
            return answer

    async def _read_page(self, where: str, content: bytes) -> dict[str, Origin]:
        """The addresses that a result page names, as they may be stored, with what it says of their origin."""

        def parsed() -> tuple[list[str], Mapping[str, Origin]]:
            return self.source.addresses(content), self.source.origins(content)

        try:
            named, origins = await asyncio.get_running_loop().run_in_executor(self.reader, parsed)
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

    async def _keep_page(self, bucket: Bucket, query: str, asked: Asked, named: dict[str, Origin]) -> Asked:
        known = set(asked.addresses)
        fresh = [url for url in named if url not in known]
        last = not fresh
        await self.writer.commit(bucket, PageRead(query, asked.pages, fresh, last, named))
        if asked.pages == 0:
            self._judge(query, bool(fresh))
        return Asked([*asked.addresses, *fresh], asked.pages + 1, last)

    def _judge(self, query: str, named: bool) -> None:
        """Count a query whose first page was read now; raises VisnerError where too many name no address.

        Judged is what the engine says now, in the order in which it says it: what the store has from better days, or
        which queries are done first, must not count.
        """
        self._first_pages += 1
        if not named:
            self.empty.add(query)
        limit = self.recipe.crawl.max_empty
        chance = 2 * (self._first_pages * limit * (1 - limit)) ** 0.5  # two standard deviations
        if self._first_pages >= ENOUGH_TO_JUDGE and len(self.empty) > limit * self._first_pages + chance:
            why = SILENT_ENGINES.get(self.recipe.source, "has the engine changed its page?")
            self.suspicion = VisnerError(
                f"{self.recipe.source}: no address for {len(self.empty)} of {self._first_pages} queries, clearly "
                f"more than max_empty ({limit:.0%}): {why} What came is kept; the empty queries are asked again by the "
                "next run. Where they are truly empty, raise crawl.max_empty"
            )
            raise self.suspicion

    async def _fetch(self, bucket: Bucket, url: str) -> bool:
        """Whether the address has a usable picture: asked, decoded, and on disk."""
        while True:
            began = time.monotonic()
            async with self.client.answer(url) as answer:
                self.network.hear(answer)
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
