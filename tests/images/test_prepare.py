"""What is kept of a picture, and why others are not: on files as they come, hostile ones too."""

import contextlib
import hashlib
import io
import struct
import zlib

import numpy as np
import pytest
from hostile_bodies import slow_jpeg
from PIL import Image

from visner.images import prepare as preparing
from visner.images.prepare import REASONS, Rejected, prepare

pytestmark = pytest.mark.filterwarnings("ignore:::PIL")
SIDE = 64
SHARP = {"JPEG": {"quality": 95, "subsampling": 0}, "WEBP": {"lossless": True}}
RED, GREEN, BLUE, WHITE = (250, 5, 5), (5, 250, 5), (5, 5, 250), (255, 255, 255)


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def kept(content: bytes, **limits) -> Image.Image:
    picture = prepare(content, **{"side": SIDE, "max_bytes": 1_000_000, "max_pixels": 1_000_000, **limits})
    image = Image.open(io.BytesIO(picture.kept))
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (picture.width, picture.height))
    assert picture.image_id == hashlib.sha256(content).hexdigest()
    return image


def reason(content: bytes, **limits) -> str:
    with pytest.raises(Rejected) as rejection:
        kept(content, **limits)
    assert rejection.value.reason in REASONS
    return rejection.value.reason


def near(pixel, colour, tolerance: int = 12) -> bool:
    return all(abs(int(a) - b) <= tolerance for a, b in zip(pixel, colour, strict=True))


