"""A bar chart as SVG: F1 of each class, a bar a system, whiskers of one deviation over seeds."""

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

# Okabe and Ito's colours, told apart with any colour vision, and two for larger studies; then they come again
COLOURS = "#0072B2 #E69F00 #009E73 #CC79A7 #56B4E9 #D55E00 #F0E442 #000000 #999999 #882255".split()
BAR, GAP, GROUP_GAP = 22, 3, 26  # widths in pixels
MIN_WIDTH, PLOT_HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 420, 260, 52, 16, 58, 34
LEGEND_LINE, LETTER = 18, 7.0  # heights and the usual width of a letter, for the room that texts need


class Bar(NamedTuple):
    """A value in percent, and its deviation (None: no whisker)."""

    value: float
    deviation: float | None


def bar_chart(title: str, groups: Sequence[str], series: dict[str, Sequence[Bar]]) -> str:
    """An SVG document: for each group a bar of each series.

    The width follows the numbers of groups and series, and a group is never narrower than its name.
    """
    names = list(series)
    bars_width = len(names) * (BAR + GAP) - GAP
    room = max([bars_width, *(_width(group) for group in groups)]) + GROUP_GAP
    plot_width = max(len(groups) * room, MIN_WIDTH)
    group_width = plot_width / max(len(groups), 1)
    legend, legend_lines = _legend_places(names, plot_width)
    top = TOP + legend_lines * LEGEND_LINE
    width = LEFT + plot_width + RIGHT
    height = top + PLOT_HEIGHT + BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
        f'height="{height:g}" font-family="Helvetica, Arial, sans-serif" font-size="12" role="img" '
        f'aria-label="{escape(title)}">',
        f'<rect width="{width:g}" height="{height:g}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="24" font-size="15" font-weight="bold" fill="#222222">{escape(title)}</text>',
    ]
    for index, (name, (x, line)) in enumerate(zip(names, legend, strict=True)):
        y = 38 + line * LEGEND_LINE
        parts.append(f'<rect x="{LEFT + x:g}" y="{y}" width="12" height="12" fill="{_colour(index)}"/>')
        parts.append(f'<text x="{LEFT + x + 17:g}" y="{y + 10}" fill="#222222">{escape(name)}</text>')
    for percent in range(0, 101, 20):
        y = _y(percent, top)
        parts.append(
            f'<line x1="{LEFT}" y1="{y:g}" x2="{width - RIGHT:g}" y2="{y:g}" '
            f'stroke="{"#222222" if percent == 0 else "#dddddd"}"/>'
        )
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:g}" text-anchor="end" fill="#555555">{percent}</text>')
    for position, group in enumerate(groups):
        middle = LEFT + (position + 0.5) * group_width
        for index, name in enumerate(names):
            left = middle - bars_width / 2 + index * (BAR + GAP)
            parts += _bar(series[name][position], left, top, _colour(index), f"{name}, {group}")
        parts.append(
            f'<text x="{middle:g}" y="{top + PLOT_HEIGHT + 20}" text-anchor="middle" fill="#222222">'
            f"{escape(group)}</text>"
        )
    return "\n".join([*parts, "</svg>"]) + "\n"


def _bar(bar: Bar, x: float, top: float, colour: str, what: str) -> list[str]:
    y, middle = _y(bar.value, top), x + BAR / 2
    spread = f" ± {bar.deviation:.2f}" if bar.deviation is not None else ""
    parts = [
        f'<rect x="{x:g}" y="{y:.2f}" width="{BAR}" height="{_y(0, top) - y:.2f}" fill="{colour}">'
        f"<title>{escape(what)}: {bar.value:.2f}{spread}</title></rect>"
    ]
    label = y
    if bar.deviation:
        high, low = _y(min(bar.value + bar.deviation, 100), top), _y(max(bar.value - bar.deviation, 0), top)
        label = high
        parts.append(
            f'<path d="M{middle:g} {low:.2f}V{high:.2f}M{middle - 4:g} {high:.2f}h8M{middle - 4:g} {low:.2f}h8" '
            'stroke="#222222" fill="none"/>'
        )
    parts.append(
        f'<text x="{middle:g}" y="{label - 4:.2f}" font-size="10" text-anchor="middle" fill="#222222">'
        f"{bar.value:.0f}</text>"
    )
    return parts


def _legend_places(names: Sequence[str], width: float) -> tuple[list[tuple[float, int]], int]:
    """Where each legend entry starts (x, line), wrapped to a width, and how many lines that takes."""
    places, x, line = [], 0.0, 0
    for name in names:
        room = 17 + _width(name) + 18
        if x and x + room > width:
            x, line = 0.0, line + 1
        places.append((x, line))
        x += room
    return places, line + 1


def _width(text: str) -> float:
    """About how wide a text of 12 px is: characters beyond Latin take a full em."""
    return sum(LETTER if ord(character) < 0x2E80 else 12 for character in text)


def _y(percent: float, top: float) -> float:
    return top + PLOT_HEIGHT * (1 - percent / 100)


def _colour(index: int) -> str:
    return COLOURS[index % len(COLOURS)]
