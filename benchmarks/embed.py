"""Pictures a second of the stage `embeddings`, beside a plain torchvision loop in the same run.

Both turn the same JPEGs (drawn here, shorter side 256) into DenseNet-121's vectors of 1024, from bytes to numbers,
with the same threads. The plain loop is what a tutorial has: PIL, the weights' transforms, batches under no_grad in
float32. Ours is the stage as a rule runs it, in bfloat16: channels-last, decoding ahead, every vector written to the
store and to the shard's table. The two alternate; the medians are compared. Exit status 1 below the claim.

The gain is that of the processor's bfloat16 products. Where they are less than GAIN times as fast as float32's (some
processors have instructions for them and are slower by them), the ratio is printed all the same, and not held to the
claim.

    python benchmarks/embed.py --threads 2
"""

import argparse
import io
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from machine.products import bfloat16_gain
from PIL import Image, ImageDraw
from torch.nn import functional
from torchvision import models
from torchvision.transforms._presets import ImageClassification

from visner import tables
from visner.embeddings.embed import embed
from visner.embeddings.weights import Weights, make_weights, read_weights, write_weights
from visner.recipes import Embedding

CLAIM = 2.0  # times as many pictures a second
GAIN = 1.5


def draw(number: int) -> bytes:
    """A seeded JPEG of 342 x 256: coarse noise with ellipses on it."""
    rng = np.random.default_rng(number)
    image = Image.fromarray(rng.integers(0, 256, (8, 10, 3), np.uint8)).resize((342, 256), Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(image)
    for _ in range(20):
        left, top, width, height = rng.integers(0, 250, 4).tolist()
        pen.ellipse((left, top, left + width, top + height), fill=tuple(rng.integers(0, 256, 3).tolist()))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=90)
    return file.getvalue()


def plain(model: torch.nn.Module, pictures: list[bytes], batch: int) -> np.ndarray:
    """The vectors (n, 1024) as a plain loop makes them."""
    transforms = ImageClassification(crop_size=224)
    vectors = []
    with torch.no_grad():
        for start in range(0, len(pictures), batch):
            opened = [Image.open(io.BytesIO(one)).convert("RGB") for one in pictures[start : start + batch]]
            seen = torch.stack([transforms(image) for image in opened])  # (batch, 3, 224, 224)
            maps = functional.relu(model.features(seen))  # (batch, 1024, 7, 7)
            vectors.append(functional.adaptive_avg_pool2d(maps, 1).flatten(1))  # (batch, 1024)
    return torch.cat(vectors).numpy()


def torchvision_model(weights: Weights) -> torch.nn.Module:
    """torchvision's own DenseNet-121 with our weights."""
    model = models.densenet121(weights=None).eval()
    model.load_state_dict(weights.state, strict=False)  # its classifier, which is not used, is not among them
    return model


def write_images(path: Path, pictures: list[bytes]) -> None:
    """An images table of the pictures."""
    rows = [{"image_id": f"{place:064x}", "bytes": picture} for place, picture in enumerate(pictures)]
    tables.write_table(path, tables.IMAGES, (dict.fromkeys(tables.IMAGES.names) | row for row in rows))


def main() -> int:
    """Run both, print the ratio, and compare it with the claim."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3, help="of both in turn (default: 3)")
    parser.add_argument("--threads", type=int, default=2, help="of both (default: 2)")
    parser.add_argument("--batch", type=int, default=8, help="of both (default: 8)")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    recipe = Embedding(backbone="densenet121", weights="random", precision="bfloat16")
    pictures = [draw(number) for number in range(arguments.pictures)]

    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        write_weights(folder / "weights.safetensors", make_weights(recipe, folder))
        write_images(folder / "images.parquet", pictures)
        write_images(folder / "warm.parquet", pictures[:8])
        model = torchvision_model(read_weights(folder / "weights.safetensors"))

        def ours(images: str, turn: int) -> np.ndarray:
            output = folder / f"{turn}.parquet"
            run = (recipe, folder / "weights.safetensors", folder / images, folder / f"store-{turn}", output)
            embed(*run, torch.device("cpu"), arguments.batch, arguments.threads)
            table = tables.read_table(output, tables.embeddings_schema(1024))
            return table["vector"].combine_chunks().flatten().to_numpy().reshape(-1, 1024)

        plain(model, pictures[:8], arguments.batch)  # both once before they are timed
        ours("warm.parquet", -1)
        seconds: dict[str, list[float]] = {"plain": [], "ours": []}
        for turn in range(arguments.rounds):
            started = time.perf_counter()
            exact = plain(model, pictures, arguments.batch)
            between = time.perf_counter()
            fast = ours("images.parquet", turn)
            seconds["plain"].append(between - started)
            seconds["ours"].append(time.perf_counter() - between)
    cosine = (exact * fast).sum(1) / np.linalg.norm(exact, axis=1) / np.linalg.norm(fast, axis=1)
    speed = {name: arguments.pictures / statistics.median(times) for name, times in seconds.items()}
    ratio = speed["ours"] / speed["plain"]
    print(f"plain torchvision, float32: {speed['plain']:.1f} pictures/s; visner, bfloat16: {speed['ours']:.1f}")
    print(f"ratio {ratio:.2f} (claim: {CLAIM}), least cosine to the plain vectors {cosine.min():.5f}")
    gain = bfloat16_gain()
    print(f"a bfloat16 product is {gain:.2f} times as fast as a float32 one here")
    if gain < GAIN and ratio < CLAIM:
        print("not held to the claim")
        return 0
    return 0 if ratio >= CLAIM else 1


if __name__ == "__main__":
    sys.exit(main())
