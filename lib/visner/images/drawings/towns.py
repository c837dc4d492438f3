"""Towns as pictures, and the buildings that stand in them."""

from __future__ import annotations

import random

from .brush import HEIGHT, WIDTH, Brush, Colour, Painter, mix, pick, vary
from .scenery import DAY, DUSK, MIST, NIGHT, broadleaf, gable, ridge, sky


def tiers(brush: Brush, wall: Colour, roof: Colour, count: int, width: float, height: float) -> None:
    """Storeys that narrow upwards from y = 0, each under a swept roof: a pagoda or a castle's keep."""
    for storey in range(count):
        foot, half = -storey * height, width / 2 * (1 - 0.7 * storey / count)
        brush.box(wall, -half, foot - height, half, foot)
        for window in (-0.5, 0, 0.5):
            x = half * window
            brush.box("#3a3a3a", x - 0.6, foot - height * 0.5, x + 0.6, foot - height * 0.15)
        brush.polygon(
            roof,
            (-half * 1.35, foot - height * 0.5),
            (-half * 0.7, foot - height * 1.05),
            (half * 0.7, foot - height * 1.05),
            (half * 1.35, foot - height * 0.5),
            (half, foot - height * 0.62),
            (-half, foot - height * 0.62),
        )
    top = -(count - 0.1) * height
    brush.polygon(roof, (-width * 0.2, top), (0, top - height * 0.8), (width * 0.2, top))


def skyline(brush: Brush, rng: random.Random) -> None:
    """A city's towers with their windows, in two rows, often behind water."""
    hour = rng.choice((DAY, DUSK, NIGHT))
    sky(brush, rng, hour)
    shade = {DAY: "#7d8794", DUSK: "#4b3f55", NIGHT: "#262c45"}[hour]
    light = "#c9dcec" if hour is DAY else "#ffdd88"
    for row, (haze, low, high) in enumerate(((0.35, 25, 52), (0.0, 14, 38))):
        left = -4.0
        while left < WIDTH:
            right, top = left + rng.uniform(8, 14), 66 - rng.uniform(low, high)
            colour = mix(vary(rng, shade, 14), hour[1], haze)
            brush.box(colour, left, top, right, HEIGHT)
            if row and rng.random() < 0.3:
                brush.line(colour, 0.8, ((left + right) / 2, top), ((left + right) / 2, top - 7))
            for floor in range(int((66 - top) / 4)):
                for window in range(int((right - left) / 3)):
                    if rng.random() < 0.55:
                        x, y = left + 1.2 + 3 * window, top + 2 + 4 * floor
                        brush.box(mix(light, colour, haze), x, y, x + 1.5, y + 2)
            left = right + rng.uniform(-1, 2)
    ground = rng.choice(("#44525c", "#3f6f8f"))
    brush.box(mix(vary(rng, ground), shade, 0.3), 0, 66, WIDTH, HEIGHT)


def old_town(brush: Brush, rng: random.Random) -> None:
    """Rows of tiled roofs with a pagoda above them."""
    sky(brush, rng, DAY, MIST, DUSK)
    ridge(brush, rng, vary(rng, "#6f8a6a"), 50, 18, 3)
    tiers(brush.at(rng.uniform(22, 78), 52, rng.uniform(0.9, 1.1)), "#a5503a", "#4a4038", 5, 18, 7.5)
    brush.box("#5c5048", 0, 50, WIDTH, HEIGHT)
    roof = rng.choice(("#5a5550", "#6e5a4c", "#8a5a44"))
    for foot in (54, 67, 82):
        x = rng.uniform(-6, 4)
        while x < WIDTH + 8:
            wall = pick(rng, "#e6dcc6", "#8b6a4d", "#cdb994", spread=10)
            house = brush.at(x, foot)
            gable(house, wall, vary(rng, roof, 14), 17, 7, 7)
            for slat in range(-6, 7, 3):
                house.box("#4c3a2c", slat - 0.5, -5, slat + 0.5, -1)
            x += rng.uniform(18, 23)


def castle(brush: Brush, rng: random.Random) -> None:
    """A Japanese castle's white keep on its stone base, with blossom below."""
    sky(brush, rng, DAY)
    brush.box(vary(rng, "#6f9a55"), 0, 68, WIDTH, HEIGHT)
    keep = brush.at(rng.uniform(42, 58), 70, rng.uniform(0.9, 1.1))
    keep.polygon(vary(rng, "#8c8780"), (-30, 0), (-22, -16), (22, -16), (30, 0))
    for _ in range(40):
        x, y = rng.uniform(-22, 22), rng.uniform(-14, -2)
        keep.disc(vary(rng, "#75706a"), x, y, 2, 1.2)
    tiers(keep.at(0, -16), "#f3f1ea", vary(rng, "#4d5a60"), rng.choice((3, 4)), 36, 11)
    blossom = rng.choice(("#f3b9cb", "#5f9548"))
    for x in (6, 19, 80, 94):
        broadleaf(brush.at(x + rng.uniform(-4, 4), 78, rng.uniform(0.7, 1.1)), vary(rng, blossom))


