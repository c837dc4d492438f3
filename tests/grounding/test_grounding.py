"""Grounding against a plain reading of its definition, and the controls' promises."""

import hashlib
from types import SimpleNamespace

import numpy as np
import pytest

from visner.config.groundings import QueryGrounding
from visner.errors import VisnerError
from visner.grounding import controls
from visner.grounding.ground import ground
from visner.runtime import tables

VECTORS = {"a": [1, 0], "b": [3, 2], "c": [5, 4], "d": [7, 6]}


def picture(query, rank, image_id):
    return {"query": query, "rank": rank, "image_id": image_id, "reason": None if image_id else "truncated"}


def recipe(**more):
    return QueryGrounding(by="query", images="i", embedding="e", **more)


@pytest.fixture
def arguments(tmp_path):
    """Two shards; 山's best picture is broken, 川's only one is, 島 shares a picture with 山."""
    shards = [
        [picture("山", 2, "b"), picture("山", 0, None), picture("山", 1, "a"), picture("山", 3, "c")],
        [picture("川", 0, None), picture("島", 0, "b"), picture("島", 1, "d")],
    ]
    blank = dict.fromkeys(["bytes", "width", "height", "source_url"])
    for number, rows in enumerate(shards):
        tables.write_table(tmp_path / f"images{number}", tables.IMAGES, [{**blank, **row} for row in rows])
        ids = sorted({row["image_id"] for row in rows if row["image_id"]})
        rows = [{"image_id": i, "region": r, "vector": VECTORS[i] if r == 0 else [99, 99]} for i in ids for r in (0, 1)]
        tables.write_table(tmp_path / f"embeddings{number}", tables.embeddings_schema(2), rows)
    sentence = {"sentence_id": "s", "document_id": "d", "split": "train", "text": "山川 島", "units": list("山川 島")}
    tables.write_table(
        tmp_path / "sentences", tables.SENTENCES, [{**sentence, "labels": ["O"] * 4, "attachment": None}]
    )

    def word(surface, start, queries):
        return {"surface": surface, "pos": "", "start": start, "stop": start + 1, "queries": queries}

    words = [word("山", 0, ["山"]), word("川", 1, ["川", "島"]), word("島", 3, [])]
    tables.write_table(tmp_path / "words", tables.WORDS, [{"sentence_id": "s", "words": words}])
    return SimpleNamespace(
        recipe=recipe(k=2),
        sentences=tmp_path / "sentences",
        words=tmp_path / "words",
        images=[tmp_path / "images0", tmp_path / "images1"],
        embeddings=[tmp_path / "embeddings0", tmp_path / "embeddings1"],
        grounding=tmp_path / "grounding.parquet",
        vectors=tmp_path / "vectors.npy",
        row_keys=tmp_path / "keys.parquet",
    )


def seen(arguments):
    """The vector that each unit sees, or None."""
    ground(**vars(arguments))
    vectors = np.load(arguments.vectors)
    (row,) = tables.iterate_rows(arguments.grounding, tables.GROUNDING)
    return [vectors[rows[0]].tolist() if rows else None for rows in row["rows"]], vectors


def test_a_word_sees_the_mean_of_its_first_usable_pictures(arguments):
    units, vectors = seen(arguments)
    # 山: a and b; 川 has none, and falls back on its second query 島: b and d; the space and the verb see nothing
    assert units == [[2, 1], [5, 4], None, None]
    assert len(vectors) == 2


def test_case_rows_have_keys_the_query_of_each(arguments):
    vectors = seen(arguments)[1]
    keys = tables.read_table(arguments.row_keys, tables.ROW_KEYS).to_pylist()
    means = {"山": [2, 1], "島": [5, 4]}  # of a and b, and of b and d
    assert {row["key"]: vector.tolist() for row, vector in zip(keys, vectors, strict=True)} == means
    assert [row["region"] for row in keys] == [0, 0]
    assert tables.read_provenance(arguments.row_keys) == tables.read_provenance(arguments.grounding)


def test_the_table_says_what_made_it(arguments):
    seen(arguments)
    made_by = tables.read_provenance(arguments.grounding)
    assert made_by["sentences"] == hashlib.sha256(arguments.sentences.read_bytes()).hexdigest()
    assert made_by["recipe"]["k"] == 2
    assert "numpy" in made_by["versions"]


def test_k_takes_fewer(arguments):
    arguments.recipe = recipe(k=1)
    assert seen(arguments)[0] == [[1, 0], [3, 2], None, None]


@pytest.mark.parametrize("control", controls.CONTROLS)
def test_a_control_changes_vectors_and_not_who_has_pictures(arguments, control):
    plain = [unit is not None for unit in seen(arguments)[0]]
    arguments.recipe = recipe(k=2, control=control)
    assert [unit is not None for unit in seen(arguments)[0]] == plain


def test_a_picture_without_a_vector_stops_the_stage(arguments):
    arguments.embeddings = arguments.embeddings[:1]
    with pytest.raises(VisnerError, match="1 pictures have no vector, d among them"):
        ground(**vars(arguments))


def test_controls_keep_what_they_promise():
    generator = np.random.default_rng(1)
    vectors = (generator.standard_normal((250, 2, 20)) + np.arange(20)).astype(np.float32)
    shuffled = controls.shuffled(vectors, np.random.default_rng(2))
    # a picture keeps its rows: its regions stay together
    assert sorted(tuple(one.ravel()) for one in shuffled) == sorted(tuple(one.ravel()) for one in vectors)
    assert (shuffled != vectors).any((1, 2)).all()
    assert np.array_equal(controls.shuffled(vectors[:2], generator), vectors[1::-1])
    with pytest.raises(VisnerError, match="needs two pictures at least"):
        controls.shuffled(vectors[:1], generator)
    noise = controls.noise(vectors, np.random.default_rng(2))
    np.testing.assert_allclose(noise.mean((0, 1)), vectors.mean((0, 1)), atol=0.3)
    np.testing.assert_allclose((noise**2).sum(2).mean(), (vectors**2).sum(2).mean(), rtol=0.02)
    presence = controls.presence(vectors, np.random.default_rng(2))
    assert (presence == presence[0, 0]).all()
    assert presence.shape == vectors.shape
