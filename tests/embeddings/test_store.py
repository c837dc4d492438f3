"""Parts: whole or not there, found by whoever asks, made twice without harm."""

import json
import os
import time

import numpy as np
import pyarrow as pa

from visner.embeddings.store import DAY, Store

CPU, GPU = {"device": "cpu"}, {"device": "cuda"}


def some(count: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, 50, 8)).astype(np.float16)


def test_vectors_come_back_as_they_were_to_whoever_asks(tmp_path):
    vectors, asking = some(3), Store(tmp_path, ["c", "x", "a"])
    assert asking.missing() == {"c", "x", "a"}
    writing = Store(tmp_path, ["a", "b", "c"])
    writing.put(["a", "b"], vectors[:2], CPU)
    writing.put(["c"], vectors[2:], CPU)
    assert (asking.missing(), writing.missing()) == ({"x"}, set())
    np.testing.assert_array_equal(asking.vectors(["c", "a"]), vectors[[2, 0]].reshape(2, -1))
    assert asking.vectors(["a"]).dtype == np.float16


def test_a_vector_that_two_jobs_made_is_that_of_the_first_part_by_name(tmp_path):
    first, second = Store(tmp_path, ["a", "b"]), Store(tmp_path, ["b", "c"])
    assert (first.missing(), second.missing()) == ({"a", "b"}, {"b", "c"})
    first.put(["a", "b"], some(2), CPU)
    second.put(["b", "c"], some(2, seed=2), GPU)
    of_parts = {"cpu": some(2)[1], "cuda": some(2, seed=2)[0]}
    again = Store(tmp_path, ["b"])
    assert again.missing() == set()
    (maker,) = again.makers()
    assert maker["pictures"] == 1
    np.testing.assert_array_equal(again.vectors(["b"])[0], of_parts[maker["made_by"]["device"]].reshape(-1))
    assert again.makers() == maker_of_lowest(tmp_path)


def maker_of_lowest(folder):
    """What made the part that is first by name."""

    part = pa.ipc.open_file(min(folder.glob("*.arrow")))
    return [{"pictures": 1, "made_by": json.loads(part.schema.metadata[b"made_by"])}]


def test_the_same_part_made_twice_is_one_file(tmp_path):
    for _ in range(2):
        Store(tmp_path, []).put(["a", "b"], some(2), CPU)
    assert len(list(tmp_path.iterdir())) == 1


def test_makers_are_counted_of_what_is_asked_for(tmp_path):
    Store(tmp_path, []).put(["a", "b"], some(2), GPU)
    Store(tmp_path, []).put(["c"], some(1), CPU)
    asking = Store(tmp_path, ["a", "b", "c"])
    assert asking.missing() == set()
    assert asking.makers() == [{"pictures": 1, "made_by": CPU}, {"pictures": 2, "made_by": GPU}]


def test_what_a_killed_job_left_is_removed_a_day_later(tmp_path):
    for name, age in (("old", DAY + 60), ("new", 0)):
        left = tmp_path / f".{name}"
        left.write_bytes(b"half a part")
        os.utime(left, (time.time() - age,) * 2)
    assert Store(tmp_path, ["a"]).missing() == {"a"}
    assert [path.name for path in tmp_path.iterdir()] == [".new"]
