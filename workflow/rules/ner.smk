"""Train each experiment once a seed; tag dev and test."""

import visner.ner


def ner_tables(wildcards):
    """The tables that an experiment's recogniser reads, by the names of its command's arguments."""
    this = experiment(wildcards)
    vectors = CONFIG.vectors[this.vectors]
    tables = {
        "sentences": f"results/corpora/{this.corpus}/sentences.parquet",
        "words": f"results/nouns/{this.corpus}/words.parquet",
    }
    for part in ("glove_char", "glove_word"):
        if getattr(vectors, part):
            tables[part] = f"results/vectors/{this.vectors}/{part}.safetensors"
    if vectors.flair:
        tables["flair"] = f"results/vectors/{this.vectors}/{this.corpus}/flair.npy"
    if this.fusion != "none":
        tables["grounding"] = f"results/grounding/{wildcards.experiment}/grounding.parquet"
        tables["visual"] = f"results/grounding/{wildcards.experiment}/vectors.npy"
    return tables


def table_arguments(wildcards):
    """`ner_tables` as the command takes them."""
    return [word for name, path in ner_tables(wildcards).items() for word in (f"--{name.replace('_', '-')}", path)]


rule ner_train:
    input:
        unpack(ner_tables),
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
        mem_mb=4000,
        runtime=1440,
        gpu=CONFIG.gpu,
        torch_threads=CONFIG.training_threads,
    params:
        recipe=lambda w: experiment(w).fingerprint("seeds"),
        tables=table_arguments,
        version=visner.ner.VERSION,
    shell:
        "exec python -m visner --log {log:q} ner train --recipe {params.recipe:q} --seed {wildcards.seed} {params.tables:q}"
        " --output-model {output.model:q} --output-history {output.history:q} --resume results/.resume"
        " --gpu {resources.gpu} --threads {resources.torch_threads}"


rule ner_predict:
    input:
        unpack(ner_tables),
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
        mem_mb=3000,
        runtime=120,
        gpu=CONFIG.gpu,
        torch_threads=CONFIG.training_threads,
    params:
        tables=table_arguments,
        version=visner.ner.VERSION,
    shell:
        "exec python -m visner --log {log:q} ner predict --model {input.model:q} {params.tables:q} --output {output:q}"
        " --gpu {resources.gpu} --threads {resources.torch_threads}"


def system(wildcards):
    """All recipes and files that an experiment's system consists of, as JSON: what tags new text."""
    this = experiment(wildcards)
    recipes = {
        "corpora": {this.corpus: CONFIG.corpora[this.corpus]},
        "vectors": {this.vectors: CONFIG.vectors[this.vectors]},
        "images": {this.images: CONFIG.images[this.images]} if this.images else {},
        "embeddings": {this.embedding: CONFIG.embeddings[this.embedding]} if this.embedding else {},
        "experiments": {wildcards.experiment: this},
    }
    dumped = {
        section: {name: recipe.model_dump(mode="json") for name, recipe in named.items()}
        for section, named in recipes.items()
    }
    return json.dumps({"config": dumped, "root": ROOT, "store": STORE}, sort_keys=True, ensure_ascii=False)


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
        mem_mb=500,
        runtime=5,
        gpu=0,
    params:
        system=system,
        version=visner.ner.VERSION,
    shell:
        "exec python -m visner --log {log:q} ner describe --system {params.system:q} --output {output:q}"
