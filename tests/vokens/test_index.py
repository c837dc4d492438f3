"""The search against numpy's full sort, ties included; the graph's recall."""

import sys

import faiss
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from visner.errors import VisnerError
from visner.vokens import index
from visner.vokens.index import Pool, build

CPU = torch.device("cpu")


def unit(rng, count, dimensions=16):
    vectors = torch.from_numpy(rng.standard_normal((count, dimensions)).astype(np.float32))
    return torch.nn.functional.normalize(vectors)


def by_numpy(queries, vectors, n, excluded):
    """Rows and scores by a stable sort of all of them, a query at a time."""
    rows, best = [], []
    for query, out in zip(queries, excluded, strict=True):
        scores = vectors @ query
        if out >= 0:
            scores[out] = -np.inf
        order = np.argsort(-scores, kind="stable")[:n]
        rows.append(np.where(scores[order] == -np.inf, -1, order))
        best.append(scores[order])
    return np.array(rows).reshape(len(queries), -1), np.array(best).reshape(len(queries), -1)


@settings(max_examples=60)
@given(
    st.integers(0, 10_000), st.integers(1, 30), st.integers(1, 40), st.integers(1, 12), st.sampled_from([1, 7, 1024])
)
def test_exact_search_is_a_stable_sort_of_all(seed, asked, pictures, n, block):
    """Small whole numbers are exact in any order of adding, and tie often."""
    rng = np.random.default_rng(seed)
    queries = rng.integers(-2, 3, (asked, 3)).astype(np.float32)
    vectors = rng.integers(-2, 3, (pictures, 3)).astype(np.float32)
    excluded = rng.integers(-1, pictures, asked)
    expected_rows, expected = by_numpy(queries, vectors, n, excluded)
    original, index.BLOCK = index.BLOCK, block
    try:
        rows, scores = index.search_exactly(
            torch.from_numpy(queries), torch.from_numpy(vectors), n, torch.from_numpy(excluded.copy())
        )
    finally:
        index.BLOCK = original
    np.testing.assert_array_equal(rows.numpy(), expected_rows)
    np.testing.assert_array_equal(scores.numpy(), expected)


def pool_of(vectors, exact=None) -> Pool:
    return Pool(build(vectors, exact), CPU)


def test_exact_search_of_real_vectors():
    rng = np.random.default_rng(3)
    queries, vectors = unit(rng, 3000), unit(rng, 700)
    pool = pool_of(vectors)
    rows, scores = pool.search(queries, 10)
    expected_rows, expected = by_numpy(queries.numpy(), vectors.numpy(), 10, np.full(3000, -1))
    np.testing.assert_allclose(scores.numpy(), expected, atol=1e-6)
    assert (rows.numpy() == expected_rows).mean() > 0.999  # scores that differ in their last bit only may change places
    assert (pool.method, pool.recall(queries, 10)) == ("exact", 1)


def test_an_index_file_is_faisss_own(tmp_path):
    """Flat and graph: FAISS reads the vectors back, and the same vectors make the same bytes."""
    vectors = unit(np.random.default_rng(8), 300)
    for exact, kind in ((300, "IndexFlatIP"), (299, "IndexHNSWFlat")):
        for name in ("one", "again"):
            index.write(tmp_path / name, build(vectors, exact))
        assert (tmp_path / "one").read_bytes() == (tmp_path / "again").read_bytes()
        by_faiss = faiss.read_index(str(tmp_path / "one"))
        assert type(by_faiss).__name__ == kind
        np.testing.assert_array_equal(by_faiss.reconstruct_n(0, 300), vectors.numpy())
        rows = Pool(index.read(tmp_path / "one"), CPU).search(vectors, 3)[0]
        np.testing.assert_array_equal(rows.numpy(), by_faiss.search(vectors.numpy(), 3)[1])


def test_the_graph_is_used_past_the_limit_and_its_recall_is_measured():
    rng = np.random.default_rng(4)
    queries, vectors = unit(rng, 500), unit(rng, 3000)
    graph, exact = pool_of(vectors, 2999), pool_of(vectors, 3000)
    assert (graph.method, exact.method) == ("hnsw", "exact")
    excluded = exact.search(queries, 1)[0][:, 0]  # everyone's best
    rows, scores = graph.search(queries, 5, excluded)
    assert (rows != excluded.unsqueeze(1)).all()
    assert (scores.diff(dim=1) <= 0).all()
    found = exact.search(queries, 5)[0]
    by_hand = np.mean(
        [len(set(a) & set(b)) / 5 for a, b in zip(graph.search(queries, 5)[0].tolist(), found.tolist(), strict=True)]
    )
    assert graph.recall(queries, 5) == pytest.approx(by_hand)
    assert 0.9 < by_hand <= 1
    assert torch.equal(pool_of(vectors, 2999).search(queries, 5, excluded)[0], rows)


def test_the_graph_finds_the_largest_raw_products_too():
    """Vectors of very different norms, as a matcher with `norm: none` has them."""
    rng = np.random.default_rng(6)
    queries, vectors = 3 * unit(rng, 300), unit(rng, 3000) * torch.from_numpy(rng.lognormal(0, 0.5, (3000, 1))).float()
    graph = pool_of(vectors, 2999)
    rows, scores = graph.search(queries, 5)
    torch.testing.assert_close(scores, torch.einsum("nd,nmd->nm", queries, vectors[rows]))
    assert graph.method == "hnsw"
    assert graph.recall(queries, 5) > 0.9


def test_what_faiss_cannot_read_is_one_line(tmp_path, monkeypatch):
    (tmp_path / "damaged").write_bytes(b"no index")
    with pytest.raises(VisnerError, match="damaged: not a FAISS index of visner's, or damaged .*; delete it and run"):
        index.read(tmp_path / "damaged")
    with pytest.raises(VisnerError, match="gone: no such file; the stage that makes it has not run"):
        index.read(tmp_path / "gone")
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(VisnerError, match=r"FAISS is not installed: pip install 'visner\[faiss\]'"):
        build(unit(np.random.default_rng(5), 20))
