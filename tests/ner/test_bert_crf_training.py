"""The training of BERT-CRF from tables on disk: resumed, in halves of batches, saved, by the commands."""

import hashlib
import json
import shutil

import numpy as np
import pytest
import torch
from bert_sentences import CPU, LABELS, begin, recipe

from visner import tables
from visner.cli import main
from visner.ner.inputs import corpus_labels
from visner.ner.train import load, predict, save
from visner.training import fit


def trained(given, checkpoint, epochs, scores, accumulation=1, dropout=0.1, size=1):
    """Four epochs' schedule, of which `epochs` are run, in batches of `size`."""
    training = {"epochs": 4, "learning_rate": 0.01, "encoder_learning_rate": 0.001, "accumulation": accumulation}
    model, data = begin(given, "gate", training=training, dropout_output=dropout)
    if not dropout:
        for module in model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        for layer in model.encoder.encoder.layer:
            layer.attention.self.dropout_prob = 0.0
    remaining = iter(scores)
    some = data.splits["train"][:2]

    def batches(generator, start):
        order = torch.randperm(2, generator=generator).tolist() if size == 1 else [0, 1]
        for first in range(start * size, 2, size):
            yield data.prepare([some[i] for i in order[first : first + size]])

    shortened = model.recipe.training.model_copy(update={"epochs": epochs})
    count = 2 // size
    fit(model, model.optimizer(), batches, count, lambda: (next(remaining), 1.0), shortened, 3, checkpoint,
        model.schedule(count), accumulation)  # fmt: skip
    return model.state_dict()


@pytest.mark.parametrize("interrupted_after", [1, 3])
def test_a_resumed_training_ends_in_the_same_bits(given, tmp_path, interrupted_after):
    scores = [0.1, 0.2, 0.3, 0.4]
    whole = trained(given, tmp_path / "whole", 4, scores)
    trained(given, tmp_path / "cut", interrupted_after, scores)
    torch.randn(5)
    resumed = trained(given, tmp_path / "cut", 4, scores[interrupted_after:])
    for name, value in whole.items():
        assert torch.equal(resumed[name], value), name


def test_two_batches_of_half_the_size_make_the_same_training(given, tmp_path):
    scores = [0.1, 0.2, 0.3, 0.4]
    whole = trained(given, tmp_path / "a", 4, scores, dropout=0.0, size=2)
    halves = trained(given, tmp_path / "b", 4, scores, dropout=0.0, size=1, accumulation=2)
    for name, value in whole.items():
        torch.testing.assert_close(halves[name], value, atol=2e-4, rtol=1e-3)


def test_biases_norms_and_the_crf_do_not_decay_and_the_encoder_has_its_own_rate(given):
    model, _ = begin(given, "gate")
    where = {id(p): group for group in model.optimizer().param_groups for p in group["params"]}
    assert len(where) == len(list(model.parameters()))
    for name, parameter in model.named_parameters():
        group = where[id(parameter)]
        assert group["lr"] == (3e-5 if name.startswith("encoder.") else 1e-3)
        free = name.endswith("bias") or "LayerNorm" in name or name.startswith("crf.")
        assert group["weight_decay"] == (0.0 if free else 0.01), name


def test_a_saved_model_predicts_the_same_without_its_encoders_folder(given, encoder, tmp_path):
    given.encoder = shutil.copytree(encoder, tmp_path / "encoder")
    model, data = begin(given, "attention")
    save(tmp_path / "model.safetensors", model, 1)
    given.encoder = shutil.move(given.encoder, tmp_path / "elsewhere")
    save(tmp_path / "moved.safetensors", begin(given, "attention")[0], 1)
    assert (tmp_path / "moved.safetensors").read_bytes() == (tmp_path / "model.safetensors").read_bytes()
    shutil.rmtree(given.encoder)
    again, labels = load(tmp_path / "model.safetensors", CPU)
    read = again.read(given, ["train"], labels, CPU)
    for one, other in zip(
        predict(model, data, data.splits["train"], LABELS),
        predict(again, read, read.splits["train"], labels),
        strict=True,
    ):
        assert one[0] == other[0]
        np.testing.assert_array_equal(one[1], other[1])
    one, other = (
        model.emissions(data.prepare(data.splits["train"])),
        again.emissions(read.prepare(read.splits["train"])),
    )
    assert torch.equal(one[0], other[0])


def test_the_commands_train_and_tag(given, tmp_path):
    content = recipe("gate", precision="bfloat16", training={"epochs": 2, "batch": 2}).model_dump(mode="json")
    read = ["--sentences", given.sentences, "--grounding", given.grounding, "--visual", given.visual]
    train = ["ner", "train", "--recipe", json.dumps(content), "--seed", "1", "--encoder", given.encoder, *read]
    outputs = [tmp_path / "model.safetensors", tmp_path / "training.json"]
    train += ["--output-model", outputs[0], "--output-history", outputs[1], "--resume", tmp_path / "resume"]
    assert main(list(map(str, train))) in (0, None)
    tagged = tmp_path / "predictions.parquet"
    assert main(list(map(str, ["ner", "predict", "--model", outputs[0], *read, "--output", tagged]))) in (0, None)
    rows = list(tables.iterate_rows(tagged, tables.PREDICTIONS))
    assert [row["sentence_id"] for row in rows] == ["4", "5"]
    assert [len(row["predicted"]) for row in rows] == [3, 2]
    made_by = tables.read_provenance(tagged)
    for name, path in (("model", outputs[0]), ("sentences", given.sentences)):
        assert made_by[name] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert made_by["recipe"]["precision"] == "bfloat16"
    assert {"torch", "transformers"} <= made_by["versions"].keys()
    assert np.isnan(np.array(rows[1]["gate"], dtype=float)).tolist() == [True, False]
    report = tables.read_json(outputs[1])
    assert report["counts"]["train"]["words_without_subtokens"] == 1
    assert "transformers" in report["provenance"]["versions"]
    assert any(name.startswith("encoder/") for name in report["provenance"]["tables"])
    assert corpus_labels(given.sentences) == LABELS
