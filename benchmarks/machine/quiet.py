"""What benchmarks that need a quiet machine share: rounds until two agree, and how busy others kept it meanwhile."""

import os
import re
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

TOLERANCE = 0.1  # two rounds agree where no ratio differs by more than this share
MOST = 6  # rounds


class Busy:
    """A block, and what share of the processors' time others took in it: not this process, nor children that ended."""

    def __enter__(self) -> "Busy":
        self._before = self._now()
        self.share: float | None = None  # None where the system doesn't tell (it isn't Linux)
        return self

    def __exit__(self, *_) -> None:
        if self._before is not None:
            total, busy, own = (after - before for after, before in zip(self._now(), self._before, strict=True))
            self.share = min(1.0, max(0.0, (busy - own) / total)) if total else 0.0

    def __str__(self) -> str:
        if self.share is None:
            return "how busy others kept this machine is not known"
        return f"others took {self.share:.0%} of this machine's {os.cpu_count()} processors' time meanwhile"

    @staticmethod
    def _now() -> tuple[float, float, float] | None:
        """Seconds of all processors since the machine began, those in which they worked, and those worked for us."""
        try:
            line = Path("/proc/stat").read_text().splitlines()[0]
        except OSError:
            return None
        user, nice, system, idle, waiting, interrupts, soft, steal = map(int, line.split()[1:9])
        busy = user + nice + system + interrupts + soft + steal
        second, own = os.sysconf("SC_CLK_TCK"), os.times()
        return (busy + idle + waiting) / second, busy / second, sum(own[:4])


@dataclass
class Rounds:
    """The seconds of each way in each round; which two rounds agree, if any do."""

    seconds: dict[str, list[float]]
    tolerance: float
    agreeing: tuple[int, int] | None = None  # from 0
    busy: Busy = field(default_factory=Busy)

    def typical(self, way: str) -> float:
        """The mean over the two rounds that agree; where none do, the median of all."""
        times = self.seconds[way]
        return statistics.fmean(times[i] for i in self.agreeing) if self.agreeing else statistics.median(times)

    def ratio(self, way: str, other: str) -> float:
        """How many times as fast as another way this one is."""
        return self.typical(other) / self.typical(way)

    def __str__(self) -> str:
        count = len(next(iter(self.seconds.values())))
        if self.agreeing:
            one, other = self.agreeing
            found = f"rounds {one + 1} and {other + 1} of {count} agree within {self.tolerance:.0%}"
        else:
            found = (
                f"no two of {count} rounds agree within {self.tolerance:.0%} (medians; repeat it on a quieter machine)"
            )
        return f"{found}; {self.busy}"

    def _figures(self, round_: int) -> list[float]:
        """What rounds must agree in: each way's seconds over those of the first; of one way, its seconds."""
        first, *others = (times[round_] for times in self.seconds.values())
        return [other / first for other in others] or [first]

    def look(self) -> None:
        """Whether the last round agrees with one before."""
        last = len(next(iter(self.seconds.values()))) - 1
        for before in range(last):
            pairs = zip(self._figures(before), self._figures(last), strict=True)
            if all(max(pair) <= (1 + self.tolerance) * min(pair) for pair in pairs):
                self.agreeing = (before, last)
                return


def until_two_agree(
    ways: dict[str, Callable[[], object]], most: int = MOST, tolerance: float = TOLERANCE, least: int = 2
) -> Rounds:
    """Each way once a round, in turn, until two rounds agree, at most `most` rounds; what was timed.

    Warm ways up before. A way that returns a float has timed itself.
    """
    rounds = Rounds({name: [] for name in ways}, tolerance)
    with rounds.busy:
        for number in range(most):
            for name, way in ways.items():
                began = time.perf_counter()
                said = way()
                took = time.perf_counter() - began
                rounds.seconds[name].append(said if isinstance(said, float) else took)
            rounds.look()
            if rounds.agreeing and number + 1 >= least:
                break
    return rounds


def has_bfloat16() -> bool:
    """Whether the processor has instructions for products of bfloat16 (Linux; x86 and Arm)."""
    try:
        said = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    flags = re.search(r"^(?:flags|Features)\s*:(.*)$", said, re.MULTILINE)
    return bool(flags and {"avx512_bf16", "amx_bf16", "bf16"} & set(flags[1].split()))
