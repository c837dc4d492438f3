"""A brush that paints flat shapes on a picture, in units that do not depend on its pixels."""

from __future__ import annotations

import cmath
import math
import random
from collections.abc import Callable

from PIL import ImageColor, ImageDraw

WIDTH, HEIGHT = 100, 80
"""The whole picture in the brush's units; y grows downwards."""

INK = "#231f20"
"""The black of eyes, tyres and print."""

Colour = str | tuple[int, int, int]
Point = tuple[float, float]
Painter = Callable[["Brush", random.Random], None]


def vary(rng: random.Random, colour: Colour, spread: int = 18) -> Colour:
    """A colour near the given one: each channel moves by up to `spread`."""
    channels = rgb(colour)
    return tuple(min(255, max(0, channel + rng.randint(-spread, spread))) for channel in channels)


def pick(rng: random.Random, *colours: Colour, spread: int = 18) -> Colour:
    """A colour near one of the given ones."""
    return vary(rng, rng.choice(colours), spread)


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """The colour `share` of the way from the first colour to the second."""
    pairs = zip(rgb(first), rgb(second), strict=True)
    return tuple(round(one + (other - one) * share) for one, other in pairs)


def rgb(colour: Colour) -> tuple[int, int, int]:
    """A colour as its three channels."""
    return ImageColor.getrgb(colour)[:3] if isinstance(colour, str) else colour


class Brush:
    """Paints in a frame of its own: `at` gives a brush whose frame is moved, sized, turned or mirrored.

    Every shape is a polygon in the end, so that a turned frame turns discs and boxes too.
    """

    def __init__(
        self, pen: ImageDraw.ImageDraw, scale: float, place: Callable[[complex], complex] | None = None
    ) -> None:
        self._pen = pen
        self._scale = scale
        self._place = place or (lambda point: point * scale)

    def at(self, x: float, y: float, size: float = 1, angle: float = 0, mirrored: bool = False) -> Brush:
        """A brush with its origin at (x, y), sized by `size` and turned clockwise by `angle` degrees."""
        origin, turn, outer = complex(x, y), cmath.rect(size, math.radians(angle)), self._place

        def place(point: complex) -> complex:
            return outer(origin + turn * (-point.conjugate() if mirrored else point))

        return Brush(self._pen, self._scale * size, place)

    def _pixels(self, points: tuple[Point, ...]) -> list[Point]:
        placed = (self._place(complex(*point)) for point in points)
        return [(point.real, point.imag) for point in placed]

    def polygon(self, colour: Colour, *points: Point) -> None:
        """A filled polygon."""
        self._pen.polygon(self._pixels(points), fill=colour)

    def box(self, colour: Colour, left: float, top: float, right: float, bottom: float) -> None:
        """A filled rectangle."""
        self.polygon(colour, (left, top), (right, top), (right, bottom), (left, bottom))

    def disc(
        self,
        colour: Colour,
        x: float,
        y: float,
        radius: float,
        tall: float | None = None,
        start: float = 0,
        end: float = 360,
    ) -> None:
        """A filled disc, or an ellipse of half height `tall`, or its part between two clockwise angles."""
        tall = radius if tall is None else tall
        steps = 36
        angles = [math.radians(start + (end - start) * step / steps) for step in range(steps + 1)]
        self.polygon(colour, *((x + radius * math.cos(a), y + tall * math.sin(a)) for a in angles))

    def star(self, colour: Colour, x: float, y: float, radius: float, rays: int = 5, depth: float = 0.38) -> None:
        """A star that points upwards; `depth` is the radius of its inner corners as a share of the outer."""
        corners = []
        for corner in range(2 * rays):
            reach = radius * (depth if corner % 2 else 1)
            angle = math.pi * (corner / rays - 0.5)
            corners.append((x + reach * math.cos(angle), y + reach * math.sin(angle)))
        self.polygon(colour, *corners)

    def line(self, colour: Colour, width: float, *points: Point) -> None:
        """A stroke through the points, with round ends and joints."""
        self._pen.line(self._pixels(points), fill=colour, width=max(1, round(width * self._scale)))
        for point in points:
            self.disc(colour, *point, width / 2)

    def ring(self, colour: Colour, width: float, x: float, y: float, radius: float) -> None:
        """The outline of a disc."""
        angles = [math.radians(10 * step) for step in range(37)]
        self.line(colour, width, *((x + radius * math.cos(a), y + radius * math.sin(a)) for a in angles))

    def fade(self, top: Colour, bottom: Colour, start: float = 0, end: float = HEIGHT) -> None:
        """A background between two heights that changes from one colour to the other."""
        bands = 40
        for band in range(bands):
            upper = start + (end - start) * band / bands
            self.box(mix(top, bottom, band / (bands - 1)), 0, upper, WIDTH, end)


def room(brush: Brush, rng: random.Random, wall: Colour, floor: Colour, edge: float = 58) -> None:
    """A wall and a floor, or a table's top, that meet near `edge`."""
    brush.fade(vary(rng, wall), vary(rng, wall))
    brush.box(vary(rng, floor), 0, edge + rng.uniform(-4, 4), WIDTH, HEIGHT)


def centre(brush: Brush, rng: random.Random, y: float = 40, turn: float = 5, mirrored: bool = True) -> Brush:
    """A brush near the picture's middle, a little sized and turned, half the time mirrored on request."""
    return brush.at(
        50 + rng.uniform(-7, 7),
        y + rng.uniform(-3, 3),
        rng.uniform(0.88, 1.12),
        rng.uniform(-turn, turn),
        mirrored and rng.random() < 0.5,
    )


def steam(brush: Brush, x: float, y: float, height: float) -> None:
    """A wavy wisp that rises from (x, y)."""
    steps = 16
    wave = [(x + 2.2 * math.sin(0.7 * step), y - height * step / steps) for step in range(steps)]
    brush.line("#e6e6e2", 1.8, *wave)
