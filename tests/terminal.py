"""A process whose standard error is a terminal, and what stands on that terminal when it has ended."""

import contextlib
import fcntl
import os
import pty
import struct
import subprocess
import termios
from collections.abc import Callable


def on_a_terminal(start: Callable[[int], subprocess.Popen], columns: int) -> tuple[int, str, list[str]]:
    """The exit status of the process that `start` starts with a terminal, all that it wrote there, and what is left:

    the lines that aren't empty, each without what a carriage return wrote over.
    """
    ours, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    process = start(terminal)
    os.close(terminal)
    written = b""
    with contextlib.suppress(OSError):  # the end of a terminal
        while part := os.read(ours, 4096):
            written += part
    os.close(ours)
    text = written.decode()
    lines = [line.rpartition("\r")[2] for line in text.replace("\r\n", "\n").split("\n")]
    return process.wait(timeout=300), text, [line for line in lines if line.strip()]
