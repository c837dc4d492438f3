"""Counting against plain loops over the definition."""

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visner.vectors import cooccurrence

SENTENCES = st.lists(st.lists(st.sampled_from("あいう京 \u3000"), max_size=8), max_size=8)


def brute_force(sentences, keys, window):
    counts = defaultdict(float)
    for sentence in sentences:
        known = [unit for unit in sentence if unit in keys]
        for i, unit in enumerate(known):
            for j, other in enumerate(known):
                if 0 < abs(i - j) <= window:
                    counts[unit, other] += 1 / abs(i - j)
    return np.array([[counts[unit, other] for other in keys] for unit in keys]).reshape(len(keys), len(keys))


@given(SENTENCES, st.integers(1, 4), st.integers(1, 3))
def test_counts_are_those_of_the_definition(sentences, window, min_count):
    keys = cooccurrence.vocabulary(sentences, min_count)
    assert {unit for s in sentences for unit in s if sum(t.count(unit) for t in sentences) >= min_count} == set(keys)
    found = cooccurrence.cooccurrences(sentences, keys, window)
    np.testing.assert_allclose(found.toarray(), brute_force(sentences, keys, window), rtol=1e-12)


@pytest.mark.parametrize("chunk", [1, 3, 7])
def test_chunks_change_nothing(chunk, monkeypatch):
    random = np.random.default_rng(0)
    sentences = [list("".join(random.choice(list("abcdef"), random.integers(0, 9)))) for _ in range(40)]
    keys = cooccurrence.vocabulary(sentences, 1)
    monkeypatch.setattr(cooccurrence, "CHUNK", chunk)
    found = cooccurrence.cooccurrences(sentences, keys, 3)
    np.testing.assert_allclose(found.toarray(), brute_force(sentences, keys, 3), rtol=1e-12)


def test_the_vocabulary_is_by_frequency_then_by_code_point():
    assert cooccurrence.vocabulary([["b", "a", "c"], ["c"], [" ", "\u3000"]], 1) == ["c", " ", "a", "b", "\u3000"]
