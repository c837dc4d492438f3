"""A fine-tuned encoder in real Snakemake runs: from tokens and a folder with an encoder to scores."""

import json
import shutil

import pytest

TARGET = "results/tweets/scores.json"


@pytest.fixture
def tweets(unfinished, encoder):
    """A project with a corpus of tokens and a folder with an encoder."""
    sentences = ["Tom\tB-PER\nlikes\tO\nKyoto\tB-LOC\n", "fast\tO\njaguars\tO\nin\tO\nKyoto\tB-LOC\n"]
    for split, count in (("train", 6), ("dev", 2), ("test", 2)):
        (unfinished.folder / f"{split}.tsv").write_text("\n".join(sentences * count))
    shutil.copytree(encoder, unfinished.folder / "models" / "tiny")
    splits = {split: [f"{split}.tsv"] for split in ("train", "dev", "test")}
    corpus = {"format": "conll", "classes": ["PER", "LOC"], "split": {"by": "files", **splits}}
    training = {"epochs": 8, "encoder_learning_rate": 0.002, "learning_rate": 0.02}
    experiment = {"corpus": "tweets", "model": "bert_crf", "encoder": "models/tiny", "training": training}
    unfinished.configure({"corpora": {"tweets": corpus}, "experiments": {"tweets": experiment}})
    return unfinished


def test_tokens_and_an_encoder_become_scores_and_changes_of_either_are_seen(tweets):
    assert tweets.rules_run(TARGET) == [
        "corpora_read",
        "evaluation_score",
        "ner_describe",
        "ner_predict",
        "ner_train",
    ]
    scores = json.loads((tweets.folder / TARGET).read_text())
    assert scores["test"]["strict"]["mean"]["micro"]["f1"] > 50
    assert tweets.rules_run("-n", TARGET) == []
    settings = tweets.folder / "models" / "tiny" / "config.json"
    settings.write_text(settings.read_text().replace('"hidden_dropout_prob": 0.1', '"hidden_dropout_prob": 0.0'))
    assert tweets.rules_run("-n", TARGET) == ["evaluation_score", "ner_predict", "ner_train"]


def test_a_system_that_cannot_tag_raw_text_says_so(tweets):
    import visner
    from visner.errors import VisnerError

    tweets.rules_run("results/tweets/system.json")
    with pytest.raises(VisnerError, match="it is a bert_crf, and only a bilstm_crf can tag raw text as yet"):
        visner.load(tweets.folder / "results" / "tweets")
