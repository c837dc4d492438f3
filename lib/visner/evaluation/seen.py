"""Seen and unseen mentions: does a recogniser know a name, or recognise it (the paper, Table 6)?

A gold mention is unseen when no training mention of its class has its surface. A predicted mention is judged by its
own surface and class in the same way, right or wrong, so that precision is defined for both groups as recall is. A
correct mention and its gold mention are the same units in the same class, and so in the same group.
"""

from collections.abc import Iterable, Sequence

from visner.evaluation.mentions import Mention
from visner.evaluation.scoring import Counts, count, measures, total, without_mix

GROUPS = ("seen", "unseen")
ALL = "all"  # the key of all classes together


def names_of(mentions: Iterable[Mention]) -> set[tuple[str, tuple[str, ...]]]:
    """The class and surface of each mention: what training has seen."""
    return {(mention.label, mention.surface) for mention in mentions}


def seen_and_unseen(
    training: Sequence[Mention], gold: Sequence[Mention], predicted: Sequence[Mention], classes: Sequence[str]
) -> dict[str, dict[str, dict]]:
    """Measures of seen and of unseen mentions, for each class and for all of them (MIX left out)."""
    names = names_of(training)

    def group(mention: Mention) -> tuple[str, str]:
        return mention.label, GROUPS[(mention.label, mention.surface) not in names]

    counts = count(without_mix(gold), without_mix(predicted), group)
    none = Counts(0, 0, 0)
    by_class = {name: {one: counts.get((name, one), none) for one in GROUPS} for name in classes}
    together = {one: total(groups[one] for groups in by_class.values()) for one in GROUPS}
    return {
        name: {one: measures(found) for one, found in groups.items()}
        for name, groups in {ALL: together, **by_class}.items()
    }
