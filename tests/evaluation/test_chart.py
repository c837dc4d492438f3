"""The chart's geometry: bars as high as their values, inside the picture, on one scale."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from visner.evaluation.chart import Bar, bar_chart

CONFIGS = Path(__file__).resolve().parents[2] / "config"
SVG = "{http://www.w3.org/2000/svg}"
PERCENT = st.floats(0, 100)
BARS = st.builds(Bar, PERCENT, st.none() | PERCENT)


@given(
    st.integers(1, 9).flatmap(
        lambda groups: st.lists(st.lists(BARS, min_size=groups, max_size=groups), min_size=1, max_size=10)
    )
)
def test_bars_are_proportional_and_stay_inside(values):
    series = {f"system {number} <&>": bars for number, bars in enumerate(values)}
    groups = [f"クラス{number}" for number in range(len(values[0]))]
    chart = ElementTree.fromstring(bar_chart("F1 & more", groups, series))
    width, height = float(chart.get("width")), float(chart.get("height"))
    bars = [rect for rect in chart.iter(f"{SVG}rect") if rect.find(f"{SVG}title") is not None]
    expected = [series[name][position].value for position in range(len(groups)) for name in series]
    assert [float(bar.get("height")) for bar in bars] == pytest.approx([260 * one / 100 for one in expected], abs=0.02)
    bottoms = {round(float(bar.get("y")) + float(bar.get("height")), 1) for bar in bars}
    assert len(bottoms) == 1
    lefts = [float(bar.get("x")) for bar in bars]
    assert lefts == sorted(lefts)
    assert all(after - before >= 22 for before, after in zip(lefts, lefts[1:], strict=False))
    for element in chart.iter():
        assert 0 <= float(element.get("x", 0)) <= width
        assert 0 <= float(element.get("y", 0)) <= height


def test_no_class_makes_an_empty_chart():
    assert "<title>" not in bar_chart("F1", [], {"baseline": []})


@pytest.mark.parametrize("file", sorted(CONFIGS.glob("*.yaml")), ids=lambda file: file.name)
def test_no_two_systems_of_a_shipped_study_have_one_colour(file):
    for study in yaml.safe_load(file.read_text())["studies"].values():
        names = [study["baseline"], *study["systems"]]
        chart = ElementTree.fromstring(bar_chart("F1", ["PER"], {name: [Bar(50, None)] for name in names}))
        bars = [rect for rect in chart.iter(f"{SVG}rect") if rect.find(f"{SVG}title") is not None]
        assert len({bar.get("fill") for bar in bars}) == len(names)
