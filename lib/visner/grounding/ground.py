"""Give every unit of a corpus the rows of the picture vectors that it sees.

Writes one array of vectors, the key of each of its rows (a query, or an image_id), and for each unit of each sentence
its rows: a recogniser knows pictures by the array and the units' rows only, a tagger by the array and the keys. How a
unit comes by its pictures is the recipe's `by`: query, voken or attachment. A `control` then spoils the vectors.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from visner.config.groundings import AttachmentGrounding, Grounding, QueryGrounding, VokenGrounding
from visner.errors import VisnerError
from visner.grounding import VERSION, attachments, queries, vokens
from visner.grounding.controls import CONTROLS
from visner.runtime import provenance, stages, tables
from visner.runtime.pictures import REGIONS, first_pictures, picture_vectors, read_attached


class Grounded(NamedTuple):
    """Vectors, and which of them the units see."""

    vectors: np.ndarray  # [P, R, V] of pictures (or queries), R rows of each
    keys: list[str]  # [P]
    regions: list[int]  # [R]
    counts: dict  # what was grounded, first how many pictures (or queries)
    rows: Callable[[], Iterator[dict]]  # of the grounding table


def ground(
    *,
    sentences: Path,
    words: Path | None = None,
    vokens: list[Path] | None = None,
    images: list[Path] | None = None,
    embeddings: list[Path],
    grounding: Path,
    vectors: Path,
    row_keys: Path,
    recipe: Grounding,
    regions: bool = False,
) -> None:
    """Write the tables `grounding` and `row_keys`, and the array `vectors` [rows, V] float32.

    `by: query` reads `words` and `images`, `voken` `vokens`, `attachment` `images`; `embeddings` are the pictures'.
    With `regions` an attachment has 49 rows, its regions, in place of the whole picture. VisnerError where no unit
    has a usable picture, or a picture lacks its vector.
    """
    if isinstance(recipe, QueryGrounding):
        made = _by_query(recipe, sentences, words, images, embeddings)
    elif isinstance(recipe, VokenGrounding):
        made = _by_voken(recipe, sentences, vokens, embeddings)
    else:
        made = _by_attachment(recipe, sentences, images, embeddings, regions)
    if not len(made.vectors):
        raise VisnerError("no unit has a usable picture: there is nothing to ground; look at the source of images")
    array = made.vectors
    if recipe.control:
        array = CONTROLS[recipe.control](array, np.random.default_rng(0))
    array = array.reshape(-1, array.shape[-1])
    with tables.atomic_path(vectors) as temporary, open(temporary, "wb") as file:
        np.save(file, array, allow_pickle=False)
    made_by = {
        "stage": "grounding",
        "version": VERSION,
        "recipe": recipe.model_dump(mode="json"),
        **made.counts,
        "sentences": provenance.sha256_file(sentences),
        "embeddings": tables.read_provenance(embeddings[0]),
        "versions": provenance.versions("numpy", "pyarrow"),
    }
    rows = ({"key": key, "region": region} for key in made.keys for region in made.regions)
    tables.write_table(row_keys, tables.ROW_KEYS, rows, made_by)
    tables.write_table(grounding, tables.GROUNDING, made.rows(), made_by)
    (what, count), *_ = made.counts.items()
    stages.log.info("%d %s have pictures; %d vectors of %d dimensions", count, what, *array.shape)


def _by_query(
    recipe: QueryGrounding, sentences: Path, words: Path, images: list[Path], embeddings: list[Path]
) -> Grounded:
    pictures = first_pictures(images, recipe.k)
    vectors = queries.mean_vectors(pictures, embeddings)[:, None]  # [Q, 1, V]
    rows = {query: row for row, query in enumerate(pictures)}
    counts = {"queries": len(pictures)}
    return Grounded(vectors, list(pictures), [0], counts, lambda: queries.ground(sentences, words, rows))


def _by_voken(recipe: VokenGrounding, sentences: Path, shards: list[Path], embeddings: list[Path]) -> Grounded:
    image_ids = vokens.used(shards, recipe.k)
    vectors = picture_vectors(embeddings, image_ids)  # [P, 1, V]
    rows = {image_id: row for row, image_id in enumerate(image_ids)}
    counts = {"pictures": len(image_ids), "vokens": tables.read_provenance(shards[0])}
    return Grounded(vectors, image_ids, [0], counts, lambda: vokens.ground(sentences, shards, rows, recipe.k))


def _by_attachment(
    recipe: AttachmentGrounding, sentences: Path, images: list[Path], embeddings: list[Path], by_regions: bool
) -> Grounded:
    pictures = read_attached(images)
    image_ids = sorted(set(pictures.values()))
    regions = list(REGIONS) if by_regions else [0]
    vectors = picture_vectors(embeddings, image_ids, regions)  # [P, R, V]
    first = {image_id: place * len(regions) for place, image_id in enumerate(image_ids)}
    rows = {name: [first[one] + region for region in range(len(regions))] for name, one in pictures.items()}
    counts = {"attachments": len(pictures)}
    return Grounded(vectors, image_ids, regions, counts, lambda: attachments.ground(sentences, rows))
