"""Vectors and regions against what torchvision's own models compute on the way to their classes."""

import pytest
import torch
from torch.nn import functional
from torchvision import models

from visner.embeddings.backbone import Backbone
from visner.errors import VisnerError


def both(name: str, regions: bool = False):
    """Our backbone and torchvision's model with the same weights."""
    backbone = Backbone(name, regions)
    model = models.get_model(name, weights=None).eval()
    backbone.features.load_state_dict({key: model.state_dict()[key] for key in backbone.features.state_dict()})
    return backbone, model


def seen_by(model, module, pictures):
    """The input and the output of one of the model's modules."""
    seen = []
    handle = module.register_forward_hook(lambda _, inputs, output: seen.extend((inputs[0], output)))
    model(pictures)
    handle.remove()
    return seen


@pytest.fixture
def pictures():
    return torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    "name, dimensions", [("resnet18", 512), ("mobilenet_v3_small", 576), ("efficientnet_b0", 1280), ("swin_t", 768)]
)
@torch.inference_mode()
def test_the_vector_is_the_output_of_the_last_pooling(name, dimensions, pictures):
    backbone, model = both(name)
    _, pooled = seen_by(model, model.avgpool, pictures)
    vectors = backbone(pictures)
    assert vectors.shape == (2, 1, dimensions)
    torch.testing.assert_close(vectors[:, 0], pooled.flatten(1), atol=1e-5, rtol=1e-4)


@torch.inference_mode()
def test_densenet_gives_1024_rectified_channels(pictures):
    backbone, model = both("densenet121", regions=True)
    maps = functional.relu(model.features(pictures))  # (2, 1024, 7, 7)
    vectors = backbone(pictures)
    assert vectors.shape == (2, 50, 1024)
    torch.testing.assert_close(vectors[:, 0], functional.adaptive_avg_pool2d(maps, 1).flatten(1), atol=1e-5, rtol=1e-4)
    for place in range(49):
        torch.testing.assert_close(vectors[:, 1 + place], maps[:, :, place // 7, place % 7], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", ["densenet121", "resnet18", "mobilenet_v3_small", "regnet_x_400mf", "inception_v3"])
@torch.inference_mode()
def test_folded_batch_norms_change_last_bits_only(name):
    torch.manual_seed(2)
    backbone = Backbone(name)
    norms = [module for module in backbone.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    for norm in norms:
        norm.running_mean.normal_(0, 0.1)
        norm.running_var.uniform_(0.5, 1.5)
        norm.weight.uniform_(0.5, 1.5)
        norm.bias.normal_(0, 0.1)
    pictures = torch.randn(2, 3, 224, 224)
    exact = backbone(pictures)
    vectors = backbone.fold()(pictures)
    left = [module for module in backbone.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    assert len(left) < len(norms) / 4
    torch.testing.assert_close(vectors, exact, atol=1e-5 * exact.abs().max().item(), rtol=1e-4)


@torch.inference_mode()
def test_a_transformer_gives_its_class_token_and_has_no_regions(pictures):
    backbone, model = both("vit_b_32")
    token, _ = seen_by(model, model.heads.head, pictures)
    torch.testing.assert_close(backbone(pictures)[:, 0], token, atol=1e-5, rtol=1e-4)
    with pytest.raises(VisnerError, match="no feature map"):
        Backbone("vit_b_32", regions=True)


@torch.inference_mode()
def test_maps_of_another_size_become_seven_by_seven():
    vectors = Backbone("resnet18", regions=True)(torch.randn(1, 3, 288, 288))  # a map of 9 x 9
    assert vectors.shape == (1, 50, 512)


def test_an_unknown_backbone_is_named_with_its_neighbours():
    with pytest.raises(VisnerError, match="no 'densenet122'; did you mean densenet121"):
        Backbone("densenet122")
