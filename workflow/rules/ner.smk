"""Train each experiment once a seed; tag dev and test."""

import visner.ner


rule ner_train:
    input:
        unpack(WIRING.ner_tables),
        encoder=WIRING.training_encoder,
        language_models=lambda w: (
            expand(
                "results/vectors/{vectors}/flair_{direction}.safetensors",
                vectors=WIRING.experiment(w).vectors,
                direction=("forward", "backward"),
            )
            if "flair" in WIRING.ner_tables(w)
            else []
        ),
        row_keys=lambda w: [
            file.replace("grounding.parquet", "keys.parquet")
            for file in [WIRING.ner_tables(w).get("grounding")]
            if file
        ],
    output:
        model="results/{experiment}/seed{seed}/model.safetensors",
        history="results/{experiment}/seed{seed}/training.json",
    log:
        "results/logs/{experiment}/seed{seed}.train.log",
    benchmark:
        "results/logs/{experiment}/seed{seed}.train.benchmark.tsv"
    conda:
        "../envs/visner.yaml"
    threads: CONFIG.training_threads
    resources:
        **TORCH,
        scratch=SCRATCH,
    params:
        recipe=lambda w: WIRING.experiment(w).fingerprint("seeds"),
        tables=WIRING.training_arguments,
        version=visner.ner.VERSION,
    shell:
        "python -m visner --log {log:q} ner train --recipe {params.recipe:q} --seed {wildcards.seed} {params.tables:q}"
        " --tagging {input.language_models:q} {input.row_keys:q}"
        " --output-model {output.model:q} --output-history {output.history:q} --resume results/.resume"
        " --gpu {resources.gpu} --threads {resources.torch_threads} {resources.scratch}"


rule ner_predict:
    input:
        unpack(WIRING.ner_tables),
        model="results/{experiment}/seed{seed}/model.safetensors",
    output:
        "results/{experiment}/seed{seed}/predictions.parquet",
    log:
        "results/logs/{experiment}/seed{seed}.predict.log",
    benchmark:
        "results/logs/{experiment}/seed{seed}.predict.benchmark.tsv"
    conda:
        "../envs/visner.yaml"
    threads: CONFIG.training_threads
    resources:
        **TORCH,
        scratch=SCRATCH,
    params:
        tables=WIRING.ner_arguments,
        version=visner.ner.VERSION,
    shell:
        "python -m visner --log {log:q} ner predict --model {input.model:q} {params.tables:q} --output {output:q}"
        " --gpu {resources.gpu} --threads {resources.torch_threads} {resources.scratch}"


rule ner_describe:
    output:
        "results/{experiment}/system.json",
    log:
        "results/logs/{experiment}/describe.log",
    benchmark:
        "results/logs/{experiment}/describe.benchmark.tsv"
    conda:
        "../envs/visner.yaml"
    threads: 1
    resources:
        **PLAIN,
        # No params, as in images_fetch: scores and studies are not made again.
        crawl=WIRING.crawl,
    params:
        system=WIRING.system,
        version=visner.ner.VERSION,
    shell:
        "python -m visner --log {log:q} ner describe --system {params.system:q}"
        " --crawl {resources.crawl:q} --output {output:q}"
