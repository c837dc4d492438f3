"""Pictures a second of the stage `embeddings`, beside a plain torchvision loop in the same run.

Both turn the same JPEGs (drawn here, shorter side 256) into DenseNet-121's vectors of 1024, from bytes to numbers,
with the same threads. The plain loop is what a tutorial has: PIL, the weights' transforms, batches under no_grad in
float32. Ours is the stage as a rule runs it: channels-last, decoding ahead, every vector written to the store and to
the shard's table; in float32, the default, and in bfloat16 where the processor has instructions for it. All take turns
until two rounds agree. Exit status 1 where float32 has less than 1.5 times the loop's speed, or bfloat16 less than 2.

    python benchmarks/embed.py --threads 2
"""

import argparse
import io
import itertools
import sys
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import torch
from machine.quiet import MOST, has_bfloat16, until_two_agree
from PIL import Image, ImageDraw
from torch.nn import functional
from torchvision import models
from torchvision.transforms._presets import ImageClassification

from visner.config.images import Embedding
from visner.embeddings.embed import embed
from visner.embeddings.weights import Weights, make_weights, read_weights, write_weights
from visner.runtime import tables

CLAIMS = {"float32": 1.5, "bfloat16": 2.0}  # times as many pictures a second


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
    """Run all, print the ratios, and compare them with the claims."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=MOST, help="of all in turn, at most (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="of all (default: 2)")
    parser.add_argument("--batch", type=int, default=8, help="of all (default: 8)")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    precisions = ["float32", "bfloat16"] if has_bfloat16() else ["float32"]
    recipes = {one: Embedding(backbone="densenet121", weights="random", precision=one) for one in precisions}
    pictures = [draw(number) for number in range(arguments.pictures)]

    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        write_weights(folder / "weights.safetensors", make_weights(recipes["float32"], folder))
        write_images(folder / "images.parquet", pictures)
        write_images(folder / "warm.parquet", pictures[:8])
        model = torchvision_model(read_weights(folder / "weights.safetensors"))

        made: dict[str, np.ndarray] = {}
        runs = itertools.count()

        def ours(precision: str, images: str = "images.parquet") -> None:
            output, store = folder / "vectors.parquet", folder / f"store-{next(runs)}"
            files = (folder / "weights.safetensors", folder / images, output)
            cpu = torch.device("cpu")
            embed(*files, recipes[precision], store, cpu, workers=arguments.threads, batch=arguments.batch)
            table = tables.read_table(output, tables.embeddings_schema(1024, "float16"))
            made[precision] = table["vector"].combine_chunks().flatten().to_numpy().reshape(-1, 1024).astype(np.float32)

        def loop(some: list[bytes] = pictures) -> None:
            made["plain"] = plain(model, some, arguments.batch)

        loop(pictures[:8])  # all once before they are timed
        for precision in precisions:
            ours(precision, "warm.parquet")
        ways = {"plain": loop} | {one: partial(ours, one) for one in precisions}
        rounds = until_two_agree(ways, arguments.rounds)
    count, exact = arguments.pictures, made["plain"]
    print(f"plain torchvision, float32: {count / rounds.typical('plain'):.1f} pictures/s")
    held = True
    for precision in precisions:
        found, ratio = made[precision], rounds.ratio(precision, "plain")
        cosine = (exact * found).sum(1) / np.linalg.norm(exact, axis=1) / np.linalg.norm(found, axis=1)
        held &= ratio >= CLAIMS[precision]
        print(
            f"visner, {precision}: {count / rounds.typical(precision):.1f} pictures/s, ratio {ratio:.2f} "
            f"(claim: {CLAIMS[precision]}), least cosine to the plain vectors {cosine.min():.5f}"
        )
    if "bfloat16" not in precisions:
        print("this processor has no instructions for bfloat16: not measured, and not what a configuration should name")
    print(rounds)
    return int(not held)


if __name__ == "__main__":
    sys.exit(main())
