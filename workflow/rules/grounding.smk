"""Which pictures each unit sees."""

import visner.grounding


rule grounding:
    input:
        sentences=lambda w: f"results/corpora/{experiment(w).corpus}/sentences.parquet",
        words=lambda w: f"results/nouns/{experiment(w).corpus}/words.parquet",
        images=lambda w: shards("images", w),
        embeddings=lambda w: shards("embeddings", w),
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
        recipe=lambda w: experiment(w).fingerprint(only=("grounding", "k", "control")),
        version=visner.grounding.VERSION,
    shell:
        "exec python -m visner --log {log:q} grounding --recipe {params.recipe:q}"
        " --sentences {input.sentences:q} --words {input.words:q}"
        " --images {input.images:q} --embeddings {input.embeddings:q}"
        " --output {output.grounding:q} --vectors {output.vectors:q}"
