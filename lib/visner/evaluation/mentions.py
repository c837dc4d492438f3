"""Mentions: the labelled spans of a whole corpus, gold and predicted, read from their tables and checked."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from visner.errors import VisnerError
from visner.runtime import tables
from visner.runtime.provenance import sentence_bytes
from visner.runtime.spans import bio_to_spans

READINGS = ("strict", "lenient")  # of BIO: IOB2, and an I- that opens a span as in conlleval
SPLITS = ("train", "dev", "test")


class Mention(NamedTuple):
    """One labelled span. `surface` holds its units, so that tokens and code points need no joining rule."""

    sentence: str
    start: int
    stop: int
    label: str
    surface: tuple[str, ...]


@dataclass
class Gold:
    """What the sentences table says, as far as scores need it.

    `mentions[reading][split]` are the gold mentions in the table's order; `units[split][sentence]` are those of the
    scored splits, dev and test; `sentences` counts each split; `labels` are all classes, MIX included.
    """

    mentions: dict[str, dict[str, list[Mention]]]
    units: dict[str, dict[str, list[str]]]
    sentences: dict[str, int]
    sha256: str  # of what is scored: ids, splits, units and labels; two variants of the data differ in it
    labels: set[str]


Gates = dict[str, list[float | None] | None]  # sentence -> the gate of each unit; None for a system without a gate


class Predictions(NamedTuple):
    """What a system with one seed said of dev and test: `mentions[reading][split]`, and its gates."""

    mentions: dict[str, dict[str, list[Mention]]]
    gates: Gates


def mentions_in(sentence: str, units: Sequence[str], labels: Sequence[str], reading: str) -> list[Mention]:
    """The mentions of one sentence's BIO labels in a reading ("strict" or "lenient")."""
    if labels.count("O") == len(labels):  # most sentences, and the spans' loop is slow
        return []
    return [
        Mention(sentence, start, stop, label, tuple(units[start:stop]))
        for start, stop, label in bio_to_spans(labels, lenient=reading == "lenient")
    ]


def read_gold(path: str | Path) -> Gold:
    """Gold mentions from a sentences table. Raises VisnerError on duplicate ids, unknown splits, unequal lengths."""
    mentions = {reading: {split: [] for split in SPLITS} for reading in READINGS}
    units: dict[str, dict[str, list[str]]] = {split: {} for split in SPLITS if split != "train"}
    sentences = dict.fromkeys(SPLITS, 0)
    seen, digest = set(), hashlib.sha256()
    columns = ("sentence_id", "split", "units", "labels")
    for number, row in enumerate(tables.iterate_rows(path, tables.SENTENCES, columns), start=1):
        name, split = row["sentence_id"], row["split"]
        where = f"{path}: row {number} (sentence {name})"
        if name in seen:
            raise VisnerError(f"{where}: this id came before; sentence ids must be unique")
        if split not in sentences:
            raise VisnerError(f"{where}: the split is {split!r}; choose from {', '.join(SPLITS)}")
        if len(row["units"]) != len(row["labels"]):
            raise VisnerError(f"{where}: {len(row['units'])} units but {len(row['labels'])} labels")
        seen.add(name)
        sentences[split] += 1
        digest.update(sentence_bytes(row))
        if split != "train":
            units[split][name] = row["units"]
        for reading in READINGS:
            mentions[reading][split] += mentions_in(name, row["units"], row["labels"], reading)
    labels = {mention.label for mention in _all(mentions)}
    return Gold(mentions, units, sentences, digest.hexdigest(), labels)


def prediction_files(scores: dict[str, dict], paths: Sequence[Path]) -> dict[tuple[str, int], Path]:
    """(system, seed) -> its predictions, of files in the order of the systems' scores and of their seeds."""
    seeds = [(name, seed) for name, content in scores.items() for seed in content["seeds"]]
    if len(seeds) != len(paths):
        raise VisnerError(f"{len(paths)} files of predictions for {len(seeds)} systems and seeds: {', '.join(scores)}")
    return dict(zip(seeds, paths, strict=True))


def read_predictions(path: str | Path, gold: Gold) -> Predictions:
    """One seed's predictions table.

    Raises VisnerError unless it holds every dev and test sentence of `gold` once, with the same gold mentions: else it
    was made from other data.
    """
    mentions = {reading: {split: [] for split in gold.units} for reading in READINGS}
    again = {reading: {split: [] for split in gold.units} for reading in READINGS}  # gold as the predictions have it
    split_of = {name: split for split, names in gold.units.items() for name in names}
    left, gates = set(split_of), {}
    for number, row in enumerate(tables.iterate_rows(path, tables.PREDICTIONS), start=1):
        name = row["sentence_id"]
        where = f"{path}: row {number} (sentence {name})"
        if name not in left:
            reason = "comes twice" if name in split_of else "is no dev or test sentence of the corpus"
            raise VisnerError(f"{where}: it {reason}; train again on this corpus")
        left.remove(name)
        split = split_of[name]
        units = gold.units[split][name]
        if not len(units) == len(row["gold"]) == len(row["predicted"]):
            raise VisnerError(
                f"{where}: {len(units)} units, {len(row['gold'])} gold and {len(row['predicted'])} predicted labels; "
                "train again on this corpus"
            )
        gates[name] = row["gate"]
        for reading in READINGS:
            mentions[reading][split] += mentions_in(name, units, row["predicted"], reading)
            again[reading][split] += mentions_in(name, units, row["gold"], reading)
    if left:
        raise VisnerError(f"{path}: {len(left)} dev and test sentences have no prediction, the first is {min(left)}")
    for reading, splits in again.items():
        for split, found in splits.items():
            differing = set(found) ^ set(gold.mentions[reading][split])
            if differing:
                raise VisnerError(
                    f"{path}: sentence {min(differing).sentence}: its gold labels are not those of the corpus; "
                    "train again on this corpus"
                )
    return Predictions(mentions, gates)


def _all(mentions: dict[str, dict[str, list[Mention]]]) -> list[Mention]:
    return [mention for splits in mentions.values() for group in splits.values() for mention in group]
