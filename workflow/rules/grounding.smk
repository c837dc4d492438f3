"""Which pictures each unit sees."""

import visner.grounding


rule grounding:
    input:
        sentences=WIRING.corpus_table("corpora/{corpus}/sentences.parquet"),
        words=WIRING.corpus_table("nouns/{corpus}/words.parquet"),
        images=WIRING.shards("images"),
        embeddings=WIRING.shards("embeddings"),
    output:
        grounding="results/grounding/{experiment}/grounding.parquet",
        vectors="results/grounding/{experiment}/vectors.npy",
    log:
        "results/logs/grounding/{experiment}.log",
    benchmark:
        "results/logs/grounding/{experiment}.benchmark.tsv"
    conda:
        "../envs/visner.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=60,
        gpu=0,
    params:
        recipe=lambda w: WIRING.experiment(w).fingerprint(only=("grounding", "k", "control")),
        version=visner.grounding.VERSION,
    shell:
        "exec python -m visner --log {log:q} grounding --recipe {params.recipe:q}"
        " --sentences {input.sentences:q} --words {input.words:q}"
        " --images {input.images:q} --embeddings {input.embeddings:q}"
        " --output {output.grounding:q} --vectors {output.vectors:q}"
