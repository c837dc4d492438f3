"""National flags as geometric simplifications: a table of layers, painted on a cloth of 3 by 2."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial

from .brush import HEIGHT, WIDTH, Brush, Colour, Painter, pick, vary

WHITE, BLACK, RED, BLUE, NAVY = "#ffffff", "#1a1a1a", "#d0142c", "#0050a0", "#10246b"
GREEN, YELLOW, ORANGE, SKY = "#0a8a43", "#ffce00", "#ff9933", "#75aadb"

Layer = Callable[[Brush], None]
"""One layer of a flag, painted by a brush whose frame is the cloth: (0, 0) to (3, 2)."""


def rows(*colours: Colour, shares: tuple[float, ...] | None = None) -> Layer:
    """Horizontal stripes from the top, of equal height or of the given shares."""

    def paint(brush: Brush) -> None:
        top = 0.0
        heights = shares or (1,) * len(colours)
        for colour, height in zip(colours, heights, strict=True):
            bottom = top + 2 * height / sum(heights)
            brush.box(colour, 0, top, 3, bottom)
            top = bottom

    return paint


def columns(*colours: Colour, shares: tuple[float, ...] | None = None) -> Layer:
    """Vertical stripes from the left, of equal width or of the given shares."""

    def paint(brush: Brush) -> None:
        left = 0.0
        widths = shares or (1,) * len(colours)
        for colour, width in zip(colours, widths, strict=True):
            right = left + 3 * width / sum(widths)
            brush.box(colour, left, 0, right, 2)
            left = right

    return paint


def disc(colour: Colour, x: float, y: float, radius: float, **part: float) -> Layer:
    """A disc, or the part of one."""
    return lambda brush: brush.disc(colour, x, y, radius, **part)


def stars(colour: Colour, *places: tuple[float, float, float], rays: int = 5, depth: float = 0.38) -> Layer:
    """Stars, each given by its x, y and radius."""

    def paint(brush: Brush) -> None:
        for place in places:
            brush.star(colour, *place, rays, depth)

    return paint


def polygon(colour: Colour, *points: tuple[float, float]) -> Layer:
    """A filled polygon."""
    return lambda brush: brush.polygon(colour, *points)


def cross(colour: Colour, x: float, y: float, width: float, reach: float = 3) -> Layer:
    """An upright cross around (x, y), cut off at the edges of the cloth."""

    def paint(brush: Brush) -> None:
        half = width / 2
        brush.box(colour, max(0, x - reach), y - half, min(3, x + reach), y + half)
        brush.box(colour, x - half, max(0, y - reach), x + half, min(2, y + reach))

    return paint


def saltire(colour: Colour, width: float) -> Layer:
    """A diagonal cross from corner to corner."""

    def paint(brush: Brush) -> None:
        for top, bottom in ((0, 2), (2, 0)):
            brush.polygon(colour, (0, top), (width, top), (3, bottom), (3 - width, bottom))
            slope = width * 2 / 3 if top == 0 else -width * 2 / 3
            brush.polygon(colour, (0, top), (0, top + slope), (3, bottom), (3, bottom - slope))

    return paint


def canton(*layers: Layer) -> Layer:
    """Another flag in the upper left quarter."""

    def paint(brush: Brush) -> None:
        for layer in layers:
            layer(brush.at(0, 0, 0.5))

    return paint


def bars(colour: Colour, x: float, y: float, angle: float) -> Layer:
    """Three short bars side by side, as around the circle of Korea's flag."""

    def paint(brush: Brush) -> None:
        turned = brush.at(x, y, angle=angle)
        for offset in (-0.13, 0, 0.13):
            turned.box(colour, -0.22, offset - 0.04, 0.22, offset + 0.04)

    return paint


UNION = (rows(NAVY), saltire(WHITE, 0.32), saltire(RED, 0.12), cross(WHITE, 1.5, 1, 0.66), cross(RED, 1.5, 1, 0.38))
MAPLE = (
    (1.5, 0.4),
    (1.62, 0.65),
    (1.78, 0.58),
    (1.74, 0.88),
    (1.95, 0.75),
    (2.08, 0.92),
    (1.92, 1.15),
    (1.55, 1.32),
    (1.54, 1.6),
    (1.46, 1.6),
    (1.45, 1.32),
    (1.08, 1.15),
    (0.92, 0.92),
    (1.05, 0.75),
    (1.26, 0.88),
    (1.22, 0.58),
    (1.38, 0.65),
)

