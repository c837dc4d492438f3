"""An answer's body within a limit, on the line and decompressed: the limit holds at every moment, not at the end."""

import asyncio
import zlib

import aiohttp

from visner.images.crawling.failures import Failure
from visner.images.crawling.politeness import Bandwidth

GZIP_OR_ZLIB = zlib.MAX_WBITS | 32  # whichever its header says
BARE = -zlib.MAX_WBITS  # what some servers take "deflate" for


async def read_body(
    response: aiohttp.ClientResponse, most: int, bandwidth: Bandwidth, limit: asyncio.Timeout, *, cut: bool = False
) -> bytes:
    """The whole body, or with `cut` its first `most` bytes; raises Failure, TimeoutError.

    `limit` is put off by what our own bandwidth makes us wait.
    """
    if not cut and (response.content_length or 0) > most:
        raise Failure("too-many-bytes")
    decoded = _decoder(response.headers.get("Content-Encoding", ""))
    parts: list[bytes] = []
    size = received = 0
    try:
        async for chunk in response.content.iter_any():
            if wait := bandwidth.take(len(chunk)):
                limit.reschedule(limit.when() + wait)
                await asyncio.sleep(wait)
            received += len(chunk)
            parts.append(decoded(chunk, most + 1 - size))
            size += len(parts[-1])
            if max(size, received) > most:
                if cut:
                    return b"".join(parts)[:most]
                raise Failure("too-many-bytes")
    except TimeoutError:
        raise
    except (aiohttp.ClientError, OSError):
        raise Failure("incomplete") from None
    if received and not decoded.complete:
        raise Failure("bad-answer")
    return b"".join(parts)


class _Plain:
    complete = True

    def __call__(self, chunk: bytes, room: int) -> bytes:
        return chunk


class _Inflater:
    """Decompresses chunk by chunk, never more than there is room for."""

    def __init__(self):
        self._stream = None

    @property
    def complete(self) -> bool:
        return self._stream.eof

    def __call__(self, chunk: bytes, room: int) -> bytes:
        try:
            if self._stream is not None:
                return self._stream.decompress(chunk, room)
            try:
                self._stream = zlib.decompressobj(GZIP_OR_ZLIB)
                return self._stream.decompress(chunk, room)
            except zlib.error:
                self._stream = zlib.decompressobj(BARE)
                return self._stream.decompress(chunk, room)
        except zlib.error:
            raise Failure("bad-answer") from None


def _decoder(encoding: str) -> _Plain | _Inflater:
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return _Plain()
    if encoding in ("gzip", "x-gzip", "deflate"):  # sent though none was asked for
        return _Inflater()
    raise Failure("bad-answer")
