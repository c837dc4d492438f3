"""Pictures decoded in processes of their own: what a picture does to its process, it does to no other picture.

A thread can't be ended while it is in a decoder, a process can. And Python's lock is free for the parent's threads.
"""

import contextlib
import pickle
import queue
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

from visner.config.images import ImageRecipe
from visner.errors import VisnerError
from visner.images import decoder
from visner.images.prepare import Picture
from visner.runtime import stages

# Not by multiprocessing, whose processes begin with the caller's own program, which may be anybody's script.
START = "import sys; sys.path[:] = {!r}; from visner.images.decoder import serve; serve()"


class Ended(Exception):
    """A decoder's process has ended in a task: at its deadline, or it was killed."""

    def __init__(self, status: int):
        super().__init__(f"exit status {status}")
        self.at_deadline = status == -decoder.DEADLINE


class Decoder:
    """A process that does one task at a time; another one takes its place where it was ended."""

    def __init__(self):
        self._start()

    def _start(self) -> None:
        ours, theirs = socket.socketpair()  # its buffers hold most pictures, a pipe's don't
        with ours, theirs:
            self._channel = ours.makefile("rwb")
            self._process = subprocess.Popen(
                [sys.executable, "-c", START.format(sys.path)], stdin=theirs, stdout=theirs
            )

    def run(self, function: Callable, *arguments: Any, seconds: float = 0.0) -> Any:
        """What the function returns, called there; raises Ended, also after `seconds` of processor time (0: never)."""
        try:
            pickle.dump((function, arguments, seconds), self._channel, pickle.HIGHEST_PROTOCOL)
            self._channel.flush()
            return pickle.load(self._channel)
        except (EOFError, ConnectionError, pickle.UnpicklingError):
            self.close()
            status = self._process.returncode
            self._start()
            raise Ended(status) from None

    def close(self) -> None:
        """End the process, which has no task now, and may not even have started."""
        self._process.terminate()
        self._process.wait()
        with contextlib.suppress(ConnectionError):  # a task that it did not take
            self._channel.close()


class Decoders:
    """Some processes that bring pictures to their kept form while the context lasts; called by any number of threads.

    A picture that ends its process otherwise than by its deadline is decoded once more, alone and with nothing beside
    it. If that process ends, too, the picture is to blame, unless the largest picture that may be can't be decoded
    either: then it is the machine.
    """

    def __init__(self, recipe: ImageRecipe, processes: int):
        self._bounds = {"side": recipe.side, "max_bytes": recipe.max_bytes, "max_pixels": recipe.max_pixels}
        self._seconds = recipe.max_seconds
        self._processes = processes
        self._alone = threading.Lock()
        self._idle: queue.SimpleQueue[Decoder] = queue.SimpleQueue()
        for _ in range(processes):
            self._idle.put(Decoder())

    def __enter__(self) -> "Decoders":
        return self

    def __exit__(self, *_) -> None:
        for _ in range(self._processes):
            self._idle.get().close()

    def prepare(self, content: bytes) -> Picture | str:
        """A picture's kept form, or the reason why it has none; raises VisnerError where the machine is to blame."""
        process = self._idle.get()
        try:
            return self._prepare(process, content)
        except Ended:
            pass
        finally:
            self._idle.put(process)
        return self._prepare_alone(content)

    def _prepare(self, process: Decoder, content: bytes) -> Picture | str:
        try:
            return process.run(decoder.kept_or_reason, content, self._bounds, seconds=self._seconds)
        except Ended as ended:
            if ended.at_deadline:
                return "too-slow"
            raise

    def _prepare_alone(self, content: bytes) -> Picture | str:
        stages.log.warning("a process that decodes pictures was killed: its picture is tried once more, alone")
        with self._alone:
            processes = [self._idle.get() for _ in range(self._processes)]  # each when it has done what it does
            try:
                return self._prepare(processes[0], content)
            except Ended:
                self._acquit_machine(processes[0])
                return "crashes-decoder"
            finally:
                for process in processes:
                    self._idle.put(process)

    def _acquit_machine(self, process: Decoder) -> None:
        try:
            process.run(decoder.decode_largest, self._bounds["side"], self._bounds["max_pixels"])
        except Ended:
            raise VisnerError(
                "the processes that decode pictures are killed, also with a plain one of max_pixels: too little "
                "memory? What came so far is kept: give more memory or lower max_pixels, and run again"
            ) from None