def temple_gate(brush: Brush, rng: random.Random) -> None:
    """A red shrine gate over a path, before trees."""
    sky(brush, rng, DAY, MIST)
    ridge(brush, rng, vary(rng, "#3f6b41"), 62, 40, 3)
    brush.box(vary(rng, "#7c9a63"), 0, 60, WIDTH, HEIGHT)
    brush.polygon(vary(rng, "#cfc6b4"), (46, 58), (54, 58), (78, HEIGHT), (22, HEIGHT))
    red = vary(rng, "#cf3a24", 12)
    gate = brush.at(50 + rng.uniform(-4, 4), 72, rng.uniform(0.85, 1.1))
    for x in (-22, 18):
        gate.polygon(red, (x + 1, -50), (x + 4, -50), (x + 5, 0), (x, 0))
        gate.box("#2e2a28", x - 0.5, -3, x + 5.5, 0)
    gate.box(red, -29, -43, 29, -39)
    gate.box(red, -2, -52, 2, -40)
    gate.polygon(red, (-34, -57), (34, -57), (30, -51), (-30, -51))
    gate.polygon("#2e2a28", (-37, -61), (0, -58), (37, -61), (34, -56), (-34, -56))


def festival(brush: Brush, rng: random.Random) -> None:
    """Strings of lit paper lanterns in the evening."""
    sky(brush, rng, NIGHT, ("#1a1030", "#5a2f4a"))
    brush.box("#1b1420", 0, 72, WIDTH, HEIGHT)
    paper = rng.choice(("#e5402b", "#f08a2c", "#e5402b"))
    for row, size in ((14, 0.9), (40, 1.25)):
        sag, start = rng.uniform(3, 7), rng.uniform(4, 12)
        places = [start + 18 * step for step in range(6)]
        hung = [(x, row + sag * (1 - ((x - 50) / 50) ** 2)) for x in places]
        brush.line("#d8c9a0", 0.5, *hung)
        for x, y in hung:
            lantern = brush.at(x, y + 8 * size, size)
            lantern.disc(vary(rng, paper), 0, 0, 6, 7.5)
            lantern.disc("#ffd27a", 0, 0, 3, 5)
            for cap in (-8, 6.5):
                lantern.box("#241a16", -3, cap, 3, cap + 1.5)


def house(brush: Brush, rng: random.Random) -> None:
    """One house with a door, windows and a chimney in its garden."""
    sky(brush, rng, DAY)
    brush.box(vary(rng, "#79b356"), 0, 62, WIDTH, HEIGHT)
    home = brush.at(50 + rng.uniform(-10, 10), 66, rng.uniform(0.9, 1.15))
    wall, roof = rng.choice(("#f2e6c9", "#ffffff", "#e3b98c")), rng.choice(("#b5432e", "#7c4a3a", "#4d5f78"))
    home.box("#8c4a3a", 10, -50, 16, -34)
    home.box(wall, -24, -28, 24, 0)
    home.polygon(vary(rng, roof), (-30, -27), (0, -50), (30, -27))
    home.box("#70452c", -4, -16, 4, 0)
    for x in (-19, 9):
        home.box("#ffffff", x, -22, x + 10, -11)
        home.box("#7fb6dd", x + 1, -21, x + 9, -12)
    broadleaf(brush.at(rng.choice((8, 92)), 72, rng.uniform(1.0, 1.6)), vary(rng, "#4f9444"))


def building(brush: Brush, rng: random.Random) -> None:
    """A public building with steps, columns and a pediment."""
    sky(brush, rng, DAY, MIST)
    brush.box(vary(rng, "#9aa38e"), 0, 68, WIDTH, HEIGHT)
    stone = pick(rng, "#d9cfb8", "#d5d6d6", "#c7b79a", spread=10)
    front = brush.at(50 + rng.uniform(-5, 5), 70, rng.uniform(0.85, 1.1))
    front.box(mix(stone, "#000000", 0.35), -36, -38, 36, 0)
    for step in range(3):
        front.box(mix(stone, "#000000", 0.06 * step), -42 + 2 * step, -2 - 2 * step, 42 - 2 * step, -2 * step)
    for column in range(-34, 35, 68 // rng.choice((5, 6, 7))):
        front.box(stone, column - 2, -38, column + 2, -5)
    front.box(stone, -40, -43, 40, -38)
    front.polygon(mix(stone, "#ffffff", 0.25), (-40, -43), (0, -58), (40, -43))
    front.disc(mix(stone, "#000000", 0.25), 0, -48, 3)


TOWNS: dict[str, Painter] = {
    painter.__name__: painter for painter in (skyline, old_town, castle, temple_gate, festival, house, building)
}
