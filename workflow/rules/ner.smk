"""Train each experiment once a seed; tag dev and test.

A bilstm_crf reads its corpus' words and their vectors, a bert_crf its encoder, any system with pictures its grounding.
"""

import visner.ner


def of(w):
    """The experiment of a job."""
    return CONFIG.experiments[w.experiment]


def words(w):
    return f"results/nouns/{of(w).corpus}/words.parquet" if of(w).model == "bilstm_crf" else []


def text(part, *files):
    """An input function: files of a bilstm_crf's text vectors, if its recipe `vectors` has that part."""

    def inputs(w):
        if of(w).model != "bilstm_crf" or not getattr(CONFIG.vectors[of(w).vectors], part):
            return []
        paths = [f"results/vectors/{of(w).vectors}/{file.format(corpus=of(w).corpus)}" for file in files]
        return paths if len(paths) > 1 else paths[0]

    return inputs


def grounding(file):
    """An input function: a file of a system's pictures, if it sees any."""
    return lambda w: [] if of(w).fusion == "none" else f"results/grounding/{w.experiment}/{file}"


use rule compute as ner_train with:
    input:
        sentences=lambda w: f"results/corpora/{of(w).corpus}/sentences.parquet",
        words=words,
        glove_char=text("glove_char", "glove_char.safetensors"),
        glove_word=text("glove_word", "glove_word.safetensors"),
        flair=text("flair", "{corpus}/flair.npy"),
        language_models=text("flair", "flair_forward.safetensors", "flair_backward.safetensors"),
        encoder=lambda w: WIRING.encoder_files(of(w).encoder) if of(w).model == "bert_crf" else [],
        grounding=grounding("grounding.parquet"),
        visual=grounding("vectors.npy"),
        row_keys=grounding("keys.parquet"),
    output:
        model="results/{experiment}/seed{seed}/model.safetensors",
        history="results/{experiment}/seed{seed}/training.json",
    log:
        "results/logs/{experiment}/seed{seed}.train.log",
    params:
        recipe=lambda w: of(w).fingerprint("seeds"),
        version=visner.ner.VERSION,
    message:
        "training {wildcards.experiment}, seed {wildcards.seed}"


use rule compute as ner_predict with:
    input:
        sentences=lambda w: f"results/corpora/{of(w).corpus}/sentences.parquet",
        words=words,
        glove_char=text("glove_char", "glove_char.safetensors"),
        glove_word=text("glove_word", "glove_word.safetensors"),
        flair=text("flair", "{corpus}/flair.npy"),
        grounding=grounding("grounding.parquet"),
        visual=grounding("vectors.npy"),
        model="results/{experiment}/seed{seed}/model.safetensors",
    output:
        predictions="results/{experiment}/seed{seed}/predictions.parquet",
    log:
        "results/logs/{experiment}/seed{seed}.predict.log",
    params:
        version=visner.ner.VERSION,
    message:
        "tagging dev and test with {wildcards.experiment}, seed {wildcards.seed}"


use rule stage as ner_describe with:
    output:
        system="results/{experiment}/system.json",
    log:
        "results/logs/{experiment}/describe.log",
    params:
        recipes=WIRING.system,
        version=visner.ner.VERSION,
    message:
        "writing down what {wildcards.experiment} consists of"
