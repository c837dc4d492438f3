"""Each word's pictures by search: states of words, the matcher, vokens, and how good they are."""

import visner.vokens


rule vokens_states:
    input:
        encoder=lambda w: WIRING.encoder_files(WIRING.matcher(w).encoder),
        sentences=lambda w: WIRING.pairs_tables(w)["sentences"],
    output:
        states="results/vokens/{matcher}/states.npy",
        statistics="results/vokens/{matcher}/states.json",
    log:
        "results/logs/vokens/{matcher}/states.log",
    benchmark:
        "results/logs/vokens/{matcher}/states.benchmark.tsv"
    conda:
        "../envs/visner.yaml"
    threads: CONFIG.training_threads
    resources:
        mem_mb=SIZES.mem_mb,
        runtime=SIZES.runtime,
        gpu=CONFIG.gpu,
        torch_threads=CONFIG.training_threads,
        encoder_folder=lambda w: WIRING.encoder_folder(WIRING.matcher(w).encoder),
    params:
        words=lambda w: WIRING.matcher(w).words,
        precision=lambda w: WIRING.matcher(w).precision,
        version=visner.vokens.VERSION,
    shell:
        "exec python -m visner --log {log:q} vokens states"
        " --encoder {resources.encoder_folder:q} --words {params.words} --precision {params.precision}"
        " --sentences {input.sentences:q} --output {output.states:q} --statistics {output.statistics:q}"
        " --gpu {resources.gpu} --threads {resources.torch_threads}"


rule vokens_train:
    input:
        unpack(WIRING.pairs_tables),
        states="results/vokens/{matcher}/states.npy",
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
        mem_mb=SIZES.mem_mb,
        runtime=SIZES.runtime,
        gpu=CONFIG.gpu,
        torch_threads=CONFIG.training_threads,
    params:
        recipe=lambda w: WIRING.matcher(w).fingerprint("top", "exclude_own", "pool", "pool_corpus"),
        version=visner.vokens.VERSION,
    shell:
        "exec python -m visner --log {log:q} vokens train"
        " --recipe {params.recipe:q} --sentences {input.sentences:q} --states {input.states:q}"
        " --images {input.images:q} --embeddings {input.embeddings:q} --resume results/.resume"
        " --output {output.matcher:q} --history {output.history:q}"
        " --gpu {resources.gpu} --threads {resources.torch_threads}"


rule vokens_search:
    input:
        unpack(WIRING.pool_tables),
        states="results/vokens/{matcher}/states.npy",
        matcher="results/vokens/{matcher}/matcher.safetensors",
    output:
        vokens="results/vokens/{matcher}/vokens.parquet",
        pool="results/vokens/{matcher}/pool.parquet",
    log:
        "results/logs/vokens/{matcher}/search.log",
    benchmark:
        "results/logs/vokens/{matcher}/search.benchmark.tsv"
    conda:
        "../envs/visner.yaml"
    threads: CONFIG.training_threads
    resources:
        mem_mb=SIZES.mem_mb,
        runtime=SIZES.runtime,
        gpu=CONFIG.gpu,
        torch_threads=CONFIG.training_threads,
    params:
        recipe=lambda w: WIRING.matcher(w).fingerprint(),
        version=visner.vokens.VERSION,
    shell:
        "exec python -m visner --log {log:q} vokens search"
        " --recipe {params.recipe:q} --sentences {input.sentences:q} --states {input.states:q}"
        " --matcher {input.matcher:q} --images {input.images:q} --embeddings {input.embeddings:q}"
        " --output {output.vokens:q} --pool {output.pool:q}"
        " --gpu {resources.gpu} --threads {resources.torch_threads}"


rule vokens_judge:
    input:
        unpack(WIRING.pairs_tables),
        states="results/vokens/{matcher}/states.npy",
        statistics="results/vokens/{matcher}/states.json",
        matcher="results/vokens/{matcher}/matcher.safetensors",
        vokens="results/vokens/{matcher}/vokens.parquet",
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
        mem_mb=SIZES.mem_mb,
        runtime=SIZES.runtime,
        gpu=CONFIG.gpu,
        torch_threads=CONFIG.training_threads,
    params:
        version=visner.vokens.VERSION,
    shell:
        "exec python -m visner --log {log:q} vokens judge"
        " --name {wildcards.matcher} --sentences {input.sentences:q} --states {input.states:q}"
        " --states-statistics {input.statistics:q} --matcher {input.matcher:q} --images {input.images:q}"
        " --embeddings {input.embeddings:q} --vokens {input.vokens:q}"
        " --output {output.scores:q} --page {output.page:q}"
        " --gpu {resources.gpu} --threads {resources.torch_threads}"
