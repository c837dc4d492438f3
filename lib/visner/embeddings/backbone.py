"""Any of torchvision's classification models up to its last pooling, as a module that gives a picture's vectors."""

import operator

import torch
from torch import fx, nn
from torch.nn import functional
from torchvision import models

from visner.config_errors import suggest
from visner.errors import VisnerError

GRID = 7  # regions a side
# Their published weights expect pictures scaled as the original TensorFlow models had them.
OPTIONS = dict.fromkeys(("googlenet", "inception_v3"), {"transform_input": True, "init_weights": True})


class Backbone(nn.Module):
    """Pictures (B, 3, H, W) to vectors (B, R, D): row 0 is the whole picture, 1-49 the 7x7 grid in reading order.

    The picture's vector is the mean over the feature map that the model's last pooling reads: of DenseNet-121 the 1024
    rectified channels, of a ResNet 512 or 2048. With `regions` the map, averaged down to 7x7 where it is larger,
    follows; else R is 1. A vision transformer pools nothing: its vector is that of the class token, and it has no
    regions. Means are taken in float32 whatever the map's precision.

    The weights are random until `features.load_state_dict`; VisnerError for a name that torchvision doesn't have.
    """

    def __init__(self, name: str, regions: bool = False):
        super().__init__()
        known = models.list_models(module=models)
        if name not in known:
            raise VisnerError(f"embeddings: backbone: torchvision has no {name!r}{suggest(name, known)}")
        self.name = name
        self.regions = regions
        self.features, pooled = _headless(models.get_model(name, weights=None, **OPTIONS.get(name, {})))
        if regions and not pooled:
            raise VisnerError(f"embeddings: regions: {name} has no feature map before a pooling; set regions: false")
        self.eval().requires_grad_(False).to(memory_format=torch.channels_last)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """The vectors in float32 (see the class)."""
        maps = self.features(pictures).float()  # (B, D, h, w), or (B, D) of a transformer
        if maps.dim() == 2:
            return maps.unsqueeze(1)  # (B, 1, D)
        whole = maps.mean((2, 3)).unsqueeze(1)  # (B, 1, D)
        if not self.regions:
            return whole
        grid = functional.adaptive_avg_pool2d(maps, GRID).flatten(2).transpose(1, 2)  # (B, 49, D)
        return torch.cat([whole, grid], dim=1)  # (B, 50, D)


def _headless(model: nn.Module) -> tuple[fx.GraphModule, bool]:
    """The model's graph up to the input of its last pooling, or, where it has none, of its last linear layer.

    Also whether there was a pooling. Works on the traced graph, because each family of models names its parts
    differently and DenseNet pools in a function.
    """
    traced = fx.symbolic_trace(model.eval())
    nodes = list(traced.graph.nodes)
    pools = [node for node in nodes if _averages(traced, node)]
    heads = [node for node in nodes if _is_a(traced, node, nn.Linear)]
    end = (pools or heads)[-1]
    output = nodes[-1]
    output.args = (end.args[0],)
    traced.graph.eliminate_dead_code()
    traced.delete_all_unused_submodules()
    traced.recompile()
    return traced, bool(pools)


def _averages(traced: fx.GraphModule, node: fx.Node) -> bool:
    """Whether a node of the graph is an average pooling over height and width."""
    if node.op == "call_function":
        return node.target is functional.adaptive_avg_pool2d
    if node.op == "call_method":
        return node.target == "mean"
    return _is_a(traced, node, (nn.AdaptiveAvgPool2d, nn.AvgPool2d))


def _is_a(traced: fx.GraphModule, node: fx.Node, kind) -> bool:
    return node.op == "call_module" and isinstance(operator.attrgetter(node.target)(traced), kind)
