"""The model against the paper's equations written out with torch's own layers."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from visner.ner.bilstm_crf import BiLSTMCRF, prepare
from visner.ner.dataset import NONE, build_sentence, collate, shuffled_batches, sorted_batches
from visner.ner.frozen import Tables
from visner.ner.train import load, save
from visner.recipes import BiLSTMExperiment

LABELS = ["O", "B-X", "I-X"]
WIDTHS = {"chars": 5, "words": 4, "contextual": 6, "visual": 7}
PICTURES = {"grounding": "x"}


def recipe(fusion, **more):
    pictures = PICTURES if fusion != "none" else {}
    return BiLSTMExperiment(corpus="x", vectors="x", hidden=8, fusion=fusion, **pictures, **more)


@pytest.fixture
def tables():
    generator = np.random.default_rng(5)
    rows = {"chars": 6, "words": 4, "contextual": 9, "visual": 3}
    return Tables(*(generator.standard_normal((rows[n], WIDTHS[n])).astype(np.float32) for n in WIDTHS))


@pytest.fixture
def sentences():
    """Two sentences with a space outside all words, unknown units and words, and words with and without pictures."""
    chars, words = {"京": 0, "都": 1, "へ": 2, "行": 3, " ": 4}, {"京都": 0, "へ": 1, "行く": 2}

    def word(surface, start):
        return {"surface": surface, "start": start, "stop": start + len(surface)}

    first = build_sentence("1", list("京都へ 行く"), [word("京都", 0), word("へ", 2), word("行く", 4)], 0,
                           [[2], [2], [], [], [0, 1], [0, 1]], chars, words, np.array([1, 2, 0, 0, 0, 0]))  # fmt: skip
    second = build_sentence("2", list("都々"), [word("都々", 0)], 3, [[], []], chars, words, np.array([0, 0]))
    return [first, second]


def row(table, index):
    return torch.zeros(table.shape[1]) if index == NONE else torch.from_numpy(table[index])


def reference(model, sentence, tables):
    """Emissions [T, K] of one sentence: x_t written out unit by unit (eqs. 1, 5-7), then torch's nn.LSTM."""
    fusion = model.recipe.fusion
    inputs = []
    for t in range(len(sentence)):
        segment = sentence.segments[t]
        context = row(tables.contextual, sentence.occurrences[segment])
        parts = [row(tables.chars, sentence.units[t]), row(tables.words, sentence.words[segment]), context]
        if fusion != "none":
            seen = [row(tables.visual, picture) for picture in sentence.pictures[segment] if picture != NONE]
            v = model.visual_scale * torch.stack(seen).mean(0) if seen else torch.zeros(WIDTHS["visual"])
            g = torch.sigmoid(model.gate(torch.cat([v, context]))) if fusion == "gate" else 1
            parts.append(g * v)
        inputs.append(torch.cat(parts))
    blocks = [model.project_chars.weight, model.project_words.weight]
    if fusion != "none":
        blocks.append(model.project_visual.weight)
    hidden = model.recipe.hidden
    lstm = nn.LSTM(len(inputs[0]), hidden, bidirectional=True)

    def reordered(weight):  # ours (output, input, forget, cell) as nn.LSTM's (input, forget, cell, output)
        o, i, f, g = weight.chunk(4)
        return torch.cat([i, f, g, o])

    with torch.no_grad():
        for direction, suffix in enumerate(["l0", "l0_reverse"]):
            rows = slice(4 * hidden * direction, 4 * hidden * (direction + 1))
            getattr(lstm, f"weight_ih_{suffix}").copy_(reordered(torch.cat(blocks, dim=1)[rows]))
            getattr(lstm, f"bias_ih_{suffix}").copy_(reordered(model.project_chars.bias[rows]))
            getattr(lstm, f"bias_hh_{suffix}").zero_()
            getattr(lstm, f"weight_hh_{suffix}").copy_(reordered(model.lstm.weight[direction].T))
    states, _ = lstm(torch.stack(inputs))  # [T, 2H]
    return model.emit(states)


