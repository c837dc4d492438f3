"""Scores of each experiment; the tables and tests of each study."""

import visner.evaluation


rule evaluation_scores:
    input:
        system="results/{experiment}/system.json",
        sentences=WIRING.corpus_table("corpora/{corpus}/sentences.parquet"),
        predictions=lambda w: WIRING.seed_files(w.experiment, "predictions.parquet"),
        training=lambda w: WIRING.seed_files(w.experiment, "training.json"),
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
        recipe=lambda w: WIRING.experiment(w).fingerprint(),
        seeds=lambda w: WIRING.experiment(w).seeds,
        version=visner.evaluation.VERSION,
    shell:
        "exec python -m visner --log {log:q} evaluation scores --recipe {params.recipe:q} --name {wildcards.experiment}"
        " --system {input.system:q}"
        " --sentences {input.sentences:q} --predictions {input.predictions:q} --training {input.training:q}"
        " --seeds {params.seeds} --output {output:q}"


rule evaluation_study:
    input:
        corpus=WIRING.study_table("corpora/{corpus}/statistics.json"),
        nouns=WIRING.study_table("nouns/{corpus}/statistics.json"),
        sentences=WIRING.study_table("corpora/{corpus}/sentences.parquet"),
        coverage=lambda w: WIRING.study_coverage(w).values(),
        scores=lambda w: [f"results/{name}/scores.json" for name in WIRING.members(w)],
        predictions=lambda w: [
            file for name in WIRING.members(w) for file in WIRING.seed_files(name, "predictions.parquet")
        ],
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
        coverage=lambda w: [f"{source}={file}" for source, file in WIRING.study_coverage(w).items()],
        scores=WIRING.study_scores,
        predictions=WIRING.study_predictions,
        version=visner.evaluation.VERSION,
    shell:
        "exec python -m visner --log {log:q} evaluation study --recipe {params.recipe:q} --name {wildcards.study}"
        " --corpus-statistics {input.corpus:q} --nouns-statistics {input.nouns:q} --sentences {input.sentences:q}"
        " --scores {params.scores:q} --predictions {params.predictions:q}"
        " --coverage {params.coverage:q} --output {output.page:q} --tables {output.tables:q}"
