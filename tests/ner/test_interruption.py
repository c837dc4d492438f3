"""A training, ended by real signals again and again, makes the same files as one that was left in peace."""

import json
import random

import numpy as np
import pytest
import self_terminating
from safetensors import safe_open

from visner.runtime import tables
from visner.runtime.keyed_vectors import write_vectors

TRAINING = {"epochs": 5, "patience": 5}
BILSTM = {"model": "bilstm_crf", "corpus": "x", "vectors": "x"}
BILSTM |= {"grounding": "x", "fusion": "gate", "hidden": 32, "training": {**TRAINING, "batch": 1}}
BERT = {"model": "bert_crf", "corpus": "x", "grounding": "x"}
BERT |= {"fusion": "attention", "heads": 4, "training": {**TRAINING, "batch": 2, "accumulation": 3}}


@pytest.fixture
def folder(tmp_path):
    """All tables of 160 sentences, as the earlier stages make them."""
    generator = random.Random(1)
    sentences, words, grounding = [], [], []
    for number in range(160):
        name, units = str(number), [generator.choice("abcdefghijk") for _ in range(generator.randint(4, 14))]
        split = "dev" if number % 8 == 7 else "train"
        labels = ["B-X" if unit in "ab" else "O" for unit in units]
        sentence = {"sentence_id": name, "document_id": name, "split": split, "text": "".join(units)}
        sentences.append({**sentence, "units": units, "labels": labels, "attachment": None})
        found = [{"surface": unit, "pos": "", "start": n, "stop": n + 1, "queries": []} for n, unit in enumerate(units)]
        words.append({"sentence_id": name, "words": found})
        rows = [[generator.randrange(5)] for _ in units]
        grounding.append({"sentence_id": name, "rows": rows, "scores": [[1.0]] * len(units)})
    tables.write_table(tmp_path / "sentences.parquet", tables.SENTENCES, sentences)
    tables.write_table(tmp_path / "words.parquet", tables.WORDS, words)
    tables.write_table(tmp_path / "grounding.parquet", tables.GROUNDING, grounding)
    random_vectors = np.random.default_rng(1)
    total = sum(len(one["words"]) for one in words)
    for name, shape in (("flair.npy", (total, 16)), ("vectors.npy", (5, 12))):
        np.save(tmp_path / name, random_vectors.standard_normal(shape).astype(np.float32))
    write_vectors(tmp_path / "chars.safetensors", list("abcdefghijk"), np.eye(11, dtype=np.float32), {})
    return tmp_path


def train(folder, name, recipe, encoder, at=None):
    """The exit status of the job, with SIGTERM at the first line of its log that has `at` in it."""
    read = {"sentences": "sentences.parquet", "grounding": "grounding.parquet", "visual": "vectors.npy"}
    if recipe["model"] == "bert_crf":
        read["encoder"] = sorted(map(str, encoder.iterdir()))
    else:
        read |= {"words": "words.parquet", "flair": "flair.npy", "glove_char": "chars.safetensors"}
    job = {
        "rule": "ner_train",
        "log": f"{name}.log",
        "input": read,
        "output": {"model": f"{name}.safetensors", "history": f"{name}.json"},
        "params": {"recipe": json.dumps(recipe)},
        "wildcards": {"seed": "1"},
    }
    return self_terminating.run(job, folder, at)


@pytest.mark.parametrize("recipe, step", [(BILSTM, 1), (BERT, 3)], ids=["bilstm_crf", "bert_crf"])
def test_sigterm_leaves_no_trace_in_the_model(folder, recipe, step, encoder):
    """After an epoch, and after the first step, of `step` batches, of what goes on from there."""
    assert train(folder, "whole", recipe, encoder) == 0
    log = folder / "cut.log"
    for at, place in (("epoch 1:", "after epoch 1;"), ("resuming", f"in epoch 2 after {step} of ")):
        assert train(folder, "cut", recipe, encoder, at) == 143, log.read_text()
        assert log.read_text().splitlines()[-1].startswith(f"stopped by SIGTERM {place}")
    assert train(folder, "cut", recipe, encoder) == 0
    for suffix in ("safetensors", "json"):
        assert (folder / f"cut.{suffix}").read_bytes() == (folder / f"whole.{suffix}").read_bytes()
    assert not list((folder / "results/.resume").glob("*.safetensors"))


def test_case_a_checkpoint_belongs_to_the_content_of_its_recipe(folder):
    """The training is interrupted and its recipe edited: the checkpoint isn't gone on from."""

    def edited(learning_rate):
        return {**BILSTM, "training": {**BILSTM["training"], "epochs": 2, "learning_rate": learning_rate}}

    assert train(folder, "cut", edited(0.01), None, at="epoch 1:") == 143
    assert train(folder, "cut", edited(0.02), None) == 0
    assert train(folder, "fresh", edited(0.02), None) == 0
    assert (folder / "cut.safetensors").read_bytes() == (folder / "fresh.safetensors").read_bytes()
    assert tables.read_json(folder / "cut.json")["recipe"]["training"]["learning_rate"] == 0.02


def test_pictures_are_scaled_unless_the_recipe_says_as_they_are(folder):
    """Equations 5 and 6 as they stand are `visual_scale: none`."""
    scales = {}
    for scale in ("auto", "none"):
        assert (
            train(folder, scale, {**BILSTM, "visual_scale": scale, "training": {"epochs": 1, "batch": 40}}, None) == 0
        )
        with safe_open(folder / f"{scale}.safetensors", "pt") as file:
            scales[scale] = json.loads(file.metadata()["visner"])["config"]["visual_scale"]
    assert scales["none"] == 1.0
    assert scales["auto"] != 1.0
