"""Blend and attention against loops over words that follow the paper's equations; all fusions, whatever they are."""

import math

import pytest
import torch

from visner.config.experiments import Fusion
from visner.ner.fusion import Pictures, fusion_class
from visner.ner.fusion.attention import Attention
from visner.ner.fusion.blend import Blend

SIZE, VISUAL = 8, 5


def gated(gate, state, seen):
    """Eq. 5 for one word."""
    weight, bias = gate.linear.weight[0], gate.linear.bias[0]
    value = 1 / (1 + math.exp(-(weight @ torch.cat([state, seen]) + bias).item()))
    return (1 - value) * state + value * seen, value


@pytest.fixture
def states():
    torch.manual_seed(1)
    return torch.randn(5, SIZE)


@pytest.fixture
def pictures():
    torch.manual_seed(2)
    return torch.randn(3, VISUAL)


def test_the_gate_is_that_of_the_equation_and_words_without_picture_keep_their_state(states, pictures):
    fusion = Blend(SIZE, VISUAL)
    rows = [2, -1, 0, 0, -1]
    fused = fusion(states, Pictures(pictures, torch.tensor(rows)))
    found, gates = fused.states, fused.gates()
    for t, row in enumerate(rows):
        if row < 0:
            assert torch.equal(found[t], states[t])
            assert math.isnan(gates[t])
        else:
            expected, value = gated(fusion.weigh, states[t], fusion.project.weight @ pictures[row])
            torch.testing.assert_close(found[t], expected)
            assert gates[t].item() == pytest.approx(value, abs=1e-6)


def attended(layer, state, keys, heads):
    """Eq. 6 for one word: each head's softmax over the scaled products, concatenated and projected."""
    size = SIZE // heads
    query_bias, key_bias, value_bias = layer.in_proj_bias.split(SIZE)
    query = layer.q_proj_weight @ state + query_bias
    gathered = []
    for head in range(heads):
        part = slice(head * size, (head + 1) * size)
        products = [
            (query[part] @ (layer.k_proj_weight @ key + key_bias)[part]).item() / math.sqrt(size) for key in keys
        ]
        total = sum(map(math.exp, products))
        values = [(layer.v_proj_weight @ key + value_bias)[part] for key in keys]
        gathered.append(sum(math.exp(p) / total * value for p, value in zip(products, values, strict=True)))
    return layer.out_proj.weight @ torch.cat(gathered) + layer.out_proj.bias


@pytest.mark.parametrize("heads", [1, 2, 8])
def test_the_attention_is_that_of_the_equation_over_the_sentences_own_pictures(states, pictures, heads):
    torch.manual_seed(3)
    fusion = Attention(SIZE, VISUAL, heads=heads)
    torch.nn.init.normal_(fusion.attend.in_proj_bias)
    mask = torch.tensor([[True, True, False], [True, False, False], [True, True, False]])  # words 0-1, 2, 3-4
    shown = torch.tensor([[0, -1], [-1, -1], [1, 2]])
    fused = fusion(states, Pictures(pictures, torch.full((5,), -1), shown, mask))
    found, gates = fused.states, fused.gates()
    for t, rows in enumerate([[0], [0], [], [1, 2], [1, 2]]):
        if rows:
            seen = attended(fusion.attend, states[t], pictures[rows], heads)
            expected, value = gated(fusion.weigh, states[t], seen)
            torch.testing.assert_close(found[t], expected, atol=1e-5, rtol=1e-5)
            assert gates[t].item() == pytest.approx(value, abs=1e-5)
        else:
            assert torch.equal(found[t], states[t])
            assert math.isnan(gates[t])


NAMES = [name for name in Fusion.__args__ if name != "none"]


@pytest.mark.parametrize("name", NAMES)
def test_sentences_that_all_lack_pictures_are_left_alone(states, name):
    nothing = Pictures(torch.zeros(0, VISUAL), torch.full((5,), -1), torch.zeros(1, 0, dtype=torch.long))
    nothing.mask = torch.ones(1, 5, dtype=torch.bool)
    fused = fusion_class(name)(SIZE, VISUAL, heads=2, gate="scalar")(states, nothing)
    assert torch.equal(fused.states, states)
    assert len(fused.seeing) == 0
    assert fused.gates() is None or fused.gates().isnan().all()


@pytest.mark.parametrize("name", NAMES)
def test_every_fusion_widens_as_it_says_and_reaches_all_its_weights(states, pictures, name):
    kind = fusion_class(name)
    fusion = kind(SIZE, VISUAL, heads=2, gate="vector")
    shown = torch.tensor([[0, 1], [2, -1]])
    mask = torch.tensor([[True, True, True], [True, True, False]])
    fused = fusion(states, Pictures(pictures, torch.tensor([0, -1, 1, 2, -1]), shown, mask))
    assert fused.states.shape == states.shape
    assert (fused.beside is not None) == kind.widens
    assert not kind.widens or fused.beside.shape == (len(fused.seeing), VISUAL)
    if not list(fusion.parameters()):
        return
    (fused.states.sum() + (fused.beside.sum() if kind.widens else 0)).backward()
    assert all(parameter.grad is not None for parameter in fusion.parameters())
