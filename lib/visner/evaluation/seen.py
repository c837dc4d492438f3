"""Seen and unseen mentions: does a recogniser know a name, or recognise it (the paper, section 5.3 and Table 6)?

"Seen" has two meanings, and a study shows both:

- by words, as the paper has it: a mention is unseen when its words appear nowhere in the training text;
- by names: a mention is unseen when no training mention of its class has its surface.

A predicted mention is judged by its own words, surface and class in the same way, right or wrong, so that precision is
defined for both groups as recall is. A correct mention and its gold mention are the same units in the same class, so
they are in the same group.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from visner.evaluation.mentions import Gold, Mention
from visner.evaluation.scoring import Counts, count, measures, total, without_mix
from visner.runtime import tables

GROUPS = ("seen", "unseen")
MEANINGS = {"seen_words": "words", "seen": "names"}  # key of a score -> what has been seen; the paper's first
ALL = "all"  # the key of all classes together


def by_name(training: Iterable[Mention]) -> Callable[[Mention], bool]:
    """Whether a training mention has a mention's class and surface."""
    names = {(mention.label, mention.surface) for mention in training}
    return lambda mention: (mention.label, mention.surface) in names


def by_words(gold: Gold, sentences: str | Path, words: str | Path | None) -> Callable[[Mention], bool]:
    """Whether a word of a mention, as the sentence is cut into words, is one of the training text's.

    `words` is the table of the corpus' words; None where units are tokens, which are the words then. A mention may
    begin or end inside a word, which then counts as its own.
    """
    vocabulary: set[str] = set()
    scored = {name for split in gold.units.values() for name in split}
    if words is None:
        for row in tables.iterate_rows(sentences, tables.SENTENCES, ["sentence_id", "units"]):
            if row["sentence_id"] not in scored:
                vocabulary.update(row["units"])
        return lambda mention: not vocabulary.isdisjoint(mention.surface)
    cut: dict[str, list[tuple[int, int, str]]] = {}  # dev or test sentence -> start, stop and surface of its words
    for row in tables.iterate_rows(words, tables.WORDS, ["sentence_id", "words"]):
        if row["sentence_id"] in scored:
            cut[row["sentence_id"]] = [(word["start"], word["stop"], word["surface"]) for word in row["words"]]
        else:
            vocabulary.update(word["surface"] for word in row["words"])
    return lambda mention: any(
        start < mention.stop and stop > mention.start and surface in vocabulary
        for start, stop, surface in cut[mention.sentence]
    )


def seen_and_unseen(
    gold: Sequence[Mention], predicted: Sequence[Mention], classes: Sequence[str], is_seen: Callable[[Mention], bool]
) -> dict[str, dict[str, dict]]:
    """Measures of seen and of unseen mentions, for each class and for all of them (MIX left out)."""

    def group(mention: Mention) -> tuple[str, str]:
        return mention.label, GROUPS[not is_seen(mention)]

    counts = count(without_mix(gold), without_mix(predicted), group)
    none = Counts(0, 0, 0)
    by_class = {name: {one: counts.get((name, one), none) for one in GROUPS} for name in classes}
    together = {one: total(groups[one] for groups in by_class.values()) for one in GROUPS}
    return {
        name: {one: measures(found) for one, found in groups.items()}
        for name, groups in {ALL: together, **by_class}.items()
    }
