"""Pictures decoded in processes of their own: Python's lock is the event loop's and the store's."""

import asyncio
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial

from visner.errors import VisnerError
from visner.images.crawling import decoder
from visner.images.prepare import Picture
from visner.recipes import CrawledImages


class Decoders:
    """Some processes that bring pictures to their kept form, while the context lasts."""

    def __init__(self, recipe: CrawledImages, processes: int):
        # Spawned: the fork of a process with threads can stop dead.
        self._pool = ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), decoder.start)
        bounds = {"side": recipe.side, "max_bytes": recipe.max_bytes, "max_pixels": recipe.max_pixels}
        self._prepare = partial(decoder.kept_or_reason, **bounds)
        for _ in range(processes):
            self._pool.submit(decoder.ready)  # they start while the first pages come

    def __enter__(self) -> "Decoders":
        return self

    def __exit__(self, *_) -> None:
        self._pool.shutdown(cancel_futures=True)

    async def prepare(self, content: bytes) -> Picture | str:
        """A picture's kept form, or the reason why it has none; raises VisnerError where a process was killed."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, self._prepare, content)
        except BrokenProcessPool:
            raise VisnerError(
                "a process that decodes pictures was killed (out of memory?). What came so far is kept: run again"
            ) from None
