"""Approximate randomisation against the exact test over all swaps, and its behaviour where there is no difference."""

import itertools

import numpy as np
import pytest

from visner.evaluation.mentions import Mention
from visner.evaluation.randomisation import mean_f1, sentence_counts, significance

SHUFFLES = 20_000


def random_counts(generator, sentences, seeds, gold, skill):
    """Counts of a system that finds a gold mention with probability `skill` and sometimes makes one up."""
    correct = generator.binomial(gold[:, None], skill, (sentences, seeds))
    return np.stack([correct + generator.binomial(2, 0.15, (sentences, seeds)), correct], axis=-1)


def exact(first, second, gold):
    """p by all 2^n swaps, in plain Python; every system's seeds must be as many."""

    def f1(rows):
        by_seed = []
        for seed in range(len(rows[0])):
            predicted, correct = (sum(int(row[seed][column]) for row in rows) for column in (0, 1))
            by_seed.append(2 * correct / (predicted + gold))
        return sum(by_seed) / len(by_seed)

    observed = abs(f1(first) - f1(second))
    as_large = 0
    for swaps in itertools.product((False, True), repeat=len(first)):
        one = [b if swap else a for a, b, swap in zip(first, second, swaps, strict=True)]
        two = [a if swap else b for a, b, swap in zip(first, second, swaps, strict=True)]
        as_large += abs(f1(one) - f1(two)) >= observed - 1e-12
    return as_large / 2 ** len(first)


@pytest.mark.parametrize("case", range(6))
def test_p_agrees_with_all_swaps(case):
    generator = np.random.default_rng(case)
    gold = generator.integers(0, 4, 9)
    seeds = case % 3 + 1
    first, second = (random_counts(generator, 9, seeds, gold, skill) for skill in (0.9, 0.55))
    expected = exact(first.tolist(), second.tolist(), int(gold.sum()))
    found = significance(first, second, int(gold.sum()), SHUFFLES, seed=case)
    error = (expected * (1 - expected) / SHUFFLES) ** 0.5
    assert found["p"] == pytest.approx(expected, abs=4.5 * error + 1 / SHUFFLES)
    difference = mean_f1(first.sum(axis=0), gold.sum()) - mean_f1(second.sum(axis=0), gold.sum())
    assert found["difference"] == pytest.approx(100 * difference, abs=1e-6)


def test_the_exact_test_is_not_blind_here():
    """The cases above must span small and large p, or their agreement would say little."""
    found = []
    for case in range(6):
        generator = np.random.default_rng(case)
        gold = generator.integers(0, 4, 9)
        first, second = (random_counts(generator, 9, case % 3 + 1, gold, skill) for skill in (0.9, 0.55))
        found.append(significance(first, second, int(gold.sum()), SHUFFLES, seed=case)["p"])
    assert min(found) < 0.05 < 0.2 < max(found)


def test_identical_systems_have_p_one():
    generator = np.random.default_rng(0)
    gold = generator.integers(0, 3, 50)
    counts = random_counts(generator, 50, 2, gold, 0.7)
    assert significance(counts, counts, int(gold.sum()), 500, seed=1) == {"difference": 0.0, "p": 1.0}


def test_under_the_null_small_p_is_as_rare_as_it_says():
    small = 0
    for case in range(200):
        generator = np.random.default_rng(1000 + case)
        gold = generator.integers(0, 3, 80)
        first, second = (random_counts(generator, 80, 1, gold, 0.7) for _ in range(2))
        small += significance(first, second, int(gold.sum()), 300, seed=case)["p"] < 0.1
    assert 8 <= small <= 34  # binomial(200, 0.1): outside with probability below 0.002


def test_seeds_are_not_independent_sentences():
    """A system repeated as three seeds is no more certain than the system once."""
    generator = np.random.default_rng(3)
    gold = generator.integers(0, 4, 60)
    first, second = (random_counts(generator, 60, 1, gold, skill) for skill in (0.75, 0.65))
    once = significance(first, second, int(gold.sum()), 4000, seed=1)
    thrice = significance(*(np.tile(one, (1, 3, 1)) for one in (first, second)), int(gold.sum()), 4000, seed=1)
    assert thrice == once
    # unequal numbers of seeds: repeated to the least common multiple, the same answer
    assert significance(np.tile(first, (1, 2, 1)), np.tile(second, (1, 3, 1)), int(gold.sum()), 4000, seed=1) == once


def test_the_same_seed_gives_the_same_p():
    generator = np.random.default_rng(5)
    gold = generator.integers(0, 4, 60)
    first, second = (random_counts(generator, 60, 2, gold, skill) for skill in (0.75, 0.7))
    one, again, other = (significance(first, second, int(gold.sum()), 1000, seed) for seed in (1, 1, 2))
    assert one == again != other


def test_counts_leave_mix_out_and_keep_sentences_without_mentions():
    gold = [Mention("a", 0, 1, "City", ("x",)), Mention("b", 0, 1, "MIX", ("y",))]
    predicted = [gold[0], gold[1], Mention("c", 0, 1, "City", ("z",))]
    counts, number = sentence_counts(["a", "b", "c", "d"], gold, [predicted, []])
    assert number == 1
    assert counts[:, 0].tolist() == [[1, 1], [0, 0], [1, 0], [0, 0]]
    assert not counts[:, 1].any()
