"""Picture vectors on each device, beside the CPU's in float64, a picture at a time.

In float32 they agree within 1e-4 of their norm (TF32 would miss that); in bfloat16 their cosine is above 0.99.
"""

import io

import numpy as np
import pytest
import torch
from embedding_tables import vectors_of
from PIL import Image
from torchvision.transforms._presets import ImageClassification

from visner.config.images import Embedding
from visner.embeddings.backbone import Backbone
from visner.embeddings.embed import embed, embed_pictures
from visner.embeddings.preprocess import Preprocessing

from .conftest import jpeg


@pytest.mark.parametrize(
    "name, regions, precision",
    [
        ("densenet121", False, "float32"),
        ("densenet121", False, "bfloat16"),
        ("resnet18", True, "float32"),
        ("resnet18", True, "bfloat16"),
        ("swin_t", False, "float32"),
    ],
)
def test_vectors_are_those_of_the_backbone_in_float64(device, name, regions, precision):
    torch.manual_seed(1)
    backbone = Backbone(name, regions)
    pictures = [(f"{seed:064x}", jpeg(seed)) for seed in range(5)]
    exact, transforms = [], ImageClassification(crop_size=64, resize_size=64)
    backbone.features.double()
    with torch.inference_mode():
        for _, content in pictures:
            maps = backbone.features(transforms(Image.open(io.BytesIO(content)))[None].double())
            exact.append(maps.flatten(2).mean(2)[0] if maps.dim() == 4 else maps[0])
    exact = torch.stack(exact).numpy()
    backbone.features.float()
    found = embed_pictures(backbone.to(device), Preprocessing(64, 64), pictures, precision, batch=4, workers=2)
    vectors = np.concatenate([some for _, some in found])  # (5, R, D)
    assert vectors.shape[1] == (50 if regions else 1)
    differences = np.linalg.norm(vectors[:, 0] - exact, axis=1) / np.linalg.norm(exact, axis=1)
    cosine = (vectors[:, 0] * exact).sum(1) / np.linalg.norm(vectors[:, 0], axis=1) / np.linalg.norm(exact, axis=1)
    assert differences.max() < 1e-4 if precision == "float32" else cosine.min() > 0.99
    if regions:
        np.testing.assert_allclose(vectors[:, 1:].mean(1), vectors[:, 0], rtol=0, atol=0.01 * np.abs(vectors).max())


def test_the_stage_writes_the_same_table_within_1e_4(device, write_shard, weights, tmp_path):
    write_shard(tmp_path / "images.parquet", [3, 1, 2, 3])
    recipe, made = Embedding(backbone="mobilenet_v3_small", weights="random", stored="float32"), {}
    for on, batch in ((device, None), (torch.device("cpu"), 1)):
        output = tmp_path / f"{on.type}-{batch}.parquet"
        counts = embed(
            weights, tmp_path / "images.parquet", output, recipe, tmp_path / output.stem, on, batch=batch, workers=2
        )
        assert counts == {"pictures": 3, "embedded": 3}
        made[output] = vectors_of(output, "float32")
    one, other = made.values()
    assert list(one) == list(other) == [f"{seed:064x}" for seed in (1, 2, 3)]
    for image_id, vector in one.items():
        assert np.linalg.norm(vector - other[image_id]) < 1e-4 * np.linalg.norm(vector)
