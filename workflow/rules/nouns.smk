"""The words of a corpus, its nouns, and the queries that they are."""

import visner.nouns


# A checkpoint: a shard of pictures is made again only where its own queries have changed (see images_fetch).
checkpoint nouns_find:
    input:
        sentences="results/corpora/{corpus}/sentences.parquet",
    output:
        words="results/nouns/{corpus}/words.parquet",
        queries="results/nouns/{corpus}/queries.parquet",
        shards=directory("results/nouns/{corpus}/queries"),
        statistics="results/nouns/{corpus}/statistics.json",
    log:
        "results/logs/nouns/{corpus}.log",
    conda:
        "../envs/visner.yaml"
    threads: 4
    resources:
        **PLAIN,
    params:
        recipe=lambda w: CONFIG.corpora[w.corpus].nouns.fingerprint(),
        version=visner.nouns.VERSION,
    message:
        "finding the nouns of the corpus {wildcards.corpus}"
    script:
        "../scripts/stage.py"
