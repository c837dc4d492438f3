"""Read a corpus, split it, count it."""

import visner.corpora


# Local: public text is fetched where snakemake runs, so that compute nodes need no network.
use rule stage as corpora_download with:
    output:
        output=str(below(ROOT, visner.config.preflight.DOWNLOADS)),
    log:
        "results/logs/corpora/{corpus}/download/{file}.log",
    wildcard_constraints:
        corpus=one_of(DOWNLOADS),
        file=one_of(file for download in DOWNLOADS.values() for file in download.sha256),
    params:
        sha256=lambda w: CONFIG.corpora[w.corpus].download.sha256[w.file],
        version=visner.corpora.VERSION,
    message:
        "fetching {wildcards.file} of the corpus {wildcards.corpus}"


use rule stage as corpora_read with:
    input:
        lambda w: CORPUS_FILES[w.corpus],
    output:
        sentences="results/corpora/{corpus}/sentences.parquet",
        statistics="results/corpora/{corpus}/statistics.json",
    log:
        "results/logs/corpora/{corpus}.log",
    params:
        recipe=lambda w: CONFIG.corpora[w.corpus].fingerprint(without=["nouns", "download", "published"]),
        version=visner.corpora.VERSION,
    message:
        "reading the corpus {wildcards.corpus}"


use rule stage as corpora_page with:
    input:
        statistics="results/corpora/{corpus}/statistics.json",
        nouns=lambda w: nouns(w.corpus, "statistics.json"),
    output:
        output="results/corpora/{corpus}/index.md",
    log:
        "results/logs/corpora/{corpus}.page.log",
    params:
        published=lambda w: getattr(CONFIG.corpora[w.corpus], "published", {}),
        version=visner.corpora.VERSION,
    message:
        "the page of the corpus {wildcards.corpus}"


# A checkpoint, as nouns_find is: an attachment is a query.
checkpoint corpora_attachments:
    input:
        sentences="results/corpora/{corpus}/sentences.parquet",
    output:
        queries="results/corpora/{corpus}/attachments.parquet",
        shards=directory("results/corpora/{corpus}/attachments"),
    log:
        "results/logs/corpora/{corpus}.attachments.log",
    conda:
        "../envs/visner.yaml"
    resources:
        **PLAIN,
    params:
        number_of_shards=lambda w: CONFIG.corpora[w.corpus].nouns.shards,
        version=visner.corpora.VERSION,
    message:
        "the attachments of the corpus {wildcards.corpus}"
    script:
        "../scripts/stage.py"
