"""What runs in a process that decodes pictures (`visner.images.crawling.decoding`); light, so that it starts fast."""

import signal
import warnings

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
    """See `prepare`; where it raises Rejected, the reason, for that exception doesn't pass between processes."""
    try:
        return prepare(content, **bounds)
    except Rejected as rejected:
        return rejected.reason
