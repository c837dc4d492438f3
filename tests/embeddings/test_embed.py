"""The stage `embeddings`: the same vectors to the bit, whatever stands beside a picture; and what stops it."""

import io
import logging

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from embedding_tables import dimensions, stored, vectors_of
from PIL import Image
from torchvision.transforms._presets import ImageClassification

from visner.config.images import Embedding
from visner.embeddings.embed import embed, embed_pictures
from visner.embeddings.preprocess import Preprocessing
from visner.embeddings.weights import make_weights, read_weights, write_weights
from visner.errors import VisnerError
from visner.runtime import tables


def in_process(recipe, weights, images, store, output, **options) -> dict:
    return embed(weights, images, output, recipe, store, torch.device("cpu"), **options)


@pytest.fixture(scope="session")
def pictures(write_shard, tmp_path_factory):
    """An images table of 20 pictures, and its (image_id, bytes)."""
    path = tmp_path_factory.mktemp("images") / "0.parquet"
    write_shard(path, range(20))
    rows = tables.read_table(path, tables.IMAGES).to_pylist()
    return path, [(row["image_id"], row["bytes"]) for row in rows if row["image_id"]]


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v3_small", "swin_t"])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_vector_is_the_same_to_the_bit_whatever_stands_beside_it(pictures, name, precision):
    backbone = make_weights(Embedding(backbone=name, weights="random"), ".").load()

    def run(some) -> dict[str, np.ndarray]:
        done = embed_pictures(backbone, Preprocessing(64, 64), some, precision, batch=8, workers=2)
        return {image_id: vector for names, found in done for image_id, vector in zip(names, found, strict=True)}

    some = pictures[1][:11]
    together = run(some)
    assert len(together) == 11
    for others in (some[::-1], some[3:4], [some[3], *pictures[1][11:16], some[0]]):
        for image_id, vector in run(others).items():
            if image_id in together:
                np.testing.assert_array_equal(vector, together[image_id])


def test_another_size_of_batches_changes_less_than_1e_5(pictures, recipe, weights):
    made = read_weights(weights)
    by_size = [
        np.concatenate([v for _, v in embed_pictures(made.load(), made.preprocessing, pictures[1], "float32", size, 1)])
        for size in (1, 8)
    ]
    np.testing.assert_allclose(*by_size, atol=1e-5)


def test_bfloat16_stays_near_float32_and_is_said_once_where_it_is_slow(pictures, weights, slow_bfloat16):
    made = read_weights(weights)
    exact, fast = (
        np.concatenate([v for _, v in embed_pictures(made.load(), made.preprocessing, pictures[1], precision, 8, 1)])[
            :, 0
        ]
        for precision in ("float32", "bfloat16")
    )
    cosine = (exact * fast).sum(1) / np.linalg.norm(exact, axis=1) / np.linalg.norm(fast, axis=1)
    assert cosine.min() > 0.995
    assert len(slow_bfloat16()) == 1


def test_the_table_holds_torchvisions_own_vectors(pictures, recipe, weights, tmp_path):
    counts = in_process(recipe, weights, pictures[0], tmp_path / "store", tmp_path / "0.parquet", workers=2)
    assert counts == {"pictures": 20, "embedded": 20}
    made = read_weights(weights)
    found = vectors_of(tmp_path / "0.parquet")
    assert list(found) == sorted(image_id for image_id, _ in pictures[1])
    transforms, features = ImageClassification(crop_size=224), made.load().features
    with torch.inference_mode():
        for image_id, content in pictures[1][:4]:
            seen = transforms(Image.open(io.BytesIO(content)))[None]
            exact = features(seen).mean((2, 3))[0].numpy()
            np.testing.assert_allclose(found[image_id], exact, atol=1e-5, rtol=2**-11)  # float16 has 11 bits
    made_by = tables.read_provenance(tmp_path / "0.parquet")
    assert (made_by["weights"], made_by["weights_sha256"]) == ("random", made.sha256)
    assert made_by["recipe"] == recipe.model_dump(mode="json")
    (made,) = made_by["vectors"]
    assert (made["pictures"], made["made_by"]["device"], made["made_by"]["batch"]) == (20, "cpu", 8)
    assert made["made_by"]["versions"]["torch"] == torch.__version__.partition("+")[0]


