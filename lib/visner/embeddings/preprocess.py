"""A kept picture to the pixels that a backbone sees: resized, centre-cropped, normalised."""

import io
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from torchvision.transforms import InterpolationMode
from torchvision.transforms.functional import center_crop, resize

ELONGATED = 4  # times as long as wide


class Preprocessing(NamedTuple):
    """Shorter side and crop in pixels, how pixels are interpolated, and ImageNet's mean and deviation of channels."""

    resize: int = 256
    crop: int = 224
    interpolation: str = "bilinear"
    mean: Sequence[float] = (0.485, 0.456, 0.406)
    std: Sequence[float] = (0.229, 0.224, 0.225)

    @classmethod
    def of(cls, transforms: Any) -> "Preprocessing":
        """What torchvision's weights were trained to see: `weights.transforms()`."""
        return cls(
            transforms.resize_size[0],
            transforms.crop_size[0],
            transforms.interpolation.value,
            tuple(transforms.mean),
            tuple(transforms.std),
        )

    @classmethod
    def of_json(cls, content: dict[str, Any]) -> "Preprocessing":
        """What `_asdict` gave, after its way through JSON, which has no tuples."""
        return cls(**{key: tuple(value) if isinstance(value, list) else value for key, value in content.items()})

    def decode(self, kept: bytes) -> np.ndarray:
        """The crop of a kept picture as uint8 (crop, crop, 3); OSError where the bytes are no picture."""
        image = Image.open(io.BytesIO(kept)).convert("RGB")
        # The crop leaves the ends of a ribbon out; resized first, a picture of 1 x 60,000 pixels would have 4 billion.
        longest = ELONGATED * min(image.size)
        if max(image.size) > longest:
            image = center_crop(image, [min(image.height, longest), min(image.width, longest)])
        image = resize(image, [self.resize], InterpolationMode(self.interpolation))
        return np.asarray(center_crop(image, [self.crop]))

    def normalise(self, pixels: torch.Tensor) -> torch.Tensor:
        """uint8 (B, H, W, 3) to float (B, 3, H, W) in channels-last memory, on the same device."""
        mean = torch.tensor(self.mean, device=pixels.device)
        std = torch.tensor(self.std, device=pixels.device)
        return ((pixels / 255 - mean) / std).permute(0, 3, 1, 2)  # (B, 3, H, W)
