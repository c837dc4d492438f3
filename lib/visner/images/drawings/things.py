"""Food, the weather and things of daily use as pictures."""

from __future__ import annotations

import math
import random

from .brush import HEIGHT, INK, WIDTH, Brush, Painter, centre, mix, pick, room, steam, vary

TABLE = "#a8753f"


def apple(brush: Brush, rng: random.Random) -> None:
    """An apple with its stalk and leaf."""
    room(brush, rng, "#eee6d2", "#c9a677")
    fruit = centre(brush, rng, 44)
    red = pick(rng, "#d22b2b", "#c8323a", "#9bbf3b")
    fruit.disc(mix("#c9a677", "#000000", 0.35), 2, 23, 20, 4)
    for x in (-8, 8):
        fruit.disc(red, x, 0, 16, 21)
    fruit.disc(mix(red, "#ffffff", 0.6), -13, -8, 4, 6)
    fruit.disc(mix(red, "#000000", 0.4), 0, -17, 6, 2.5)
    fruit.line("#5b3a22", 2, (0, -17), (3, -30))
    fruit.at(3, -25, 1, -25).disc("#4f9a3c", 9, 0, 9, 4)


def bread(brush: Brush, rng: random.Random) -> None:
    """A loaf with scored crust on a board."""
    room(brush, rng, "#efe9dd", "#d8d0c2")
    loaf, crust = centre(brush, rng, 44), vary(rng, "#c98a42", 14)
    loaf.box("#8a5a30", -42, 14, 42, 20)
    loaf.disc(crust, 0, 14, 36, 34, start=180, end=360)
    loaf.disc(mix(crust, "#ffffff", 0.25), 0, 10, 30, 24, start=180, end=360)
    for x in (-18, -4, 10):
        loaf.line(mix(crust, "#fff3d8", 0.7), 3, (x, 2), (x + 8, -12))


def sushi(brush: Brush, rng: random.Random) -> None:
    """Pieces of sushi side by side on a dark board."""
    brush.box(vary(rng, "#3a2a24", 10), 0, 0, WIDTH, HEIGHT)
    board = centre(brush, rng, turn=8)
    board.box("#7a4a2a", -46, -28, 46, 30)
    for y in (-14, 14):
        for x in (-30, 0, 30):
            piece = board.at(x, y, 1, rng.uniform(-6, 6))
            topping = pick(rng, "#f2804f", "#d23b3b", "#f5c443", "#f6d9cf")
            piece.disc("#fbfaf4", 0, 3, 12, 7)
            piece.box("#fbfaf4", -12, -2, 12, 5)
            piece.disc(topping, 0, -3, 13, 6)
            for stripe in (-6, 0, 6):
                piece.line(mix(topping, "#ffffff", 0.5), 0.9, (stripe - 2, -6), (stripe + 2, 0))
            if rng.random() < 0.35:
                piece.box("#1f2b22", -2.5, -9, 2.5, 9)


def noodles(brush: Brush, rng: random.Random) -> None:
    """A steaming bowl of noodles with chopsticks."""
    room(brush, rng, "#7a4a3a", TABLE, 50)
    bowl = centre(brush, rng, 46)
    ware = pick(rng, "#c23a2e", "#2f4a7a", "#f0ede4")
    bowl.disc(ware, 0, -4, 34, 32, start=0, end=180)
    bowl.box(ware, -12, 25, 12, 30)
    bowl.disc(mix(ware, "#ffffff", 0.4), 0, -4, 34, 10)
    bowl.disc("#d99a4a", 0, -4, 31, 8)
    for strand in range(8):
        x = -22 + 6 * strand
        bowl.line("#f6e3a8", 1.2, *((x + 2 * step, -4 + 4 * math.sin(step + strand)) for step in range(5)))
    bowl.disc("#fdfbf4", -12, -6, 7, 3.5)
    bowl.disc("#f2b632", -12, -6, 3.5, 1.8)
    bowl.disc("#4f9a3c", 12, -7, 5, 2)
    for shift in (0, 4):
        bowl.line("#3b2418", 1.4, (6 + shift, -6), (36 + shift, -34))
    for x in (-16, -4):
        steam(bowl, x, -15, 22)


def sun(brush: Brush, rng: random.Random) -> None:
    """The sun with its rays."""
    brush.fade(vary(rng, "#4fa3ea"), vary(rng, "#bfe2f7"))
    glow = centre(brush, rng, 38, turn=20)
    glow.star("#ffe27a", 0, 0, rng.uniform(32, 38), rays=rng.choice((12, 14, 16)), depth=0.62)
    glow.disc(vary(rng, "#ffb81f", 12), 0, 0, 19)


