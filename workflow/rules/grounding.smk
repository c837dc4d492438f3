"""Which pictures each unit of a corpus sees."""

import visner.grounding


use rule stage as grounding_ground with:
    input:
        sentences="results/corpora/{corpus}/sentences.parquet",
        words=lambda w: f"results/nouns/{w.corpus}/words.parquet" if by(w.grounding) == "query" else [],
        vokens=lambda w: vokens_of(CONFIG.groundings[w.grounding].matcher) if by(w.grounding) == "voken" else [],
        images=lambda w: image_shards(*pictures_of(w)) if by(w.grounding) != "voken" else [],
        embeddings=lambda w: embedding_shards(CONFIG.groundings[w.grounding].embedding, *pictures_of(w)),
    output:
        grounding="results/grounding/{grounding}/{corpus}/grounding.parquet",
        vectors="results/grounding/{grounding}/{corpus}/vectors.npy",
        row_keys="results/grounding/{grounding}/{corpus}/keys.parquet",
    log:
        "results/logs/grounding/{grounding}/{corpus}.log",
    params:
        recipe=lambda w: CONFIG.groundings[w.grounding].fingerprint(),
        regions=lambda w: CONFIG.embeddings[CONFIG.groundings[w.grounding].embedding].regions,
        version=visner.grounding.VERSION,
    message:
        "grounding the corpus {wildcards.corpus} in {wildcards.grounding}"
