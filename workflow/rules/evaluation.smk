"""Scores of each experiment; the tables and tests of each study."""

import visner.evaluation


def members(wildcards):
    """A study's experiments, the baseline first."""
    study = CONFIG.studies[wildcards.study]
    return list(dict.fromkeys([study.baseline, *study.systems]))


def seed_files(name, file):
    """One file of each seed of an experiment."""
    return [f"results/{name}/seed{seed}/{file}" for seed in CONFIG.experiments[name].seeds]


rule evaluation_scores:
    input:
        system="results/{experiment}/system.json",
        sentences=lambda w: f"results/corpora/{experiment(w).corpus}/sentences.parquet",
        predictions=lambda w: seed_files(w.experiment, "predictions.parquet"),
        training=lambda w: seed_files(w.experiment, "training.json"),
    output:
        "results/{experiment}/scores.json",
    log:
        "results/logs/{experiment}/scores.log",
    benchmark:
        "results/logs/{experiment}/scores.benchmark.tsv"
    conda:
        "../envs/visner.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
        gpu=0,
    params:
        recipe=lambda w: experiment(w).fingerprint(),
        seeds=lambda w: experiment(w).seeds,
        version=visner.evaluation.VERSION,
    shell:
        "exec python -m visner --log {log:q} evaluation scores --recipe {params.recipe:q} --name {wildcards.experiment}"
        " --system {input.system:q}"
        " --sentences {input.sentences:q} --predictions {input.predictions:q} --training {input.training:q}"
        " --seeds {params.seeds} --output {output:q}"


rule evaluation_study:
    input:
        corpus=lambda w: f"results/corpora/{CONFIG.experiments[members(w)[0]].corpus}/statistics.json",
        nouns=lambda w: f"results/nouns/{CONFIG.experiments[members(w)[0]].corpus}/statistics.json",
        sentences=lambda w: f"results/corpora/{CONFIG.experiments[members(w)[0]].corpus}/sentences.parquet",
        scores=lambda w: [f"results/{name}/scores.json" for name in members(w)],
        predictions=lambda w: [file for name in members(w) for file in seed_files(name, "predictions.parquet")],
    output:
        page="results/studies/{study}/index.md",
        content="results/studies/{study}/index.json",
        tables=directory("results/studies/{study}/tables"),
    log:
        "results/logs/studies/{study}.log",
    benchmark:
        "results/logs/studies/{study}.benchmark.tsv"
    conda:
        "../envs/visner.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=60,
        gpu=0,
    params:
        recipe=lambda w: CONFIG.studies[w.study].fingerprint(),
        scores=lambda w: [f"{name}=results/{name}/scores.json" for name in members(w)],
        predictions=lambda w: [
            f"{name}:{seed}=results/{name}/seed{seed}/predictions.parquet"
            for name in members(w)
            for seed in CONFIG.experiments[name].seeds
        ],
        version=visner.evaluation.VERSION,
    shell:
        "exec python -m visner --log {log:q} evaluation study --recipe {params.recipe:q} --name {wildcards.study}"
        " --corpus-statistics {input.corpus:q} --nouns-statistics {input.nouns:q} --sentences {input.sentences:q}"
        " --scores {params.scores:q} --predictions {params.predictions:q}"
        " --output {output.page:q} --tables {output.tables:q}"
