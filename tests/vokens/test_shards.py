"""Sentences spread over jobs: the same states, matcher, vokens and scores as of one job."""

import shutil

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from visner.errors import VisnerError
from visner.runtime import tables
from visner.vokens import index
from visner.vokens.pairs import States

from .conftest import Corpus

SHARDS = 3


@pytest.fixture
def spread(finished, tmp_path):
    """The finished corpus again, with nothing of what the verbs made but the encoder."""
    shutil.copytree(finished.path("encoder"), tmp_path / "encoder")
    for name in ("sentences.parquet", "images.parquet", "embeddings.parquet"):
        shutil.copy(finished.path(name), tmp_path)
    return Corpus(tmp_path, finished.sentences)


def paths(corpus, name):
    return [corpus.path(name.format(shard)) for shard in range(SHARDS)]


def rows_of(path, schema):
    return tables.read_table(path, schema).to_pylist()


def test_states_of_shards_are_those_of_the_whole(finished, spread):
    for shard, output in enumerate(paths(spread, "{}.npy")):
        made = {"shard": shard, "shards": SHARDS, "states": output, "statistics": output.with_suffix(".json")}
        spread.run("states", **made)
    whole = np.load(finished.path("states.npy"))
    shards = [np.load(path) for path in paths(spread, "{}.npy")]
    assert min(map(len, shards)) > 0.8 * len(whole) / SHARDS
    np.testing.assert_allclose(np.concatenate(shards), whole, atol=2e-6)
    counts = [tables.read_json(path) for path in paths(spread, "{}.json")]
    of_all = tables.read_json(finished.path("states.json"))
    assert {key: sum(each[key] for each in counts) for key in of_all} == of_all


def test_matcher_vokens_and_scores_are_those_of_one_shard(finished, spread):
    """From the very same states, cut where the shards of 80 sentences end."""
    whole, start = np.load(finished.path("states.npy")), 0
    lengths = [len(row["units"]) for row in finished.sentences]
    for shard, path in enumerate(paths(spread, "{}.npy")):
        stop = sum(lengths[: (shard + 1) * len(lengths) // SHARDS])
        np.save(path, whole[start:stop])
        start = stop
    states = {"states": paths(spread, "{}.npy")}
    spread.run("train", **states)
    spread.run("pool", **states)
    for shard, output in enumerate(paths(spread, "{}.parquet")):
        made = {"shard": shard, "shards": SHARDS, "states": paths(spread, "{}.npy")[shard], "output": output}
        spread.run("search", **made)
    shutil.copy(finished.path("states.json"), spread.path("states.json"))
    spread.run("judge", **states, vokens=paths(spread, "{}.parquet"))

    assert spread.path("matcher.safetensors").read_bytes() == finished.path("matcher.safetensors").read_bytes()
    expected = rows_of(finished.path("vokens.parquet"), tables.VOKENS)
    found = list(tables.iterate_rows(paths(spread, "{}.parquet"), tables.VOKENS))
    assert [row["sentence_id"] for row in found] == [row["sentence_id"] for row in expected]
    assert [row["image_ids"] for row in found] == [row["image_ids"] for row in expected]
    for row, other in zip(found, expected, strict=True):
        for scores, of_whole in zip(row["scores"], other["scores"], strict=True):
            np.testing.assert_allclose(scores, of_whole, atol=1e-6)
    assert tables.read_json(spread.path("scores.json")) == tables.read_json(finished.path("scores.json"))


def test_states_of_another_shard_are_refused(finished, tmp_path):
    with pytest.raises(VisnerError, match="shard 0 of 1 has .*; give all shards, in order, or make them again"):
        finished.run("search", shards=2, output=tmp_path / "vokens.parquet")
    with pytest.raises(VisnerError, match="shard 2: shards are counted from 0 to 1"):
        finished.run("search", shard=2, shards=2, output=tmp_path / "vokens.parquet")


def test_shards_that_are_missing_or_in_another_order_are_refused(finished, tmp_path):
    whole, lengths = np.load(finished.path("states.npy")), [len(row["units"]) for row in finished.sentences]
    cut = sum(lengths[: len(lengths) // 2])
    np.save(tmp_path / "0.npy", whole[:cut])
    np.save(tmp_path / "1.npy", whole[cut:])
    made = {"matcher": tmp_path / "matcher", "history": tmp_path / "history"}
    for states in ([tmp_path / "0.npy"], [tmp_path / "1.npy", tmp_path / "0.npy"]):
        with pytest.raises(VisnerError, match="give all shards, in order"):
            finished.run("train", states=states, **made)
    assert not (tmp_path / "matcher").exists()


def test_a_pool_of_another_matcher_is_refused(finished, tmp_path):
    shutil.copy(finished.path("matcher.safetensors"), tmp_path / "other")
    with (tmp_path / "other").open("ab") as file:
        file.write(b" ")
    with pytest.raises(VisnerError, match="made with another matcher than .*other; make it again"):
        finished.run("search", matcher=tmp_path / "other", output=tmp_path / "vokens.parquet")


def test_an_index_of_other_pictures_is_refused(finished, tmp_path):
    index.write(tmp_path / "pool.faiss", index.build(torch.randn(3, 16)))
    with pytest.raises(VisnerError, match="an index of 3 pictures, not of the 37 of "):
        finished.run("search", index=tmp_path / "pool.faiss", output=tmp_path / "vokens.parquet")


@given(st.lists(st.integers(0, 5), min_size=1, max_size=5), st.data())
def test_adjacent_words_of_any_shards(tmp_path_factory, lengths, data):
    folder = tmp_path_factory.mktemp("states")
    whole = np.arange(sum(lengths) * 2, dtype=np.float32).reshape(-1, 2)
    for shard, length in enumerate(lengths):
        start = sum(lengths[:shard])
        np.save(folder / f"{shard}.npy", whole[start : start + length])
    states = States([folder / f"{shard}.npy" for shard in range(len(lengths))], lengths)  # a sentence each
    start = data.draw(st.integers(0, len(whole)))
    stop = data.draw(st.integers(start, len(whole)))
    assert len(states) == len(whole)
    np.testing.assert_array_equal(states[start:stop], whole[start:stop])


@given(st.integers(0, 40), st.integers(1, 9))
def test_every_row_is_of_one_shard(tmp_path_factory, count, shards):
    folder = tmp_path_factory.mktemp("rows")
    query = [{"query": str(number), "occurrences": number, "shard": 0} for number in range(count)]
    cut = count // 3
    tables.write_table(folder / "all", tables.QUERIES, query)
    for name, some in (("0", query[:cut]), ("1", query[cut:])):
        tables.write_table(folder / name, tables.QUERIES, some)
    spread = [tables.shard_rows(folder / "all", shard, shards) for shard in range(shards)]
    assert [row for rows in spread for row in rows] == list(range(count))
    assert max(map(len, spread)) - min(map(len, spread)) <= 1
    for rows in spread:
        of_one = tables.iterate_rows(folder / "all", tables.QUERIES, batch=4, rows=rows)
        of_two = tables.iterate_rows([folder / "0", folder / "1"], tables.QUERIES, batch=3, rows=rows)
        assert list(of_one) == list(of_two) == query[rows.start : rows.stop]
