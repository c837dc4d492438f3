"""What runs in a process that decodes pictures (`visner.images.decoding`); light, so that it starts fast."""

import contextlib
import io
import math
import os
import pickle
import signal
import sys
import warnings

from PIL import Image

from visner.images.prepare import Picture, Rejected, prepare

DEADLINE = signal.SIGPROF  # what ends the process at its deadline


def serve() -> None:
    """Do the tasks that come from standard input, one after the other, and answer on standard output, both pickled.

    A task is a function, its arguments, and how many seconds of processor time it may take (0: any). Python can't
    break off a decoder: the kernel ends the process at the deadline.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends its processes
    signal.signal(DEADLINE, signal.SIG_DFL)
    warnings.filterwarnings("ignore", module="PIL")  # prepare() bounds the pixels itself
    with contextlib.suppress(EOFError, ConnectionError):  # the parent has ended
        while True:
            function, arguments, seconds = pickle.load(sys.stdin.buffer)
            signal.setitimer(signal.ITIMER_PROF, seconds)
            answer = function(*arguments)
            signal.setitimer(signal.ITIMER_PROF, 0)
            pickle.dump(answer, sys.stdout.buffer, pickle.HIGHEST_PROTOCOL)
            sys.stdout.buffer.flush()


def kept_or_reason(content: bytes, bounds: dict[str, int]) -> Picture | str:
    """See `prepare`; where it raises Rejected, the reason, for that exception doesn't pass between processes.

    Where memory runs out the process ends, as it does where the kernel finds that first.
    """
    try:
        return prepare(content, **bounds)
    except Rejected as rejected:
        return rejected.reason
    except MemoryError:
        os._exit(1)


def decode_largest(side: int, max_pixels: int) -> None:
    """Bring a plain picture of as many pixels as one may have to its kept form, and forget it.

    A transparent PNG takes 315 MB for 40 million pixels; of what is common only a transparent WebP takes more (622).
    """
    file = io.BytesIO()
    length = math.isqrt(max_pixels)
    try:
        Image.new("RGBA", (length, length), (255, 255, 255, 128)).save(file, "PNG", compress_level=1)
    except MemoryError:
        os._exit(1)
    kept_or_reason(file.getvalue(), {"side": side, "max_bytes": file.tell(), "max_pixels": max_pixels})
