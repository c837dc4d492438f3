"""Scores of each experiment; the tables, tests and gallery of each study."""

import visner.evaluation
from visner.studies import named
from visner.workflow import arguments


rule evaluation_scores:
    input:
        system="results/{experiment}/system.json",
        sentences=WIRING.corpus_table("corpora/{corpus}/sentences.parquet"),
        words=lambda w: WIRING.words(WIRING.experiment(w).corpus),
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
        **PLAIN,
    params:
        recipe=lambda w: WIRING.experiment(w).fingerprint(),
        seeds=lambda w: WIRING.experiment(w).seeds,
        version=visner.evaluation.VERSION,
    shell:
        "python -m visner --log {log:q} evaluation scores --recipe {params.recipe:q} --name {wildcards.experiment}"
        " --system {input.system:q}"
        " --sentences {input.sentences:q} --words {input.words:q} --predictions {input.predictions:q} --training {input.training:q}"
        " --seeds {params.seeds} --output {output:q}"


rule evaluation_gallery:
    input:
        unpack(STUDIES.shown_tables),
        scores=lambda w: STUDIES.scores(STUDIES.shown(w)).values(),
        predictions=lambda w: STUDIES.predictions(STUDIES.shown(w)).values(),
    output:
        "results/studies/{study}/gallery.html",
    log:
        "results/logs/studies/{study}.gallery.log",
    benchmark:
        "results/logs/studies/{study}.gallery.benchmark.tsv"
    conda:
        "../envs/visner.yaml"
    threads: 1
    resources:
        **PLAIN,
    params:
        recipe=STUDIES.shown_recipe,
        shown=lambda w: CONFIG.studies[w.study].gallery.sentences,
        tables=lambda w: arguments(STUDIES.shown_tables(w)),
        scores=lambda w: named(STUDIES.scores(STUDIES.shown(w))),
        predictions=lambda w: named(STUDIES.predictions(STUDIES.shown(w))),
        version=visner.evaluation.VERSION,
    shell:
        "python -m visner --log {log:q} evaluation gallery --recipe {params.recipe:q} --name {wildcards.study}"
        " --count {params.shown} {params.tables:q} --scores {params.scores:q} --predictions {params.predictions:q}"
        " --output {output:q}"


rule evaluation_study:
    input:
        corpus=STUDIES.corpus_table("corpora/{corpus}/statistics.json"),
        sentences=STUDIES.corpus_table("corpora/{corpus}/sentences.parquet"),
        nouns=STUDIES.nouns,
        published=STUDIES.published,
        gallery=STUDIES.gallery,
        coverage=lambda w: STUDIES.coverage(w).values(),
        vokens=lambda w: STUDIES.vokens(w).values(),
        scores=lambda w: STUDIES.scores(STUDIES.members(w)).values(),
        predictions=lambda w: STUDIES.predictions(STUDIES.members(w)).values(),
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
        **PLAIN,
    params:
        recipe=lambda w: CONFIG.studies[w.study].fingerprint(),
        sentences=STUDIES.published_sentences,
        coverage=lambda w: named(STUDIES.coverage(w)),
        vokens=lambda w: named(STUDIES.vokens(w)),
        scores=lambda w: named(STUDIES.scores(STUDIES.members(w))),
        predictions=lambda w: named(STUDIES.predictions(STUDIES.members(w))),
        version=visner.evaluation.VERSION,
    shell:
        "python -m visner --log {log:q} evaluation study --recipe {params.recipe:q} --name {wildcards.study}"
        " --corpus-statistics {input.corpus:q} --sentences {input.sentences:q}"
        " --nouns-statistics {input.nouns:q} --published {input.published:q} --gallery {input.gallery:q}"
        " --published-sentences {params.sentences:q} --coverage {params.coverage:q} --vokens {params.vokens:q}"
        " --scores {params.scores:q} --predictions {params.predictions:q}"
        " --output {output.page:q} --tables {output.tables:q}"
