"""Precision, recall and F1 of exactly matching mentions.

A mention is correct where one of the same borders and the same class is in the gold standard (the paper, section
5.2). What can't be divided (no mention predicted, or none in the gold standard) is 0, as in conlleval and seqeval.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import NamedTuple

from visner.evaluation.mentions import Mention, mentions_in
from visner.runtime.spans import MIX

DIGITS = 6  # kept of a percentage


class Counts(NamedTuple):
    """Numbers of mentions: in the gold standard, predicted, and both."""

    gold: int
    predicted: int
    correct: int


def count(
    gold: Sequence[Mention], predicted: Sequence[Mention], group: Callable[[Mention], Hashable]
) -> dict[Hashable, Counts]:
    """Counts for each value of `group`, which a correct mention and its gold mention must share."""
    numbers = [Counter(map(group, mentions)) for mentions in (gold, predicted, set(gold) & set(predicted))]
    return {name: Counts(*(number[name] for number in numbers)) for name in numbers[0] | numbers[1]}


def total(counts: Iterable[Counts]) -> Counts:
    """The sum of counts, column by column."""
    return Counts(*(sum(column) for column in zip(Counts(0, 0, 0), *counts, strict=True)))


def measures(counts: Counts) -> dict[str, float | int]:
    """Precision, recall and F1 in percent, and the counts they come from."""
    precision, recall = _percent(counts.correct, counts.predicted), _percent(counts.correct, counts.gold)
    f1 = _percent(2 * counts.correct, counts.gold + counts.predicted)
    return {"precision": precision, "recall": recall, "f1": f1, **counts._asdict()}


def support_weighted(classes: Iterable[dict]) -> dict[str, float]:
    """The average of the classes' measures, weighted by their gold mentions (the second paper's average)."""
    classes = list(classes)
    support = sum(one["gold"] for one in classes)
    return {
        name: round(sum(one[name] * one["gold"] for one in classes) / support, DIGITS) if support else 0.0
        for name in ("precision", "recall", "f1")
    }


def score(
    gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]], reading: str = "strict"
) -> dict[str, dict]:
    """Precision, recall and F1 in percent of predicted BIO labels, sentence by sentence: "micro", and of each class.

    `reading` is "strict" (IOB2) or "lenient": an I- that continues nothing opens a mention, as in conlleval. MIX counts
    in its own class only. ValueError where a sentence has more or fewer labels than its gold standard.
    """
    found = [[], []]
    for number, (right, said) in enumerate(zip(gold, predicted, strict=True)):
        if len(right) != len(said):
            raise ValueError(f"sentence {number}: {len(said)} labels for {len(right)} units")
        for mentions, labels in zip(found, (right, said), strict=True):
            mentions += mentions_in(str(number), right, labels, reading)
    classes = count(*found, lambda mention: mention.label)
    scores = {"micro": measures(total(counts for name, counts in classes.items() if name != MIX))}
    return scores | {name: measures(classes[name]) for name in sorted(classes)}


def without_mix(mentions: Iterable[Mention]) -> list[Mention]:
    """The mentions that the averages see."""
    return [mention for mention in mentions if mention.label != MIX]


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, DIGITS) if whole else 0.0
