"""The model against the paper's equations written out with torch's own layers."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from visner.ner.batches import shuffled_batches, sorted_batches
from visner.ner.bilstm_crf import BiLSTMBatch, BiLSTMCRF, BiLSTMCRFConfig
from visner.ner.bilstm_data import Tables
from visner.ner.saving import load, save
from visner.ner.vectors import NONE

LABELS = ["O", "B-X", "I-X"]
WIDTHS = {"chars": 5, "words": 4, "contextual": 6, "visual": 7}
CPU = torch.device("cpu")


def new(fusion, **more):
    """A model, which isn't training."""
    return BiLSTMCRF(BiLSTMCRFConfig(**{"labels": LABELS, "hidden": 8, "fusion": fusion, **WIDTHS, **more})).eval()


@pytest.fixture
def tables():
    generator = np.random.default_rng(5)
    rows = {"chars": 6, "words": 4, "contextual": 9, "visual": 3}
    arrays = (generator.standard_normal((rows[n], WIDTHS[n])).astype(np.float32) for n in WIDTHS)
    return Tables(*arrays, {"京": 0, "都": 1, "へ": 2, "行": 3, " ": 4}, {"京都": 0, "へ": 1, "行く": 2})


@pytest.fixture
def sentences(tables):
    """Two sentences with a space outside all words, unknown units and words, and words with and without pictures."""

    def word(surface, start):
        return {"surface": surface, "start": start, "stop": start + len(surface)}

    first = tables.sentence("1", list("京都へ 行く"), [word("京都", 0), word("へ", 2), word("行く", 4)], 0,
                            [[2], [2], [], [], [0, 1], [0, 1]], np.array([1, 2, 0, 0, 0, 0]))  # fmt: skip
    second = tables.sentence("2", list("都々"), [word("都々", 0)], 3, [[], []], np.array([0, 0]))
    return [first, second]


def row(table, index):
    return torch.zeros(table.shape[1]) if index == NONE else torch.from_numpy(table[index])


def reference(model, sentence, tables):
    """Emissions [T, K] of one sentence: x_t written out unit by unit (eqs. 1, 5-7), then torch's nn.LSTM."""
    fusion, scale = model.config.fusion, model.config.visual_scale
    means = [
        scale * torch.stack([row(tables.visual, n) for n in one if n != NONE]).mean(0) for one in sentence.pictures
    ]
    inputs = []
    for t in range(len(sentence)):
        segment = sentence.segments[t]
        context = row(tables.contextual, sentence.occurrences[segment])
        parts = [row(tables.chars, sentence.units[t]), row(tables.words, sentence.words[segment]), context]
        own = sentence.own[segment]
        if fusion in ("simple", "gate"):
            v = means[own] if own != NONE else torch.zeros(WIDTHS["visual"])
            g = torch.sigmoid(model.fusion.linear(torch.cat([v, context]))) if fusion == "gate" else 1
            parts.append(g * v)
        elif (fusion == "blend" and own != NONE) or (fusion == "attention" and means):
            if fusion == "blend":
                seen = model.fusion.project(means[own])
            else:
                seen = model.fusion.attend(context[None], torch.stack(means), torch.stack(means))[0][0]
            g = torch.sigmoid(model.fusion.weigh.linear(torch.cat([context, seen])))
            parts[2] = (1 - g) * context + g * seen
        inputs.append(torch.cat(parts))
    blocks = [model.project_chars.weight, model.project_words.weight]
    if fusion in ("simple", "gate"):
        blocks.append(model.project_visual.weight)
    hidden = model.config.hidden
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
    "fusion, gate",
    [("none", None), ("simple", None), ("gate", "scalar"), ("gate", "vector"), ("blend", None), ("attention", None)],
)
def test_emissions_are_those_of_the_equations(sentences, tables, fusion, gate):
    torch.manual_seed(6)
    model = new(fusion, gate=gate, heads=2, visual_scale=0.3)
    found, _ = model(tables.batch(sentences, CPU))
    for one, sentence in zip(found, sentences, strict=True):
        torch.testing.assert_close(one[: len(sentence)], reference(model, sentence, tables))


def test_bfloat16_is_near_float32_and_is_said_once_where_it_is_slow(sentences, tables, slow_bfloat16):
    found = {}
    for precision in ("float32", "bfloat16"):
        torch.manual_seed(6)
        found[precision], _ = new("gate", precision=precision, visual_scale=0.3)(tables.batch(sentences, CPU))
    assert not torch.equal(*found.values())
    torch.testing.assert_close(*found.values(), atol=0.03, rtol=0.03)
    assert len(slow_bfloat16()) == 1