def test_regions_are_fifty_rows_a_picture(write_shard, recipe, weights, tmp_path):
    write_shard(tmp_path / "images.parquet", [2, 1, 2])
    regions = Embedding(**{**recipe.model_dump(), "regions": True})
    in_process(regions, weights, tmp_path / "images.parquet", tmp_path / "store", tmp_path / "0.parquet")
    table = pq.read_table(tmp_path / "0.parquet")
    assert table["region"].to_pylist() == [*range(50)] * 2
    assert table["image_id"].to_pylist() == [f"{1:064x}"] * 50 + [f"{2:064x}"] * 50
    vectors = np.array(table["vector"].to_pylist()).reshape(2, 50, -1)
    np.testing.assert_allclose(vectors[:, 0], vectors[:, 1:].mean(1), atol=1e-5, rtol=2**-10)


def test_what_the_store_has_is_not_embedded_again(write_shard, recipe, weights, tmp_path):
    write_shard(tmp_path / "a.parquet", [1, 2, 3, 3])
    write_shard(tmp_path / "b.parquet", [3, 4])
    write_shard(tmp_path / "other.parquet", [3, 4], kept={"side": 31})
    run = [recipe, weights, tmp_path / "a.parquet", tmp_path / "store", tmp_path / "out.parquet"]
    assert in_process(*run) == {"pictures": 3, "embedded": 3}
    first = (tmp_path / "out.parquet").read_bytes()
    assert in_process(*run) == {"pictures": 3, "embedded": 0}
    assert (tmp_path / "out.parquet").read_bytes() == first
    run[2] = tmp_path / "b.parquet"
    assert in_process(*run) == {"pictures": 2, "embedded": 1}
    run[2] = tmp_path / "other.parquet"  # the same originals, kept in another size
    assert in_process(*run) == {"pictures": 2, "embedded": 2}
    run[0] = Embedding(**{**recipe.model_dump(), "precision": "bfloat16"})
    assert in_process(*run) == {"pictures": 2, "embedded": 2}


def test_a_store_hit_says_what_made_the_vector(write_shard, recipe, weights, tmp_path):
    """A job that finds all it needs has made nothing, whatever its batch and its libraries are."""
    write_shard(tmp_path / "a.parquet", [1, 2])
    write_shard(tmp_path / "b.parquet", [1, 2, 3])
    out = tmp_path / "out.parquet"
    in_process(recipe, weights, tmp_path / "a.parquet", tmp_path / "store", out, batch=2)
    first = tables.read_provenance(out)["vectors"]
    in_process(recipe, weights, tmp_path / "a.parquet", tmp_path / "store", out, batch=4)
    assert tables.read_provenance(out)["vectors"] == first
    in_process(recipe, weights, tmp_path / "b.parquet", tmp_path / "store", out, batch=4)
    found = tables.read_provenance(out)["vectors"]
    assert [(one["pictures"], one["made_by"]["batch"]) for one in found] == [(2, 2), (1, 4)]


def test_float16_is_near_float32_in_half_the_room(pictures, recipe, weights, tmp_path):
    """As vectors of norm 1 they differ by less than 0.0005: float16 has 11 bits."""
    found, sizes = {}, {}
    for stored_as in ("float16", "float32"):
        store, out = tmp_path / stored_as, tmp_path / f"{stored_as}.parquet"
        in_process(Embedding(**{**recipe.model_dump(), "stored": stored_as}), weights, pictures[0], store, out)
        found[stored_as] = np.stack(list(vectors_of(out, stored_as).values()))
        sizes[stored_as] = sum(part.stat().st_size for part in store.rglob("*.arrow"))
    norms = np.linalg.norm(found["float32"], axis=1)
    assert (np.linalg.norm(found["float16"] - found["float32"], axis=1) / norms).max() < 5e-4
    assert sizes["float16"] < 0.6 * sizes["float32"]


def test_a_vector_that_float16_cannot_hold_is_named(pictures, recipe, weights, tmp_path, monkeypatch):
    made = read_weights(weights)
    backbone = made.load()
    monkeypatch.setattr(backbone, "forward", lambda seen: torch.full((len(seen), 1, 4), 70_000.0))
    run = [pictures[0], tmp_path / "store", tmp_path / "0.parquet"]
    with pytest.raises(VisnerError, match=f"picture {pictures[1][0][0]} is too large for float16; set stored: float32"):
        in_process(recipe, made, *run)
    in_process(Embedding(**{**recipe.model_dump(), "stored": "float32"}), made, *run)