def moon(brush: Brush, rng: random.Random) -> None:
    """A crescent moon among stars."""
    night = vary(rng, "#101a3f", 10)
    brush.fade(night, night)
    for _ in range(25):
        brush.star("#f5f0d0", rng.uniform(0, WIDTH), rng.uniform(0, HEIGHT), rng.uniform(0.6, 2))
    crescent = centre(brush, rng, 38, turn=20)
    crescent.disc(vary(rng, "#f7e28a", 10), 0, 0, 25)
    crescent.disc(night, 11, -5, 22)


def rain(brush: Brush, rng: random.Random) -> None:
    """Rain from a dark cloud on an umbrella."""
    brush.fade(vary(rng, "#67737f"), vary(rng, "#a6b0b8"))
    slant = rng.uniform(2, 5)
    for _ in range(70):
        x, y = rng.uniform(0, WIDTH + 5), rng.uniform(16, HEIGHT)
        brush.line("#d3e3f0", 0.6, (x, y), (x - slant, y + 7))
    for x in range(0, WIDTH + 10, 14):
        brush.disc(vary(rng, "#4a535d", 8), x, rng.uniform(4, 9), 13, 10)
    umbrella = centre(brush, rng, 56, turn=12)
    cloth = pick(rng, "#d23b3b", "#e8b62f", "#2f6fc4")
    umbrella.line("#3b2a20", 1.8, (0, -4), (0, 24), (4, 27), (8, 24))
    umbrella.disc(cloth, 0, 2, 29, 26, start=180, end=360)
    umbrella.disc(mix(cloth, "#000000", 0.25), 0, 2, 10, 26, start=180, end=360)


def book(brush: Brush, rng: random.Random) -> None:
    """An open book with lines of print on a table."""
    brush.box(vary(rng, "#7d5434"), 0, 0, WIDTH, HEIGHT)
    pages = centre(brush, rng, turn=10, mirrored=False)
    cover = pick(rng, "#8f2f2f", "#2f4f8f", "#2f6f4f")
    pages.box(cover, -40, -25, 40, 29)
    for side in (-1, 1):
        pages.polygon(
            "#f7f2e4" if side < 0 else "#efe8d6",
            (0, -23),
            (side * 20, -28),
            (side * 37, -24),
            (side * 37, 25),
            (side * 20, 21),
            (0, 26),
        )
        for row in range(9):
            y = -19 + 4.6 * row
            pages.line("#6a6660", 0.8, (side * 5, y), (side * rng.uniform(24, 33), y - 1))
    pages.line("#b9ae98", 1, (0, -23), (0, 26))


def money(brush: Brush, rng: random.Random) -> None:
    """Bank notes under piles of coins."""
    brush.box(vary(rng, "#4f6a58"), 0, 0, WIDTH, HEIGHT)
    note_colour = pick(rng, "#c9d6b0", "#d8c9a4", spread=10)
    for x, y in ((44, 26), (54, 34)):
        note = brush.at(x + rng.uniform(-4, 4), y, 1, rng.uniform(-14, 14))
        note.box(mix(note_colour, "#000000", 0.3), -36, -17, 36, 17)
        note.box(note_colour, -34, -15, 34, 15)
        note.disc(mix(note_colour, "#3f5a3f", 0.6), 0, 0, 10, 12)
        for corner in (-27, 27):
            note.disc(mix(note_colour, "#3f5a3f", 0.4), corner, -9, 3.5)
    for x in (22, 48, 74):
        metal = pick(rng, "#e0b23a", "#c9ccd0", "#c07f45", spread=10)
        for level in range(rng.randint(2, 5)):
            coin = brush.at(x, 70 - 4.5 * level)
            coin.disc(mix(metal, "#000000", 0.35), 0, 2.5, 12, 5)
            coin.disc(metal, 0, 0, 12, 5)
            coin.disc(mix(metal, "#ffffff", 0.3), 0, 0, 8, 3)


def letter(brush: Brush, rng: random.Random) -> None:
    """A closed envelope with a seal."""
    brush.box(vary(rng, "#86a3b5"), 0, 0, WIDTH, HEIGHT)
    envelope, paper = centre(brush, rng, turn=12, mirrored=False), vary(rng, "#f6efdf", 8)
    envelope.box(mix(paper, "#000000", 0.3), -37, -23, 37, 25)
    envelope.box(paper, -36, -24, 36, 24)
    for side in (-1, 1):
        envelope.line("#b3a78f", 0.9, (side * 36, 24), (side * 6, 0))
    envelope.polygon(mix(paper, "#b3a78f", 0.25), (-36, -24), (36, -24), (0, 6))
    envelope.line("#b3a78f", 0.9, (-36, -24), (0, 6), (36, -24))
    envelope.disc(vary(rng, "#b8242f"), 0, 5, 6)


