"""A vector for every distinct picture, computed once, ever."""

import visner.embeddings


# Local: a backbone's published weights are downloaded here, so that compute nodes need no network.
use rule stage as embeddings_weights with:
    input:
        lambda w: CONFIG.embeddings[w.embedding].files(ROOT),
    output:
        output="resources/weights/{embedding}.safetensors",
    log:
        "results/logs/embeddings/{embedding}/weights.log",
    params:
        recipe=lambda w: CONFIG.embeddings[w.embedding].fingerprint(without=["precision", "regions", "stored"]),
        version=visner.embeddings.VERSION,
    message:
        "the weights of the backbone {wildcards.embedding}"


use rule compute as embeddings_embed with:
    input:
        weights="resources/weights/{embedding}.safetensors",
        images=images_of_shard,
    output:
        output="results/embeddings/{embedding}/{source}/{corpus}/{shard}.parquet",
    log:
        "results/logs/embeddings/{embedding}/{source}/{corpus}/{shard}.log",
    # A GPU waits for pictures to be decoded: by several threads, on which no result depends.
    threads: 8 if CONFIG.gpu else CONFIG.training_threads
    params:
        recipe=lambda w: CONFIG.embeddings[w.embedding].fingerprint(),
        version=visner.embeddings.VERSION,
    message:
        "{wildcards.embedding} vectors of {wildcards.source}'s pictures for {wildcards.corpus}, shard {wildcards.shard}"
