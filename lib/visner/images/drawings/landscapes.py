"""Landscapes as pictures: mountains, waters, fields, weather on the ground."""

from __future__ import annotations

import random

from .brush import HEIGHT, WIDTH, Brush, Colour, Painter, mix, pick, steam, vary
from .scenery import DAY, DUSK, MIST, NIGHT, broadleaf, gable, ridge, sky


def conifer(brush: Brush, colour: Colour, snow: Colour | None = None) -> None:
    """A fir of height 20 that stands on y = 0, on request with snow on its branches."""
    brush.box("#5b4030", -1, -4, 1, 0)
    for tier in range(3):
        foot, half = -3 - 5 * tier, 7 - 1.8 * tier
        brush.polygon(colour, (-half, foot), (half, foot), (0, foot - 8))
        if snow:
            brush.polygon(snow, (-half * 0.6, foot - 3.2), (half * 0.6, foot - 3.2), (0, foot - 8))


def mountain(brush: Brush, rng: random.Random) -> None:
    """A snow-capped mountain before lower hills."""
    sky(brush, rng, DAY, MIST)
    rock = vary(rng, "#64738c")
    peak = brush.at(50 + rng.uniform(-12, 12), 66, rng.uniform(0.9, 1.1))
    peak.polygon(vary(rng, "#8593a8"), (10, 0), (34, -34), (62, 0))
    peak.polygon(rock, (-52, 0), (-5, -52), (2, -54), (8, -50), (46, 0))
    peak.polygon(
        "#f7f9fb", (-17, -39), (-5, -52), (2, -54), (8, -50), (18, -37), (10, -41), (3, -35), (-5, -41), (-11, -36)
    )
    ridge(brush, rng, vary(rng, "#4f7a4e"), 70, 14, 4)
    brush.box(pick(rng, "#6b9ec4", "#6d9a50"), 0, 68, WIDTH, HEIGHT)


def volcano(brush: Brush, rng: random.Random) -> None:
    """A dark cone with glowing lava under a column of smoke."""
    sky(brush, rng, DUSK, NIGHT, MIST)
    crater = brush.at(50 + rng.uniform(-10, 10), 72, rng.uniform(0.9, 1.1))
    lean = rng.uniform(-0.5, 0.5)
    for puff in range(9):
        x = lean * puff * 4 + rng.uniform(-3, 3)
        crater.disc(vary(rng, "#6f6a6a"), x, -44 - 4 * puff, 5 + 1.2 * puff)
    crater.disc("#ff8a2a", 0, -42, 6, 9)
    crater.polygon(vary(rng, "#3d3133", 10), (-56, 0), (-9, -42), (-3, -39), (4, -39), (9, -42), (56, 0))
    for x in (-4, 0, 5):
        end = x * rng.uniform(2, 4)
        crater.line("#f2541b", 2, (x, -40), (x * 1.6 + rng.uniform(-3, 3), -26), (end, -rng.uniform(4, 16)))
    brush.box(vary(rng, "#2f3a2f", 10), 0, 70, WIDTH, HEIGHT)


def island(brush: Brush, rng: random.Random) -> None:
    """A sandy island with palms in the sea."""
    sky(brush, rng, DAY)
    brush.fade(vary(rng, "#1f78b4"), vary(rng, "#4cc3cf"), 38)
    place = brush.at(50 + rng.uniform(-10, 10), 58 + rng.uniform(-4, 4), rng.uniform(0.9, 1.2))
    place.disc("#f0dfb0", 0, 2, 36, 9)
    place.disc(vary(rng, "#5fa04c"), 0, -1, 25, 9, start=180, end=360)
    for x in rng.sample((-16, -8, 0, 9, 17), 3):
        top = x + rng.uniform(-5, 5), -rng.uniform(24, 32)
        place.line("#7a5a38", 1.6, (x, -2), top)
        crown = place.at(*top)
        for reach, drop in ((-10, 4), (-8, -3), (8, -3), (10, 4), (2, 7)):
            crown.line(vary(rng, "#2f7f3a", 12), 2, (0, 0), (reach * 0.6, drop * 0.3 - 2), (reach, drop))


