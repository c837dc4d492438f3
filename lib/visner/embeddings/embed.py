"""One shard's pictures to their vectors: those that the store lacks are embedded, then all are exported."""

import hashlib
import json
import time
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

from visner import device, provenance, stages, tables
from visner.embeddings import VERSION
from visner.embeddings.backbone import GRID, Backbone
from visner.embeddings.preprocess import Preprocessing
from visner.embeddings.store import Store
from visner.embeddings.weights import Weights, read_weights
from visner.errors import VisnerError
from visner.recipes import Embedding
from visner.scratch import staged

BATCH = {"cpu": 8, "cuda": 128}  # pictures: the fastest measured on a CPU; a GPU wants more
POLL = 0.5  # seconds between looks at pictures that another job is embedding
EXPORTED = 4096  # vectors read from the store at a time


def embed(
    recipe: Embedding,
    weights: str | Path | Weights,
    images: str | Path,
    store: str | Path,
    output: str | Path,
    on: torch.device,
    batch: int | None = None,
    workers: int = 1,
    scratch: str = "",
) -> dict:
    """Write the embeddings table of one shard, sorted by image_id; the numbers of its pictures and of those embedded.

    `weights` are a file's, or those that were read from one: their backbone is built once, however often they embed.
    A picture that any job has embedded with the same weights, precision and regions comes from the store. Vectors that
    are not finite stop the stage and name their pictures; the store keeps those before. See `visner.scratch` for
    `scratch`, where the pictures are read from.
    """
    loaded, file = (weights, weights.name) if isinstance(weights, Weights) else (read_weights(weights), weights)
    if loaded.backbone != recipe.backbone:
        raise VisnerError(f"{file}: weights of {loaded.backbone}, and the recipe's backbone is {recipe.backbone}")
    batch = batch or BATCH[on.type]
    # What a vector depends on; the kept form, because two image recipes can keep one original in two sizes.
    depends_on = {
        "version": VERSION,
        "backbone": recipe.backbone,
        "weights_sha256": loaded.sha256,
        "preprocessing": loaded.preprocessing._asdict(),
        "precision": recipe.precision,
        "regions": recipe.regions,
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
    now = {"device": on.type, "batch": batch, "versions": provenance.versions("torch", "torchvision", "pillow")}
    image_ids = _usable(images)
    regions = 1 + GRID**2 if recipe.regions else 1
    embedded = 0
    with Store(Path(store) / "embeddings" / f"{recipe.backbone}-{key[:16]}", regions, now) as vectors:
        missing = vectors.missing(image_ids)
        if missing:
            backbone = loaded.load(recipe.regions).to(on)
            with (
                staged(images, scratch) as local,
                stages.progress(None, "embeddings", total=len(image_ids), initial=len(image_ids) - len(missing)) as bar,
            ):
                waiting: set[Path] = set()
                while missing:
                    pictures = _claimed(local, vectors, set(missing))
                    before = embedded
                    for names, found in embed_pictures(
                        backbone, loaded.preprocessing, pictures, recipe.precision, batch, workers
                    ):
                        vectors.put(names, found)
                        embedded += len(names)
                        bar.update(len(names))
                    if embedded == before:  # all that is missing is claimed by living jobs
                        waiting = _say_who_embeds(vectors, missing, waiting)
                        time.sleep(POLL)
                    missing = vectors.missing(missing)
        if image_ids:
            dimensions = vectors.vectors(image_ids[:1]).shape[2]
        else:
            crop = loaded.preprocessing.crop
            dimensions = loaded.load().to(on)(torch.zeros(1, 3, crop, crop, device=on)).shape[2]
        made_by["vectors"] = vectors.makers(image_ids)
        _export(vectors, image_ids, (regions, dimensions), output, made_by)
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
            with torch.inference_mode(), exactly, device.autocast(on, precision):
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


def _usable(images: str | Path) -> list[str]:
    """The distinct usable pictures of an images table, sorted."""
    table = tables.read_table(images, tables.IMAGES, ["image_id"])
    return sorted(pc.unique(table["image_id"].drop_null()).to_pylist())


def _claimed(images: str | Path, vectors: Store, wanted: set[str]) -> Iterator[tuple[str, bytes]]:
    """The wanted pictures that this job gets to embed, claimed one row group of the table at a time."""
    with tables.reading(images):
        file = tables.open_table(images, tables.IMAGES)
    for group in range(file.num_row_groups):
        with tables.reading(images):
            here = set(file.read_row_group(group, ["image_id"])["image_id"].to_pylist())
        mine = set(vectors.claim(sorted(here & wanted)))
        if not mine:
            continue
        with tables.reading(images):
            rows = file.read_row_group(group, ["image_id", "bytes"])
        for image_id, kept in zip(rows["image_id"], rows["bytes"], strict=True):
            if image_id.as_py() in mine:
                mine.remove(image_id.as_py())
                yield image_id.as_py(), kept.as_py()


def _say_who_embeds(vectors: Store, missing: list[str], said: set[Path]) -> set[Path]:
    """Log those who have claimed the missing pictures, but for those already named; all that are named now."""
    owners = vectors.owners(missing)
    for owner in sorted(owners.keys() - said):
        stages.log.warning(
            "%d pictures are being embedded by another job: waiting for it; if it has certainly ended (its machine "
            "crashed), delete %s", len(owners[owner]), owner,
        )  # fmt: skip
    return said | owners.keys()


def _export(vectors: Store, image_ids: list[str], shape: tuple[int, int], output: str | Path, made_by: dict) -> None:
    """The embeddings table from the store; `shape` is (R, D)."""
    regions, dimensions = shape
    schema = tables.embeddings_schema(dimensions)
    # Dictionaries of vectors, none of which repeats, make writing several times slower.
    with tables.table_writer(output, schema, made_by, use_dictionary=False) as append:
        step = max(1, EXPORTED // regions)
        for start in range(0, len(image_ids), step):
            some = image_ids[start : start + step]
            found = vectors.vectors(some)  # (n, R, D)
            columns = [
                pa.array(np.repeat(some, regions)),
                pa.array(np.tile(np.arange(regions, dtype=np.int32), len(some))),
                pa.FixedSizeListArray.from_arrays(found.reshape(-1), dimensions),
            ]
            append(pa.record_batch(columns, schema=schema))
