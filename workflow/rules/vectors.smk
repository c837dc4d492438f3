"""GloVe vectors of characters and words; Flair vectors of word occurrences; encoders that are fine-tuned."""

import visner.config.encoders
import visner.vectors


use rule stage as vectors_glove with:
    input:
        lambda w: glove_of(w).files(ROOT),
        sentences=lambda w: expand("results/corpora/{corpus}/sentences.parquet", corpus=glove_of(w).corpora),
        words=lambda w: expand("results/nouns/{corpus}/words.parquet", corpus=glove_of(w).corpora),
    output:
        output="results/vectors/{vectors}/{part}.safetensors",
    log:
        "results/logs/vectors/{vectors}/{part}.log",
    wildcard_constraints:
        part="glove_char|glove_word",
    threads: 2
    params:
        recipe=lambda w: glove_of(w).fingerprint(),
        unit=lambda w: {"glove_char": "character", "glove_word": "word"}[w.part],
        version=(visner.vectors.VERSION, visner.vectors.TRAINING_VERSION),
    message:
        "{wildcards.part} vectors of {wildcards.vectors}"


use rule compute as vectors_flair_train with:
    input:
        sentences=lambda w: expand(
            "results/corpora/{corpus}/sentences.parquet", corpus=CONFIG.vectors[w.vectors].flair.corpora
        ),
        words=lambda w: expand("results/nouns/{corpus}/words.parquet", corpus=CONFIG.vectors[w.vectors].flair.corpora),
    output:
        output="results/vectors/{vectors}/flair_{direction}.safetensors",
    log:
        "results/logs/vectors/{vectors}/flair_{direction}.log",
    wildcard_constraints:
        vectors=one_of(name for name, recipe in CONFIG.vectors.items() if recipe.flair and not recipe.flair.forward),
    params:
        recipe=lambda w: CONFIG.vectors[w.vectors].flair.fingerprint(),
        version=(visner.vectors.VERSION, visner.vectors.TRAINING_VERSION),
    message:
        "training the {wildcards.direction} language model of {wildcards.vectors}"


# Local: a ready model that the flair library knows by name is downloaded.
use rule stage as vectors_flair_import with:
    input:
        lambda w: CONFIG.vectors[w.vectors].flair.files(ROOT),
    output:
        output="results/vectors/{vectors}/flair_{direction}.safetensors",
    log:
        "results/logs/vectors/{vectors}/flair_{direction}.log",
    wildcard_constraints:
        vectors=one_of(name for name, recipe in CONFIG.vectors.items() if recipe.flair and recipe.flair.forward),
    params:
        recipe=lambda w: CONFIG.vectors[w.vectors].flair.fingerprint(),
        version=visner.vectors.VERSION,
    message:
        "the ready {wildcards.direction} language model of {wildcards.vectors}"


use rule compute as vectors_flair_embed with:
    input:
        forward="results/vectors/{vectors}/flair_forward.safetensors",
        backward="results/vectors/{vectors}/flair_backward.safetensors",
        words="results/nouns/{corpus}/words.parquet",
    output:
        output="results/vectors/{vectors}/{corpus}/flair.npy",
    log:
        "results/logs/vectors/{vectors}/{corpus}/flair.log",
    params:
        version=visner.vectors.VERSION,
    message:
        "Flair vectors of the corpus {wildcards.corpus} by {wildcards.vectors}"


# Local: an encoder of HuggingFace's hub is downloaded here, so that compute nodes need no network.
use rule stage as vectors_hub_encoder with:
    output:
        files=expand("resources/encoders/{{encoder}}/{file}", file=visner.config.encoders.FETCHED),
    log:
        "results/logs/vectors/encoders/{encoder}.log",
    wildcard_constraints:
        encoder=one_of(HUB_ENCODERS),
    params:
        name=lambda w: HUB_ENCODERS[w.encoder],
        version=visner.vectors.VERSION,
    message:
        "fetching the encoder {wildcards.encoder}"
