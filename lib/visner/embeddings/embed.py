"""One shard's pictures to their vectors: those that the store lacks are embedded, then all are exported."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch.backends import cudnn

from visner.config.images import Embedding
from visner.embeddings import VERSION
from visner.embeddings.backbone import GRID, Backbone
from visner.embeddings.preprocess import Preprocessing
from visner.embeddings.store import PART, Store
from visner.embeddings.weights import Weights, read_weights
from visner.errors import VisnerError
from visner.runtime import device as devices
from visner.runtime import provenance, stages, tables
from visner.runtime.scratch import staged

BATCH = {"cpu": 8, "cuda": 128}  # pictures: the fastest measured on a CPU; a GPU wants more
EXPORTED = 4096  # vectors read from the store at a time


def embed(
    weights: Path | Weights,
    images: Path,
    output: Path,
    recipe: Embedding,
    store: Path,
    device: torch.device,
    workers: int = 1,
    scratch: str = "",
    batch: int | None = None,
) -> dict[str, int]:
    """Write the embeddings table of one shard, sorted by image_id; the numbers of its pictures and of those embedded.

    `weights` are a file's, or those that were read from one: their backbone is built once, however often they embed. A
    picture that any job has embedded with the same weights and recipe comes from the store. `workers` threads decode
    pictures, read from a copy in `scratch` (`visner.runtime.scratch`); last bits depend on the size of a `batch`.
    Vectors that are not finite stop the stage and name their pictures.
    """
    loaded, file = (weights, weights.name) if isinstance(weights, Weights) else (read_weights(weights), weights)
    if loaded.backbone != recipe.backbone:
        raise VisnerError(f"{file}: weights of {loaded.backbone}, and the recipe's backbone is {recipe.backbone}")
    batch = batch or BATCH[device.type]
    # What a vector depends on; the kept form, because two image recipes can keep one original in two sizes.
    depends_on = {
        "version": VERSION,
        "backbone": recipe.backbone,
        "weights_sha256": loaded.sha256,
        "preprocessing": loaded.preprocessing._asdict(),
        "precision": recipe.precision,
        "regions": recipe.regions,
        "stored": recipe.stored,
        "kept": tables.read_provenance(images).get("kept"),
    }
    key = hashlib.sha256(json.dumps(depends_on, sort_keys=True).encode()).hexdigest()
    made_by = {
        "stage": "embeddings",
        "recipe": recipe.model_dump(mode="json"),
        "weights": loaded.name,
        "store_key": key,
        **depends_on,
        "versions": provenance.versions("pyarrow"),  # of what writes this table; `vectors` says what made each vector
    }
    now = {"device": device.type, "batch": batch, "versions": provenance.versions("torch", "torchvision", "pillow")}
    image_ids = _usable(images)
    kept = Store(store / "embeddings" / f"{recipe.backbone}-{key[:16]}", image_ids)
    missing, embedded = kept.missing(), 0
    if missing:
        backbone = loaded.load(recipe.regions).to(device)
        done = len(image_ids) - len(missing)
        with (
            staged(images, scratch) as local,
            stages.progress(None, "embeddings", total=len(image_ids), initial=done) as bar,
        ):
            pictures = _pictures(local, missing)
            vectors = embed_pictures(backbone, loaded.preprocessing, pictures, recipe.precision, batch, workers)
            while part := list(islice(vectors, max(1, PART // batch))):
                names = [image_id for some, _ in part for image_id in some]
                kept.put(names, _rounded(names, np.concatenate([some for _, some in part]), recipe), now)
                embedded += len(names)
                bar.update(len(names))
                missing &= kept.missing()  # less what other jobs have embedded meanwhile
    made_by["vectors"] = kept.makers()
    if image_ids:
        dimensions = kept.vectors(image_ids[:1]).shape[1] // (1 + GRID**2 if recipe.regions else 1)
    else:
        crop = loaded.preprocessing.crop
        dimensions = loaded.load().to(device)(torch.zeros(1, 3, crop, crop, device=device)).shape[2]
    _export(kept, image_ids, tables.embeddings_schema(dimensions, recipe.stored), output, made_by)
    stages.log.info("%d pictures, %d of them embedded now, the others kept", len(image_ids), embedded)
    return {"pictures": len(image_ids), "embedded": embedded}


def embed_pictures(
    backbone: Backbone,
    preprocessing: Preprocessing,
    pictures: Iterable[tuple[str, bytes]],
    precision: str,
    batch: int,
    workers: int,
) -> Iterator[tuple[list[str], np.ndarray]]:
    """Pairs of image_id and kept form to batches of image_ids and their vectors (n, R, D), float32.

    `workers` threads decode ahead of the backbone. The last batch is filled up with black pictures: with one shape of
    batch, each picture goes through the same kernels whatever stands beside it, and its vector is the same to the bit,
    so that a run that was killed and resumed, and therefore batched otherwise, ends with the same vectors.
    """
    on = next(backbone.parameters()).device
    decode = partial(_decode, preprocessing)
    with ThreadPoolExecutor(workers) as pool:
        decoded = stages.ordered_map(pool, decode, pictures, ahead=2 * batch + workers)
        while group := list(islice(decoded, batch)):
            pixels = np.zeros((batch, preprocessing.crop, preprocessing.crop, 3), np.uint8)
            for place, (_, one) in enumerate(group):
                pixels[place] = one
            # cudnn's default would round float32 products to 10 bits, and choose kernels by chance.
            exactly = cudnn.flags(enabled=True, deterministic=True, allow_tf32=False)
            with torch.inference_mode(), exactly, devices.autocast(on, precision):
                seen = backbone(preprocessing.normalise(torch.from_numpy(pixels).to(on)))  # (batch, R, D)
            names = [image_id for image_id, _ in group]
            vectors = seen[: len(group)].cpu().numpy()
            _check_finite(names, vectors, backbone.name, precision)
            yield names, vectors


def _decode(preprocessing: Preprocessing, picture: tuple[str, bytes]) -> tuple[str, np.ndarray]:
    image_id, kept = picture
    try:
        return image_id, preprocessing.decode(kept)
    except OSError as error:
        raise VisnerError(
            f"picture {image_id}: its kept form is damaged ({error}); delete its shard and run again"
        ) from None


def _check_finite(names: list[str], vectors: np.ndarray, backbone: str, precision: str) -> None:
    finite = np.isfinite(vectors).all(axis=(1, 2))
    if not finite.all():
        listed = ", ".join(name for name, good in zip(names, finite, strict=True) if not good)
        raise VisnerError(f"{backbone} in {precision} gives vectors that are not finite for the pictures {listed}")


def _rounded(names: list[str], vectors: np.ndarray, recipe: Embedding) -> np.ndarray:
    """The vectors as they are stored; VisnerError where one is too large for that."""
    with np.errstate(over="ignore"):
        rounded = vectors.astype(recipe.stored)
    if not np.isfinite(rounded).all():
        name = names[int(np.flatnonzero(~np.isfinite(rounded).all((1, 2)))[0])]
        raise VisnerError(f"the vector of picture {name} is too large for float16; set stored: float32")
    return rounded


def _usable(images: str | Path) -> list[str]:
    """The distinct usable pictures of an images table, sorted."""
    table = tables.read_table(images, tables.IMAGES, ["image_id"])
    return sorted(pc.unique(table["image_id"].drop_null()).to_pylist())


def _pictures(images: Path, wanted: set[str]) -> Iterator[tuple[str, bytes]]:
    """The wanted pictures with their kept forms, one row group of the table in memory; they are taken from `wanted`."""
    with tables.reading(images):
        file = tables.open_table(images, tables.IMAGES)
    for group in range(file.num_row_groups):
        with tables.reading(images):
            if wanted.isdisjoint(file.read_row_group(group, ["image_id"])["image_id"].to_pylist()):
                continue
            rows = file.read_row_group(group, ["image_id", "bytes"])
        for image_id, kept in zip(rows["image_id"], rows["bytes"], strict=True):
            if image_id.as_py() in wanted:
                wanted.remove(image_id.as_py())
                yield image_id.as_py(), kept.as_py()


def _export(kept: Store, image_ids: list[str], schema: pa.Schema, output: Path, made_by: dict) -> None:
    """The embeddings table from the store."""
    dimensions = schema.field("vector").type.list_size
    regions = 1 + GRID**2 if made_by["regions"] else 1
    # Dictionaries of vectors, none of which repeats, make writing several times slower.
    with tables.table_writer(output, schema, made_by, use_dictionary=False) as append:
        step = max(1, EXPORTED // regions)
        for start in range(0, len(image_ids), step):
            some = image_ids[start : start + step]
            columns = [
                pa.array(np.repeat(some, regions)),
                pa.array(np.tile(np.arange(regions, dtype=np.int32), len(some))),
                pa.FixedSizeListArray.from_arrays(kept.vectors(some).reshape(-1), dimensions),
            ]
            append(pa.record_batch(columns, schema=schema))
