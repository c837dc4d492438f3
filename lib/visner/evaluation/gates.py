"""How far the gate lets pictures in: its mean inside the gold mentions of each class, and outside of all."""

import math
from collections import defaultdict
from collections.abc import Iterable

from visner.evaluation.mentions import Gates, Gold

OUTSIDE = "outside"


def gate_means(gold: Gold, seeds: Iterable[Gates]) -> dict[str, dict[str, float | int]]:
    """`{class or "outside": {"gate": mean, "units": how many, all seeds together}}` of test sentences, "outside" last.

    A unit without a picture has no gate value (NaN, or null): it is in no mean. Empty for a system without a gate.
    """
    places = {name: [OUTSIDE] * len(units) for name, units in gold.units["test"].items()}
    for mention in gold.mentions["strict"]["test"]:
        places[mention.sentence][mention.start : mention.stop] = [mention.label] * (mention.stop - mention.start)
    values = defaultdict(list)
    for gates in seeds:
        for name, gate in gates.items():
            for place, value in zip(places.get(name, ()), gate or (), strict=False):
                if value is not None and not math.isnan(value):
                    values[place].append(value)
    return {
        place: {"gate": round(sum(values[place]) / len(values[place]), 6), "units": len(values[place])}
        for place in sorted(values, key=lambda place: (place == OUTSIDE, place))
    }
