"""Mean gates inside and outside of mentions, by hand."""

import pytest

from visner.evaluation.gates import GateMeans


def test_means_by_hand():
    means = GateMeans({"a", "b"})
    labels = ["B-City", "I-City", "O", "B-MIX", "O"]
    means.see({"sentence_id": "a", "gold": labels, "gate": [0.2, 0.4, 0.5, 1.0, float("nan")]})
    means.see({"sentence_id": "a", "gold": labels, "gate": [0.6, None, 0.1, 0.0, None]})  # another seed
    means.see({"sentence_id": "b", "gold": ["O"], "gate": None})
    means.see({"sentence_id": "train", "gold": ["O"], "gate": [0.9]})  # none of the sentences asked for
    found = means.means()
    assert list(found) == ["City", "MIX", "outside"]
    assert found["City"] == {"gate": pytest.approx(0.4), "units": 3}
    assert found["MIX"] == {"gate": 0.5, "units": 2}
    assert found["outside"] == {"gate": 0.3, "units": 2}


def test_a_system_without_a_gate_has_none():
    means = GateMeans({"a"})
    means.see({"sentence_id": "a", "gold": ["O"], "gate": None})
    assert means.means() == {}
