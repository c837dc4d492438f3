"""Approximate randomisation: could the difference of two systems' F1 be chance? (Chinchor 1992; Yeh 2000)

Under the null hypothesis it doesn't matter which system gave which answer to a sentence. So answers change hands,
sentence by sentence with the toss of a coin, and the difference of F1 is taken again: a real difference is larger than
nearly all of these. A sentence changes hands with all its seeds: seeds are repeated measurements of one system,
and counting each as a sentence of its own would make any difference look certain.
"""

import math
from collections.abc import Sequence

import numpy as np

from visner.evaluation.mentions import Mention
from visner.evaluation.scoring import count, without_mix

CHUNK = 256  # shuffles at a time: bounds memory, and fixes the order of the coin tosses
EQUAL = 1e-12  # differences of F1 (as a fraction) closer than this are rounding


def sentence_counts(
    sentences: Sequence[str], gold: Sequence[Mention], seeds: Sequence[Sequence[Mention]]
) -> tuple[np.ndarray, int]:
    """What a test needs of one system: predicted and correct mentions a sentence and seed, and the gold total.

    Returns an int64 array (sentences, seeds, 2) and the number of gold mentions; MIX is left out, as in micro F1.
    """
    gold = without_mix(gold)
    row = {name: index for index, name in enumerate(sentences)}
    counts = np.zeros((len(sentences), len(seeds), 2), dtype=np.int64)
    for seed, predicted in enumerate(seeds):
        for name, found in count(gold, without_mix(predicted), lambda mention: mention.sentence).items():
            counts[row[name], seed] = found.predicted, found.correct
    return counts, len(gold)


def mean_f1(sums: np.ndarray, gold: int) -> np.ndarray:
    """The mean over seeds of micro F1 (as a fraction) of summed counts (..., seeds, 2)."""
    predicted, correct = sums[..., 0], sums[..., 1]
    return (2 * correct / np.maximum(predicted + gold, 1)).mean(axis=-1)


def significance(first: np.ndarray, second: np.ndarray, gold: int, shuffles: int, seed: int) -> dict[str, float]:
    """The difference of two systems' F1 (first - second, in percentage points) and its two-sided p.

    `first` and `second` are counts (sentences, seeds, 2) over the same sentences; p = (r + 1) / (shuffles + 1), r the
    number of shuffles whose difference is as large as the observed one, in either direction. The statistic is the
    difference of the means over seeds, the numbers that the tables show. Seeds are paired in their order; where one
    system has fewer, its seeds are repeated to the least common multiple, which leaves its mean as it is.
    """
    seeds = math.lcm(first.shape[1], second.shape[1])
    first = np.tile(first, (1, seeds // first.shape[1], 1))
    second = np.tile(second, (1, seeds // second.shape[1], 1))
    sums = np.stack([first.sum(axis=0), second.sum(axis=0)])  # (2, seeds, 2)
    observed = float(mean_f1(sums[0], gold) - mean_f1(sums[1], gold))

    difference = (second - first).reshape(len(first), -1)  # (sentences, seeds * 2)
    difference = difference[difference.any(axis=1)]  # where both have the same counts, a swap changes nothing
    generator = np.random.default_rng(seed)
    as_large = 0
    for start in range(0, shuffles, CHUNK):
        size = (min(CHUNK, shuffles - start), len(difference))
        swapped = generator.integers(0, 2, size, dtype=np.uint8).astype(np.float64)
        # float64 counts are exact, and BLAS multiplies them
        moved = (swapped @ difference.astype(np.float64)).reshape(-1, seeds, 2)  # (shuffles, seeds, 2)
        shuffled = mean_f1(sums[0] + moved, gold) - mean_f1(sums[1] - moved, gold)
        as_large += int((np.abs(shuffled) >= abs(observed) - EQUAL).sum())
    return {"difference": round(100 * observed, 6), "p": round((as_large + 1) / (shuffles + 1), 6)}