FLAGS: dict[str, tuple[Layer, ...]] = {
    "japan": (rows(WHITE), disc(RED, 1.5, 1, 0.6)),
    "france": (columns(BLUE, WHITE, RED),),
    "germany": (rows(BLACK, RED, YELLOW),),
    "italy": (columns(GREEN, WHITE, RED),),
    "america": (
        rows(*(RED, WHITE) * 6, RED),
        polygon(NAVY, (0, 0), (1.3, 0), (1.3, 1.08), (0, 1.08)),
        stars(WHITE, *((0.15 + 0.25 * i, 0.15 + 0.26 * j, 0.1) for i in range(5) for j in range(4))),
    ),
    "china": (
        rows(RED),
        stars(YELLOW, (0.5, 0.5, 0.34), (1, 0.2, 0.11), (1.2, 0.42, 0.11), (1.2, 0.7, 0.11), (1, 0.92, 0.11)),
    ),
    "korea": (
        rows(WHITE),
        disc(RED, 1.5, 1, 0.5),
        disc(BLUE, 1.5, 1, 0.5, start=0, end=180),
        disc(RED, 1.25, 1, 0.25),
        disc(BLUE, 1.75, 1, 0.25),
        bars(BLACK, 0.6, 0.45, -56),
        bars(BLACK, 2.4, 0.45, 56),
        bars(BLACK, 0.6, 1.55, 56),
        bars(BLACK, 2.4, 1.55, -56),
    ),
    "thailand": (rows(RED, WHITE, NAVY, WHITE, RED, shares=(1, 1, 2, 1, 1)),),
    "india": (
        rows(ORANGE, WHITE, GREEN),
        disc(NAVY, 1.5, 1, 0.28),
        disc(WHITE, 1.5, 1, 0.23),
        stars(NAVY, (1.5, 1, 0.23), rays=12, depth=0.2),
    ),
    "brazil": (
        rows(GREEN),
        polygon(YELLOW, (0.2, 1), (1.5, 0.15), (2.8, 1), (1.5, 1.85)),
        disc(NAVY, 1.5, 1, 0.42),
        polygon(WHITE, (1.1, 0.9), (1.1, 0.98), (1.9, 1.14), (1.9, 1.05)),
    ),
    "switzerland": (rows(RED), cross(WHITE, 1.5, 1, 0.38, 0.62)),
    "sweden": (rows(BLUE), cross(YELLOW, 1.05, 1, 0.36)),
    "britain": UNION,
    "canada": (columns(RED, WHITE, RED, shares=(1, 2, 1)), polygon(RED, *MAPLE)),
    "russia": (rows(WHITE, BLUE, RED),),
    "vietnam": (rows(RED), stars(YELLOW, (1.5, 1.05, 0.62))),
    "egypt": (rows(RED, WHITE, BLACK), stars("#c09300", (1.5, 1, 0.28), rays=4, depth=0.55)),
    "turkey": (rows(RED), disc(WHITE, 1.1, 1, 0.5), disc(RED, 1.23, 1, 0.4), stars(WHITE, (1.75, 1, 0.24))),
    "netherlands": (rows("#ae1c28", WHITE, "#21468b"),),
    "spain": (rows(RED, YELLOW, RED, shares=(1, 2, 1)), disc("#8a3010", 0.9, 1, 0.2), disc(ORANGE, 0.9, 1, 0.12)),
    "angola": (
        rows(RED, BLACK),
        disc(YELLOW, 1.5, 1, 0.4, start=-60, end=110),
        disc(BLACK, 1.36, 1.12, 0.3, start=0, end=180),
        stars(YELLOW, (1.42, 0.82, 0.2)),
    ),
    "australia": (
        rows(NAVY),
        canton(*UNION),
        stars(
            WHITE, (0.75, 1.5, 0.3), (2.3, 0.4, 0.15), (2.3, 1.65, 0.15), (1.95, 0.95, 0.15), (2.65, 0.8, 0.15), rays=7
        ),
    ),
    "argentina": (rows(SKY, WHITE, SKY), stars(YELLOW, (1.5, 1, 0.28), rays=12, depth=0.6)),
    "ukraine": (rows("#0057b7", "#ffd700"),),
    "poland": (rows(WHITE, "#dc143c"),),
    "belgium": (columns(BLACK, YELLOW, RED),),
}


def hoist(layers: tuple[Layer, ...], brush: Brush, rng: random.Random) -> None:
    """Paint a flag: filling most of a plain picture, or at a pole before the sky."""
    at_pole = rng.random() < 0.4
    if at_pole:
        brush.fade(vary(rng, "#6aa5dd"), vary(rng, "#dbe9f4"))
    else:
        brush.box(pick(rng, "#e4e4e0", "#c9d3dc", "#4a4f58"), 0, 0, WIDTH, HEIGHT)
    size = rng.uniform(22, 26) if at_pole else rng.uniform(25, 32)
    left, top = (WIDTH - 3 * size) / 2 + rng.uniform(-3, 3), (HEIGHT - 2 * size) / 2 + rng.uniform(-4, 4)
    if at_pole:
        brush.box("#8d8d92", left - 2, top - 2, left, HEIGHT)
    cloth = brush.at(left, top, size, rng.uniform(-4, 4) * (not at_pole))
    for layer in layers:
        layer(cloth)


FLAG_PAINTERS: dict[str, Painter] = {f"flag_{country}": partial(hoist, layers) for country, layers in FLAGS.items()}
