"""Controls: what a recogniser gains from vectors that are not those of the right pictures.

A gain that a control shares is regularisation, or leaks from where pictures exist, not from what they show.
"""

import numpy as np


def shuffled(vectors: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """The same rows, permuted: each word that has pictures sees another word's. [P, V]."""
    return vectors[generator.permutation(len(vectors))]


def noise(vectors: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Gaussian rows [P, V] with the same mean vector and the same mean squared norm."""
    mean = vectors.mean(0, dtype=np.float64)  # [V]
    spread = (vectors.astype(np.float64) ** 2).sum(1).mean() - (mean**2).sum()
    scale = np.sqrt(max(spread, 0.0) / vectors.shape[1])
    return (mean + scale * generator.standard_normal(vectors.shape)).astype(np.float32)


def presence(vectors: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """The mean vector everywhere [P, V]: only whether there are pictures can be seen."""
    return np.broadcast_to(vectors.mean(0, dtype=np.float64).astype(np.float32), vectors.shape).copy()


CONTROLS = {"shuffled": shuffled, "noise": noise, "presence": presence}
