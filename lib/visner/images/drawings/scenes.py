"""Places as pictures: towns, landscapes and the buildings that stand in them."""

from __future__ import annotations

import random

from .brush import HEIGHT, WIDTH, Brush, Colour, Painter, mix, pick, steam, vary

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


def conifer(brush: Brush, colour: Colour, snow: Colour | None = None) -> None:
    """A fir of height 20 that stands on y = 0, on request with snow on its branches."""
    brush.box("#5b4030", -1, -4, 1, 0)
    for tier in range(3):
        foot, half = -3 - 5 * tier, 7 - 1.8 * tier
        brush.polygon(colour, (-half, foot), (half, foot), (0, foot - 8))
        if snow:
            brush.polygon(snow, (-half * 0.6, foot - 3.2), (half * 0.6, foot - 3.2), (0, foot - 8))


def broadleaf(brush: Brush, colour: Colour) -> None:
    """A round tree of height 20 that stands on y = 0."""
    brush.box("#6b4a33", -1.2, -8, 1.2, 0)
    for x, y, radius in ((-4, -11, 5), (4, -11, 5), (0, -15, 6)):
        brush.disc(colour, x, y, radius)


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


SCENES: dict[str, Painter] = {
    painter.__name__: painter
    for painter in (
        skyline,
        old_town,
        castle,
        temple_gate,
        mountain,
        volcano,
        island,
        river,
        countryside,
        forest,
        snow,
        hot_spring,
        festival,
        house,
        building,
    )
}
