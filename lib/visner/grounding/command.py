"""Give every unit the rows of the picture vectors that it sees.

Writes one array of vectors, the key of each of its rows (a query, or an image_id) and, for each unit of each sentence,
its rows: a recogniser knows pictures by the array and the units' rows only, a tagger by the array and the keys. How a
unit comes by its pictures is the recipe's `grounding`:

- `queries`: the mean of the first k pictures of its word's query (reads --words);
- `vokens`: the first k pictures that a matcher found for it (reads --vokens; --embeddings are the pool's);
- `attached`: its sentence's own picture; its 7x7 regions in place of the whole picture with --regions.

All read --sentences and --embeddings, `queries` and `attached` also --images. A `control` then spoils the vectors.

    visner grounding --recipe '{"grounding": "queries", "k": 15, "control": null}' --sentences ... --words ... \\
        --images SHARDS --embeddings SHARDS --output grounding.parquet --vectors vectors.npy \\
        --keys keys.parquet
"""

import argparse
import json
from pathlib import Path

from visner import stages
from visner.errors import VisnerError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the stage."""
    parser.add_argument("--recipe", required=True, help="JSON with the experiment's grounding, k and control")
    parser.add_argument("--sentences", type=Path, required=True, metavar="PARQUET")
    parser.add_argument("--words", type=Path, metavar="PARQUET")
    parser.add_argument("--vokens", type=Path, nargs="+", metavar="PARQUET", help="shards of vokens")
    parser.add_argument("--images", type=Path, nargs="+", metavar="PARQUET", help="shards of pictures")
    parser.add_argument("--embeddings", type=Path, required=True, nargs="+", metavar="PARQUET", help="their vectors")
    parser.add_argument("--regions", action="store_true", help="attached: 49 rows a picture, its regions")
    parser.add_argument("--output", type=Path, required=True, metavar="PARQUET")
    parser.add_argument("--vectors", type=Path, required=True, metavar="NPY")
    parser.add_argument("--keys", type=Path, required=True, metavar="PARQUET", help="whose vector each row is")


def run(arguments: argparse.Namespace) -> None:
    """Run the stage."""
    import numpy as np

    from visner import provenance, tables
    from visner.grounding import VERSION
    from visner.grounding.controls import CONTROLS

    stages.die_with_parent()
    recipe = json.loads(arguments.recipe)
    way, needed = WAYS[recipe["grounding"]]
    for name in needed:
        if getattr(arguments, name) is None:
            raise VisnerError(f"`grounding: {recipe['grounding']}` reads --{name}: give it")
    with stages.locked(arguments.output):
        # vectors [P, R, V]: pictures (or queries), rows of each, dimensions
        vectors, keys, regions, counts, ground = way(arguments, recipe)
        if not len(vectors):
            raise VisnerError("no unit has a usable picture: there is nothing to ground; look at the source of images")
        if recipe["control"]:
            vectors = CONTROLS[recipe["control"]](vectors, np.random.default_rng(0))
        vectors = vectors.reshape(-1, vectors.shape[-1])
        with tables.atomic_path(arguments.vectors) as temporary, open(temporary, "wb") as file:
            np.save(file, vectors, allow_pickle=False)
        rows = ({"key": key, "region": region} for key in keys for region in regions)
        made_by = {
            "stage": "grounding",
            "version": VERSION,
            "recipe": recipe,
            **counts,
            "sentences": provenance.sha256_file(arguments.sentences),
            "embeddings": tables.read_provenance(arguments.embeddings[0]),
            "versions": provenance.versions("numpy", "pyarrow"),
        }
        tables.write_table(arguments.keys, tables.ROW_KEYS, rows, made_by)
        tables.write_table(arguments.output, tables.GROUNDING, ground(), made_by)
        (what, count), *_ = counts.items()
        stages.log.info("%d %s have pictures; %d vectors of %d dimensions", count, what, *vectors.shape)


def _queries(arguments: argparse.Namespace, recipe: dict) -> tuple:
    from visner.grounding.queries import ground, mean_vectors
    from visner.pictures import first_pictures

    pictures = first_pictures(arguments.images, recipe["k"])
    vectors = mean_vectors(pictures, arguments.embeddings)[:, None]  # [Q, 1, V]
    rows = {query: row for row, query in enumerate(pictures)}
    counts = {"queries": len(pictures)}
    return vectors, list(pictures), [0], counts, lambda: ground(arguments.sentences, arguments.words, rows)


def _vokens(arguments: argparse.Namespace, recipe: dict) -> tuple:
    from visner import tables
    from visner.grounding.vokens import ground, used
    from visner.pictures import picture_vectors

    image_ids = used(arguments.vokens, recipe["k"])
    vectors = picture_vectors(arguments.embeddings, image_ids)  # [P, 1, V]
    rows = {image_id: row for row, image_id in enumerate(image_ids)}
    counts = {"pictures": len(image_ids), "vokens": tables.read_provenance(arguments.vokens[0])}
    return vectors, image_ids, [0], counts, lambda: ground(arguments.sentences, arguments.vokens, rows, recipe["k"])


def _attached(arguments: argparse.Namespace, recipe: dict) -> tuple:
    from visner.grounding.attached import ground
    from visner.pictures import REGIONS, picture_vectors, read_attached

    pictures = read_attached(arguments.images)
    image_ids = sorted(set(pictures.values()))
    regions = list(REGIONS) if arguments.regions else [0]
    vectors = picture_vectors(arguments.embeddings, image_ids, regions)  # [P, R, V]
    first = {image_id: place * len(regions) for place, image_id in enumerate(image_ids)}
    rows = {name: [first[one] + region for region in range(len(regions))] for name, one in pictures.items()}
    return vectors, image_ids, regions, {"attachments": len(pictures)}, lambda: ground(arguments.sentences, rows)


WAYS = {
    "queries": (_queries, ("words", "images")),
    "vokens": (_vokens, ("vokens",)),
    "attached": (_attached, ("images",)),
}
