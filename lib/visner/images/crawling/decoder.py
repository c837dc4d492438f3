"""What runs in a process that decodes pictures (`visner.images.crawling.decoding`); light, so that it starts fast."""

import io
import math
import os
import signal
import warnings

from PIL import Image

from visner import stages
from visner.images.prepare import Picture, Rejected, prepare


def start() -> None:
    """Prepare the process."""
    stages.die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the crawl, which ends its processes
    warnings.filterwarnings("ignore", module="PIL")  # prepare() bounds the pixels itself


def ready() -> None:
    """Nothing: whoever asks for it starts a process."""


def kept_or_reason(content: bytes, **bounds: int) -> Picture | str:
    """See `prepare`; where it raises Rejected, the reason, for that exception doesn't pass between processes.

    Where memory runs out the process ends, as it does where the kernel finds that first.
    """
    try:
        return prepare(content, **bounds)
    except Rejected as rejected:
        return rejected.reason
    except MemoryError:
        os._exit(1)


def decode_largest(*, side: int, max_pixels: int) -> None:
    """Bring a plain picture of as many pixels as one may have to its kept form, and forget it.

    A transparent PNG takes 315 MB for 40 million pixels; of what is common only a transparent WebP takes more (622).
    """
    file = io.BytesIO()
    length = math.isqrt(max_pixels)
    try:
        Image.new("RGBA", (length, length), (255, 255, 255, 128)).save(file, "PNG", compress_level=1)
    except MemoryError:
        os._exit(1)
    kept_or_reason(file.getvalue(), side=side, max_bytes=file.tell(), max_pixels=max_pixels)
