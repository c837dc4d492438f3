"""Counts a corpus: what Tables 1-3 of the paper show, and what was left out or mended."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from visner.corpora.records import Findings, Sentence
from visner.corpora.splits import SPLITS
from visner.runtime.spans import MIX, bio_to_spans, breaches


class Statistics:
    """Counts the sentences that go into the table; memory grows with the distinct mentions only."""

    def __init__(self, classes: Sequence[str], separator: str):
        self._classes = classes
        self._separator = separator  # between the units of a mention
        self._counts = {split: Counter() for split in SPLITS}
        self._mentions = {split: Counter() for split in SPLITS}
        self._types: dict[str, set[str]] = {}
        self._document: str | None = None

    def add(self, document_id: str, split: str, sentence: Sentence) -> None:
        """Count a sentence; those of a document come one after another. Orphaned I- labels are no mentions."""
        counts = self._counts[split]
        counts["documents"] += document_id != self._document
        self._document = document_id
        counts["sentences"] += 1
        counts["units"] += len(sentence.units)
        counts["characters"] += len(self._separator.join(sentence.units))
        counts["orphans"] += sum(1 for _ in breaches(sentence.labels, "BIO"))
        for start, stop, label in bio_to_spans(sentence.labels):
            counts["mentions"] += label != MIX
            self._mentions[split][label] += 1
            self._types.setdefault(label, set()).add(self._separator.join(sentence.units[start:stop]))

    @property
    def sentences(self) -> int:
        """How many were counted."""
        return sum(counts["sentences"] for counts in self._counts.values())

    def to_json(self, findings: Findings) -> dict[str, Any]:
        """Totals, splits, classes, MIX apart from them, findings. `mentions` of a total or split leaves MIX out."""
        keys = ("documents", "sentences", "units", "characters", "mentions", "orphans")
        return {
            **{key: sum(self._counts[split][key] for split in SPLITS) for key in keys},
            "splits": {split: {key: self._counts[split][key] for key in keys} for split in SPLITS},
            "classes": {label: self._class(label) for label in self._classes if label != MIX},
            "mix": self._class(MIX),
            "other_classes": dict(sorted(findings.other_classes.items())),
            "findings": findings.to_json(),
        }

    def _class(self, label: str) -> dict[str, int]:
        by_split = {split: self._mentions[split][label] for split in SPLITS}
        return {"types": len(self._types.get(label, ())), "mentions": sum(by_split.values()), **by_split}
