"""How far the gate lets pictures in: its mean inside the gold mentions of each class, and outside of all."""

import math
from collections import defaultdict

from visner.spans import bio_to_spans

OUTSIDE = "outside"


class GateMeans:
    """Sums of gate values, fed row by row of predictions tables (their test sentences) of all seeds.

    A unit without a picture has no gate value (NaN, or null): it is in no mean.
    """

    def __init__(self, sentences: set[str]):
        self._sentences = sentences
        self._sum: dict[str, float] = defaultdict(float)
        self._units: dict[str, int] = defaultdict(int)

    def see(self, row: dict) -> None:
        """Add one sentence of one seed; `row` is one of the predictions table."""
        if row["gate"] is None or row["sentence_id"] not in self._sentences:
            return
        places = [OUTSIDE] * len(row["gold"])
        for start, stop, label in bio_to_spans(row["gold"]):
            places[start:stop] = [label] * (stop - start)
        for place, value in zip(places, row["gate"], strict=True):
            if value is not None and not math.isnan(value):
                self._sum[place] += value
                self._units[place] += 1

    def means(self) -> dict[str, dict[str, float | int]]:
        """`{class or "outside": {"gate": mean, "units": how many, all seeds together}}`, "outside" last."""
        places = sorted(self._units, key=lambda place: (place == OUTSIDE, place))
        return {
            place: {"gate": round(self._sum[place] / self._units[place], 6), "units": self._units[place]}
            for place in places
        }
