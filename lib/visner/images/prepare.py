"""A picture's bytes to the form that is kept, or the reason why it is none: a picture is never replaced.

What is kept is an upright RGB JPEG on white whose shorter side has at most `side` pixels. Bytes and pixels are
bounded before anything is decoded.
"""

import hashlib
import io
from typing import NamedTuple

import numpy as np
from PIL import Image, UnidentifiedImageError

REASONS = {
    "missing": "the source names it and does not have it",
    "empty": "it has no bytes",
    "placeholder": "the recipe lists it as a picture that stands for a lost one",
    "too-many-bytes": "more than max_bytes",
    "not-a-picture": "none of the formats that are read",
    "animated": "more than one frame",
    "too-many-pixels": "more than max_pixels",
    "too-long": "a side longer than a JPEG can have",
    "unknown-range": "32-bit or floating-point values, which have no known white",
    "broken": "truncated, or its decoder failed",
}
# No EPS, PDF or WMF among them: Pillow hands those to other programs.
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "BMP", "TIFF", "PPM")
QUALITY = 90
KEPT_VERSION = 2  # raised when the pixels of the kept form change
LONGEST_SIDE = 65_500  # of libjpeg
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
    bound the original; Pillow's own limit of 179 million pixels holds as well.
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
    """The whole picture, upright, as RGB or RGBA.

    Only Pillow's decoders run under the broad `except`: hostile bytes make them raise nearly every kind of exception.
    """
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
        if image.width * image.height > max_pixels:
            raise Rejected("too-many-pixels")
        # MPO is how many telephones save a still: a JPEG with a depth or brightness map behind it.
        if image.format != "MPO" and getattr(image, "is_animated", False):
            raise Rejected("animated")
        image.draft("RGB", (2 * side, 2 * side))  # a large JPEG is decoded at a half, a quarter or an eighth
        image.load()
        turn = UPRIGHT.get(image.getexif().get(ORIENTATION))  # Pillow has turned a TIFF itself, and says so here
        if image.mode in ("I", "F") or image.mode.startswith("I;16"):
            image = _eight_bits(image)
        image = image if turn is None else image.transpose(turn)
        mode = "RGBA" if image.has_transparency_data else "RGB"
        return image if image.mode == mode else image.convert(mode)  # which would copy it
    except (Rejected, MemoryError):
        raise
    except UnidentifiedImageError:
        raise Rejected("not-a-picture") from None
    except Image.DecompressionBombError:
        raise Rejected("too-many-pixels") from None
    except Exception:
        raise Rejected("broken") from None


def _eight_bits(image: Image.Image) -> Image.Image:
    """The upper eight of 16 bits of grey; Pillow's own conversion clips at 255 and gives white."""
    values = np.asarray(image)
    if image.mode == "F" or values.min() < 0 or values.max() >= 2**16:
        raise Rejected("unknown-range")
    return Image.fromarray((values >> 8).astype(np.uint8))


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
