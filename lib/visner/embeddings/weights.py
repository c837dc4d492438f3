"""A backbone's weights as one safetensors file: torchvision's by name, from a file, or random ones, calibrated."""

import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path

import safetensors
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional
from torchvision import models

from visner.config.base import below, is_path
from visner.config.errors import suggest
from visner.config.images import Embedding
from visner.embeddings.backbone import Backbone
from visner.embeddings.preprocess import Preprocessing
from visner.errors import VisnerError
from visner.runtime import tables
from visner.runtime.stages import log

CALIBRATION_PICTURES = 32


@dataclass(frozen=True)
class Weights:
    """What a file of weights says of itself, and the state itself: a backbone's, without its classifier."""

    backbone: str
    name: str  # torchvision's, a path, or "random"
    sha256: str  # of the state: names, types, shapes and values
    preprocessing: Preprocessing
    state: dict[str, torch.Tensor]
    _built: dict[bool, Backbone] = field(default_factory=dict, repr=False, compare=False)

    def load(self, regions: bool = False) -> Backbone:
        """The backbone with these weights: always the same, wherever it has been moved to."""
        if regions not in self._built:
            backbone = Backbone(self.backbone, regions)
            backbone.features.load_state_dict(self.state)
            self._built[regions] = backbone.fold()
        return self._built[regions]


def weights(output: Path, recipe: Embedding, root: Path) -> None:
    """Write the weights that a recipe names, or makes by chance, as the one file that all else reads."""
    torch.set_num_threads(1)  # calibrated batch norms depend on the threads in their last bits
    made = make_weights(recipe, root)
    write_weights(output, made)
    log.info("%s, weights %s: sha256 %s", made.backbone, made.name, made.sha256)


def make_weights(recipe: Embedding, root: str | Path) -> Weights:
    """The weights that a recipe names; a path is relative to `root`. VisnerError names the choices for a wrong one."""
    preprocessing = Preprocessing()
    if recipe.weights == "random":
        backbone = random_backbone(recipe.backbone, recipe.seed, preprocessing)
    elif is_path(recipe.weights):
        state, preprocessing = _read_file(below(root, recipe.weights))
        backbone = _loaded(recipe, state)
    else:
        published = _published(recipe)
        preprocessing = Preprocessing.of(published.transforms())
        backbone = _loaded(recipe, _download(published))
    state = {name: tensor.contiguous() for name, tensor in backbone.features.state_dict().items()}
    return Weights(recipe.backbone, recipe.weights, state_sha256(state), preprocessing, state)


def write_weights(path: str | Path, weights: Weights) -> None:
    """A safetensors file with everything of `weights`; the same weights give the same bytes."""
    about = {"backbone": weights.backbone, "weights": weights.name, "sha256": weights.sha256}
    about["preprocessing"] = weights.preprocessing._asdict()
    # One key only: safetensors writes several in an order that changes from run to run.
    with tables.atomic_path(path) as temporary:
        save_file(weights.state, temporary, {"visner": json.dumps(about, sort_keys=True)})


def read_weights(path: str | Path) -> Weights:
    """What `write_weights` wrote."""
    about = _about(Path(path))
    if about is None:
        raise VisnerError(
            f"{path}: not made by the rule embeddings_weights; name it as `weights` in the embedding's recipe instead"
        )
    with tables.reading(path, "a file of weights"):
        return Weights(
            about["backbone"],
            about["weights"],
            about["sha256"],
            Preprocessing.of_json(about["preprocessing"]),
            load_file(path),
        )


