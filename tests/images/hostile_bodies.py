"""What a hostile server (hostile_server.py) says in good HTTP: pictures of every form, and what is none."""

import functools
import gzip
import io
import struct
import zlib

from PIL import Image


@functools.lru_cache(4096)
def picture(number: int, kind: str = "JPEG", mode: str = "RGB", **options) -> bytes:
    """A small picture; the bits of its number are blocks of colour, so that no two are the same, as JPEGs either."""
    image = Image.linear_gradient("L").resize((40, 30)).convert("RGB")
    for bit in range(15):
        x, y = bit % 5 * 8, bit // 5 * 8
        image.paste((255 * (number >> bit & 1), 255 * (number >> bit + 15 & 1), 8 * bit), (x, y, x + 8, y + 8))
    file = io.BytesIO()
    image.convert(mode).save(file, kind, **options)
    return file.getvalue()


@functools.cache
def png_bomb(width: int = 10_000, height: int = 6_000) -> bytes:
    """A few kilobytes that are 60 megapixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)  # one bit a pixel
    rows = zlib.compress(bytes((width // 8 + 1) * height), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@functools.cache
def gzip_bomb() -> bytes:
    """20 kB that are 20 MB."""
    return gzip.compress(bytes(20_000_000))


@functools.cache
def memory_hog() -> bytes:
    """A transparent WebP of 40 megapixels in 38 bytes: no limit forbids it, and its decoding takes 665 MB."""
    file = io.BytesIO()
    Image.new("RGBA", (6300, 6300), (9, 9, 9, 128)).save(file, "WEBP", lossless=True, quality=0, method=0)
    return file.getvalue()


@functools.cache
def large_grey() -> bytes:
    """A TIFF of 40 megapixels in 32-bit grey: its decoding takes no more than that of other large pictures."""
    file = io.BytesIO()
    Image.new("I", (6300, 6300), 99).save(file, "TIFF", compression="tiff_adobe_deflate")
    return file.getvalue()


@functools.cache
def slow_jpeg(length: int, scans: int) -> bytes:
    """A progressive JPEG, as long as it is wide, whose last scan is repeated until there are so many scans.

    A scan of an even picture has few bytes, and is decoded over all pixels as any other.
    """
    file = io.BytesIO()
    Image.new("RGB", (length, length), (200, 30, 30)).save(file, "JPEG", progressive=True)
    content, end = file.getvalue()[:-2], b"\xff\xd9"
    last = content[content.rindex(b"\xff\xda") :]
    return content + last * (scans - content.count(b"\xff\xda")) + end


def frames(count: int = 10_000) -> bytes:
    """A GIF of one pixel, many times."""
    frame = b"\x2c\0\0\0\0\1\0\1\0\0\2\2\x44\1\0"
    return b"GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff" + count * frame + b";"


ROTATED = Image.Exif()
ROTATED[0x0112] = 6  # as of a camera that was held upright: turn it by 90 degrees
HTML = b"<!DOCTYPE html><html><body>Hotlinking forbidden</body></html>"
# path -> (content type, body): good HTTP, whatever is in it
BODIES = {
    "/page": ("text/html", lambda: HTML),
    "/secret": ("text/plain", lambda: b"secret"),
    "/empty": ("image/jpeg", lambda: b""),
    "/html-as.jpg": ("image/jpeg", lambda: HTML),
    "/truncated.jpg": ("image/jpeg", lambda: picture(1)[: len(picture(1)) // 2]),
    "/memory-hog": ("image/webp", memory_hog),
    "/large-grey": ("image/tiff", large_grey),
    "/slow.jpg": ("image/jpeg", lambda: slow_jpeg(3000, 90)),
    "/many-scans.jpg": ("image/jpeg", lambda: slow_jpeg(300, 200)),
    "/bomb.png": ("image/png", png_bomb),
    "/frames.gif": ("image/gif", frames),
    "/format/png": ("image/png", lambda: picture(1, "PNG")),
    "/format/gif": ("image/gif", lambda: picture(1, "GIF")),
    "/format/webp": ("image/webp", lambda: picture(1, "WEBP")),
    "/format/avif": ("image/avif", lambda: picture(1, "AVIF")),
    "/format/bmp": ("image/bmp", lambda: picture(1, "BMP")),
    "/format/tiff": ("image/tiff", lambda: picture(1, "TIFF")),
    "/format/cmyk": ("image/jpeg", lambda: picture(1, "JPEG", "CMYK")),
    "/format/palette": ("image/png", lambda: picture(1, "PNG", "P")),
    "/format/alpha": ("image/png", lambda: picture(1, "PNG", "RGBA")),
    "/format/exif-rotated": ("image/jpeg", lambda: picture(1, exif=ROTATED.tobytes())),
}
