"""Train each experiment once a seed; tag dev and test.

A bilstm_crf reads its corpus' words and their vectors, a bert_crf its encoder, any system with pictures its grounding.
"""

import visner.config.encoders
import visner.ner


use rule compute as ner_train with:
    input:
        sentences=lambda w: f"results/corpora/{of(w).corpus}/sentences.parquet",
        words=lambda w: f"results/nouns/{of(w).corpus}/words.parquet" if of(w).model == "bilstm_crf" else [],
        glove_char=text_vectors("glove_char", "glove_char.safetensors"),
        glove_word=text_vectors("glove_word", "glove_word.safetensors"),
        flair=text_vectors("flair", "{corpus}/flair.npy"),
        language_models=text_vectors("flair", "flair_forward.safetensors", "flair_backward.safetensors"),
        encoder=lambda w: visner.config.encoders.files(of(w).encoder, ROOT) if of(w).model == "bert_crf" else [],
        grounding=grounding_file("grounding.parquet"),
        visual=grounding_file("vectors.npy"),
        row_keys=grounding_file("keys.parquet"),
    output:
        model="results/{experiment}/seed{seed}/model.safetensors",
        history="results/{experiment}/seed{seed}/training.json",
    log:
        "results/logs/{experiment}/seed{seed}.train.log",
    params:
        recipe=lambda w: of(w).fingerprint(without=["seeds"]),
        version=visner.ner.VERSION,
    message:
        "training {wildcards.experiment}, seed {wildcards.seed}"


use rule compute as ner_predict with:
    input:
        sentences=lambda w: f"results/corpora/{of(w).corpus}/sentences.parquet",
        words=lambda w: f"results/nouns/{of(w).corpus}/words.parquet" if of(w).model == "bilstm_crf" else [],
        glove_char=text_vectors("glove_char", "glove_char.safetensors"),
        glove_word=text_vectors("glove_word", "glove_word.safetensors"),
        flair=text_vectors("flair", "{corpus}/flair.npy"),
        grounding=grounding_file("grounding.parquet"),
        visual=grounding_file("vectors.npy"),
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
        config=lambda w: CONFIG.system(w.experiment),
        root=ROOT,
        store=CONFIG.store,
        version=visner.ner.VERSION,
    message:
        "writing down what {wildcards.experiment} consists of"
