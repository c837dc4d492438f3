"""Maximum inner product search: each word's best pictures of a pool.

The pool is a FAISS index file, which every program with FAISS can open: flat up to EXACT pictures, past them an HNSW
graph. On a CPU a flat index's vectors are searched by a matrix product in blocks and torch's top-k, which was faster
than FAISS's own search at all sizes compared (4 and 100 thousand, a million: benchmarks/search.py), and a graph by
FAISS; its recall is measured against the exact search of a sample. On a GPU, for which FAISS has no graphs, every pool
is searched exactly: by faiss-gpu where a self-test passes (its builds lack kernels for some GPUs), else by torch.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from visner.errors import VisnerError
from visner.runtime import stages, tables

EXACT = {"cpu": 1_000_000, "cuda": 50_000_000}  # pictures of a flat index, by where it is made; those of a GPU: 13 GB
BLOCK = 1024  # queries at a time, fewer over a large pool:
SCORES = 2**26  # numbers that a block of scores has at most
FAISS = ("faiss-cpu", "faiss-gpu")  # either of the packages
LINKS, BREADTH = 16, 256  # of the HNSW graph
SAMPLE = 1000  # queries by which its recall is measured
SELF_TEST = """
import faiss, numpy
vectors = numpy.random.default_rng(1).standard_normal((5000, 64)).astype("float32")
flat = faiss.IndexFlatIP(64)
flat.add(vectors)
moved = faiss.index_cpu_to_gpu(faiss.StandardGpuResources(), 0, flat)
assert numpy.allclose(moved.search(vectors[:200], 10)[0], flat.search(vectors[:200], 10)[0], rtol=1e-3)
"""


def build(vectors: Tensor, exact: int | None = None) -> Any:
    """A FAISS index of pictures [P, d] of any norm: flat up to `exact` of them (None: EXACT), else HNSW."""
    faiss = _faiss()
    if len(vectors) <= (exact or EXACT[vectors.device.type]):
        index = faiss.IndexFlatIP(vectors.shape[1])
    else:
        index = faiss.IndexHNSWFlat(vectors.shape[1], LINKS, faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efSearch = BREADTH
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)  # several would make another graph each time
    index.add(vectors.cpu().numpy())
    faiss.omp_set_num_threads(threads)
    return index


def write(path: Path, index: Any) -> None:
    """A FAISS index file."""
    with tables.atomic_path(path) as temporary:
        _faiss().write_index(index, str(temporary))


def read(path: Path) -> Any:
    """What `write` wrote."""
    faiss = _faiss()
    with tables.reading(path, "a FAISS index"):
        if not path.is_file():
            raise FileNotFoundError(path)
        return faiss.read_index(str(path))


class Pool:
    """An index to be searched on a device; one search at a time."""

    def __init__(self, index: Any, device: torch.device):
        self.vectors = torch.from_numpy(index.reconstruct_n(0, index.ntotal)).to(device)  # [P, d]
        self.method = "hnsw" if hasattr(index, "hnsw") and device.type == "cpu" else "exact"
        self._faiss = index if self.method == "hnsw" else _on_gpu(self.vectors)
        self.libraries = ("torch",) if self._faiss is None else ("torch", *FAISS)  # that results depend on

    def search(self, queries: Tensor, n: int, excluded: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Rows [N, m] of the best pictures and their scores [N, m], best first, m the lesser of `n` and P.

        Of equal scores the lower row is first. `excluded` [N] names a row that is not to be found, -1 for none; where
        too few are left, the last row is -1 and its score -inf.
        """
        if self._faiss is None:
            return search_exactly(queries, self.vectors, n, excluded)
        depth = min(n + (excluded is not None), len(self.vectors))
        scores, rows = map(torch.from_numpy, self._faiss.search(queries.cpu().numpy(), depth))
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


def _on_gpu(vectors: Tensor) -> Any:
    """FAISS's flat index of vectors on a GPU; None on a CPU, and where FAISS can't use this GPU.

    The self-test runs in a process of its own: FAISS aborts where a kernel is missing.
    """
    faiss = _faiss()
    if vectors.device.type != "cuda" or not faiss.get_num_gpus():
        return None
    if subprocess.run([sys.executable, "-c", SELF_TEST], capture_output=True).returncode:
        stages.log.info("faiss-gpu fails its self-test on this GPU: torch searches")
        return None
    flat = faiss.IndexFlatIP(vectors.shape[1])
    flat.add(vectors.cpu().numpy())
    return faiss.index_cpu_to_gpu(faiss.StandardGpuResources(), torch.cuda.current_device(), flat)


def _faiss() -> Any:
    try:
        import faiss
    except ImportError:
        raise VisnerError("a pool is a FAISS index, and FAISS is not installed: pip install 'visner[faiss]'") from None
    return faiss
