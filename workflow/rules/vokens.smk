"""Each word's pictures by search: states of words, the matcher, the pool, vokens, and how good they are."""

import visner.config.encoders
import visner.vokens


use rule compute as vokens_states with:
    input:
        encoder=lambda w: visner.config.encoders.files(matcher_of(w).encoder, ROOT),
        sentences=lambda w: f"results/corpora/{matcher_of(w).corpus}/sentences.parquet",
    output:
        states="results/vokens/{matcher}/states/{shard}.npy",
        statistics="results/vokens/{matcher}/states/{shard}.json",
    log:
        "results/logs/vokens/{matcher}/states/{shard}.log",
    params:
        words=lambda w: matcher_of(w).words,
        precision=lambda w: matcher_of(w).precision,
        shards=lambda w: matcher_of(w).shards,
        version=visner.vokens.VERSION,
    message:
        "the words' states for the matcher {wildcards.matcher}, shard {wildcards.shard}"


use rule compute as vokens_train with:
    input:
        sentences=lambda w: f"results/corpora/{matcher_of(w).corpus}/sentences.parquet",
        states=lambda w: matcher_shards(w.matcher, "states/{shard}.npy"),
        images=lambda w: image_shards(*matcher_of(w).attached),
        embeddings=lambda w: embedding_shards(matcher_of(w).embedding, *matcher_of(w).attached),
    output:
        matcher="results/vokens/{matcher}/matcher.safetensors",
        history="results/vokens/{matcher}/training.json",
    log:
        "results/logs/vokens/{matcher}/train.log",
    params:
        recipe=lambda w: matcher_of(w).training_fingerprint(),
        version=visner.vokens.VERSION,
    message:
        "training the matcher {wildcards.matcher}"


use rule compute as vokens_pool with:
    input:
        sentences=lambda w: f"results/corpora/{matcher_of(w).corpus}/sentences.parquet",
        states=lambda w: matcher_shards(w.matcher, "states/{shard}.npy"),
        matcher="results/vokens/{matcher}/matcher.safetensors",
        images=lambda w: image_shards(*matcher_of(w).searched),
        embeddings=lambda w: embedding_shards(matcher_of(w).embedding, *matcher_of(w).searched),
    output:
        pictures="results/vokens/{matcher}/pool.parquet",
        index="results/vokens/{matcher}/pool.faiss",
    log:
        "results/logs/vokens/{matcher}/pool.log",
    params:
        recipe=lambda w: matcher_of(w).pool_fingerprint(),
        version=visner.vokens.VERSION,
    message:
        "the pictures that the matcher {wildcards.matcher} searches"


use rule compute as vokens_search with:
    input:
        sentences=lambda w: f"results/corpora/{matcher_of(w).corpus}/sentences.parquet",
        states="results/vokens/{matcher}/states/{shard}.npy",
        matcher="results/vokens/{matcher}/matcher.safetensors",
        pictures="results/vokens/{matcher}/pool.parquet",
        index="results/vokens/{matcher}/pool.faiss",
    output:
        output="results/vokens/{matcher}/vokens/{shard}.parquet",
    log:
        "results/logs/vokens/{matcher}/search/{shard}.log",
    params:
        recipe=lambda w: matcher_of(w).fingerprint(),
        shards=lambda w: matcher_of(w).shards,
        version=visner.vokens.VERSION,
    message:
        "the vokens of {wildcards.matcher}, shard {wildcards.shard}"


use rule compute as vokens_judge with:
    input:
        sentences=lambda w: f"results/corpora/{matcher_of(w).corpus}/sentences.parquet",
        states=lambda w: matcher_shards(w.matcher, "states/{shard}.npy"),
        statistics=lambda w: matcher_shards(w.matcher, "states/{shard}.json"),
        matcher="results/vokens/{matcher}/matcher.safetensors",
        images=lambda w: image_shards(*matcher_of(w).attached),
        embeddings=lambda w: embedding_shards(matcher_of(w).embedding, *matcher_of(w).attached),
        vokens=lambda w: matcher_shards(w.matcher, "vokens/{shard}.parquet"),
    output:
        scores="results/vokens/{matcher}/scores.json",
        page="results/vokens/{matcher}/index.md",
    log:
        "results/logs/vokens/{matcher}/judge.log",
    params:
        name=lambda w: w.matcher,
        version=visner.vokens.VERSION,
    message:
        "how good the vokens of {wildcards.matcher} are"
