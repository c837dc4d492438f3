"""Every recogniser and fusion on each device: a few steps and predictions, beside the CPU one sentence at a time.

In float32 the losses agree within a thousandth, the gradients of the first step within a thousandth of their norm, the
gates within 1e-4, and the labels are the same. In bfloat16 (against float32) within 5, 10 and 5 hundredths.
"""

import json
import shutil

import numpy as np
import pytest
import torch
from bert_sentences import LABELS
from bert_sentences import recipe as bert_recipe
from torch.nn.utils import clip_grad_norm_

from visner.config.experiments import BiLSTMExperiment
from visner.ner import systems
from visner.ner.inputs import Files
from visner.ner.predict import predict
from visner.ner.train import train
from visner.runtime import tables
from visner.runtime.keyed_vectors import write_vectors

CPU = torch.device("cpu")
TOLERANCES = {"float32": (1e-3, 1e-3, 1e-4), "bfloat16": (0.05, 0.1, 0.05)}  # losses, gradients, gates
BILSTM = [("none", {}), ("simple", {}), ("gate", {"gate": "vector"}), ("blend", {}), ("attention", {"heads": 2})]
BILSTM += [("gate", {"gate": "scalar"})]
BERT = [("none", {}), ("gate", {"gate": "scalar"}), ("blend", {}), ("attention", {"pictures": "mean"})]
BERT += [("attention", {"pictures": "series"})]
PRECISIONS = ["float32", "bfloat16"]
UNITS = "京都へ行く山川雨"


def write_bilstm_corpus(folder):
    """Tables of sentences of 1 to 14 characters, their words, vectors and pictures."""
    rng = np.random.default_rng(1)
    sentences, words, grounding, occurrences = [], [], [], 0
    for number in range(16):
        units = [UNITS[i] for i in rng.integers(0, len(UNITS), 1 + number * 7 % 14)]
        cuts = sorted({0, len(units), *rng.integers(0, len(units) + 1, 3).tolist()})
        found = [
            {"surface": "".join(units[start:stop]), "pos": "名詞", "start": start, "stop": stop, "queries": []}
            for start, stop in zip(cuts, cuts[1:], strict=False)
        ]
        rows = [[] for _ in units]
        for word in found:
            pictures = rng.permutation(6)[: rng.integers(0, 4)].tolist()
            rows[word["start"] : word["stop"]] = [pictures] * (word["stop"] - word["start"])
        name, split = str(number), "train" if number < 10 else "dev" if number < 13 else "test"
        of = {"sentence_id": name, "document_id": name, "split": split, "text": "".join(units), "attachment": None}
        labels = [LABELS[i] for i in rng.integers(0, len(LABELS), len(units))]
        sentences.append({**of, "units": units, "labels": labels})
        words.append({"sentence_id": name, "words": found})
        grounding.append({"sentence_id": name, "rows": rows, "scores": [[1.0] * len(some) for some in rows]})
        occurrences += len(found)
    tables.write_table(folder / "sentences.parquet", tables.SENTENCES, sentences, {"sha256": "s"})
    tables.write_table(folder / "words.parquet", tables.WORDS, words)
    tables.write_table(folder / "grounding.parquet", tables.GROUNDING, grounding)
    write_vectors(folder / "chars.safetensors", list(UNITS[:6]), rng.standard_normal((6, 5)).astype(np.float32), {})
    surfaces = sorted({word["surface"] for one in words for word in one["words"]})[::2]
    vectors = rng.standard_normal((len(surfaces), 4)).astype(np.float32)
    write_vectors(folder / "words.safetensors", surfaces, vectors, {})
    np.save(folder / "flair.npy", rng.standard_normal((occurrences, 6)).astype(np.float32))
    np.save(folder / "visual.npy", 5 * rng.standard_normal((6, 7)).astype(np.float32))


@pytest.fixture
def bilstm(tmp_path):
    """The tables of `train` for such a corpus."""
    write_bilstm_corpus(tmp_path)
    names = {"sentences": "sentences.parquet", "words": "words.parquet", "grounding": "grounding.parquet"}
    names |= {"glove_char": "chars.safetensors", "glove_word": "words.safetensors", "flair": "flair.npy"}
    return {table: tmp_path / name for table, name in (names | {"visual": "visual.npy"}).items()}


@pytest.fixture
def bert(given):
    """The tables of `train` for tweets."""
    return given


def bilstm_recipe(fusion, **more):
    pictures = {} if fusion == "none" else {"grounding": "x"}
    dropout = {"dropout_input": 0.0, "dropout_output": 0.0}
    return BiLSTMExperiment(corpus="x", vectors="x", hidden=8, fusion=fusion, **{**dropout, **pictures, **more})


def begin(recipe, given, device, seed=3):
    """An untrained model without dropout on `device`, and its data there."""
    torch.manual_seed(seed)
    files = Files(**{name: path for name, path in given.items() if name != "encoder"})
    model, data, _ = systems.begin(recipe, files, given.get("encoder"), LABELS, device)
    return model.eval(), data


