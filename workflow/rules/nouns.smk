"""The words of a corpus, its nouns, and the queries that they are."""

import visner.nouns


# A checkpoint: which shards of pictures are due is decided when the queries are known (see images_fetch).
checkpoint nouns:
    input:
        sentences="results/corpora/{corpus}/sentences.parquet",
    output:
        words="results/nouns/{corpus}/words.parquet",
        queries="results/nouns/{corpus}/queries.parquet",
        statistics="results/nouns/{corpus}/statistics.json",
    log:
        "results/logs/nouns/{corpus}.log",
    benchmark:
        "results/logs/nouns/{corpus}.benchmark.tsv"
    conda:
        "../envs/visner.yaml"
    threads: 4
    resources:
        **PLAIN,
        root=ROOT,
    params:
        recipe=lambda w: CONFIG.corpora[w.corpus].nouns.fingerprint(),
        version=visner.nouns.VERSION,
    shell:
        "exec python -m visner --log {log:q} nouns --recipe {params.recipe:q} --root {resources.root:q}"
        " --processes {threads} --sentences {input.sentences:q}"
        " --words {output.words:q} --queries {output.queries:q} --statistics {output.statistics:q}"
