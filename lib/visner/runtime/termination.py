"""SIGTERM (a cluster's time limit, pre-emption, scancel), held back until what was computed can be kept."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

STATUS = 128 + signal.SIGTERM  # the exit status of a process that SIGTERM ended, as shells give it
CHECKPOINT_SECONDS = 600  # between checkpoints in a long epoch: what the crash of a machine costs
GRACE = 60  # seconds from SIGTERM to the end of the process, whatever it does


class Terminated(BaseException):
    """Raised when SIGTERM arrives inside `leaving()`."""


class Termination:
    """A context in which SIGTERM sets `requested` and ends nothing, so that the block can end itself soon.

    The kernel ends the process where that takes more than GRACE seconds; a signal that the block didn't heed takes its
    effect at the block's end. For the main thread, as Python's signal handlers are.
    """

    requested = False
    _leaving = False

    def __enter__(self) -> "Termination":
        self._previous = signal.signal(signal.SIGTERM, self._receive)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_) -> None:
        ending = self.requested and kind is not None  # and not to be cut short by a second signal
        signal.signal(signal.SIGTERM, signal.SIG_IGN if ending else self._previous)
        if self.requested and not ending:
            os.kill(os.getpid(), signal.SIGTERM)

    @contextmanager
    def leaving(self) -> Iterator[None]:
        """A block, without results that are lost, that SIGTERM leaves at once by the exception Terminated."""
        self._leaving = True
        try:
            if self.requested:
                raise Terminated
            yield
        finally:
            self._leaving = False

    def _receive(self, *_) -> None:
        if not self.requested:
            signal.alarm(GRACE)  # SIGALRM without a handler ends a process, even one that is stuck in a library
        self.requested = True
        if self._leaving:
            self._leaving = False
            raise Terminated
