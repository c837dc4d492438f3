"""People and animals as pictures."""

from __future__ import annotations

import random

from .brush import HEIGHT, INK, WIDTH, Brush, Colour, Painter, centre, mix, pick, room, vary

SKIN = ("#f3cfae", "#e8b98f", "#c98f63", "#8d5a3b")
HAIR = ("#211a17", "#3d2a1e", "#6b4527", "#8c8a88")


def bust(brush: Brush, rng: random.Random, clothes: Colour) -> None:
    """A head of radius 14 around (0, 0) with hair and a face, above shoulders."""
    skin, hair = vary(rng, rng.choice(SKIN), 8), rng.choice(HAIR)
    if rng.random() < 0.4:
        brush.box(hair, -15, -4, 15, rng.uniform(10, 22))
    brush.disc(clothes, 0, 46, 30, 28, start=180, end=360)
    brush.box(mix(skin, "#000000", 0.12), -5, 10, 5, 21)
    brush.disc(hair, 0, -3, 15.5, 17)
    brush.disc(skin, 0, 1, 13, 15.5)
    brush.disc(hair, 0, -6, 14, 12, start=180, end=360)
    for x in (-5, 5):
        brush.disc("#ffffff", x, 0, 2.4, 1.6)
        brush.disc(INK, x, 0, 1.3)
        brush.line(hair, 0.9, (x - 2.5, -4), (x + 2.5, -4))
    brush.line(mix(skin, "#000000", 0.25), 0.9, (0, 1), (-1, 5), (1, 5))
    brush.disc("#b4453f", 0, 9, 4, rng.uniform(1, 2.5), start=0, end=180)


def portrait(brush: Brush, rng: random.Random) -> None:
    """A face in front of a plain wall."""
    wall = rng.choice(("#b9c4cf", "#d8cdbb", "#8fa3b0"))
    brush.fade(vary(rng, wall), vary(rng, wall))
    person = brush.at(50 + rng.uniform(-6, 6), 33 + rng.uniform(-3, 3), rng.uniform(1.15, 1.45))
    shirt = pick(rng, "#2f3a4f", "#404040", "#7a2f3a", "#dcdcdc")
    bust(person, rng, shirt)
    person.polygon("#ffffff", (-6, 18), (6, 18), (0, 30))
    person.polygon(vary(rng, "#a02f35", 40), (-1.5, 21), (1.5, 21), (2, 40), (-2, 40))


def doctor(brush: Brush, rng: random.Random) -> None:
    """A doctor in a white coat with a stethoscope and a red cross behind."""
    room(brush, rng, "#bfe0e2", "#9fc9cc", 66)
    x = rng.choice((16, 84))
    brush.box("#d8303a", x - 3, 8, x + 3, 26)
    brush.box("#d8303a", x - 9, 14, x + 9, 20)
    person = brush.at(50 + rng.uniform(-6, 6), 30 + rng.uniform(-2, 3), rng.uniform(1.05, 1.25))
    bust(person, rng, "#fbfbfb")
    person.polygon("#7fb2c9", (-6, 18), (6, 18), (0, 38))
    person.line("#33383d", 1.6, (-8, 19), (-10, 32), (0, 40), (9, 32), (8, 19))
    person.disc("#8d959c", 0, 41, 3)


def policeman(brush: Brush, rng: random.Random) -> None:
    """A policeman in a dark blue uniform with a cap and a badge."""
    brush.fade(vary(rng, "#c3c9c4"), vary(rng, "#8f979b"))
    person = brush.at(50 + rng.uniform(-6, 6), 36 + rng.uniform(-2, 3), rng.uniform(1.1, 1.3))
    navy = vary(rng, "#1e2c55", 10)
    bust(person, rng, navy)
    person.polygon(navy, (-20, -14), (-14, -24), (14, -24), (20, -14), (15, -7), (-15, -7))
    person.polygon(INK, (-15, -8), (15, -8), (17, -4), (-17, -4))
    person.star("#f2c53d", 0, -15, 4.5)
    person.polygon("#b9d3ec", (-6, 18), (6, 18), (0, 28))
    person.polygon(INK, (-1.4, 20), (1.4, 20), (1.4, 40), (-1.4, 40))
    person.star("#f2c53d", 13, 30, 4)


