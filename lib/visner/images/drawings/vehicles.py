"""Vehicles as pictures."""

from __future__ import annotations

import random

from .brush import HEIGHT, INK, WIDTH, Brush, Painter, centre, mix, pick, room, vary


def wheel(brush: Brush, x: float, y: float, radius: float) -> None:
    """A tyre on its rim."""
    brush.disc(INK, x, y, radius)
    brush.disc("#c4c8cc", x, y, radius * 0.5)


def car(brush: Brush, rng: random.Random) -> None:
    """A car from the side on a road."""
    room(brush, rng, "#bcd3e2", "#6d7074", 52)
    paint = pick(rng, "#c92a2a", "#2456a8", "#e8e8e8", "#e0b020")
    body = centre(brush, rng, 46, turn=2)
    body.polygon(paint, (-24, -6), (-14, -22), (14, -22), (26, -6))
    body.polygon("#a9d3ea", (-19, -7), (-12, -19), (-1, -19), (-1, -7))
    body.polygon("#a9d3ea", (2, -19), (12, -19), (20, -7), (2, -7))
    body.polygon(paint, (-40, -4), (-36, -8), (34, -8), (42, 0), (42, 10), (-40, 10))
    body.box("#ffe58a", 38, 0, 42, 4)
    body.box(mix(paint, "#000000", 0.4), 2, -3, 8, -1.5)
    for x in (-23, 24):
        wheel(body, x, 10, 9)


def train(brush: Brush, rng: random.Random) -> None:
    """A train's carriages behind a pointed front, on rails under a wire."""
    brush.fade(vary(rng, "#a9cbe6"), vary(rng, "#e4edf0"))
    brush.box(vary(rng, "#8a8378"), 0, 62, WIDTH, HEIGHT)
    brush.line("#4a4a4a", 0.6, (0, 14), (WIDTH, 14))
    for x in range(2, WIDTH, 9):
        brush.box("#5a4a3c", x, 66, x + 4, 70)
    brush.box("#55585c", 0, 65, WIDTH, 66.5)
    band = pick(rng, "#1f5fb0", "#2f9a4a", "#e07a1f")
    cars = brush.at(50 + rng.uniform(-6, 6), 64, rng.uniform(0.95, 1.1), mirrored=rng.random() < 0.5)
    cars.polygon("#f3f4f5", (-80, -36), (14, -36), (26, -32), (42, -14), (42, -3), (-80, -3))
    cars.box(band, -80, -14, 40, -9)
    for x in range(-76, 14, 11):
        cars.box("#35506b", x, -29, x + 7, -20)
    cars.polygon("#35506b", (17, -30), (25, -29), (33, -20), (17, -20))
    cars.box("#9aa0a6", -24, -36, -23, -3)


def aeroplane(brush: Brush, rng: random.Random) -> None:
    """An airliner climbing through the sky."""
    brush.fade(vary(rng, "#2f7fd0"), vary(rng, "#a9d4f0"))
    for _ in range(4):
        x, y = rng.uniform(0, WIDTH), rng.uniform(50, 78)
        brush.disc("#eef5fa", x, y, rng.uniform(8, 18), rng.uniform(3, 6))
    plane = brush.at(
        50 + rng.uniform(-6, 6), 38 + rng.uniform(-4, 4), rng.uniform(0.9, 1.1), *rng.choice(((-14, False), (14, True)))
    )
    livery = pick(rng, "#c8202f", "#1f3f8f", "#1f8f6f")
    plane.polygon("#aeb6be", (6, -4), (-10, -22), (-17, -22), (-8, -4))
    plane.polygon(livery, (-30, -4), (-42, -22), (-35, -22), (-20, -5))
    plane.disc("#f6f7f8", 0, 0, 42, 6.5)
    plane.polygon("#c9d0d6", (10, 2), (-14, 26), (-23, 26), (-8, 2))
    for x in range(-24, 28, 5):
        plane.box("#3f566d", x, -3, x + 2, -1)
    plane.box(livery, -37, 1, 37, 2.2)


def ship(brush: Brush, rng: random.Random) -> None:
    """A passenger ship with funnels at sea."""
    brush.fade(vary(rng, "#bcd9ec"), vary(rng, "#eef3f2"))
    hull = pick(rng, "#20304f", "#a02f2f", "#2f2f33")
    vessel = centre(brush, rng, 54, turn=3)
    for x in (-12, 2):
        vessel.box("#d8452f", x, -36, x + 7, -22)
        vessel.box(INK, x, -38, x + 7, -34)
    vessel.box("#f6f4ee", -24, -24, 22, -14)
    vessel.box("#e9e6de", -30, -15, 28, -4)
    for y in (-20, -11):
        for x in range(-22, 20, 5):
            vessel.disc("#3f6f9a", x, y, 1.3)
    vessel.polygon(hull, (-42, -5), (46, -7), (34, 14), (-36, 14))
    vessel.line("#ffffff", 1, (-39, 0), (42, -1))
    sea = vary(rng, "#2a6f9f")
    brush.box(sea, 0, 62, WIDTH, HEIGHT)
    for x in range(0, WIDTH + 8, 8):
        brush.disc(sea, x, 62, 5, 2)
        brush.line("#9fcbe0", 0.6, (x, 68 + rng.uniform(-2, 8)), (x + 5, 68 + rng.uniform(-2, 8)))


def bicycle(brush: Brush, rng: random.Random) -> None:
    """A bicycle from the side."""
    room(brush, rng, "#e6dfcf", "#a9a69c", 64)
    frame = pick(rng, "#c92a2a", "#1f7a6a", "#2456a8")
    cycle = centre(brush, rng, 50, turn=2)
    for x in (-23, 23):
        cycle.ring(INK, 2, x, 4, 16)
        for spoke in range(6):
            cycle.at(x, 4, 1, spoke * 30).line("#a9adb2", 0.5, (-15, 0), (15, 0))
    cycle.line(frame, 2.2, (-23, 4), (-2, 4), (15, -18), (-9, -18), (-23, 4))
    cycle.line(frame, 2.2, (-2, 4), (-11, -24))
    cycle.line(frame, 2.2, (23, 4), (13, -27))
    cycle.line(INK, 2.4, (13, -27), (20, -29))
    cycle.line(INK, 3.4, (-16, -25), (-6, -25))
    cycle.disc("#6d7074", -2, 4, 4)


VEHICLES: dict[str, Painter] = {painter.__name__: painter for painter in (car, train, aeroplane, ship, bicycle)}
