"""Read a corpus, split it, count it."""

import visner.corpora


# Local: public text is fetched here, so that compute nodes need no network.
rule corpora_download:
    output:
        WIRING.download_place,
    log:
        "results/logs/corpora/{corpus}/download/{file}.log",
    benchmark:
        "results/logs/corpora/{corpus}/download/{file}.benchmark.tsv"
    wildcard_constraints:
        corpus=one_of(WIRING.downloads),
        file=one_of({file for download in WIRING.downloads.values() for file in download.sha256}),
    conda:
        "../envs/visner.yaml"
    threads: 1
    resources:
        **PLAIN,
        url=WIRING.download_address,
    params:
        sha256=lambda w: CONFIG.corpora[w.corpus].download.sha256[w.file],
        version=visner.corpora.VERSION,
    shell:
        "exec python -m visner --log {log:q} corpora download --url {resources.url:q} --sha256 {params.sha256}"
        " --output {output:q}"


rule corpora_read:
    input:
        WIRING.corpus_files,
    output:
        sentences="results/corpora/{corpus}/sentences.parquet",
        statistics="results/corpora/{corpus}/statistics.json",
    log:
        "results/logs/corpora/{corpus}.log",
    benchmark:
        "results/logs/corpora/{corpus}.benchmark.tsv"
    conda:
        "../envs/visner.yaml"
    threads: 1
    resources:
        **PLAIN,
        root=ROOT,
    params:
        recipe=lambda w: CONFIG.corpora[w.corpus].fingerprint("nouns", "download", "published"),
        version=visner.corpora.VERSION,
    shell:
        "exec python -m visner --log {log:q} corpora read --recipe {params.recipe:q} --root {resources.root:q}"
        " --name {wildcards.corpus} --output {output.sentences:q} --statistics {output.statistics:q}"


rule corpora_page:
    input:
        statistics="results/corpora/{corpus}/statistics.json",
        nouns=lambda w: WIRING.nouns_statistics(w.corpus),
    output:
        "results/corpora/{corpus}/index.md",
    log:
        "results/logs/corpora/{corpus}.page.log",
    benchmark:
        "results/logs/corpora/{corpus}.page.benchmark.tsv"
    conda:
        "../envs/visner.yaml"
    threads: 1
    resources:
        **PLAIN,
    params:
        published=WIRING.published,
        version=visner.corpora.VERSION,
    shell:
        "exec python -m visner --log {log:q} corpora page --statistics {input.statistics:q} --nouns {input.nouns:q}"
        " --published {params.published:q} --output {output:q}"


# A checkpoint, as nouns is: an attachment is a query.
checkpoint corpora_attachments:
    input:
        sentences="results/corpora/{corpus}/sentences.parquet",
    output:
        "results/corpora/{corpus}/attachments.parquet",
    log:
        "results/logs/corpora/{corpus}.attachments.log",
    benchmark:
        "results/logs/corpora/{corpus}.attachments.benchmark.tsv"
    conda:
        "../envs/visner.yaml"
    threads: 1
    resources:
        **PLAIN,
    params:
        shards=lambda w: CONFIG.corpora[w.corpus].nouns.shards,
        version=visner.corpora.VERSION,
    shell:
        "exec python -m visner --log {log:q} corpora attachments --sentences {input.sentences:q}"
        " --shards {params.shards} --output {output:q}"