def student(brush: Brush, rng: random.Random) -> None:
    """A student in school uniform before a blackboard."""
    room(brush, rng, "#2f5d4a", "#a67c4f", 70)
    brush.line("#dfe8e0", 0.8, *((10 + 6 * step, 10 + rng.uniform(-3, 3)) for step in range(5)))
    brush.line("#dfe8e0", 0.8, *((66 + 6 * step, 12 + rng.uniform(-3, 3)) for step in range(5)))
    person = brush.at(50 + rng.uniform(-6, 6), 33 + rng.uniform(-2, 3), rng.uniform(1.0, 1.2))
    bust(person, rng, "#1d2130")
    person.polygon("#ffffff", (-9, 19), (9, 19), (0, 31))
    person.polygon("#c22f3d", (0, 28), (-6, 24), (-6, 33), (0, 30), (6, 33), (6, 24))
    for x in (-17, 17):
        person.line(vary(rng, "#8f5a32"), 4, (x, 22), (x, 44))


def crowd(brush: Brush, rng: random.Random) -> None:
    """Many people, row before row."""
    brush.fade(vary(rng, "#c9cfd6"), vary(rng, "#84898f"))
    for row, size in ((22, 0.3), (36, 0.38), (52, 0.48), (70, 0.6)):
        x = rng.uniform(-4, 6)
        while x < WIDTH + 4:
            clothes = pick(rng, "#a03c3c", "#3c5aa0", "#444444", "#d9d2c4", "#4f8054", "#c79a3c")
            bust(brush.at(x, row + rng.uniform(-2, 2), size), rng, clothes)
            x += rng.uniform(38, 52) * size


def meadow(brush: Brush, rng: random.Random) -> None:
    """Grass under a bright sky, for animals and games."""
    brush.fade(vary(rng, "#9cc9e8"), vary(rng, "#dcebf0"))
    brush.box(vary(rng, "#7db554"), 0, 50 + rng.uniform(-5, 5), WIDTH, HEIGHT)


def legs(brush: Brush, colour: Colour, width: float, foot: float, *places: float) -> None:
    """An animal's legs from its belly at y = 4 down to `foot`."""
    for x in places:
        brush.line(colour, width, (x, 4), (x, foot))


def dog(brush: Brush, rng: random.Random) -> None:
    """A dog from the side, with hanging ears and a raised tail."""
    room(brush, rng, "#d9c7a8", "#a98a62")
    coat = pick(rng, "#b0763c", "#8b5a2f", "#e2cfae", spread=10)
    body, dark = centre(brush, rng, 44), mix(coat, "#000000", 0.35)
    legs(body, coat, 5, 24, -16, -11, 9, 14)
    body.disc(coat, 0, 0, 20, 11)
    body.line(coat, 4, (-18, -4), (-25, -16))
    body.disc(coat, 19, -14, 11, 10)
    body.disc(coat, 29, -11, 7, 5)
    body.disc(dark, 13, -12, 4.5, 10)
    body.disc(INK, 35, -13, 2.4)
    body.disc(INK, 22, -17, 1.6)
    body.line("#c23b3b", 2.5, (12, -3), (22, -3))


def cat(brush: Brush, rng: random.Random) -> None:
    """A sitting cat from the front, with pointed ears, whiskers and a curled tail."""
    room(brush, rng, "#c5b4cf", "#8d6f86")
    coat = pick(rng, "#e09a4a", "#8a8a8a", "#2f2c2e", spread=10)
    body = centre(brush, rng, 42)
    body.line(coat, 5, (12, 28), (28, 26), (31, 12), (26, 4))
    body.disc(coat, 0, 16, 17, 19)
    for side in (-1, 1):
        body.polygon(coat, (side * 16, -30), (side * 3, -20), (side * 15, -12))
        body.polygon("#e9a5a5", (side * 14, -26), (side * 7, -19), (side * 13, -15))
    body.disc(coat, 0, -10, 17, 14)
    for side in (-1, 1):
        body.disc("#d9e04f", side * 7, -12, 4, 3.4)
        body.disc(INK, side * 7, -12, 1.2, 3.2)
        body.disc("#f4efe8", side * 6, 32, 5, 3.5)
        for rise in (-2, 0, 2):
            body.line("#f4efe8", 0.5, (side * 5, -5), (side * 24, -6 + 2 * rise))
    body.polygon("#e08a8a", (-2.5, -7), (2.5, -7), (0, -4))