def test_gates_stand_at_units_with_pictures_and_nowhere_else(sentences, tables):
    torch.manual_seed(7)
    model = new("gate")
    _, (first, second), _ = model.decode(tables.batch(sentences, CPU))
    assert np.isfinite(first).tolist() == [True, True, False, False, True, True]
    assert np.isnan(second).all()
    v, context = tables.visual[2], tables.contextual[0]
    expected = torch.sigmoid(model.fusion.linear(torch.from_numpy(np.concatenate([v, context]))))
    assert first[0] == pytest.approx(expected.item(), abs=1e-6)


def test_a_model_learns_what_only_pictures_tell(tables):
    """The same text with other pictures has other labels: only a model that sees them can be right."""
    word = {"surface": "山", "start": 0, "stop": 1}
    sentences = [tables.sentence(str(n), ["山"], [word], 0, [[n % 2]], np.array([n % 2])) for n in range(20)]
    torch.manual_seed(8)
    model = new("gate", labels=["O", "B-X"], dropout_input=0.1, dropout_output=0.1).train()
    optimizer = torch.optim.Adam(model.parameters(), 0.02)
    inputs = tables.batch(sentences, CPU)
    for _ in range(30):
        optimizer.zero_grad()
        model.loss(inputs).backward()
        optimizer.step()
    tags, _, losses = model.eval().decode(inputs, losses=True)
    assert np.mean(losses) == pytest.approx(model.loss(inputs).item(), rel=1e-5)
    assert [one[0] for one in tags] == [n % 2 for n in range(20)]


def test_a_gate_fixed_at_0_trains_and_predicts_as_the_baseline(tables, sentences):
    torch.manual_seed(8)
    off = {"dropout_input": 0.0, "dropout_output": 0.0}
    gated, baseline = new("gate", **off).train(), new("none", **off).train()
    baseline.load_state_dict(
        {name: value for name, value in gated.state_dict().items() if name in baseline.state_dict()}
    )
    with torch.no_grad():
        gated.fusion.linear.bias.fill_(-1e4)
    labelled = [replace(sentence, labels=np.arange(len(sentence)) % 3) for sentence in sentences]
    inputs = tables.batch(labelled, CPU)
    losses = []
    for model in (gated, baseline):
        optimizer = torch.optim.Adam(model.parameters(), 1e-3)
        for _ in range(10):
            optimizer.zero_grad()
            loss = model.loss(inputs)
            loss.backward()
            optimizer.step()
        losses.append(loss.item())
    assert losses[0] == losses[1] < 20
    assert gated.eval().decode(inputs).tags == baseline.eval().decode(inputs).tags
    assert torch.equal(gated(inputs)[0], baseline(inputs)[0])


def test_the_characters_of_a_word_lose_different_features():
    torch.manual_seed(9)
    model = new("none", dropout_input=0.25).train()
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
    model = new("gate", visual_scale=0.3)
    save(tmp_path / "model.safetensors", model, seed=1)
    again, beside = load(tmp_path / "model.safetensors", CPU)
    assert (again.config, beside) == (model.config, {"seed": 1})
    inputs = tables.batch(sentences, CPU)
    torch.testing.assert_close(again(inputs)[0], model(inputs)[0], rtol=0, atol=0)


def test_a_batch_of_plain_tensors_needs_no_words(tables, sentences):
    """Each unit is a segment of its own; the emissions are those of the same text from tables."""
    torch.manual_seed(6)
    model = new("none", words=0, contextual=0)
    plain = Tables(tables.chars, char_index=tables.char_index)
    expected, _ = model(plain.batch(sentences, CPU))
    chars = torch.cat([torch.stack([row(tables.chars, unit) for unit in one.units]) for one in sentences])
    mask = torch.arange(6) < torch.tensor([[6], [2]])
    found, gates = model(BiLSTMBatch(chars, mask))
    torch.testing.assert_close(found[mask], expected[mask])
    assert gates is None


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
    training[0].pictures[training[0].pictures == 1] = NONE  # one of the two of 行く
    text = np.linalg.norm(tables.contextual[[0, 1, 2]], axis=1).mean()
    pictures = np.linalg.norm(tables.visual[[0, 2]], axis=1).mean()
    assert tables.visual_scale(training) * pictures == pytest.approx(text, rel=1e-5)
    assert tables.visual_scale(sentences[1:]) == 1  # it has no pictures


def test_segments_and_pictures_of_a_batch_are_those_of_its_sentences(tables, sentences):
    batch = tables.batch(sentences, CPU)
    assert batch.mask.tolist() == [[True] * 6, [True, True, False, False, False, False]]
    assert batch.segments.tolist() == [0, 0, 1, 2, 3, 3, 4, 4]
    assert batch.pictures.own.tolist() == [0, -1, -1, 1, -1]
    assert batch.pictures.shown.tolist() == [[0, 1], [-1, -1]]
    assert batch.pictures.mask.tolist() == [[True] * 4, [True, False, False, False]]
    expected = np.stack([tables.visual[2], tables.visual[:2].mean(0)])
    torch.testing.assert_close(batch.pictures.vectors, torch.from_numpy(expected))
