"""A loopback stand-in for the open web: the search engines' result pages, and the pictures that they name.

    python tests/images/engine_server.py --port 0 --log requests.log --latency 0.05 --pictures-per-query 45

prints its address and serves until it is ended, or until the process that started it ends. Every answer depends on
the request's path alone, so that two runs, on two ports, see the same web. Answered are Bing (/images/async), Google
(/search), Baidu (/search/acjson), Flickr (/services/rest/), an institute's picture server (/api/search), /robots.txt
(all is allowed) and /pictures/...; the log has a line a request: seconds since 1970, path.
"""

import argparse
import asyncio
import contextlib
import functools
import io
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import numpy as np
from engine_pages import Web, result_page, share_of
from PIL import Image


def draw(bytes_a_picture: int, number: int = 64) -> list[bytes]:
    """JPEGs of 400 x 300 with about the wanted number of bytes: coarse colours under fine noise."""

    def jpeg(seed: int, quality: int) -> bytes:
        rng = np.random.default_rng(seed)
        coarse = Image.fromarray(rng.integers(0, 256, (6, 8, 3), np.uint8)).resize((400, 300), Image.Resampling.BICUBIC)
        noisy = np.asarray(coarse, np.float32) + rng.normal(0, 10, (300, 400, 1)).astype(np.float32)
        file = io.BytesIO()
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=quality)
        return file.getvalue()

    quality = min(range(20, 99, 2), key=lambda quality: abs(len(jpeg(0, quality)) - bytes_a_picture))
    return [jpeg(seed, quality) for seed in range(number)]


class Pictures:
    """Bytes that are an address' own: one of a few pictures, with the path as its JPEG comment."""

    def __init__(self, bytes_a_picture: int):
        self._drawn = draw(bytes_a_picture)

    def at(self, path: str) -> bytes:
        """The picture at a path."""
        comment = path.encode()
        segment = b"\xff\xfe" + (len(comment) + 2).to_bytes(2) + comment
        drawn = self._drawn[int(share_of(path) * len(self._drawn))]
        return b"".join((drawn[:2], segment, drawn[2:]))  # behind SOI


class Connection(asyncio.Protocol):
    """One client: GET requests, one after the other, kept alive."""

    def __init__(self, web: Web, pictures: Pictures, latency: float, log: int | None):
        self._web, self._pictures, self._latency, self._log = web, pictures, latency, log
        self._received = b""

    def connection_made(self, transport):
        """Remember where to answer."""
        self._transport = transport

    def data_received(self, data):
        """Answer each whole request, after the latency."""
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            request, self._received = self._received[:end].decode("latin-1"), self._received[end + 4 :]
            target = request.split(" ", 2)[1]
            if "://" in target:  # as a proxy is asked
                target = urlsplit(target)._replace(scheme="", netloc="").geturl()
            if self._log is not None:
                os.write(self._log, f"{time.time():.6f} {target}\n".encode("latin-1"))
            asyncio.get_running_loop().call_later(self._latency, self._answer, request.lower(), target)

    def _answer(self, request: str, target: str) -> None:
        if self._transport.is_closing():
            return
        host = request.partition("\r\nhost:")[2].partition("\r\n")[0].strip()
        status, kind, body = self._found(host, target)
        close = "connection: close" in request
        head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        self._transport.write(
            f"{head}{'Connection: close' if close else 'Connection: keep-alive'}\r\n\r\n".encode() + body
        )
        if close:
            self._transport.close()

    def _found(self, host: str, target: str) -> tuple[str, str, bytes]:
        path = target.partition("?")[0]
        if path.startswith("/pictures/"):
            failure = self._web.failure(path)
            if failure == "404":
                return "404 Not Found", "text/html", b"<html><title>404</title></html>"
            if failure == "html":
                return "200 OK", "image/jpeg", b"<html><title>Sign in to see this picture</title></html>"
            picture = self._pictures.at(path)
            return "200 OK", "image/jpeg", picture[: len(picture) // 2] if failure == "truncated" else picture
        if path == "/robots.txt":
            return "200 OK", "text/plain", b"User-agent: *\nDisallow:\n"
        page = result_page(self._web, host, target)
        if page is None:
            return "404 Not Found", "text/html", b"<html><title>404</title></html>"
        return "200 OK", *page


async def serve(web: Web, port: int, latency: float, bytes_a_picture: int, log: str | None) -> None:
    """Serve on loopback until the parent process has ended."""
    file = None if log is None else os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    make = functools.partial(Connection, web, Pictures(bytes_a_picture), latency, file)
    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", port, backlog=1024)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    parent = os.getppid()
    while os.getppid() == parent:
        await asyncio.sleep(0.5)


class Request(NamedTuple):
    """A line of the log."""

    time: float
    path: str  # with its parameters


class EngineServer(NamedTuple):
    """A server that runs."""

    url: str
    log: Path
    web: Web

    def requests(self) -> list[Request]:
        """All the requests so far, in order; those before, too, where the log was there already."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [Request(float(when), path) for when, path in (line.split(" ", 1) for line in lines)]


@contextmanager
def engine_server(
    folder: str | Path, latency: float = 0.0, bytes_a_picture: int = 20_000, port: int = 0, **web
) -> Iterator[EngineServer]:
    """A server as a process of its own, ended at the end; its log is a file of the folder; `web`: fields of Web."""
    log = Path(folder) / "requests.log"
    options = {"port": port, "log": log, "latency": latency, "bytes": bytes_a_picture, **web}
    command = [sys.executable, __file__]
    for name, value in options.items():
        command += [f"--{name.replace('_', '-')}", str(value)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        url = process.stdout.readline().strip()
        if not url:
            raise RuntimeError(f"the engine server ended with status {process.wait()}")
        yield EngineServer(url, log, Web(**web))
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0, help="0: a free one (default)")
    parser.add_argument("--log", help="a file that requests are appended to")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before every answer")
    parser.add_argument("--bytes", type=int, default=20_000, help="of a picture, about (default: %(default)s)")
    parser.add_argument("--pictures-per-query", type=int, default=45, help="at most (default: %(default)s)")
    parser.add_argument("--fewest", type=int, help="pictures of a query that has any (default: as many as at most)")
    parser.add_argument("--empty", type=float, default=0.0, help="share of queries without pictures")
    parser.add_argument("--failing", type=float, default=0.0, help="share of pictures that fail")
    given = parser.parse_args()
    web = Web(given.pictures_per_query, given.fewest, given.empty, given.failing)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(web, given.port, given.latency, given.bytes, given.log))


if __name__ == "__main__":
    main()
