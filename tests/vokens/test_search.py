"""The search against numpy's full sort, ties included; the graph's recall."""

import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from visner.errors import VisnerError
from visner.vokens import search
from visner.vokens.search import Pool


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
    original, search.BLOCK = search.BLOCK, block
    try:
        rows, scores = Pool(torch.from_numpy(vectors)).search(
            torch.from_numpy(queries), n, torch.from_numpy(excluded.copy())
        )
    finally:
        search.BLOCK = original
    np.testing.assert_array_equal(rows.numpy(), expected_rows)
    np.testing.assert_array_equal(scores.numpy(), expected)


def unit(rng, count, dimensions=16):
    vectors = torch.from_numpy(rng.standard_normal((count, dimensions)).astype(np.float32))
    return torch.nn.functional.normalize(vectors)


def test_exact_search_of_real_vectors():
    rng = np.random.default_rng(3)
    queries, vectors = unit(rng, 3000), unit(rng, 700)
    rows, scores = Pool(vectors).search(queries, 10)
    expected_rows, expected = by_numpy(queries.numpy(), vectors.numpy(), 10, np.full(3000, -1))
    np.testing.assert_allclose(scores.numpy(), expected, atol=1e-6)
    assert (rows.numpy() == expected_rows).mean() > 0.999  # scores that differ in their last bit only may change places
    assert Pool(vectors).recall(queries, 10) == 1


def test_the_graph_is_used_past_the_limit_and_its_recall_is_measured():
    pytest.importorskip("faiss")
    rng = np.random.default_rng(4)
    queries, vectors = unit(rng, 500), unit(rng, 3000)
    graph, exact = Pool(vectors, exact=2999), Pool(vectors, exact=3000)
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
    again = Pool(vectors, exact=2999).search(queries, 5, excluded)
    assert torch.equal(again[0], rows)
    assert len(exact.graph()) == 0
    with pytest.raises(VisnerError, match="the graph is of 3000 pictures, not of these 2999"):
        Pool(vectors[1:], graph.graph(), exact=2998)
    kept = Pool(vectors, graph.graph(), exact=2999)
    assert torch.equal(kept.search(queries, 5, excluded)[0], rows)


def test_the_graph_finds_the_largest_raw_products_too():
    """Vectors of very different norms, as a matcher with `norm: none` has them."""
    pytest.importorskip("faiss")
    rng = np.random.default_rng(6)
    queries, vectors = 3 * unit(rng, 300), unit(rng, 3000) * torch.from_numpy(rng.lognormal(0, 0.5, (3000, 1))).float()
    graph = Pool(vectors, exact=2999)
    rows, scores = graph.search(queries, 5)
    torch.testing.assert_close(scores, torch.einsum("nd,nmd->nm", queries, vectors[rows]))
    assert graph.method == "hnsw"
    assert graph.recall(queries, 5) > 0.9


def test_a_missing_faiss_is_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)
    vectors = unit(np.random.default_rng(5), 20)
    Pool(vectors)  # not needed for an exact search
    with pytest.raises(VisnerError, match=r"FAISS, which is not installed: pip install 'visner\[faiss\]'"):
        Pool(vectors, exact=10)
