"""The training of BERT-CRF from tables on disk: resumed, in halves of batches, saved, by the stage's functions."""

import hashlib
import shutil

import numpy as np
import pytest
import torch
from bert_sentences import CPU, LABELS, begin, recipe

from visner.ner import systems
from visner.ner.batches import decode_all
from visner.ner.inputs import Files, corpus_labels
from visner.ner.predict import predict
from visner.ner.saving import load, save
from visner.ner.train import train
from visner.runtime import tables
from visner.runtime.training import fit


def trained(given, checkpoint, epochs, scores, accumulation=1, dropout=0.1, size=1):
    """Four epochs' schedule, of which `epochs` are run, in batches of `size`."""
    training = {"epochs": 4, "learning_rate": 0.01, "encoder_learning_rate": 0.001, "accumulation": accumulation}
    model, data, _ = begin(given, "blend", training=training, dropout_output=dropout)
    training = recipe("blend", training=training).training
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
            yield data.batch([some[i] for i in order[first : first + size]])

    shortened = training.model_copy(update={"epochs": epochs})
    count = 2 // size
    fit(model, systems.optimizer(model, training), batches, count, lambda: (next(remaining), 1.0), shortened, 3,
        checkpoint, systems.schedule(training, count), accumulation)  # fmt: skip
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
    model, *_ = begin(given, "blend")
    optimizer = systems.optimizer(model, recipe("blend").training)
    where = {id(p): group for group in optimizer.param_groups for p in group["params"]}
    assert len(where) == len(list(model.parameters()))
    for name, parameter in model.named_parameters():
        group = where[id(parameter)]
        assert group["lr"] == (3e-5 if name.startswith("encoder.") else 1e-3)
        free = name.endswith("bias") or "LayerNorm" in name or name.startswith("crf.")
        assert group["weight_decay"] == (0.0 if free else 0.01), name


def test_a_saved_model_predicts_the_same_without_its_encoders_folder(given, encoder, tmp_path):
    folder = shutil.copytree(encoder, tmp_path / "encoder")
    given["encoder"] = sorted(folder.iterdir())
    model, data, beside = begin(given, "attention")
    save(tmp_path / "model.safetensors", model, seed=1, **beside)
    folder = shutil.move(folder, tmp_path / "elsewhere")
    given["encoder"] = sorted(folder.iterdir())
    save(tmp_path / "moved.safetensors", begin(given, "attention")[0], seed=1, **beside)
    assert (tmp_path / "moved.safetensors").read_bytes() == (tmp_path / "model.safetensors").read_bytes()
    shutil.rmtree(folder)
    again, found = load(tmp_path / "model.safetensors", CPU)
    files = Files(**{name: path for name, path in given.items() if name != "encoder"})
    read = systems.read(again, recipe("attention"), found, files, ["train"], CPU)
    for one, other in zip(
        decode_all(model, data, data.splits["train"]), decode_all(again, read, read.splits["train"]), strict=True
    ):
        assert one[0] == other[0]
        np.testing.assert_array_equal(one[1], other[1])
    one, other = model(data.batch(data.splits["train"])), again(read.batch(read.splits["train"]))
    assert torch.equal(one[0], other[0])


def test_train_and_predict_write_their_files(given, tmp_path):
    used = recipe("blend", precision="bfloat16", training={"epochs": 2, "batch": 2})
    model, history, tagged = (tmp_path / name for name in ("model.safetensors", "training.json", "predictions.parquet"))
    train(**given, model=model, history=history, recipe=used, seed=1, resume=tmp_path / "resume", device=CPU)
    read = {name: path for name, path in given.items() if name != "encoder"}
    predict(**read, model=model, predictions=tagged, device=CPU)
    rows = list(tables.iterate_rows(tagged, tables.PREDICTIONS))
    assert [row["sentence_id"] for row in rows] == ["4", "5"]
    assert [len(row["predicted"]) for row in rows] == [3, 2]
    made_by = tables.read_provenance(tagged)
    for name, path in (("model", model), ("sentences", given["sentences"])):
        assert made_by[name] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert made_by["recipe"]["precision"] == "bfloat16"
    assert {"torch", "transformers"} <= made_by["versions"].keys()
    assert np.isnan(np.array(rows[1]["gate"], dtype=float)).tolist() == [True, False]
    report = tables.read_json(history)
    assert report["counts"]["train"]["words_without_subtokens"] == 1
    assert "transformers" in report["provenance"]["versions"]
    assert any(name.startswith("encoder/") for name in report["provenance"]["tables"])
    assert corpus_labels(given["sentences"]) == LABELS