def river(brush: Brush, rng: random.Random) -> None:
    """A river between green banks, under an arched bridge."""
    sky(brush, rng, DAY, MIST)
    ridge(brush, rng, vary(rng, "#6d9a6a"), 40, 16, 3)
    brush.box(vary(rng, "#77ab58"), 0, 36, WIDTH, HEIGHT)
    bend = rng.uniform(-8, 8)
    water = vary(rng, "#3f86bd")
    brush.polygon(water, (46 + bend, 36), (54 + bend, 36), (72, 52), (98, HEIGHT), (2, HEIGHT), (28, 52))
    deck = pick(rng, "#9a9186", "#b5493a", "#7d868c", spread=10)
    y = rng.uniform(46, 52)
    brush.box(deck, 0, y - 4, WIDTH, y + 15)
    for x in (32, 50, 68):
        brush.disc(mix(water, "#000000", 0.2), x, y + 15.5, 7.5, 13, start=180, end=360)
    brush.box(mix(deck, "#ffffff", 0.4), 0, y - 7, WIDTH, y - 5)


def countryside(brush: Brush, rng: random.Random) -> None:
    """Fields that run towards the hills, with a few farmhouses."""
    sky(brush, rng, DAY, MIST)
    ridge(brush, rng, vary(rng, "#5f8f63"), 38, 20, 3)
    crops = rng.choice((("#8fbf4f", "#a9cc5f", "#76ad48"), ("#d9c25a", "#c6b04a", "#a8bb55")))
    far = [WIDTH * step / 8 for step in range(9)]
    for strip in range(8):
        left, right = far[strip : strip + 2]
        brush.polygon(
            vary(rng, crops[strip % 3], 10),
            (left, 36),
            (right, 36),
            (4 * right - 150, HEIGHT),
            (4 * left - 150, HEIGHT),
        )
    for y in (42, 52, 66):
        brush.line(vary(rng, "#8a7a50"), 0.9, (0, y + rng.uniform(-2, 2)), (WIDTH, y + rng.uniform(-2, 2)))
    for x in rng.sample(range(14, 90, 14), 3):
        farm = brush.at(x, rng.uniform(39, 46), rng.uniform(0.8, 1.2))
        gable(farm, "#efe7d6", pick(rng, "#7a5136", "#a3452f", "#55595c"), 12, 5, 5)


def forest(brush: Brush, rng: random.Random) -> None:
    """Trees behind trees, up to the edge of the picture."""
    brush.fade(vary(rng, "#a9c7a0"), vary(rng, "#2d4a2a"))
    kind = rng.choice((conifer, broadleaf))
    for foot, haze in ((44, 0.4), (58, 0.2), (74, 0.0), (88, 0.0)):
        x = rng.uniform(-4, 4)
        while x < WIDTH + 6:
            green = mix(vary(rng, "#2c6331"), "#a9c7a0", haze)
            kind(brush.at(x, foot + rng.uniform(-2, 2), rng.uniform(1.3, 1.8)), green)
            x += rng.uniform(9, 14)


def snow(brush: Brush, rng: random.Random) -> None:
    """Firs under snow while it is snowing."""
    sky(brush, rng, MIST, ("#8796ad", "#cfd8e4"))
    ridge(brush, rng, vary(rng, "#d5dde8", 8), 60, 20, 3)
    brush.box(vary(rng, "#f1f4f9", 6), 0, 56, WIDTH, HEIGHT)
    for x in rng.sample(range(8, 96, 11), 5):
        conifer(brush.at(x, rng.uniform(60, 74), rng.uniform(1.1, 1.7)), vary(rng, "#5f7d74"), "#f6f9fc")
    for _ in range(60):
        brush.disc("#ffffff", rng.uniform(0, WIDTH), rng.uniform(0, HEIGHT), rng.uniform(0.4, 0.9))


def hot_spring(brush: Brush, rng: random.Random) -> None:
    """A steaming pool among rocks before a wooden fence."""
    brush.box(vary(rng, "#8a6a45"), 0, 0, WIDTH, 36)
    for x in range(0, WIDTH, 6):
        brush.box(vary(rng, "#71532f", 10), x, 0, x + 0.9, 36)
    brush.box(vary(rng, "#5c5a4c"), 0, 34, WIDTH, HEIGHT)
    water = brush.at(50 + rng.uniform(-4, 4), 58)
    water.disc(vary(rng, "#7cc4c4"), 0, 0, 40, 17)
    for place in range(-44, 45, 8):
        edge = 17 * max(0.0, 1 - (place / 44) ** 2) ** 0.5
        for y in (-edge, edge):
            water.disc(vary(rng, "#77736d"), place, y, rng.uniform(4, 6), rng.uniform(3, 4.5))
    for x in (-18, 0, 18):
        steam(water, x + rng.uniform(-4, 4), -2, 36)


LANDSCAPES: dict[str, Painter] = {
    painter.__name__: painter for painter in (mountain, volcano, island, river, countryside, forest, snow, hot_spring)
}
