"""Weights from files and by chance: what is in them, that they are the same again, and what is refused."""

import subprocess
import sys

import pytest
import torch
from safetensors.torch import save_file
from torchvision import models

from visner.config.images import Embedding
from visner.embeddings.backbone import Backbone
from visner.embeddings.preprocess import Preprocessing
from visner.embeddings.weights import make_weights, read_weights, write_weights
from visner.errors import VisnerError


def test_a_file_of_weights_says_what_it_is(weights, recipe):
    made = make_weights(recipe, ".")
    read = read_weights(weights)
    assert (read.backbone, read.name, read.sha256) == ("mobilenet_v3_small", "random", made.sha256)
    assert read.preprocessing == Preprocessing()
    assert all(torch.equal(read.state[name], tensor) for name, tensor in made.state.items())
    assert make_weights(Embedding(backbone="mobilenet_v3_small", weights="random", seed=2), ".").sha256 != made.sha256


def test_random_weights_are_the_same_bytes_in_another_process(weights, recipe, tmp_path):
    output = tmp_path / "again.safetensors"
    code = (
        "import sys; from pathlib import Path; from visner.embeddings.weights import weights; "
        "from visner.config.images import Embedding; "
        "weights(Path(sys.argv[1]), Embedding.model_validate_json(sys.argv[2]), Path())"
    )
    subprocess.run([sys.executable, "-c", code, output, recipe.fingerprint()], check=True)
    assert output.read_bytes() == weights.read_bytes()


@pytest.mark.parametrize("name", ["resnet152", "densenet121"])
@torch.inference_mode()
def test_random_weights_keep_deep_activations_finite_and_apart(name):
    """On pictures that the calibration has not seen; a plain initialisation of ResNet-152 overflows float16."""
    backbone = make_weights(Embedding(backbone=name, weights="random"), ".").load()
    largest = []
    for module in backbone.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.register_forward_hook(lambda _, __, output: largest.append(output.abs().max()))
    cells = torch.rand(3, 3, 4, 4, generator=torch.Generator().manual_seed(9))
    vectors = backbone(torch.nn.functional.interpolate(cells, size=(224, 224)) * 4 - 2)[:, 0]
    assert max(largest) < 1000
    assert vectors.isfinite().all()
    distance = torch.pdist(torch.nn.functional.normalize(vectors))
    assert distance.min() > 0.02


@pytest.mark.parametrize("ending", ["pth", "safetensors"])
@torch.inference_mode()
def test_weights_from_a_file_are_those_of_the_file(ending, tmp_path):
    torch.manual_seed(4)
    model = models.resnet18(weights=None, num_classes=7).eval()  # another classifier is no obstacle
    path = tmp_path / f"mine.{ending}"
    torch.save(model.state_dict(), path) if ending == "pth" else save_file(model.state_dict(), path)
    made = make_weights(Embedding(backbone="resnet18", weights=path.name), tmp_path)
    write_weights(tmp_path / "made.safetensors", made)
    read = read_weights(tmp_path / "made.safetensors")
    backbone = read.load()
    assert read.load() is backbone  # it is built once
    model.fc = torch.nn.Identity()
    picture = torch.randn(1, 3, 64, 64)
    torch.testing.assert_close(backbone(picture)[:, 0], model(picture), atol=1e-5, rtol=1e-4)
    again = make_weights(Embedding(backbone="resnet18", weights="made.safetensors"), tmp_path)
    assert again.sha256 == made.sha256


def test_the_names_of_old_densenet_files_are_understood(tmp_path):
    """torchvision's published densenet121 has norm.1 where the model has norm1."""
    state = Backbone("densenet121").features.state_dict()
    old = {name: tensor for name, tensor in state.items() if not name.endswith("num_batches_tracked")}
    for part in ("norm", "conv"):
        for number in "12":
            old = {
                name.replace(f".{part}{number}.", f".{part}.{number}.") if "denselayer" in name else name: tensor
                for name, tensor in old.items()
            }
    assert any(".norm.1." in name for name in old)
    torch.save(old, tmp_path / "old.pth")
    made = make_weights(Embedding(backbone="densenet121", weights="old.pth"), tmp_path)
    assert torch.equal(
        made.state["features.denseblock2.denselayer3.conv2.weight"],
        state["features.denseblock2.denselayer3.conv2.weight"],
    )


@pytest.mark.parametrize(
    "recipe, message",
    [
        ({"weights": "IMAGENET1K_V9"}, "resnet18 has no 'IMAGENET1K_V9'; did you mean IMAGENET1K_V1"),
        ({"weights": "Random"}, "did you mean random"),
        ({"weights": "gone.pth"}, "no file .*gone.pth"),
        ({"weights": "other.pth"}, "is no resnet18: it lacks .* tensors, the first is conv1.weight"),
        ({"weights": "wide.pth"}, r"layer1.0.conv1.weight"),
        ({"weights": "pickle.pth"}, "load safely"),
        ({"weights": "text.safetensors"}, "not a safetensors file"),
    ],
)
def test_wrong_weights_are_named_with_what_can_be_chosen(recipe, message, tmp_path):
    torch.save(models.mobilenet_v3_small().state_dict(), tmp_path / "other.pth")
    torch.save(models.resnet50().state_dict(), tmp_path / "wide.pth")
    torch.save({"code": print}, tmp_path / "pickle.pth")
    (tmp_path / "text.safetensors").write_text("no weights")
    with pytest.raises(VisnerError, match=message):
        make_weights(Embedding(backbone="resnet18", **recipe), tmp_path)


def test_named_weights_bring_their_own_preprocessing():
    published = models.get_model_weights("efficientnet_b1")["IMAGENET1K_V2"].transforms()
    assert Preprocessing.of(published)[:2] == (published.resize_size[0], published.crop_size[0]) != (256, 224)
