"""Which pictures each unit sees."""

import visner.grounding


rule grounding:
    input:
        unpack(WIRING.grounding_tables),
    output:
        grounding="results/grounding/{experiment}/grounding.parquet",
        vectors="results/grounding/{experiment}/vectors.npy",
        row_keys="results/grounding/{experiment}/keys.parquet",
    log:
        "results/logs/grounding/{experiment}.log",
    benchmark:
        "results/logs/grounding/{experiment}.benchmark.tsv"
    conda:
        "../envs/visner.yaml"
    threads: 1
    resources:
        **PLAIN,
    params:
        recipe=lambda w: WIRING.experiment(w).fingerprint(only=("grounding", "k", "control")),
        tables=WIRING.grounding_arguments,
        version=visner.grounding.VERSION,
    shell:
        "python -m visner --log {log:q} grounding --recipe {params.recipe:q} {params.tables:q}"
        " --output {output.grounding:q} --vectors {output.vectors:q} --keys {output.row_keys:q}"