def horse(brush: Brush, rng: random.Random) -> None:
    """A horse from the side, with a mane and long legs."""
    meadow(brush, rng)
    coat = pick(rng, "#6b4023", "#8a5330", "#4a2f22", spread=10)
    body, dark = centre(brush, rng, 40), mix(coat, "#000000", 0.5)
    legs(body, coat, 4, 32, -19, -13, 9, 15)
    body.line(dark, 4, (-21, -4), (-28, 4), (-28, 18))
    body.disc(coat, -2, 0, 22, 11)
    body.polygon(coat, (6, -4), (20, -32), (28, -28), (20, 4))
    body.polygon(dark, (4, -6), (16, -34), (21, -33), (10, -4))
    body.line(coat, 8, (24, -28), (37, -17))
    body.polygon(coat, (19, -30), (21, -39), (26, -31))
    body.disc(INK, 28, -27, 1.3)
    for x in (-19, -13, 9, 15):
        body.box(INK, x - 2.4, 31, x + 2.4, 35)


def bird(brush: Brush, rng: random.Random) -> None:
    """A small bird on a branch."""
    brush.fade(vary(rng, "#bfe3ea"), vary(rng, "#e8f3df"))
    body = centre(brush, rng, 38)
    body.line("#6e4d33", 4, (-60, 24), (60, 20))
    plume = pick(rng, "#3f7fc4", "#d8752f", "#5f9a3f")
    body.polygon(mix(plume, "#000000", 0.3), (-14, 4), (-38, 14), (-34, 22), (-8, 14))
    body.disc(plume, 0, 4, 19, 15)
    body.disc("#f4e8d0", 5, 10, 12, 9)
    body.disc(plume, 14, -11, 11)
    body.polygon(mix(plume, "#000000", 0.3), (-18, 0), (6, -4), (2, 14))
    body.polygon("#f0b02f", (24, -13), (34, -9), (24, -7))
    body.disc(INK, 17, -13, 1.8)
    for x in (0, 6):
        body.line("#b8792c", 1.2, (x, 17), (x, 24))


def fish(brush: Brush, rng: random.Random) -> None:
    """A fish under water among bubbles."""
    brush.fade(vary(rng, "#3fa0cc"), vary(rng, "#123f78"))
    for _ in range(7):
        brush.ring("#cfeaf5", 0.5, rng.uniform(5, 95), rng.uniform(5, 60), rng.uniform(1, 2.5))
    scales = pick(rng, "#f08a2c", "#c9d2d8", "#e8563f")
    body, fin = centre(brush, rng, turn=10), mix(scales, "#000000", 0.25)
    body.polygon(fin, (-20, 0), (-38, -14), (-33, 0), (-38, 14))
    body.polygon(fin, (-8, -10), (2, -24), (14, -9))
    body.polygon(fin, (-2, 10), (4, 20), (10, 10))
    body.disc(scales, 2, 0, 27, 14)
    for x in (-10, -3, 4):
        body.line(mix(scales, "#ffffff", 0.5), 1.4, (x, -7), (x + 3, 0), (x, 7))
    body.disc("#ffffff", 19, -4, 3.6)
    body.disc(INK, 20, -4, 1.9)


def rabbit(brush: Brush, rng: random.Random) -> None:
    """A sitting rabbit from the front, with long ears."""
    meadow(brush, rng)
    coat = pick(rng, "#f4f1ec", "#b79b80", "#dccab4", spread=8)
    body = centre(brush, rng, 48)
    for side in (-1, 1):
        ear = body.at(side * 6, -20, 1, side * rng.uniform(4, 16))
        ear.disc(coat, 0, -12, 5, 15)
        ear.disc("#eba9ad", 0, -12, 2.5, 11)
    body.disc(coat, 0, 14, 18, 15)
    body.disc(coat, 0, -8, 14, 13)
    for side in (-1, 1):
        body.disc(INK, side * 6, -10, 1.9, 2.4)
        body.disc(mix(coat, "#ffffff", 0.5), side * 9, 26, 7, 4)
    body.polygon("#e08a8a", (-2, -5), (2, -5), (0, -2.5))
    body.box("#ffffff", -1.6, 0, 1.6, 3.5)


LIVING: dict[str, Painter] = {
    painter.__name__: painter
    for painter in (portrait, doctor, policeman, student, crowd, dog, cat, horse, bird, fish, rabbit)
}
