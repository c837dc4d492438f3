"""Groundings of tweets: vokens, and the attached picture, whole or in regions."""

from types import SimpleNamespace

import numpy as np
import pytest
from pydantic import TypeAdapter

from visner.config.groundings import Grounding
from visner.errors import VisnerError
from visner.grounding import controls
from visner.grounding.ground import ground
from visner.runtime import tables

SENTENCES = [("s1", ["the", "cat"], "1.jpg"), ("s2", ["a"], "2.jpg"), ("s3", ["sea"], None), ("s4", ["x"], "3.jpg")]
PICTURES = {"1.jpg": "a", "2.jpg": "b", "3.jpg": None}  # the third is broken
VOKENS = {"s1": [["c", "a"], []], "s2": [["b", "c"]], "s3": [["c", "b"]], "s4": [["c", "a"]]}
REGIONS = range(50)
K = {"voken": {"k": 2}, "attachment": {}}


def vector(image_id, region):
    return [ord(image_id) - 97.0, float(region)]


@pytest.fixture
def arguments(tmp_path):
    """Four tweets; words with two vokens or none; pictures with regions in two shards."""
    blank = {"document_id": "d", "split": "train", "text": ""}
    rows = [{**blank, "sentence_id": i, "units": u, "labels": ["O"] * len(u), "attachment": a} for i, u, a in SENTENCES]
    tables.write_table(tmp_path / "sentences", tables.SENTENCES, rows)
    nothing = dict.fromkeys(tables.IMAGES.names)
    rows = [{**nothing, "query": name, "rank": 0, "image_id": one} for name, one in PICTURES.items()]
    tables.write_table(tmp_path / "images", tables.IMAGES, rows)
    for number, ids in enumerate(("ac", "b")):
        rows = [{"image_id": one, "region": region, "vector": vector(one, region)} for one in ids for region in REGIONS]
        tables.write_table(tmp_path / f"embeddings{number}", tables.embeddings_schema(2), rows)
    rows = [
        {"sentence_id": i, "image_ids": ids, "scores": [[0.5, 0.25][: len(one)] for one in ids]}
        for i, ids in VOKENS.items()
    ]
    for number, some in enumerate((rows[:3], rows[3:])):
        tables.write_table(tmp_path / f"vokens{number}", tables.VOKENS, some)
    return SimpleNamespace(
        sentences=tmp_path / "sentences",
        vokens=[tmp_path / "vokens0", tmp_path / "vokens1"],
        images=[tmp_path / "images"],
        embeddings=[tmp_path / "embeddings0", tmp_path / "embeddings1"],
        regions=False,
        grounding=tmp_path / "grounding.parquet",
        vectors=tmp_path / "vectors.npy",
        row_keys=tmp_path / "keys.parquet",
    )


def seen(arguments, **recipe):
    """The vectors that each unit of each sentence sees, and the scores beside them."""
    named = {"voken": {"matcher": "m"}, "attachment": {"images": "i"}}[recipe["by"]]
    recipe = TypeAdapter(Grounding).validate_python({"embedding": "e", **named, **recipe})
    ground(**vars(arguments), recipe=recipe)
    vectors = np.load(arguments.vectors)
    rows = list(tables.iterate_rows(arguments.grounding, tables.GROUNDING))
    assert [row["sentence_id"] for row in rows] == [one for one, *_ in SENTENCES]
    return [[vectors[unit].tolist() for unit in row["rows"]] for row in rows], [row["scores"] for row in rows], vectors


def test_vokens_are_rows_with_the_scores_of_their_search(arguments):
    units, scores, vectors = seen(arguments, by="voken", k=2)
    assert units == [[[vector(one, 0) for one in ids] for ids in VOKENS[name]] for name in VOKENS]
    assert scores == [[[0.5, 0.25], []], [[0.5, 0.25]], [[0.5, 0.25]], [[0.5, 0.25]]]
    assert len(vectors) == 3


def test_k_takes_the_best_and_their_vectors_only(arguments):
    units, scores, vectors = seen(arguments, by="voken", k=1)
    assert units == [[[vector("c", 0)], []], [[vector("b", 0)]], [[vector("c", 0)]], [[vector("c", 0)]]]
    assert scores[0] == [[0.5], []]
    assert len(vectors) == 2


def test_an_attached_picture_is_seen_by_all_units_and_a_broken_one_by_none(arguments):
    arguments.vokens = None
    units, _, vectors = seen(arguments, by="attachment")
    assert units == [[[vector("a", 0)]] * 2, [[vector("b", 0)]], [[]], [[]]]
    assert len(vectors) == 2


def test_regions_are_forty_nine_rows_in_reading_order(arguments):
    arguments.regions = True
    units, _, vectors = seen(arguments, by="attachment")
    grid = {one: [vector(one, region) for region in range(1, 50)] for one in "ab"}
    assert units == [[grid["a"]] * 2, [grid["b"]], [[]], [[]]]
    assert len(vectors) == 98


@pytest.mark.parametrize("by, regions, rows", [("voken", False, 3), ("attachment", False, 2), ("attachment", True, 98)])
def test_case_rows_have_keys_the_picture_of_each_and_its_region(arguments, by, regions, rows):
    arguments.regions = regions
    vectors = seen(arguments, by=by, **K[by])[2]
    keys = tables.read_table(arguments.row_keys, tables.ROW_KEYS).to_pylist()
    assert vectors.tolist() == [vector(row["key"], row["region"]) for row in keys]
    assert len({tuple(row.values()) for row in keys}) == rows


@pytest.mark.parametrize("by", ["voken", "attachment"])
@pytest.mark.parametrize("control", controls.CONTROLS)
def test_a_control_changes_vectors_and_neither_rows_nor_scores(arguments, by, control):
    def tables_of(control):
        seen(arguments, by=by, **K[by], control=control)
        rows = tables.read_table(arguments.grounding, tables.GROUNDING).to_pylist()
        return rows, np.load(arguments.vectors)

    rows, vectors = tables_of(None)
    assert (tables_of(control)[0], tables_of(control)[1].shape) == (rows, vectors.shape)


def test_shuffled_regions_stay_together(arguments):
    arguments.regions = True
    units, *_ = seen(arguments, by="attachment", control="shuffled")
    for unit in (*units[0], *units[1]):
        assert len({one for one, _ in unit}) == 1
        assert [region for _, region in unit] == list(range(1, 50))


def test_vokens_of_other_sentences_are_refused(arguments):
    for others in (arguments.vokens[::-1], arguments.vokens[:1]):
        arguments.vokens = others
        with pytest.raises(VisnerError, match="its sentences are not those of"):
            seen(arguments, by="voken", k=1)