def compare(recipes, given, device, precision):
    """A model of the first recipe on `device`, all sentences at once, beside one of the second on the CPU, alone."""
    of_loss, of_gradient, of_gate = TOLERANCES[precision]
    (model, data), (alone, one_by_one) = begin(recipes[0], given, device), begin(recipes[1], given, CPU)
    optimizers = [systems.optimizer(some, recipes[0].training) for some in (model, alone)]
    training = data.splits["train"]
    for step in range(3):
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss = model.loss(data.batch(training))
        loss.backward()
        expected = torch.stack([alone.loss(one_by_one.batch([one])) for one in one_by_one.splits["train"]]).mean()
        expected.backward()
        assert loss.device.type == device.type
        torch.testing.assert_close(loss.cpu(), expected, rtol=of_loss, atol=0.0)
        gradients = [(p.grad, q.grad) for p, q in zip(model.parameters(), alone.parameters(), strict=True)]
        if step == 0:
            norm = torch.stack([other.norm() for _, other in gradients]).norm()
            assert max((one.cpu() - other).norm() for one, other in gradients) < of_gradient * norm
        for some, optimizer in zip((model, alone), optimizers, strict=True):
            clip_grad_norm_(some.parameters(), 1.0)
            optimizer.step()
    dev = data.splits["dev"]
    found = model.decode(data.batch(dev))
    for number, sentence in enumerate(one_by_one.splits["dev"]):
        expected = alone.decode(one_by_one.batch([sentence]))
        if precision == "float32":
            assert found.tags[number] == expected.tags[0]
        if expected.gates[0] is not None:
            np.testing.assert_allclose(found.gates[number], expected.gates[0], atol=of_gate)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("fusion, keys", BILSTM)
def test_a_bilstm_crf_learns_and_tags_as_on_the_cpu(bilstm, device, fusion, keys, precision):
    recipes = [bilstm_recipe(fusion, precision=one, **keys) for one in (precision, "float32")]
    compare(recipes, bilstm, device, precision)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("fusion, keys", BERT)
def test_a_bert_crf_learns_and_tags_as_on_the_cpu(bert, device, fusion, keys, precision):
    recipes = [bert_recipe(fusion, precision=one, **keys) for one in (precision, "float32")]
    compare(recipes, bert, device, precision)


@pytest.mark.parametrize("name", ["bilstm", "bert"])
def test_dropout_is_drawn_where_the_model_is(request, device, name):
    given, half = request.getfixturevalue(name), {"dropout_output": 0.5}
    recipe = bilstm_recipe("gate", dropout_input=0.5, **half) if name == "bilstm" else bert_recipe("blend", **half)
    model, data = begin(recipe, given, device)
    batch = data.batch(data.splits["train"])
    losses = [model.train().loss(batch) for _ in range(2)]
    losses[0].backward()
    assert losses[0].item() != losses[1].item()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


def by_hand(recipe, given, epochs, seed):
    """The losses of a training whose batches hold all sentences, as plain steps on the CPU, a sentence at a time."""
    model, data = begin(recipe, given, CPU, seed)
    model.train()
    optimizer, schedule = systems.optimizer(model, recipe.training), systems.schedule(recipe.training, 1)
    losses = []
    rates = [group["lr"] for group in optimizer.param_groups]
    for step in range(epochs):
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * (schedule(step) if schedule else 1)
        optimizer.zero_grad()
        loss = torch.stack([model.loss(data.batch([one])) for one in data.splits["train"]]).mean()
        loss.backward()
        clip_grad_norm_(model.parameters(), recipe.training.clip)
        optimizer.step()
        losses.append(loss.item())
    return losses


@pytest.fixture
def without_dropout(encoder, tmp_path):
    """A copy of the encoder whose own dropout is off."""
    folder = shutil.copytree(encoder, tmp_path / "without-dropout")
    config = json.loads((folder / "config.json").read_text())
    config |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    (folder / "config.json").write_text(json.dumps(config))
    return sorted(folder.iterdir())


@pytest.mark.parametrize("name", ["bilstm", "bert"])
def test_the_stage_trains_and_predicts_on_each_device(request, without_dropout, tmp_path, device, name):
    """`train` and `predict`: their files, and the losses of plain steps."""
    given, training = request.getfixturevalue(name), {"epochs": 3, "batch": 100, "patience": 3}
    if name == "bert":
        given["encoder"] = without_dropout
        recipe = bert_recipe("blend", training={**training, "encoder_learning_rate": 1e-3}, dropout_output=0.0)
    else:
        recipe = bilstm_recipe("gate", training={**training, "learning_rate": 0.01})
    model, history, tagged = (tmp_path / file for file in ("model.safetensors", "training.json", "predictions.parquet"))
    train(**given, model=model, history=history, recipe=recipe, seed=5, resume=tmp_path / "resume", device=device)
    read = {table: path for table, path in given.items() if table != "encoder"}
    predict(**read, model=model, predictions=tagged, device=device)
    losses = tables.read_json(history)["losses"]
    expected = by_hand(recipe, given, len(losses), 5)
    np.testing.assert_allclose(losses, expected, rtol=1e-3)
    assert expected[-1] < expected[0]
    rows = list(tables.iterate_rows(tagged, tables.PREDICTIONS))
    assert rows
    assert all(len(row["gold"]) == len(row["predicted"]) for row in rows)
    assert tables.read_provenance(tagged)["device"] == device.type
