"""Which pictures each unit of a corpus sees."""

import visner.grounding


use rule stage as grounding_ground with:
    input:
        sentences="results/corpora/{corpus}/sentences.parquet",
        words=lambda w: f"results/nouns/{w.corpus}/words.parquet" if grounding_of(w).by == "query" else [],
        vokens=lambda w: (
            matcher_shards(grounding_of(w).matcher, "vokens/{shard}.parquet") if grounding_of(w).by == "voken" else []
        ),
        images=lambda w: (
            image_shards(*CONFIG.pictures_of(grounding_of(w), w.corpus)) if grounding_of(w).by != "voken" else []
        ),
        embeddings=lambda w: embedding_shards(grounding_of(w).embedding, *CONFIG.pictures_of(grounding_of(w), w.corpus)),
    output:
        grounding="results/grounding/{grounding}/{corpus}/grounding.parquet",
        vectors="results/grounding/{grounding}/{corpus}/vectors.npy",
        row_keys="results/grounding/{grounding}/{corpus}/keys.parquet",
    log:
        "results/logs/grounding/{grounding}/{corpus}.log",
    params:
        recipe=lambda w: grounding_of(w).fingerprint(),
        regions=lambda w: CONFIG.embeddings[grounding_of(w).embedding].regions,
        version=visner.grounding.VERSION,
    message:
        "grounding the corpus {wildcards.corpus} in {wildcards.grounding}"
