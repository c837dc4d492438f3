"""Whether it is the web that doesn't answer, or this machine that has lost it.

An address that can't be reached has failed, if only until the next run; one that is asked for while this machine's own
network is away has not failed at all.
"""

import asyncio
import time
from collections.abc import Iterator

from visner import stages
from visner.errors import VisnerError
from visner.images.crawling.client import Client, Failure

SILENT = {
    "unreachable",
    "unresolved",
    "timed-out",
    "proxy",
    "proxy-refused",
}  # what a machine without a network finds everywhere
FIRST_PAUSE, LONGEST_PAUSE = 30.0, 600.0  # seconds, doubled each time


def pauses(patience: float) -> Iterator[float]:
    """The pauses, in seconds, between looks at a server that fails, for `patience` seconds in all."""
    pause, waited = FIRST_PAUSE, 0.0
    while waited + pause <= patience:
        yield pause
        pause, waited = min(2 * pause, LONGEST_PAUSE), waited + pause


def is_answer(answer: bytes | Failure) -> bool:
    """Whether somebody out there has said something."""
    return not isinstance(answer, Failure) or answer.reason not in {*SILENT, "refused-scheme", "refused-address"}


class Network:
    """Remembers when the web last answered, and asks a server that should be there, the engine's, when in doubt."""

    def __init__(self, client: Client, patience: float, known: str | None):
        self._client = client
        self._patience = patience
        self._known = known
        self._last_answer = self._came_back = time.monotonic()
        self._asking = asyncio.Lock()

    def heard(self) -> None:
        """There was an answer just now."""
        self._last_answer = time.monotonic()

    async def was_away(self, began: float) -> bool:
        """Whether nobody has answered since `began` (time.monotonic()), and the network had to be waited for.

        Raises VisnerError where it doesn't come back. The caller holds no place among those in flight: this asks for
        one.
        """
        async with self._asking:
            if self._came_back >= began:
                return True
            if self._last_answer >= began or self._known is None:
                return False
            failure = await self._ask()
            if failure is None:
                return False
            for pause in pauses(self._patience):
                stages.log.warning(
                    "no server answers, %s neither (%s): asked again in %.0f s", self._known, failure, pause
                )
                await asyncio.sleep(pause)
                failure = await self._ask()
                if failure is None:
                    self._came_back = time.monotonic()
                    self._client.forget_failures()
                    return True
            raise VisnerError(
                f"no server answers any more, {self._known} neither ({failure}): this machine's network, or its proxy, "
                "is away. What came so far is kept, nothing is taken as failed: run again later"
            )

    async def _ask(self) -> Failure | None:
        async with self._client.answer(self._known, heed_robots=False) as answer:
            if not is_answer(answer):
                return answer
        self.heard()
        return None
