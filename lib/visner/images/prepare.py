"""A picture's bytes to the form that is kept, or the reason why it is none: a picture is never replaced.

What is kept is an upright RGB JPEG on white whose shorter side has at most `side` pixels. Bytes and pixels are
bounded before anything is decoded.
"""

import hashlib
import io
import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from PIL import Image, UnidentifiedImageError

SCANS = 100  # of a progressive JPEG at most: encoders write 10, and 100 of 40 megapixels take 9 seconds
REASONS = {
    "missing": "the source names it and does not have it",
    "name-not-utf-8": "its file's name isn't UTF-8: rename the file (convmv does it for whole folders)",
    "empty": "it has no bytes",
    "placeholder": "the recipe lists it as a picture that stands for a lost one",
    "too-many-bytes": "more than max_bytes",
    "not-a-picture": "none of the formats that are read",
    "animated": "more than one frame",
    "too-many-pixels": "more than max_pixels",
    "too-many-scans": f"a progressive JPEG of more than {SCANS} scans, each of which is decoded over all pixels",
    "too-slow": "more than max_seconds of processor time to decode",
    "crashes-decoder": "the process that decodes it is killed, twice, or has too little memory",
    "too-long": "a side longer than a JPEG can have",
    "unknown-range": "32-bit or floating-point values, which have no known white",
    "broken": "truncated, or its decoder failed",
}
# No EPS, PDF or WMF among them: Pillow hands those to other programs.
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "BMP", "TIFF", "PPM")
QUALITY = 90
KEPT_VERSION = 2  # raised when the pixels of the kept form change
LONGEST_SIDE = 65_500  # of libjpeg
# The next marker of a JPEG that isn't among the bytes of a scan (FF00, restarts) and has a length, or is the end.
MARKER = re.compile(rb"\xff+([\x02-\xcf\xd9-\xfe])")
# A PNG's chunks that its pixels depend on; the rest are metadata.
PIXEL_CHUNKS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"acTL", b"fcTL", b"fdAT"})
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
ORIENTATION = 0x0112  # the EXIF tag: how the camera was held
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class Rejected(Exception):
    """A candidate is not usable; `reason` is a key of REASONS."""

    def __init__(self, reason: str):
        super().__init__(f"{reason}: {REASONS[reason]}")
        self.reason = reason


class Picture(NamedTuple):
    """A usable picture: the sha256 of its original bytes, its kept form (JPEG), and that form's size in pixels."""

    image_id: str
    kept: bytes
    width: int
    height: int


def kept_form(side: int) -> dict:
    """What the pixels of a kept picture depend on beside its original: a shard's provenance names it (`kept`)."""
    return {"side": side, "format": "JPEG", "quality": QUALITY, "version": KEPT_VERSION}


def prepare(content: bytes, *, side: int, max_bytes: int, max_pixels: int) -> Picture:
    """The kept form of a picture; raises Rejected.

    `side` is the kept form's shorter side in pixels (a smaller picture keeps its size), `max_bytes` and `max_pixels`
    bound the original; SCANS, and Pillow's own limit of 179 million pixels, hold as well. How long it may take is for
    the caller to bound (`visner.images.decoding`).
    """
    if not content:
        raise Rejected("empty")
    if len(content) > max_bytes:
        raise Rejected("too-many-bytes")
    image = _on_white(_smaller(_decode(content, side, max_pixels), side))
    file = io.BytesIO()
    # 4:4:4: at this size halved colour planes blur flags and line drawings.
    image.save(file, "JPEG", quality=QUALITY, subsampling=0)
    return Picture(hashlib.sha256(content).hexdigest(), file.getvalue(), *image.size)


def _decode(content: bytes, side: int, max_pixels: int) -> Image.Image:
    """The whole picture, upright, as RGB or RGBA."""
    try:
        image = _load(content, side, max_pixels)
    except Rejected as rejected:
        # Pillow gives a PNG up at the first chunk that is spoilt, be it about its pixels or not.
        bare = _without_metadata(content) if rejected.reason in ("broken", "not-a-picture") else None
        if bare is None:
            raise
        image = _load(bare, side, max_pixels)
    turn = _turn(image)
    with _decoding():
        if image.mode in ("I", "F") or image.mode.startswith("I;16"):
            image = _eight_bits(image)
        image = image if turn is None else image.transpose(turn)
        mode = "RGBA" if image.has_transparency_data else "RGB"
        return image if image.mode == mode else image.convert(mode)  # which would copy it