@pytest.mark.parametrize(
    "fusion, gate", [("none", "scalar"), ("simple", "scalar"), ("gate", "scalar"), ("gate", "vector")]
)
def test_emissions_are_those_of_the_equations(sentences, tables, fusion, gate):
    torch.manual_seed(6)
    model = BiLSTMCRF(recipe(fusion, gate=gate), WIDTHS, LABELS, 0.3).eval()
    found, _ = model.emissions(prepare(sentences, tables, torch.device("cpu")))
    for one, sentence in zip(found, sentences, strict=True):
        torch.testing.assert_close(one[: len(sentence)], reference(model, sentence, tables))


def test_bfloat16_is_near_float32_and_is_said_once_where_it_is_slow(sentences, tables, slow_bfloat16):
    found = {}
    for precision in ("float32", "bfloat16"):
        torch.manual_seed(6)
        model = BiLSTMCRF(recipe("gate", precision=precision), WIDTHS, LABELS, 0.3).eval()
        found[precision], _ = model.emissions(prepare(sentences, tables, torch.device("cpu")))
    assert not torch.equal(*found.values())
    torch.testing.assert_close(*found.values(), atol=0.03, rtol=0.03)
    assert len(slow_bfloat16()) == 1


def test_gates_stand_at_units_with_pictures_and_nowhere_else(sentences, tables):
    torch.manual_seed(7)
    model = BiLSTMCRF(recipe("gate"), WIDTHS, LABELS).eval()
    _, (first, second), _ = model.predict(prepare(sentences, tables, torch.device("cpu")))
    assert np.isfinite(first).tolist() == [True, True, False, False, True, True]
    assert np.isnan(second).all()
    v, context = tables.visual[2], tables.contextual[0]
    expected = torch.sigmoid(model.gate(torch.from_numpy(np.concatenate([v, context]))))
    assert first[0] == pytest.approx(expected.item(), abs=1e-6)


def test_a_model_learns_what_only_pictures_tell(tables):
    """The same text with other pictures has other labels: only a model that sees them can be right."""
    word = {"surface": "山", "start": 0, "stop": 1}
    sentences = [
        build_sentence(str(n), ["山"], [word], 0, [[n % 2]], {"山": 0}, {"山": 0}, np.array([n % 2])) for n in range(20)
    ]
    torch.manual_seed(8)
    model = BiLSTMCRF(recipe("gate", dropout_input=0.1, dropout_output=0.1), WIDTHS, ["O", "B-X"])
    optimizer = torch.optim.Adam(model.parameters(), 0.02)
    inputs = prepare(sentences, tables, torch.device("cpu"))
    for _ in range(30):
        optimizer.zero_grad()
        model.loss(inputs).backward()
        optimizer.step()
    tags, _, losses = model.eval().predict(inputs, losses=True)
    assert np.mean(losses) == pytest.approx(model.loss(inputs).item(), rel=1e-5)
    assert [one[0] for one in tags] == [n % 2 for n in range(20)]


def test_a_gate_fixed_at_0_trains_and_predicts_as_the_baseline(tables, sentences):
    torch.manual_seed(8)
    off = {"dropout_input": 0.0, "dropout_output": 0.0}
    gated, baseline = BiLSTMCRF(recipe("gate", **off), WIDTHS, LABELS), BiLSTMCRF(recipe("none", **off), WIDTHS, LABELS)
    baseline.load_state_dict(
        {name: value for name, value in gated.state_dict().items() if name in baseline.state_dict()}
    )
    with torch.no_grad():
        gated.gate.bias.fill_(-1e4)
    labelled = [replace(sentence, labels=np.arange(len(sentence)) % 3) for sentence in sentences]
    inputs = prepare(labelled, tables, torch.device("cpu"))
    losses = []
    for model in (gated, baseline):
        optimizer = model.optimizer()
        for _ in range(10):
            optimizer.zero_grad()
            loss = model.loss(inputs)
            loss.backward()
            optimizer.step()
        losses.append(loss.item())
    assert losses[0] == losses[1] < 20
    assert gated.eval().predict(inputs).tags == baseline.eval().predict(inputs).tags
    assert torch.equal(gated.emissions(inputs)[0], baseline.emissions(inputs)[0])


