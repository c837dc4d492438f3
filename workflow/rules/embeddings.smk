"""A vector for every distinct picture, computed once, ever."""

import visner.embeddings


# Local: a backbone's published weights are downloaded here, so that compute nodes need no network.
rule embeddings_weights:
    input:
        lambda w: CONFIG.embeddings[w.embedding].files(WIRING.root),
    output:
        "resources/weights/{embedding}.safetensors",
    log:
        "results/logs/embeddings/{embedding}/weights.log",
    benchmark:
        "results/logs/embeddings/{embedding}/weights.benchmark.tsv"
    conda:
        "../envs/visner.yaml"
    threads: 1
    resources:
        **PLAIN,
        root=ROOT,
    params:
        recipe=lambda w: CONFIG.embeddings[w.embedding].fingerprint("precision", "regions"),
        version=visner.embeddings.VERSION,
    shell:
        "python -m visner --log {log:q} embeddings weights --recipe {params.recipe:q} --root {resources.root:q}"
        " --output {output:q}"


rule embeddings_embed:
    input:
        weights="resources/weights/{embedding}.safetensors",
        images="results/images/{source}/{corpus}/{shard}.parquet",
    output:
        "results/embeddings/{embedding}/{source}/{corpus}/{shard}.parquet",
    log:
        "results/logs/embeddings/{embedding}/{source}/{corpus}/{shard}.log",
    benchmark:
        "results/logs/embeddings/{embedding}/{source}/{corpus}/{shard}.benchmark.tsv"
    conda:
        "../envs/visner.yaml"
    # A GPU waits for pictures to be decoded: by several threads, on which no result depends.
    threads: 8 if CONFIG.gpu else CONFIG.training_threads
    resources:
        **TORCH,
        store=WIRING.store,
        scratch=SCRATCH,
    params:
        recipe=lambda w: CONFIG.embeddings[w.embedding].fingerprint(),
        version=visner.embeddings.VERSION,
    shell:
        "python -m visner --log {log:q} embeddings embed --recipe {params.recipe:q} --weights {input.weights:q}"
        " --images {input.images:q} --store {resources.store:q} --output {output:q}"
        " --gpu {resources.gpu} --threads {resources.torch_threads} --workers {threads}"
        " {resources.scratch}"
