"""An answer's body within a limit, on the line and decompressed: the limit holds at every moment, not at the end."""

import asyncio
import zlib

import aiohttp

from visner.images.crawling.failures import Failure
from visner.images.crawling.politeness import Bandwidth

PLAIN = ("", "identity")
COMPRESSED = ("gzip", "x-gzip", "deflate")  # sent though none was asked for
GZIP_OR_ZLIB = zlib.MAX_WBITS | 32  # whichever its header says
BARE = -zlib.MAX_WBITS  # what some servers take "deflate" for


async def read_body(
    response: aiohttp.ClientResponse, most: int, bandwidth: Bandwidth, limit: asyncio.Timeout, *, cut: bool = False
) -> bytes:
    """The whole body, or with `cut` its first `most` bytes; raises Failure, TimeoutError.

    `limit` is put off by what our own bandwidth makes us wait.
    """
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in PLAIN + COMPRESSED:
        raise Failure("bad-answer")
    if not cut and (response.content_length or 0) > most:
        raise Failure("too-many-bytes")
    inflater = Inflater() if encoding in COMPRESSED else None
    body = bytearray()
    received = 0
    try:
        async for chunk in response.content.iter_any():
            if wait := bandwidth.take(len(chunk)):
                limit.reschedule(limit.when() + wait)
                await asyncio.sleep(wait)
            received += len(chunk)
            body += inflater.inflate(chunk, most + 1 - len(body)) if inflater else chunk
            if max(len(body), received) > most:
                if cut:
                    return bytes(body[:most])
                raise Failure("too-many-bytes")
    except TimeoutError:
        raise
    except (aiohttp.ClientError, OSError):
        raise Failure("incomplete") from None
    if inflater and received and not inflater.stream.eof:
        raise Failure("bad-answer")
    return bytes(body)


class Inflater:
    """Decompresses chunk by chunk, never more than there is room for."""

    def __init__(self):
        self.stream = zlib.decompressobj(GZIP_OR_ZLIB)
        self._started = False

    def inflate(self, chunk: bytes, room: int) -> bytes:
        """At most `room` bytes; raises Failure."""
        try:
            try:
                return self.stream.decompress(chunk, room)
            except zlib.error:
                if self._started:
                    raise
                self.stream = zlib.decompressobj(BARE)
                return self.stream.decompress(chunk, room)
        except zlib.error:
            raise Failure("bad-answer") from None
        finally:
            self._started = True