def test_the_characters_of_a_word_lose_different_features():
    torch.manual_seed(9)
    model = BiLSTMCRF(recipe("none", dropout_input=0.25), WIDTHS, LABELS).train()
    layer = nn.Linear(4, 4, bias=False)
    nn.init.eye_(layer.weight)
    units = torch.zeros(4000, dtype=torch.long)  # characters of one word
    found = model.project(layer, torch.ones(1, 4), units)
    kept = found > 0
    assert abs(kept.float().mean().item() - 0.75) < 0.02
    assert abs((kept[1:] == kept[:-1]).float().mean().item() - (0.75**2 + 0.25**2)) < 0.02  # drawn independently
    torch.testing.assert_close(found.mean(0), torch.ones(4), rtol=0, atol=0.05)
    torch.testing.assert_close(model.eval().project(layer, torch.ones(1, 4), units), torch.ones(4000, 4))


def test_a_saved_model_predicts_the_same(sentences, tables, tmp_path):
    model = BiLSTMCRF(recipe("gate"), WIDTHS, LABELS, 0.3).eval()
    save(tmp_path / "model.safetensors", model, 1)
    again, labels = load(tmp_path / "model.safetensors", torch.device("cpu"))
    assert labels == LABELS
    inputs = prepare(sentences, tables, torch.device("cpu"))
    torch.testing.assert_close(again.emissions(inputs)[0], model.emissions(inputs)[0], rtol=0, atol=0)
    assert BiLSTMCRF.build(model.describe()).recipe == model.recipe


def test_batches_hold_every_sentence_once_with_neighbours_of_like_length(sentences):
    many = [Numbered(n, len(sentences[n % 2])) for n in range(101)]
    batches = list(shuffled_batches(many, 10, torch.Generator().manual_seed(1)))
    assert sorted(s.number for batch in batches for s in batch) == list(range(101))
    assert sum(len({len(s) for s in batch}) > 1 for batch in batches) <= 2
    again = list(shuffled_batches(many, 10, torch.Generator().manual_seed(1)))
    assert [[s.number for s in batch] for batch in again] == [[s.number for s in batch] for batch in batches]
    more = [Numbered(n, n % 7) for n in range(230)]  # several pools
    whole, rest = (list(shuffled_batches(more, 2, torch.Generator().manual_seed(1), start=n)) for n in (0, 60))
    assert (len(whole), rest) == (115, whole[60:])
    assert sorted(i for batch in sorted_batches(many, 7) for i in batch) == list(range(101))


def test_one_very_long_sentence_does_not_lengthen_the_batch_of_the_others():
    lengths = [3, 20_000, 5, 400, 0, *[200] * 400]
    batches = list(sorted_batches([Numbered(n, length) for n, length in enumerate(lengths)], 64))
    assert batches[0] == [1]
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) <= 64
        assert len(batch) == 1 or len(batch) * max(lengths[i] for i in batch) <= 64 * 512
    assert len(batches) == 1 + -(-404 // 64)  # all others are full


class Numbered:
    """A sentence of some length that knows its place."""

    def __init__(self, number, length):
        self.number, self.length = number, length

    def __len__(self):
        return self.length


def test_pictures_are_brought_to_the_size_of_the_longest_text_vectors(tables, sentences):
    tables.contextual *= 3
    tables.visual *= 50
    tables.visual[1] *= 100  # which no training sentence has
    training = sentences[:1]
    training[0].pictures[training[0].pictures == 1] = NONE
    text = np.linalg.norm(tables.contextual[[0, 1, 2]], axis=1).mean()
    pictures = np.linalg.norm(tables.visual[[0, 2]], axis=1).mean()
    assert tables.visual_scale(training) * pictures == pytest.approx(text, rel=1e-5)
    assert tables.visual_scale(sentences[1:]) == 1  # it has no pictures


def test_padding_shows_the_empty_segment(sentences):
    batch = collate(sentences)
    assert batch.segments[1].tolist()[2:] == [0, 0, 0, 0]
    assert batch.words[0] == NONE
    assert batch.mask.sum().item() == 8
