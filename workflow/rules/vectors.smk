"""GloVe vectors of characters and words; Flair vectors of word occurrences; encoders that are fine-tuned."""

import visner.encoders
import visner.vectors

GLOVE_UNITS = {"glove_char": "character", "glove_word": "word"}


rule vectors_glove:
    input:
        sentences=WIRING.training_texts("corpora/{corpus}/sentences.parquet"),
        words=WIRING.training_texts("nouns/{corpus}/words.parquet"),
        ready=lambda w: getattr(CONFIG.vectors[w.vectors], w.part).files(WIRING.root),
    output:
        "results/vectors/{vectors}/{part}.safetensors",
    log:
        "results/logs/vectors/{vectors}/{part}.log",
    benchmark:
        "results/logs/vectors/{vectors}/{part}.benchmark.tsv"
    wildcard_constraints:
        part=one_of(GLOVE_UNITS),
    conda:
        "../envs/visner.yaml"
    threads: 2
    resources:
        **PLAIN,
        root=ROOT,
    params:
        recipe=lambda w: getattr(CONFIG.vectors[w.vectors], w.part).fingerprint(),
        unit=lambda w: GLOVE_UNITS[w.part],
        version=visner.vectors.VERSION,
        training_version=visner.vectors.TRAINING_VERSION,
    shell:
        "python -m visner --log {log:q} vectors glove --recipe {params.recipe:q} --unit {params.unit} --root {resources.root:q}"
        " --sentences {input.sentences:q} --words {input.words:q} --resume results/.resume --output {output:q}"
        " --threads {threads}"


rule vectors_flair_train:
    input:
        sentences=WIRING.training_texts("corpora/{corpus}/sentences.parquet", "flair"),
        words=WIRING.training_texts("nouns/{corpus}/words.parquet", "flair"),
    output:
        "results/vectors/{vectors}/flair_{direction}.safetensors",
    log:
        "results/logs/vectors/{vectors}/flair_{direction}.log",
    benchmark:
        "results/logs/vectors/{vectors}/flair_{direction}.benchmark.tsv"
    wildcard_constraints:
        vectors=one_of(sorted(set(CONFIG.vectors) - set(WIRING.ready_language_models()))),
    conda:
        "../envs/visner.yaml"
    threads: 1
    resources:
        **(PLAIN | {"gpu": CONFIG.gpu}),
    params:
        recipe=lambda w: CONFIG.vectors[w.vectors].flair.fingerprint(),
        version=visner.vectors.VERSION,
        training_version=visner.vectors.TRAINING_VERSION,
    shell:
        "python -m visner --log {log:q} vectors flair-train --recipe {params.recipe:q} --direction {wildcards.direction}"
        " --sentences {input.sentences:q} --words {input.words:q} --resume results/.resume --output {output:q}"
        " --gpu {resources.gpu} --threads 1"


# Local: a ready model that the flair library knows by name is downloaded.
rule vectors_flair_import:
    input:
        lambda w: CONFIG.vectors[w.vectors].flair.files(WIRING.root),
    output:
        "results/vectors/{vectors}/flair_{direction}.safetensors",
    log:
        "results/logs/vectors/{vectors}/flair_{direction}.log",
    benchmark:
        "results/logs/vectors/{vectors}/flair_{direction}.benchmark.tsv"
    wildcard_constraints:
        vectors=one_of(WIRING.ready_language_models()),
    conda:
        "../envs/visner.yaml"
    threads: 1
    resources:
        **PLAIN,
        root=ROOT,
    params:
        recipe=lambda w: CONFIG.vectors[w.vectors].flair.fingerprint(),
        version=visner.vectors.VERSION,
    shell:
        "python -m visner --log {log:q} vectors flair-import --recipe {params.recipe:q} --direction {wildcards.direction}"
        " --root {resources.root:q} --output {output:q}"


rule vectors_flair_embed:
    input:
        forward="results/vectors/{vectors}/flair_forward.safetensors",
        backward="results/vectors/{vectors}/flair_backward.safetensors",
        words="results/nouns/{corpus}/words.parquet",
    output:
        "results/vectors/{vectors}/{corpus}/flair.npy",
    log:
        "results/logs/vectors/{vectors}/{corpus}/flair.log",
    benchmark:
        "results/logs/vectors/{vectors}/{corpus}/flair.benchmark.tsv"
    conda:
        "../envs/visner.yaml"
    threads: CONFIG.training_threads
    resources:
        **TORCH,
    params:
        version=visner.vectors.VERSION,
    shell:
        "python -m visner --log {log:q} vectors flair-embed --forward {input.forward:q} --backward {input.backward:q}"
        " --words {input.words:q} --output {output:q}"
        " --gpu {resources.gpu} --threads {resources.torch_threads}"


# Local: an encoder of HuggingFace's hub is downloaded here, so that compute nodes need no network.
rule vectors_encoder:
    output:
        expand("resources/encoders/{{encoder}}/{file}", file=visner.encoders.FETCHED),
    log:
        "results/logs/vectors/encoders/{encoder}.log",
    benchmark:
        "results/logs/vectors/encoders/{encoder}.benchmark.tsv"
    wildcard_constraints:
        encoder=one_of(WIRING.hub_encoders()),
    conda:
        "../envs/visner.yaml"
    threads: 1
    resources:
        **PLAIN,
    params:
        name=lambda w: WIRING.hub_encoders()[w.encoder],
        version=visner.vectors.VERSION,
    shell:
        "python -m visner --log {log:q} vectors encoder --name {params.name:q}"
        " --output resources/encoders/{wildcards.encoder:q}"
