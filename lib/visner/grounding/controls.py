"""Controls: what a recogniser gains from vectors that are not those of the right pictures.

A gain that a control shares is regularisation, or leaks from where pictures exist, not from what they show. All take
the vectors of P pictures (or queries) [P, R, V], R rows each: one, or the regions of a grid.
"""

import numpy as np

from visner.errors import VisnerError


def shuffled(vectors: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """The same pictures, each with all its rows in another's place: one cycle, in which none keeps its own. [P, R, V].

    VisnerError where there is one picture only.
    """
    if len(vectors) == 1:
        raise VisnerError("`control: shuffled` needs two pictures at least, and the words see only one")
    order = generator.permutation(len(vectors))
    cycled = np.empty_like(vectors)
    cycled[order] = vectors[np.roll(order, 1)]
    return cycled


def noise(vectors: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Gaussian rows [P, R, V] with the same mean vector and the same mean squared norm."""
    mean = vectors.mean((0, 1), dtype=np.float64)  # [V]
    squares = sum(float((one.astype(np.float64) ** 2).sum()) for one in vectors)
    spread = squares / (vectors.shape[0] * vectors.shape[1]) - (mean**2).sum()
    scale = np.sqrt(max(spread, 0.0) / vectors.shape[2])
    drawn = np.empty_like(vectors)
    for one in drawn:
        one[:] = mean + scale * generator.standard_normal(one.shape)
    return drawn


def presence(vectors: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """The mean vector everywhere [P, R, V]: only whether there are pictures can be seen."""
    return np.broadcast_to(vectors.mean((0, 1), dtype=np.float64).astype(np.float32), vectors.shape).copy()


CONTROLS = {"shuffled": shuffled, "noise": noise, "presence": presence}
