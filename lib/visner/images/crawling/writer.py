"""Many tasks' results in few transactions: a task goes on when what it brought is on disk."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from visner.images.crawling.buckets import Bucket, Outcome, PageRead

THREADS = 8  # buckets that wait for the disk at a time
TOGETHER = 0.03  # seconds: what arrives for a bucket meanwhile goes into one transaction


class Writer:
    """The only one who touches the buckets while a crawl runs: each by one thread at a time.

    A transaction costs a wait for the disk, however little is in it. So whatever arrives for a bucket while one is
    being written, or shortly after the first, goes together into the next, and several buckets wait side by side.
    """

    def __init__(self):
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="crawl-store")
        self._turns: dict[Bucket, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._next: dict[Bucket, tuple[list[PageRead | Outcome], asyncio.Task]] = {}  # the next transaction of each
        self._writing: set[asyncio.Task] = set()

    async def __aenter__(self) -> "Writer":
        return self

    async def __aexit__(self, *_) -> None:
        await asyncio.gather(*self._writing, return_exceptions=True)  # what came is kept, whatever ended the crawl
        self._threads.shutdown()

    async def call(self, bucket: Bucket, method: Callable, *arguments: Any) -> Any:
        """What a method of a bucket returns, as in `call(bucket, Bucket.query, "京都")`."""
        async with self._turns[bucket]:
            return await asyncio.get_running_loop().run_in_executor(self._threads, method, bucket, *arguments)

    async def commit(self, bucket: Bucket, result: PageRead | Outcome) -> None:
        """Return when the result is on disk; raises VisnerError where it can't be."""
        if bucket not in self._next:
            results: list[PageRead | Outcome] = []
            self._next[bucket] = results, asyncio.create_task(self._write(bucket, results))
            self._writing.add(self._next[bucket][1])
            self._next[bucket][1].add_done_callback(self._writing.discard)
        results, written = self._next[bucket]
        results.append(result)
        await asyncio.shield(written)

    async def _write(self, bucket: Bucket, results: list[PageRead | Outcome]) -> None:
        await asyncio.sleep(TOGETHER)
        async with self._turns[bucket]:
            del self._next[bucket]  # what comes from here on waits for the next transaction
            pages = [result for result in results if isinstance(result, PageRead)]
            outcomes = [result for result in results if isinstance(result, Outcome)]
            await asyncio.get_running_loop().run_in_executor(self._threads, bucket.commit, pages, outcomes)