@contextmanager
def _decoding() -> Iterator[None]:
    """A block of Pillow's decoders and conversions: hostile bytes make them raise nearly every kind of exception."""
    try:
        yield
    except (Rejected, MemoryError):
        raise
    except UnidentifiedImageError:
        raise Rejected("not-a-picture") from None
    except Image.DecompressionBombError:
        raise Rejected("too-many-pixels") from None
    except Exception:
        raise Rejected("broken") from None


def _load(content: bytes, side: int, max_pixels: int) -> Image.Image:
    """The picture with all its pixels, as its file has them."""
    with _decoding():
        image = Image.open(io.BytesIO(content), formats=FORMATS)
        if image.width * image.height > max_pixels:
            raise Rejected("too-many-pixels")
        # MPO is how many telephones save a still: a JPEG with a depth or brightness map behind it.
        if image.format != "MPO" and getattr(image, "is_animated", False):
            raise Rejected("animated")
        if image.format in ("JPEG", "MPO") and _scans(content) > SCANS:
            raise Rejected("too-many-scans")
        image.draft("RGB", (2 * side, 2 * side))  # a large JPEG is decoded at a half, a quarter or an eighth
        image.load()
        return image


def _scans(content: bytes) -> int:
    """How many scans a JPEG has, as far as that is more than SCANS."""
    if content.count(b"\xff\xda") <= SCANS:  # with those in thumbnails and the like: fast, and nearly always enough
        return 0
    scans, place = 0, 2
    while (marker := MARKER.search(content, place)) and marker[1] != b"\xd9":
        scans += marker[1] == b"\xda"
        place = marker.end() + int.from_bytes(content[marker.end() : marker.end() + 2])
    return scans


def _without_metadata(content: bytes) -> bytes | None:
    """A PNG's chunks that its pixels depend on, as they are; None where it has no others, or is no PNG."""
    if not content.startswith(PNG_SIGNATURE):
        return None
    kept, place = [PNG_SIGNATURE], len(PNG_SIGNATURE)
    while place < len(content):
        stop = place + 12 + int.from_bytes(content[place : place + 4])  # its length, name, content and checksum
        if content[place + 4 : place + 8] in PIXEL_CHUNKS:
            kept.append(content[place:stop])
        place = stop
    bare = b"".join(kept)
    return bare if len(bare) < len(content) else None


def _turn(image: Image.Image) -> Image.Transpose | None:
    """How to turn a picture upright; None: not at all, or its EXIF data are spoilt, which spoils no pixel."""
    try:
        return UPRIGHT.get(image.getexif().get(ORIENTATION))  # Pillow has turned a TIFF itself, and says so here
    except (SyntaxError, ValueError, TypeError, LookupError, OSError, struct.error):
        return None


def _eight_bits(image: Image.Image) -> Image.Image:
    """The upper eight of 16 bits of grey; Pillow's own conversion clips at 255 and gives white."""
    if image.mode == "F":
        raise Rejected("unknown-range")
    if image.mode not in ("I", "I;16"):
        image = image.convert("I")
    least, most = image.getextrema()
    if least < 0 or most >= 2**16:
        raise Rejected("unknown-range")
    return image.point(lambda value: value * (1 / 256)).convert("L")


def _smaller(image: Image.Image, side: int) -> Image.Image:
    """The picture with a shorter side of `side` pixels, if it is larger."""
    shorter = min(image.size)
    if shorter > side:
        width, height = (max(1, round(length * side / shorter)) for length in image.size)
        # As good as bicubic where pictures become smaller, in half its time.
        image = image.resize((width, height), Image.Resampling.HAMMING)
    if max(image.size) > LONGEST_SIDE:
        raise Rejected("too-long")
    return image


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode == "RGB":
        return image
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("RGB")
