"""Small pictures drawn by seeded chance, and the words they answer: a sample corpus of image searches."""

from __future__ import annotations

import random
from itertools import chain, zip_longest

from PIL import Image, ImageDraw

from .brush import WIDTH, Brush, Painter
from .flags import FLAG_PAINTERS
from .landscapes import LANDSCAPES
from .living import LIVING
from .things import THINGS
from .towns import TOWNS
from .vehicles import VEHICLES
from .words import PLACE_KINDS, WORDS

__all__ = ["KINDS", "PLACE_KINDS", "SIZE", "UNPICTURED_SHARE", "WORDS", "draw", "manifest"]

SIZE = (200, 160)
"""Width and height of a drawing in pixels."""

KINDS: dict[str, Painter] = FLAG_PAINTERS | TOWNS | LANDSCAPES | LIVING | VEHICLES | THINGS
"""What can be drawn, each kind with the function that paints it."""

UNPICTURED_SHARE = 0.15
"""The share of the place words that a search finds no picture for."""

Picture = tuple[str, int]
"""A drawing by its kind and its number."""

OVERSAMPLING = 2


def draw(kind: str, number: int, seed: int) -> Image.Image:
    """The drawing with this number of a kind; the same arguments always give the same pixels."""
    rng = random.Random(f"{seed}/{kind}/{number}")
    image = Image.new("RGB", (SIZE[0] * OVERSAMPLING, SIZE[1] * OVERSAMPLING))
    KINDS[kind](Brush(ImageDraw.Draw(image), SIZE[0] * OVERSAMPLING / WIDTH), rng)
    return _photographed(image.reduce(OVERSAMPLING), rng)


def _photographed(image: Image.Image, rng: random.Random) -> Image.Image:
    """The image under a light of some colour and strength, with uneven exposure."""
    light = rng.uniform(0.85, 1.1)
    gains = [light * rng.uniform(0.95, 1.05) for _ in image.getbands()]
    image = image.point([min(255, round(gain * level)) for gain in gains for level in range(256)])
    # The noise is coarse because fine grain would make the PNG files several times larger.
    coarse = (SIZE[0] // 8, SIZE[1] // 8)
    noise = Image.frombytes("L", coarse, rng.randbytes(coarse[0] * coarse[1]))
    return Image.blend(image, noise.resize(SIZE, Image.Resampling.BILINEAR).convert("RGB"), 0.07)


def manifest(seed: int = 1, drawings_per_kind: int = 6) -> dict[str, list[Picture]]:
    """The pictures that each word is answered with, in rank order.

    The order is drawn per word, and a word of several kinds gets their pictures in turns. `UNPICTURED_SHARE`
    of the place words get none and are left out: words of one kind only, so that the ambiguous ones stay.
    """
    kinds_of_word: dict[str, list[str]] = {}
    for kind, words in WORDS.items():
        for word in words:
            kinds_of_word.setdefault(word, []).append(kind)
    places = [word for word, kinds in kinds_of_word.items() if PLACE_KINDS.issuperset(kinds)]
    unambiguous = [word for word in places if len(kinds_of_word[word]) == 1]
    rng = random.Random(f"{seed}/not found")
    unpictured = set(rng.sample(unambiguous, round(UNPICTURED_SHARE * len(places))))
    return {
        word: _ranking(word, kinds, seed, drawings_per_kind)
        for word, kinds in kinds_of_word.items()
        if word not in unpictured
    }


def _ranking(word: str, kinds: list[str], seed: int, drawings: int) -> list[Picture]:
    """The pictures of a word's kinds, in turns: the kinds and the pictures of each are shuffled."""
    rng = random.Random(f"{seed}/{word}")
    rankings = [
        [(kind, number) for number in rng.sample(range(drawings), drawings)] for kind in rng.sample(kinds, len(kinds))
    ]
    return [picture for picture in chain.from_iterable(zip_longest(*rankings)) if picture]
