"""The top pictures of every query, in shards."""

import visner.images
from visner.images.listing import Listings

PICTURES = {name: Listings(recipe, Path(ROOT)) for name, recipe in CONFIG.images.items()}


# A shard is made again when its own queries or their pictures change, and not when another shard's do.
use rule stage as images_fetch with:
    input:
        lambda w: CONFIG.images[w.source].files(Path(ROOT)) if CONFIG.images[w.source].on_network else [],
        queries=queries_of_shard,
    output:
        images="results/images/{source}/{corpus}/{shard}.parquet",
    log:
        "results/logs/images/{source}/{corpus}/{shard}.log",
    threads: 2
    resources:
        **PLAIN,
        # Lets a profile say how many crawls run side by side.
        crawls=lambda w: int(CONFIG.images[w.source].on_network),
    params:
        # The pictures on disk: too many files to be inputs.
        lambda w: PICTURES[w.source].digest(f"{queries_of(w)}/{w.shard}.parquet"),
        recipe=lambda w: CONFIG.images[w.source].fingerprint(),
        version=visner.images.VERSION,
    message:
        "the pictures of {wildcards.source} for {wildcards.corpus}, shard {wildcards.shard}"


use rule stage as images_coverage with:
    input:
        queries=lambda w: f"{queries_of(w)}.parquet",
        shards=lambda w: image_shards(w.source, w.corpus),
    output:
        statistics="results/images/{source}/{corpus}/statistics.json",
        rejected="results/images/{source}/{corpus}/rejected.tsv",
    log:
        "results/logs/images/{source}/{corpus}/coverage.log",
    params:
        version=visner.images.VERSION,
    message:
        "which queries of {wildcards.corpus} have pictures of {wildcards.source}"
