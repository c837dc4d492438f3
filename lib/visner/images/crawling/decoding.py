"""Pictures decoded in processes of their own: Python's lock is the event loop's and the store's."""

import asyncio
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from typing import Any

from visner import stages
from visner.errors import VisnerError
from visner.images.crawling import decoder
from visner.images.prepare import Picture
from visner.recipes import CrawledImages


class Decoders:
    """Some processes that bring pictures to their kept form, while the context lasts.

    A picture can end the process that decodes it, and nobody knows which one did: all that were in hand are suspects.
    Each of them is decoded once more, alone and with nothing beside it; one that ends its process again is to blame,
    unless the largest picture that may be can't be decoded either: then it is the machine.
    """

    def __init__(self, recipe: CrawledImages, processes: int):
        self._processes = processes
        bounds = {"side": recipe.side, "max_pixels": recipe.max_pixels}
        self._prepare = partial(decoder.kept_or_reason, max_bytes=recipe.max_bytes, **bounds)
        self._decode_largest = partial(decoder.decode_largest, **bounds)
        self._suspects = 0
        self._alone = asyncio.Lock()
        self._none_suspected = asyncio.Event()
        self._none_suspected.set()
        self._pool = _started(processes)
        for _ in range(processes):
            self._pool.submit(decoder.ready)  # they start while the first pages come

    def __enter__(self) -> "Decoders":
        return self

    def __exit__(self, *_) -> None:
        self._pool.shutdown(cancel_futures=True)

    async def prepare(self, content: bytes) -> Picture | str:
        """A picture's kept form, or the reason why it has none; raises VisnerError where the machine is to blame."""
        await self._none_suspected.wait()
        pool = self._pool
        try:
            return await self._run(self._prepare, content)
        except BrokenProcessPool:
            return await self._prepare_alone(content, pool)

    async def _prepare_alone(self, content: bytes, broken: ProcessPoolExecutor) -> Picture | str:
        self._none_suspected.clear()
        self._suspects += 1
        async with self._alone:
            if self._pool is broken:  # this is the first of its suspects
                stages.log.warning("a process that decodes pictures was killed: those in hand are tried one by one")
                self._replace_pool(1)
            try:
                return await self._run(self._prepare, content)
            except BrokenProcessPool:
                self._replace_pool(1)
                await self._acquit_machine()
                return "crashes-decoder"
            finally:
                self._suspects -= 1
                if not self._suspects:
                    self._replace_pool(self._processes)
                    self._none_suspected.set()

    async def _acquit_machine(self) -> None:
        try:
            await self._run(self._decode_largest)
        except BrokenProcessPool:
            raise VisnerError(
                "the processes that decode pictures are killed, also with a plain one of max_pixels: too little "
                "memory? What came so far is kept: give more memory or lower max_pixels, and run again"
            ) from None

    async def _run(self, function: partial, *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._pool, function, *arguments)

    def _replace_pool(self, processes: int) -> None:
        self._pool.shutdown(wait=False)
        self._pool = _started(processes)


def _started(processes: int) -> ProcessPoolExecutor:
    # Spawned: the fork of a process with threads can stop dead.
    return ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), decoder.start)
