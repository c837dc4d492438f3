"""Whether it is the web that doesn't answer, or this machine that has lost it.

An address that can't be reached has failed, if only until the next run; one that is asked for while this machine's own
network is away has not failed at all.
"""

import asyncio
import time
from collections.abc import Iterator

from visner.errors import VisnerError
from visner.images.crawling.client import Client
from visner.images.crawling.failures import Failure
from visner.runtime import stages

FIRST_PAUSE, LONGEST_PAUSE = 30.0, 600.0  # seconds, doubled each time


def pauses(patience: float) -> Iterator[float]:
    """The pauses, in seconds, between looks at a server that fails, for `patience` seconds in all."""
    pause, waited = FIRST_PAUSE, 0.0
    while waited + pause <= patience:
        yield pause
        pause, waited = min(2 * pause, LONGEST_PAUSE), waited + pause


class Network:
    """Remembers when the web last answered; in doubt it asks `server`, the engine's, which should be there."""

    def __init__(self, client: Client, patience: float, server: str | None):
        self._client = client
        self._patience = patience
        self._server = server
        self._last_answer = self._came_back = time.monotonic()
        self._asking = asyncio.Lock()

    def hear(self, answer: bytes | Failure) -> None:
        """Take note of an answer."""
        if not isinstance(answer, Failure) or answer.from_the_web:
            self._last_answer = time.monotonic()

    async def was_away(self, began: float) -> bool:
        """Whether nobody has answered since `began` (time.monotonic()), and the network had to be waited for.

        Raises VisnerError where it doesn't come back. The caller holds no place among those in flight: this asks for
        one.
        """
        async with self._asking:
            if self._came_back >= began:
                return True
            silence = await self._silence(began)
            if silence is None:
                return False
            for pause in pauses(self._patience):
                stages.log.warning(
                    "no server answers, %s neither (%s): asked again in %.0f s", self._server, silence, pause
                )
                await asyncio.sleep(pause)
                silence = await self._silence(time.monotonic())
                if silence is None:
                    self._came_back = time.monotonic()
                    self._client.forget_failures()
                    return True
            raise VisnerError(
                f"no server answers any more, {self._server} neither ({silence}): this machine's network, or its "
                "proxy, is away. What came so far is kept, nothing is taken as failed: run again later"
            )

    async def _silence(self, began: float) -> Failure | None:
        """Why not even the server answers; None: somebody has answered since, or there is no server to ask."""
        if self._last_answer >= began or self._server is None:
            return None
        async with self._client.answer(self._server, heed_robots=False) as answer:
            self.hear(answer)
        return None if self._last_answer >= began else answer
