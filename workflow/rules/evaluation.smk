"""Scores of each experiment; the tables and tests of each study."""

import visner.evaluation


def members(wildcards):
    """A study's experiments, the baseline first."""
    study = CONFIG.studies[wildcards.study]
    return [study.baseline, *study.systems]


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
    params:
        recipe=lambda w: experiment(w).fingerprint(),
        seeds=lambda w: experiment(w).seeds,
        version=visner.evaluation.VERSION,
    log:
        "results/logs/{experiment}/scores.log",
    benchmark:
        "results/logs/{experiment}/scores.benchmark.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
        gpu=0,
    conda:
        "../envs/visner.yaml"
    shell:
        "exec python -m visner evaluation scores --recipe {params.recipe:q} --name {wildcards.experiment}"
        " --sentences {input.sentences:q} --predictions {input.predictions:q} --training {input.training:q}"
        " --seeds {params.seeds} --output {output:q} --log {log:q}"


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
    params:
        recipe=lambda w: CONFIG.studies[w.study].fingerprint(),
        version=visner.evaluation.VERSION,
    log:
        "results/logs/studies/{study}.log",
    benchmark:
        "results/logs/studies/{study}.benchmark.tsv"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=60,
        gpu=0,
    conda:
        "../envs/visner.yaml"
    shell:
        "exec python -m visner evaluation study --recipe {params.recipe:q} --name {wildcards.study} --log {log:q}"
        " --corpus-statistics {input.corpus:q} --nouns-statistics {input.nouns:q} --sentences {input.sentences:q}"
        " --scores {input.scores:q} --predictions {input.predictions:q}"
        " --output {output.page:q} --tables {output.tables:q}"