def random_backbone(name: str, seed: int, preprocessing: Preprocessing) -> Backbone:
    """A backbone with seeded initial weights whose batch norms know the means and variances of seeded pictures.

    Without that, activations of an untrained deep network grow with every block: ResNet-152 overflows float16.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        backbone = Backbone(name)
    norms = [module for module in backbone.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = None  # the plain mean over the batches seen: here one
        norm.train()
    with torch.inference_mode():
        backbone(preprocessing.normalise(_pictures(seed, CALIBRATION_PICTURES, preprocessing.crop)))
    return backbone.eval()


def state_sha256(state: dict[str, torch.Tensor]) -> str:
    """The sha256 of a state's names, types, shapes and values, whatever file they are in."""
    digest = hashlib.sha256()
    for name, tensor in sorted(state.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.contiguous().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


def _pictures(seed: int, count: int, side: int) -> torch.Tensor:
    """Seeded uint8 pictures (count, side, side, 3) with structure at every scale, the coarse the strongest."""
    generator = torch.Generator().manual_seed(seed)
    pictures = torch.zeros(count, 3, side, side)
    for cells in (1, 2, 4, 8, 16, 32, 64):
        noise = torch.rand(count, 3, cells, cells, generator=generator) - 0.5
        pictures += functional.interpolate(noise, size=(side, side), mode="bilinear") / cells**0.5
    return (pictures + 0.5).clamp(0, 1).mul(255).to(torch.uint8).permute(0, 2, 3, 1)


def _published(recipe: Embedding):
    known = models.get_model_weights(recipe.backbone)
    if recipe.weights not in known.__members__:
        choices = [*known.__members__, "random"]
        raise VisnerError(
            f"embeddings: weights: {recipe.backbone} has no {recipe.weights!r}{suggest(recipe.weights, choices)}; "
            "a path has a dot or a slash"
        )
    return known[recipe.weights]


def _download(published) -> dict[str, torch.Tensor]:
    try:
        return published.get_state_dict(progress=False, check_hash=True, weights_only=True)
    except (OSError, RuntimeError) as error:  # no network; another hash
        raise VisnerError(
            f"embeddings: weights: {published.url} can't be fetched ({error}); run this where there is a network, or "
            "fetch the file otherwise and give its path"
        ) from None


def _read_file(path: Path) -> tuple[dict[str, torch.Tensor], Preprocessing]:
    if not path.is_file():
        raise VisnerError(f"embeddings: weights: there is no file {path}")
    if path.suffix == ".safetensors":
        about = _about(path)
        return load_file(path), Preprocessing.of_json(about["preprocessing"]) if about else Preprocessing()
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch.load raises whatever the bytes lead it to
        raise VisnerError(f"{path}: no state dict that torch can load safely ({str(error).splitlines()[0]})") from None
    return state.get("state_dict", state), Preprocessing()


def _about(path: Path) -> dict | None:
    """The metadata that `write_weights` gave a file; None for a file from elsewhere."""
    try:
        with safetensors.safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
    except (OSError, safetensors.SafetensorError) as error:
        raise VisnerError(f"{path}: not a safetensors file ({error})") from None
    return json.loads(metadata["visner"]) if "visner" in metadata else None


def _loaded(recipe: Embedding, state: dict[str, torch.Tensor]) -> Backbone:
    """The backbone with a state: a classifier in it is left out, everything else must be there."""
    backbone = Backbone(recipe.backbone)
    wrong = f"embeddings: weights: {recipe.weights} is no {recipe.backbone}"
    # Old DenseNet files have norm.1 where the modules are called norm1.
    state = {re.sub(r"(denselayer\d+\.(?:norm|relu|conv))\.([12]\.)", r"\1\2", name): state[name] for name in state}
    needed = backbone.features.state_dict()
    missing = [name for name in needed if name not in state and not name.endswith("num_batches_tracked")]
    if missing:
        raise VisnerError(f"{wrong}: it lacks {len(missing)} of {len(needed)} tensors, the first is {missing[0]}")
    found = {name: state.get(name, tensor) for name, tensor in needed.items()}
    for name, tensor in needed.items():
        if found[name].shape != tensor.shape:
            raise VisnerError(f"{wrong}: {name} is {tuple(found[name].shape)} and not {tuple(tensor.shape)}")
    backbone.features.load_state_dict(found)
    return backbone
