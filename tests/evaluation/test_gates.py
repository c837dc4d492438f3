"""Mean gates inside and outside of mentions, by hand."""

import pytest

from visner.evaluation.gates import gate_means
from visner.evaluation.mentions import Gold, mentions_in

LABELS = ["B-City", "I-City", "O", "B-MIX", "O"]
UNITS = {"a": list("12345"), "b": ["1"]}
MENTIONS = {"strict": {"test": mentions_in("a", UNITS["a"], LABELS, "strict")}}
GOLD = Gold(MENTIONS, {"dev": {"c": ["1"]}, "test": UNITS}, {}, "", set())


def test_means_by_hand():
    first = {"a": [0.2, 0.4, 0.5, 1.0, float("nan")], "b": None, "c": [0.9]}  # c is none of test
    second = {"a": [0.6, None, 0.1, 0.0, None], "b": None}
    found = gate_means(GOLD, [first, second])
    assert list(found) == ["City", "MIX", "outside"]
    assert found["City"] == {"gate": pytest.approx(0.4), "units": 3}
    assert found["MIX"] == {"gate": 0.5, "units": 2}
    assert found["outside"] == {"gate": 0.3, "units": 2}


def test_a_system_without_a_gate_has_none():
    assert gate_means(GOLD, [{"a": None, "b": None}]) == {}
