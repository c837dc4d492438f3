"""The top pictures of every query, in shards."""

import visner.images


# A shard is made again when its own queries change, or their pictures, and not when other rows or files do: so the times
# of the files that all shards share don't count (`ancient`), and `content` says what this shard reads of them.
rule images_fetch:
    input:
        queries=lambda w: ancient(WIRING.queries(w)) if WIRING.shard(w).is_current else WIRING.queries(w),
        files=ancient(lambda w: CONFIG.images[w.source].files(WIRING.root)),
    output:
        "results/images/{source}/{corpus}/{shard}.parquet",
    log:
        "results/logs/images/{source}/{corpus}/{shard}.log",
    benchmark:
        "results/logs/images/{source}/{corpus}/{shard}.benchmark.tsv"
    conda:
        "../envs/visner.yaml"
    threads: 2
    resources:
        **PLAIN,
        root=ROOT,
        store=WIRING.store,
        # How a crawl behaves changes no result: no params. `crawls` lets a profile say how many run side by side.
        crawl=lambda w: CONFIG.images[w.source].behaviour(),
        crawls=lambda w: int(CONFIG.images[w.source].on_network),
    params:
        recipe=lambda w: CONFIG.images[w.source].fingerprint(),
        content=lambda w: WIRING.shard(w).content,
        version=visner.images.VERSION,
    shell:
        "python -m visner --log {log:q} images fetch --recipe {params.recipe:q} --root {resources.root:q}"
        " --store {resources.store:q} --crawl {resources.crawl:q}"
        " --workers {threads} --queries {input.queries:q} --shard {wildcards.shard} --output {output:q}"


rule images_coverage:
    input:
        queries=WIRING.queries,
        shards=lambda w: expand(
            "results/images/{{source}}/{{corpus}}/{shard}.parquet",
            shard=range(CONFIG.corpora[w.corpus].nouns.shards),
        ),
    output:
        statistics="results/images/{source}/{corpus}/statistics.json",
        rejected="results/images/{source}/{corpus}/rejected.tsv",
    log:
        "results/logs/images/{source}/{corpus}/coverage.log",
    benchmark:
        "results/logs/images/{source}/{corpus}/coverage.benchmark.tsv"
    conda:
        "../envs/visner.yaml"
    threads: 1
    resources:
        **PLAIN,
    params:
        version=visner.images.VERSION,
    shell:
        "python -m visner --log {log:q} images coverage --shards {input.shards:q} --queries {input.queries:q}"
        " --output {output.statistics:q} --rejected {output.rejected:q}"
