"""Each word's pictures by search: states of words, the matcher, the pool, vokens, and how good they are."""

import visner.vokens


rule vokens_states:
    input:
        encoder=lambda w: WIRING.encoder_files(WIRING.matcher(w).encoder),
        sentences=lambda w: WIRING.pairs_tables(w)["sentences"],
    output:
        states="results/vokens/{matcher}/states/{shard}.npy",
        statistics="results/vokens/{matcher}/states/{shard}.json",
    log:
        "results/logs/vokens/{matcher}/states/{shard}.log",
    benchmark:
        "results/logs/vokens/{matcher}/states/{shard}.benchmark.tsv"
    conda:
        "../envs/visner.yaml"
    threads: CONFIG.training_threads
    resources:
        **TORCH,
        encoder_folder=lambda w: WIRING.encoder_folder(WIRING.matcher(w).encoder),
    params:
        words=lambda w: WIRING.matcher(w).words,
        precision=lambda w: WIRING.matcher(w).precision,
        shards=lambda w: WIRING.matcher(w).shards,
        version=visner.vokens.VERSION,
    shell:
        "python -m visner --log {log:q} vokens states"
        " --encoder {resources.encoder_folder:q} --words {params.words} --precision {params.precision}"
        " --sentences {input.sentences:q} --shard {wildcards.shard} --shards {params.shards}"
        " --output {output.states:q} --statistics {output.statistics:q}"
        " --gpu {resources.gpu} --threads {resources.torch_threads}"


rule vokens_train:
    input:
        unpack(WIRING.pairs_tables),
        states=lambda w: WIRING.voken_shards(w.matcher, "states/{shard}.npy"),
    output:
        matcher="results/vokens/{matcher}/matcher.safetensors",
        history="results/vokens/{matcher}/training.json",
    log:
        "results/logs/vokens/{matcher}/train.log",
    benchmark:
        "results/logs/vokens/{matcher}/train.benchmark.tsv"
    conda:
        "../envs/visner.yaml"
    threads: CONFIG.training_threads
    resources:
        **TORCH,
    params:
        recipe=lambda w: WIRING.matcher(w).training_fingerprint(),
        version=visner.vokens.VERSION,
    shell:
        "python -m visner --log {log:q} vokens train"
        " --recipe {params.recipe:q} --sentences {input.sentences:q} --states {input.states:q}"
        " --images {input.images:q} --embeddings {input.embeddings:q} --resume results/.resume"
        " --output {output.matcher:q} --history {output.history:q}"
        " --gpu {resources.gpu} --threads {resources.torch_threads}"


rule vokens_pool:
    input:
        unpack(WIRING.pool_tables),
        states=lambda w: WIRING.voken_shards(w.matcher, "states/{shard}.npy"),
        matcher="results/vokens/{matcher}/matcher.safetensors",
    output:
        pool="results/vokens/{matcher}/pool.parquet",
        graph="results/vokens/{matcher}/graph.npy",
    log:
        "results/logs/vokens/{matcher}/pool.log",
    benchmark:
        "results/logs/vokens/{matcher}/pool.benchmark.tsv"
    conda:
        "../envs/visner.yaml"
    threads: CONFIG.training_threads
    resources:
        **TORCH,
    params:
        recipe=lambda w: WIRING.matcher(w).pool_fingerprint(),
        version=visner.vokens.VERSION,
    shell:
        "python -m visner --log {log:q} vokens pool"
        " --recipe {params.recipe:q} --sentences {input.sentences:q} --states {input.states:q}"
        " --matcher {input.matcher:q} --images {input.images:q} --embeddings {input.embeddings:q}"
        " --output {output.pool:q} --graph {output.graph:q}"
        " --gpu {resources.gpu} --threads {resources.torch_threads}"


rule vokens_search:
    input:
        sentences=lambda w: WIRING.pairs_tables(w)["sentences"],
        states="results/vokens/{matcher}/states/{shard}.npy",
        matcher="results/vokens/{matcher}/matcher.safetensors",
        pool="results/vokens/{matcher}/pool.parquet",
        graph="results/vokens/{matcher}/graph.npy",
    output:
        "results/vokens/{matcher}/vokens/{shard}.parquet",
    log:
        "results/logs/vokens/{matcher}/search/{shard}.log",
    benchmark:
        "results/logs/vokens/{matcher}/search/{shard}.benchmark.tsv"
    conda:
        "../envs/visner.yaml"
    threads: CONFIG.training_threads
    resources:
        **TORCH,
    params:
        recipe=lambda w: WIRING.matcher(w).fingerprint(),
        shards=lambda w: WIRING.matcher(w).shards,
        version=visner.vokens.VERSION,
    shell:
        "python -m visner --log {log:q} vokens search"
        " --recipe {params.recipe:q} --sentences {input.sentences:q} --states {input.states:q}"
        " --shard {wildcards.shard} --shards {params.shards}"
        " --matcher {input.matcher:q} --pool {input.pool:q} --graph {input.graph:q} --output {output:q}"
        " --gpu {resources.gpu} --threads {resources.torch_threads}"


rule vokens_judge:
    input:
        unpack(WIRING.pairs_tables),
        states=lambda w: WIRING.voken_shards(w.matcher, "states/{shard}.npy"),
        statistics=lambda w: WIRING.voken_shards(w.matcher, "states/{shard}.json"),
        matcher="results/vokens/{matcher}/matcher.safetensors",
        vokens=lambda w: WIRING.voken_shards(w.matcher, "vokens/{shard}.parquet"),
    output:
        scores="results/vokens/{matcher}/scores.json",
        page="results/vokens/{matcher}/index.md",
    log:
        "results/logs/vokens/{matcher}/judge.log",
    benchmark:
        "results/logs/vokens/{matcher}/judge.benchmark.tsv"
    conda:
        "../envs/visner.yaml"
    threads: CONFIG.training_threads
    resources:
        **TORCH,
    params:
        version=visner.vokens.VERSION,
    shell:
        "python -m visner --log {log:q} vokens judge"
        " --name {wildcards.matcher} --sentences {input.sentences:q} --states {input.states:q}"
        " --states-statistics {input.statistics:q} --matcher {input.matcher:q} --images {input.images:q}"
        " --embeddings {input.embeddings:q} --vokens {input.vokens:q}"
        " --output {output.scores:q} --page {output.page:q}"
        " --gpu {resources.gpu} --threads {resources.torch_threads}"