def computer(brush: Brush, rng: random.Random) -> None:
    """A laptop computer with lines of text on its screen."""
    room(brush, rng, "#cdd5db", "#9c8f7f", 56)
    case = centre(brush, rng, 38, turn=2, mirrored=False)
    case.box("#2f3338", -32, -28, 32, 16)
    case.box(pick(rng, "#16233f", "#f2f5f8", "#1f4f8a", spread=10), -29, -25, 29, 13)
    for row in range(7):
        ink = rng.choice(("#5fc46f", "#e0a040", "#7fa8d8"))
        case.line(ink, 1.4, (-25, -20 + 5 * row), (rng.uniform(-15, 24), -20 + 5 * row))
    case.polygon("#b4b9be", (-32, 16), (32, 16), (42, 30), (-42, 30))
    for row in range(3):
        case.line("#5b6066", 2, (-29 - 2 * row, 19 + 3.3 * row), (29 + 2 * row, 19 + 3.3 * row))
    case.box("#d0d4d8", -42, 30, 42, 33)


def phone(brush: Brush, rng: random.Random) -> None:
    """A smartphone with coloured icons."""
    brush.box(vary(rng, "#e3d8e6"), 0, 0, WIDTH, HEIGHT)
    case = centre(brush, rng, turn=14, mirrored=False)
    case.box(INK, -17, -34, 17, 34)
    case.box(pick(rng, "#2f6fc4", "#6a3f9a", "#1f8f8f"), -15, -29, 15, 28)
    for y in range(-25, 20, 9):
        for x in (-12, -3.5, 5):
            icon = pick(rng, "#f25f4c", "#f5c443", "#4fc46f", "#ffffff")
            case.box(icon, x, y, x + 6.5, y + 6.5)
    case.disc("#7a7d82", 0, 31, 1.8)


def clock(brush: Brush, rng: random.Random) -> None:
    """A round clock on a wall."""
    wall = vary(rng, "#d9b98f")
    brush.fade(wall, mix(wall, "#000000", 0.15))
    face = centre(brush, rng, turn=0, mirrored=False)
    face.disc(pick(rng, INK, "#7a3f24", "#8f979f"), 0, 0, 33)
    face.disc("#faf8f2", 0, 0, 29)
    for hour in range(12):
        face.at(0, 0, 1, hour * 30).box(INK, -0.9, -27, 0.9, -22)
    minutes = rng.randrange(720)
    face.at(0, 0, 1, minutes / 2).line(INK, 2.4, (0, 2), (0, -14))
    face.at(0, 0, 1, minutes * 6).line(INK, 1.6, (0, 3), (0, -21))
    face.disc("#c22f3d", 0, 0, 2)


def football(brush: Brush, rng: random.Random) -> None:
    """A football on the grass before a goal."""
    brush.fade(vary(rng, "#8fbfdc"), vary(rng, "#cfe3ea"))
    brush.box(vary(rng, "#3f8f3f"), 0, 46, WIDTH, HEIGHT)
    for step in range(0, 72, 6):
        brush.line("#eef2f4", 0.4, (14 + step, 8), (14 + step, 46))
    for y in range(8, 46, 6):
        brush.line("#eef2f4", 0.4, (14, y), (86, y))
    brush.line("#ffffff", 2, (14, 48), (14, 8), (86, 8), (86, 48))
    ball = centre(brush, rng, 54, turn=30)
    ball.disc("#fafafa", 0, 0, 20)
    ball.star(INK, 0, 0, 7, depth=0.81)
    for side in range(5):
        spoke = ball.at(0, 0, 1, side * 72)
        spoke.line(INK, 1, (0, -7), (0, -15))
        spoke.polygon(INK, (-5, -16), (0, -14), (5, -16), (4, -19.5), (-4, -19.5))


def flower(brush: Brush, rng: random.Random) -> None:
    """One large flower with its leaves."""
    brush.fade(vary(rng, "#cfe6b8"), vary(rng, "#7fae62"))
    bloom = centre(brush, rng, 34, turn=30)
    petal = pick(rng, "#e8558f", "#f2c12f", "#b06fd0", "#f4f0f6")
    brush.line("#3f7f34", 2.6, (50, 36), (50 + rng.uniform(-4, 4), HEIGHT))
    for side in (-1, 1):
        brush.at(50, 66, 1, side * -30).disc("#4a8f3c", side * 13, 0, 12, 4.5)
    petals = rng.choice((6, 8, 10))
    for turn in range(petals):
        bloom.at(0, 0, 1, 360 * turn / petals).disc(mix(petal, "#000000", 0.08 * (turn % 2)), 0, -17, 7, 12)
    bloom.disc("#c98a1f", 0, 0, 8)


THINGS: dict[str, Painter] = {
    painter.__name__: painter
    for painter in (
        apple,
        bread,
        sushi,
        noodles,
        sun,
        moon,
        rain,
        book,
        money,
        letter,
        computer,
        phone,
        clock,
        football,
        flower,
    )
}
