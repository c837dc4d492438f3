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
        self._waiting: dict[Bucket, list[tuple[PageRead | Outcome, asyncio.Future]]] = {}
        self._tasks: set[asyncio.Task] = set()

    async def __aenter__(self) -> "Writer":
        return self

    async def __aexit__(self, *_) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks)
        self._threads.shutdown()

    async def call(self, bucket: Bucket, method: Callable, *arguments: Any) -> Any:
        """What a method of a bucket returns, as in `call(bucket, Bucket.query, "京都")`."""
        async with self._turns[bucket]:
            call = asyncio.get_running_loop().run_in_executor(self._threads, method, bucket, *arguments)
            try:
                return await asyncio.shield(call)
            except asyncio.CancelledError:  # the turn is over when the thread is
                await asyncio.wait([call])
                raise

    async def commit(self, bucket: Bucket, result: PageRead | Outcome) -> None:
        """Return when the result is on disk; raises VisnerError where it can't be."""
        done = asyncio.get_running_loop().create_future()
        if bucket in self._waiting:
            self._waiting[bucket].append((result, done))
        else:
            self._waiting[bucket] = [(result, done)]
            task = asyncio.create_task(self._write(bucket))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        await done

    async def _write(self, bucket: Bucket) -> None:
        await asyncio.sleep(TOGETHER)
        while batch := self._waiting[bucket]:
            self._waiting[bucket] = []
            pages = [result for result, _ in batch if isinstance(result, PageRead)]
            outcomes = [result for result, _ in batch if isinstance(result, Outcome)]
            error: Exception | None = None
            try:
                await self.call(bucket, Bucket.commit, pages, outcomes)
            except Exception as failed:
                error = failed
            for _, done in batch:
                if done.cancelled():
                    continue
                if error is None:
                    done.set_result(None)
                else:
                    done.set_exception(error)
        del self._waiting[bucket]
