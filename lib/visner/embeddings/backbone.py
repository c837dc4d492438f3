"""Any of torchvision's classification models up to its last pooling, as a module that gives a picture's vectors."""

import operator

import torch
from torch import fx, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torchvision import models
from torchvision.models import densenet

from visner.config.errors import suggest
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

    The weights are random until `features.load_state_dict`, and final after `fold`. VisnerError for a name that
    torchvision doesn't have.
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

    def fold(self) -> "Backbone":
        """The same vectors but for their last bits, with fewer passes over memory; the weights can't be changed then.

        Batch norms become part of the convolutions before them, and a block of a DenseNet copies no feature maps.
        """
        traced = self.features
        for node in traced.graph.nodes:
            if _is_a(traced, node, densenet._DenseBlock):
                traced.set_submodule(node.target, _FoldedBlock(traced.get_submodule(node.target)))
            elif _is_a(traced, node, nn.BatchNorm2d) and _is_a(traced, node.args[0], nn.Conv2d):
                before = node.args[0]
                if len(before.users) == 1:
                    modules = (traced.get_submodule(one.target) for one in (before, node))
                    traced.set_submodule(before.target, fuse_conv_bn_eval(*modules))
                    node.replace_all_uses_with(before)
                    traced.graph.erase_node(node)
        traced.delete_all_unused_submodules()
        traced.recompile()
        return self.requires_grad_(False).to(memory_format=torch.channels_last)

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


class _FoldedBlock(nn.Module):
    """A DenseNet's block: each layer reads the channels of all before it, and adds its own.

    torchvision concatenates these channels anew for each layer; here each layer writes beside them.
    """

    def __init__(self, block: nn.ModuleDict):
        super().__init__()
        self.layers = nn.ModuleList(block.values())
        for layer in self.layers:
            layer.conv1 = fuse_conv_bn_eval(layer.conv1, layer.norm2)
            scale = layer.norm1.weight * (layer.norm1.running_var + layer.norm1.eps).rsqrt()  # [C]
            shift = layer.norm1.bias - layer.norm1.running_mean * scale  # [C]
            layer.register_buffer("scale", scale.detach().view(1, -1, 1, 1))
            layer.register_buffer("shift", shift.detach().view(1, -1, 1, 1))
            del layer.norm1, layer.norm2

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        """Maps (B, C, h, w) to maps (B, C + the layers' channels, h, w)."""
        stop = given.shape[1]
        width = stop + sum(layer.conv2.out_channels for layer in self.layers)
        maps = given.new_empty(len(given), *given.shape[2:], width).permute(0, 3, 1, 2)  # channels-last in memory
        maps[:, :stop] = given
        for layer in self.layers:
            # Batch norm by hand: torch's is several times slower on a part of the channels.
            normed = torch.addcmul(layer.shift.to(maps.dtype), maps[:, :stop], layer.scale.to(maps.dtype))
            grown = layer.conv2(layer.relu2(layer.conv1(layer.relu1(normed))))  # (B, G, h, w)
            start, stop = stop, stop + grown.shape[1]
            maps[:, start:stop] = grown
        return maps


class _Tracer(fx.Tracer):
    def is_leaf_module(self, module: nn.Module, name: str) -> bool:
        return isinstance(module, densenet._DenseBlock) or super().is_leaf_module(module, name)


def _headless(model: nn.Module) -> tuple[fx.GraphModule, bool]:
    """The model's graph up to the input of its last pooling, or, where it has none, of its last linear layer.

    Also whether there was a pooling. Works on the traced graph, because each family of models names its parts
    differently and DenseNet pools in a function.
    """
    for module in model.modules():
        if isinstance(module, densenet._Transition):
            # A 1 x 1 convolution and an average pooling commute: after the pooling it has a quarter of the work.
            module._modules["conv"] = module._modules.pop("conv")
    traced = fx.GraphModule(model, _Tracer().trace(model.eval()))
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
