"""What places are put together from: skies, ridges, houses, trees."""

from __future__ import annotations

import random

from .brush import WIDTH, Brush, Colour, vary

DAY = ("#5f9fdc", "#d5e8f5")
DUSK = ("#41507f", "#f2a66b")
NIGHT = ("#0d1530", "#34406e")
MIST = ("#a9b6c2", "#e3e6e6")


def sky(brush: Brush, rng: random.Random, *hours: tuple[Colour, Colour]) -> None:
    """A sky of one of the given hours over the whole picture, by day with a cloud or two."""
    hour = rng.choice(hours)
    brush.fade(vary(rng, hour[0]), vary(rng, hour[1]))
    if hour is DAY:
        for _ in range(rng.randint(0, 2)):
            cloud = brush.at(rng.uniform(10, 90), rng.uniform(6, 20), rng.uniform(0.7, 1.3))
            for x, radius in ((-6, 3), (0, 4.5), (6, 3.2)):
                cloud.disc("#f7f9fb", x, 0, radius + 2, radius)


def ridge(brush: Brush, rng: random.Random, colour: Colour, foot: float, height: float, peaks: int) -> None:
    """A row of hills across the picture that ends at `foot`."""
    outline = [(0, foot)]
    for step in range(2 * peaks + 1):
        up = rng.uniform(0.7, 1) if step % 2 else rng.uniform(0.3, 0.6)
        outline.append((WIDTH * step / (2 * peaks), foot - height * up))
    brush.polygon(colour, *outline, (WIDTH, foot))


def gable(brush: Brush, wall: Colour, roof: Colour, width: float, height: float, rise: float) -> None:
    """A house around x = 0 that stands on y = 0, its roof with wide eaves."""
    half = width / 2
    brush.box(wall, -half, -height, half, 0)
    brush.polygon(
        roof, (-half - 2, -height), (-half * 0.55, -height - rise), (half * 0.55, -height - rise), (half + 2, -height)
    )


def broadleaf(brush: Brush, colour: Colour) -> None:
    """A round tree of height 20 that stands on y = 0."""
    brush.box("#6b4a33", -1.2, -8, 1.2, 0)
    for x, y, radius in ((-4, -11, 5), (4, -11, 5), (0, -15, 6)):
        brush.disc(colour, x, y, radius)
