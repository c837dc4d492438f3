"""Maximum inner product search: each word's best pictures of a pool.

Exact: a matrix product in blocks and torch's top-k, which was faster than FAISS's flat index on a CPU at all sizes that
were compared (4 and 100 thousand, a million: benchmarks/search.py), and is the same on a GPU, where FAISS's builds
lack kernels for some. Past what that can do, a million pictures on a CPU, FAISS's HNSW graph on the CPU (it has none
for GPUs), whose recall is measured against the exact search of a sample.
"""

import numpy as np
import torch
from torch import Tensor

from visner.errors import VisnerError

EXACT = {"cpu": 1_000_000, "cuda": 50_000_000}  # pictures that are searched exactly; those of a GPU are 13 GB
BLOCK = 1024  # queries at a time, fewer over a large pool:
SCORES = 2**26  # numbers that a block of scores has at most
FAISS = ("faiss-cpu", "faiss-gpu")  # either of the packages
LINKS, BREADTH = 16, 256  # of the HNSW graph
SAMPLE = 1000  # queries by which its recall is measured


class Pool:
    """Pictures to be searched, [P, d] of any norm; one search at a time."""

    def __init__(self, vectors: Tensor, graph: np.ndarray | None = None, exact: int | None = None):
        """`graph` is what `Pool.graph` gave for these vectors: it takes long to build. `exact` is for tests."""
        self.vectors = vectors
        self.method = "exact" if len(vectors) <= (exact or EXACT[vectors.device.type]) else "hnsw"
        self.libraries = ("torch",) if self.method == "exact" else ("torch", *FAISS)  # that results depend on
        self._index = None
        if self.method == "hnsw":
            self._index = _build(vectors) if graph is None else _faiss(len(vectors)).deserialize_index(graph)
            if self._index.ntotal != len(vectors):
                raise VisnerError(f"the graph is of {self._index.ntotal} pictures, not of these {len(vectors)}")

    def graph(self) -> np.ndarray:
        """The graph as bytes, [B] uint8; none where the search is exact."""
        if self._index is None:
            return np.zeros(0, np.uint8)
        return _faiss(len(self.vectors)).serialize_index(self._index)

    def search(self, queries: Tensor, n: int, excluded: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Rows [N, m] of the best pictures and their scores [N, m], best first, m the lesser of `n` and P.

        Of equal scores the lower row is first. `excluded` [N] names a row that is not to be found, -1 for none; where
        too few are left, the last row is -1 and its score -inf.
        """
        if self.method == "exact":
            return search_exactly(queries, self.vectors, n, excluded)
        depth = min(n + (excluded is not None), len(self.vectors))
        scores, rows = map(torch.from_numpy, self._index.search(queries.cpu().numpy(), depth))
        scores = scores.masked_fill(rows < 0, -torch.inf)  # fewer were reached
        if excluded is not None:
            scores = scores.masked_fill(rows == excluded.cpu().unsqueeze(1), -torch.inf)
        rows, scores = _in_order(rows.masked_fill(scores == -torch.inf, -1), scores)
        return rows[:, :n], scores[:, :n]

    def recall(self, queries: Tensor, n: int) -> float | None:
        """The share of the exact search's pictures that this one finds, over a sample of `queries`; None of none."""
        if not len(queries):
            return None
        sample = queries[:: max(1, len(queries) // SAMPLE)][:SAMPLE]
        found, exact = self.search(sample, n)[0], search_exactly(sample, self.vectors, n)[0].cpu()
        return (exact.unsqueeze(2) == found.unsqueeze(1)).any(2).double().mean().item()


def search_exactly(queries: Tensor, vectors: Tensor, n: int, excluded: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """As `Pool.search`, by comparing each query with every picture."""
    n = min(n, len(vectors))
    block = max(1, min(BLOCK, SCORES // max(1, len(vectors))))
    rows, best = [torch.empty(0, n, dtype=torch.long)], [torch.empty(0, n)]
    for start in range(0, len(queries), block):
        scores = queries[start : start + block] @ vectors.T  # [B, P]
        if excluded is not None:
            out = excluded[start : start + block]
            scores[(out >= 0).nonzero()[:, 0], out[out >= 0]] = -torch.inf
        values, places = scores.topk(min(n + 1, len(vectors)))  # [B, n + 1]: one more shows a tie at the border
        if len(vectors) > n:
            tied = (values[:, n - 1] == values[:, n]).nonzero()[:, 0]
            if len(tied):  # top-k takes any of the equal ones; a stable sort takes the first
                sorted_scores, order = scores[tied].sort(descending=True, stable=True)
                values[tied], places[tied] = sorted_scores[:, : n + 1], order[:, : n + 1]
        places, values = _in_order(places[:, :n], values[:, :n])
        rows.append(places.masked_fill(values == -torch.inf, -1).cpu())
        best.append(values.cpu())
    return torch.cat(rows), torch.cat(best)


def _in_order(rows: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
    """Both [N, n] by falling score, and by row where scores are equal."""
    rows, order = rows.sort(dim=1)
    scores, by_score = scores.gather(1, order).sort(dim=1, descending=True, stable=True)
    return rows.gather(1, by_score), scores


def _faiss(pictures: int):
    try:
        import faiss
    except ImportError:
        raise VisnerError(
            f"a pool of {pictures} pictures is searched with FAISS, which is not installed: pip install 'visner[faiss]'"
        ) from None
    return faiss


def _build(vectors: Tensor):
    faiss = _faiss(len(vectors))
    index = faiss.IndexHNSWFlat(vectors.shape[1], LINKS, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efSearch = BREADTH
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)  # several would make another graph each time
    index.add(vectors.cpu().numpy())
    faiss.omp_set_num_threads(threads)
    return index
