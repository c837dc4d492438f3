"""Scores of each experiment; the tables, tests and gallery of each study."""

import visner.evaluation


use rule stage as evaluation_score with:
    input:
        system="results/{experiment}/system.json",
        sentences=lambda w: f"results/corpora/{of(w).corpus}/sentences.parquet",
        words=lambda w: nouns(of(w).corpus, "words.parquet"),
        predictions=lambda w: seed_files([w.experiment], "predictions.parquet"),
        training=lambda w: seed_files([w.experiment], "training.json"),
    output:
        scores="results/{experiment}/scores.json",
    log:
        "results/logs/{experiment}/scores.log",
    params:
        recipe=lambda w: of(w).fingerprint(),
        version=visner.evaluation.VERSION,
    message:
        "scoring {wildcards.experiment}"


use rule stage as evaluation_gallery with:
    input:
        sentences=lambda w: f"results/corpora/{CONFIG.study_corpus(w.study)}/sentences.parquet",
        words=lambda w: nouns(CONFIG.study_corpus(w.study), "words.parquet") if shown_grounding(w).by == "query" else [],
        vokens=lambda w: (
            matcher_shards(shown_grounding(w).matcher, "vokens/{shard}.parquet")
            if shown_grounding(w).by == "voken"
            else []
        ),
        images=lambda w: image_shards(*CONFIG.pictures_of(shown_grounding(w), CONFIG.study_corpus(w.study))),
        scores=lambda w: expand(
            "results/{one}/scores.json", one=[CONFIG.studies[w.study].baseline, CONFIG.shown(w.study)]
        ),
        predictions=lambda w: seed_files(
            [CONFIG.studies[w.study].baseline, CONFIG.shown(w.study)], "predictions.parquet"
        ),
    output:
        page="results/studies/{study}/gallery.html",
    log:
        "results/logs/studies/{study}.gallery.log",
    params:
        by=lambda w: shown_grounding(w).by,
        k=lambda w: getattr(shown_grounding(w), "k", None),
        fusion=lambda w: CONFIG.experiments[CONFIG.shown(w.study)].fusion,
        most=lambda w: CONFIG.studies[w.study].gallery.sentences,
        version=visner.evaluation.VERSION,
    message:
        "the gallery of the study {wildcards.study}"


use rule stage as evaluation_study with:
    input:
        corpus=lambda w: f"results/corpora/{CONFIG.study_corpus(w.study)}/statistics.json",
        sentences=lambda w: f"results/corpora/{CONFIG.study_corpus(w.study)}/sentences.parquet",
        nouns=lambda w: nouns(CONFIG.study_corpus(w.study), "statistics.json"),
        published=lambda w: below(ROOT, file) if (file := CONFIG.studies[w.study].published) else [],
        gallery=lambda w: f"results/studies/{w.study}/gallery.html" if CONFIG.shown(w.study) else [],
        coverage=lambda w: [
            f"results/images/{source}/{corpus}/statistics.json" for source, corpus in CONFIG.study_sources(w.study)
        ],
        vokens=lambda w: expand("results/vokens/{matcher}/scores.json", matcher=CONFIG.study_matchers(w.study)),
        scores=lambda w: expand("results/{one}/scores.json", one=CONFIG.studies[w.study].members),
        predictions=lambda w: seed_files(CONFIG.studies[w.study].members, "predictions.parquet"),
    output:
        page="results/studies/{study}/index.md",
        content="results/studies/{study}/index.json",
        folder=directory("results/studies/{study}/tables"),
    log:
        "results/logs/studies/{study}.log",
    params:
        recipe=lambda w: CONFIG.studies[w.study].fingerprint(),
        published_sentences=lambda w: getattr(CONFIG.corpora[CONFIG.study_corpus(w.study)], "published", {}),
        sources=lambda w: [
            source if corpus == CONFIG.study_corpus(w.study) else f"{source} of {corpus}"
            for source, corpus in CONFIG.study_sources(w.study)
        ],
        matchers=lambda w: CONFIG.study_matchers(w.study),
        version=visner.evaluation.VERSION,
    message:
        "the page of the study {wildcards.study}"