def test_a_damaged_part_is_named_with_a_remedy(write_shard, recipe, weights, tmp_path):
    write_shard(tmp_path / "images.parquet", [1, 2])
    run = [recipe, weights, tmp_path / "images.parquet", tmp_path / "store", tmp_path / "0.parquet"]
    in_process(*run)
    (part,) = (tmp_path / "store").rglob("*.arrow")
    part.write_bytes(part.read_bytes()[:100])
    with pytest.raises(VisnerError, match=rf"{part}: .*damaged.*; delete it and run again: its vectors are made again"):
        in_process(*run)
    part.unlink()
    assert in_process(*run) == {"pictures": 2, "embedded": 2}


def test_a_shard_without_pictures_is_an_empty_table(write_shard, recipe, weights, tmp_path):
    write_shard(tmp_path / "images.parquet", [])
    in_process(recipe, weights, tmp_path / "images.parquet", tmp_path / "store", tmp_path / "0.parquet")
    assert (dimensions(tmp_path / "0.parquet"), vectors_of(tmp_path / "0.parquet")) == (576, {})


def test_a_scratch_disk_changes_nothing(pictures, recipe, weights, tmp_path, caplog):
    (tmp_path / "scratch").mkdir()
    with caplog.at_level(logging.INFO, "visner"):
        for name, scratch in (("plain", ""), ("staged", str(tmp_path / "scratch"))):
            run = [recipe, weights, pictures[0], tmp_path / f"store-{name}", tmp_path / f"{name}.parquet"]
            assert in_process(*run, scratch=scratch)["embedded"] == 20
    assert (tmp_path / "plain.parquet").read_bytes() == (tmp_path / "staged.parquet").read_bytes()
    assert list((tmp_path / "scratch").iterdir()) == []
    (line,) = (line for line in caplog.messages if "copied to" in line)
    assert str(pictures[0]) in line


def test_vectors_that_are_not_finite_stop_the_stage(pictures, recipe, tmp_path):
    made = make_weights(recipe, ".")
    name = next(name for name in made.state if name.endswith("running_var"))
    made.state[name].fill_(float("nan"))
    write_weights(tmp_path / "weights.safetensors", made)
    run = [recipe, tmp_path / "weights.safetensors", pictures[0], tmp_path / "store", tmp_path / "0.parquet"]
    with pytest.raises(VisnerError, match=f"not finite.*{pictures[1][0][0]}"):
        in_process(*run)
    assert not (tmp_path / "0.parquet").exists()
    assert stored(tmp_path / "store") == 0


def test_weights_of_another_backbone_are_refused(pictures, weights, tmp_path):
    with pytest.raises(VisnerError, match="weights of mobilenet_v3_small, and the recipe's backbone is resnet18"):
        in_process(Embedding(backbone="resnet18"), weights, pictures[0], tmp_path / "store", tmp_path / "0.parquet")


def test_a_damaged_kept_form_is_named(recipe, weights, tmp_path):
    row = {"query": "q", "rank": 0, "image_id": "f" * 64, "bytes": b"no picture", "width": 1, "height": 1}
    tables.write_table(tmp_path / "images.parquet", tables.IMAGES, [dict.fromkeys(tables.IMAGES.names) | row])
    with pytest.raises(VisnerError, match="f{64}: its kept form is damaged"):
        in_process(recipe, weights, tmp_path / "images.parquet", tmp_path / "store", tmp_path / "0.parquet")


@pytest.mark.parametrize("size", [(640, 480), (257, 256), (31, 200), (100, 250)])
def test_preprocessing_is_torchvisions_own(size):
    file = io.BytesIO()
    Image.effect_noise(size, 60).convert("RGB").save(file, "PNG")
    ours = Preprocessing()
    pixels = torch.from_numpy(ours.decode(file.getvalue()).copy())[None]
    theirs = ImageClassification(crop_size=224)(Image.open(io.BytesIO(file.getvalue())))
    if max(size) <= 4 * min(size):
        torch.testing.assert_close(ours.normalise(pixels)[0], theirs, atol=1e-5, rtol=0)
    else:  # the ends that the crop leaves out are cut before: the pixels shift by a fraction
        assert (ours.normalise(pixels)[0] - theirs).abs().mean() < 0.1


def test_a_ribbon_does_not_become_a_giant():
    file = io.BytesIO()
    Image.new("RGB", (1, 60_000), "red").save(file, "PNG")
    assert Preprocessing().decode(file.getvalue()).shape == (224, 224, 3)