def quarters(width: int = 60, height: int = 40) -> Image.Image:
    """Four quarters, of four colours: whichever way it is turned, that can be seen."""
    image = Image.new("RGB", (width, height), WHITE)
    image.paste(RED, (0, 0, width // 2, height // 2))
    image.paste(GREEN, (width // 2, 0, width, height // 2))
    image.paste(BLUE, (0, height // 2, width // 2, height))
    return image


def noise(width: int, height: int) -> Image.Image:
    values = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)
    return Image.fromarray(values)


def chunk(kind: bytes, content: bytes) -> bytes:
    """A PNG's."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_header(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF"])
def test_formats_keep_their_picture(kind):
    image = kept(encoded(quarters(), kind))
    assert image.size == (60, 40)
    for place, colour in {(10, 8): RED, (50, 8): GREEN, (10, 32): BLUE, (50, 32): WHITE}.items():
        assert near(image.getpixel(place), colour), kind


@pytest.mark.parametrize(
    "size, expected", [((640, 480), (85, 64)), ((480, 640), (64, 85)), ((64, 64), (64, 64)), ((30, 500), (30, 500))]
)
def test_the_shorter_side_is_bounded_and_nothing_enlarged(size, expected):
    assert kept(encoded(quarters(*size), "JPEG")).size == expected


def test_a_large_jpeg_looks_like_the_same_picture_reduced_at_once():
    picture = Image.effect_mandelbrot((1000, 800), (-2, -1.2, 1, 1.2), 50).convert("RGB")
    ours = np.asarray(kept(encoded(picture, "JPEG", quality=95)), int)
    plain = np.asarray(picture.resize((80, 64), Image.Resampling.BOX), int)
    assert np.abs(ours - plain).mean() < 6


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied_pixel_by_pixel(kind, orientation):
    # The camera's matrix is the upright picture seen through the inverse of what the viewer must do.
    store = {
        1: lambda a: a,
        2: np.fliplr,
        3: lambda a: np.rot90(a, 2),
        4: np.flipud,
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: np.rot90(a, 2).transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }[orientation]
    upright = np.asarray(quarters(64, 48))  # its borders are those of JPEG's blocks
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(store(upright)))
    seen = np.asarray(kept(encoded(stored, kind, exif=exif, **SHARP.get(kind, {}))), int)
    assert seen.shape == upright.shape
    assert np.abs(seen - upright).max() <= 12


def test_spoilt_exif_does_not_spoil_the_picture():
    assert near(kept(encoded(quarters(), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\xff\x01\x12")).getpixel((10, 8)), RED)


GARBAGE = chunk(b"eXIf", b"no EXIF data at all")
WRONG_SUM = GARBAGE[:-4] + b"\0\0\0\0"


@pytest.mark.parametrize("place", [33, -12], ids=["before the pixels", "behind them"])
@pytest.mark.parametrize(
    "spoilt",
    [GARBAGE, WRONG_SUM, chunk(b"gAMA", b""), chunk(b"pHYs", b"\1"), chunk(b"iTXt", b"\xff" * 9)[:-4] + bytes(4)],
    ids=["content", "checksum", "gamma", "resolution", "text"],
)
def test_case_a_png_with_spoilt_metadata_and_whole_pixels_is_kept(spoilt, place):
    whole = encoded(quarters(), "PNG", transparency=GREEN)
    assert whole[12:16] == b"IHDR"  # whose chunk ends at byte 33; IEND has 12
    image = kept(whole[:place] + spoilt + whole[place:])
    assert image.tobytes() == kept(whole).tobytes()


def test_spoilt_metadata_excuse_no_spoilt_pixels():
    whole = encoded(noise(90, 70), "PNG")
    assert reason(whole[:33] + WRONG_SUM + whole[33 : len(whole) // 2]) == "broken"
    moving = animation("PNG")
    assert reason(moving[:33] + WRONG_SUM + moving[33:]) == "animated"


def test_case_half_a_jpeg_with_spoilt_metadata_stays_broken():
    whole = encoded(noise(90, 70), "JPEG", exif=b"Exif\0\0no EXIF data at all")
    assert kept(whole).size == (82, 64)
    assert reason(whole[: len(whole) // 2]) == "broken"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_whatever_the_exif_data_are_the_picture_is_kept(kind):
    """Pillow's reader of metadata raises several kinds of exception; none of them is the pixels'."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010E], exif[0x8769] = 6, "a camera", {0x9003: "2020:01:01 00:00:00", 0x829A: 0.5}
    good, rng = exif.tobytes(), np.random.default_rng(1)
    for _ in range(60):
        spoilt = bytearray(good[: rng.integers(6, len(good))] if rng.random() < 0.3 else good)
        for place in rng.integers(0, len(spoilt), 3):
            spoilt[place] = rng.integers(256)
        try:
            content = encoded(quarters(), kind, exif=bytes(spoilt))
        except (ValueError, OSError, SyntaxError):  # Pillow won't write it
            continue
        assert sorted(kept(content).size) == [40, 60]


def transparent_palette() -> bytes:
    image = Image.new("P", (40, 40), 0)
    image.putpalette([0, 0, 0, *RED])
    image.paste(1, (0, 0, 20, 40))
    return encoded(image, "PNG", transparency=0)


def half_transparent(mode: str) -> bytes:
    image = quarters(40, 40).convert(mode)
    image.putalpha(Image.new("L", (40, 40), 0))
    image.paste(Image.new(mode, (20, 40), RED + (255,) if mode == "RGBA" else (7, 255)), (0, 0))
    return encoded(image, "PNG")


@pytest.mark.parametrize(
    "content, left",
    [
        (transparent_palette(), RED),
        (half_transparent("RGBA"), RED),
        (half_transparent("LA"), (7, 7, 7)),
        (encoded(quarters(40, 40), "PNG", transparency=GREEN), RED),
    ],
    ids=["palette", "RGBA", "LA", "colour key"],
)
def test_what_is_transparent_is_white(content, left):
    image = kept(content)
    assert near(image.getpixel((8, 8)), left)
    assert near(image.getpixel((32, 8)), WHITE)


def test_half_opaque_red_on_white_is_pink():
    image = kept(encoded(Image.new("RGBA", (200, 200), (255, 0, 0, 128)), "PNG"))
    assert near(image.getpixel((30, 30)), (255, 127, 127), 3)


def test_cmyk_is_turned_to_rgb():
    cmyk = Image.new("CMYK", (40, 40), (0, 255, 255, 0))
    assert near(kept(encoded(cmyk, "JPEG", quality=95)).getpixel((20, 20)), (255, 0, 0))


def test_sixteen_bits_of_grey_keep_their_shades():
    ramp = np.tile(np.linspace(0, 65535, 60).astype(np.uint16), (40, 1))
    seen = np.asarray(kept(encoded(Image.fromarray(ramp), "PNG")), int)
    assert np.abs(seen - (ramp >> 8)[..., None]).max() <= 4


def test_values_without_a_known_white_are_no_picture():
    assert reason(encoded(Image.fromarray(np.ones((40, 40), np.float32)), "TIFF")) == "unknown-range"


def test_bilevel_grey_and_one_pixel():
    assert near(kept(encoded(Image.new("1", (40, 40), 1), "PNG")).getpixel((1, 1)), WHITE)
    assert near(kept(encoded(Image.new("L", (40, 40), 77), "PNG")).getpixel((1, 1)), (77, 77, 77), 2)
    assert kept(encoded(Image.new("RGB", (1, 1), RED), "PNG")).size == (1, 1)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
@pytest.mark.parametrize("share", [0.2, 0.6, 0.95])
def test_truncated_files_are_rejected(kind, share):
    content = encoded(noise(90, 70), kind)
    assert reason(content[: int(len(content) * share)]) in ("broken", "not-a-picture")


def animation(kind: str) -> bytes:
    return encoded(quarters(), kind, save_all=True, append_images=[noise(60, 40)], duration=100)


@pytest.mark.parametrize(
    "content, expected",
    [
        (b"", "empty"),
        (b"\0", "not-a-picture"),
        (b"<!DOCTYPE html><html><body>404 Not Found</body></html>", "not-a-picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not-a-picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not-a-picture"),
        (animation("GIF"), "animated"),
        (animation("PNG"), "animated"),
        (animation("WEBP"), "animated"),
        (slow_jpeg(300, 101), "too-many-scans"),
        (png_header(0, 9), "not-a-picture"),
        (png_header(30, 30), "broken"),
        (png_header(10_000, 10_000), "too-many-pixels"),
        (png_header(2**31 - 1, 2**31 - 1), "too-many-pixels"),
        (encoded(Image.new("RGB", (1, 65_536)), "PNG"), "too-long"),
    ],
)
def test_no_pictures_are_rejected_with_their_reason(content, expected):
    assert reason(content) == expected


def test_bounds_hold_to_the_byte_and_the_pixel():
    content = encoded(quarters(30, 20), "PNG")
    assert kept(content, max_bytes=len(content), max_pixels=600).size == (30, 20)
    assert reason(content, max_bytes=len(content) - 1) == "too-many-bytes"
    assert reason(content, max_pixels=599) == "too-many-pixels"


def test_case_a_progressive_jpeg_of_many_scans_is_rejected_by_their_number():
    assert slow_jpeg(40, 100).count(b"\xff\xda") == 100
    assert kept(slow_jpeg(40, 100)).size == (40, 40)
    assert reason(slow_jpeg(40, 101)) == "too-many-scans"
    # Only a scan's own marker counts: neither one in a comment, nor what stands behind the picture's end.
    comment = b"\xff\xfe" + struct.pack(">H", 402) + b"\xff\xda" * 200
    whole = slow_jpeg(40, 10)
    assert kept(whole[:2] + comment + whole[2:] + b"\xff\xda" * 200).size == (40, 40)


def test_a_still_with_a_depth_map_is_one_picture():
    """Telephones save JPEGs with a second picture behind the first (MPO), which Pillow counts as a frame."""
    content = encoded(quarters(), "MPO", save_all=True, append_images=[noise(60, 40)])
    assert Image.open(io.BytesIO(content)).n_frames == 2
    assert near(kept(content).getpixel((10, 8)), RED)


def test_any_damage_gives_a_picture_or_a_reason():
    """Every byte of small files replaced in turn: never another exception than Rejected."""
    for kind in ("PNG", "GIF", "JPEG", "TIFF", "WEBP", "BMP"):
        content = bytearray(encoded(quarters(8, 6).quantize(4) if kind in ("PNG", "GIF") else quarters(8, 6), kind))
        for place in range(0, len(content), 1 + len(content) // 150):
            damaged = content.copy()
            damaged[place] ^= 0xFF
            with contextlib.suppress(Rejected):
                assert min(kept(bytes(damaged)).size) >= 1


def test_the_same_bytes_give_the_same_form():
    content = encoded(noise(200, 150), "PNG")
    assert kept(content).tobytes() == kept(content).tobytes()


def test_the_kept_form_depends_on_what_it_says():
    assert preparing.kept_form(SIDE) != preparing.kept_form(SIDE + 1)
