"""Both losses and their gradients against loops over all pairs."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from visner.vokens.losses import hinge_rank_loss, infonce_loss

OWN = [0, 0, 2, 1, 1, 1, 2, 0]  # words of three sentences, or of more that share pictures


def hinge_by_loops(scores, own, margin):
    image, token = [], []
    for i, mine in enumerate(own):
        for v in range(scores.shape[1]):
            if v != mine:
                image.append(torch.clamp(margin - scores[i, mine] + scores[i, v], min=0))
        for j, others in enumerate(own):
            if others != mine:
                token.append(torch.clamp(margin - scores[i, mine] + scores[j, mine], min=0))
    return torch.stack(image).mean() + torch.stack(token).mean()


def infonce_by_loops(scores, own, temperature):
    total = 0
    for i, mine in enumerate(own):
        positive = math.e ** (scores[i, mine] / temperature)
        image = sum(math.e ** (scores[i, v] / temperature) for v in range(scores.shape[1]) if v != mine)
        token = sum(math.e ** (scores[j, mine] / temperature) for j, others in enumerate(own) if others != mine)
        total = total - torch.log(positive / (positive + image)) - torch.log(positive / (positive + token))
    return total / len(own)


PAIRS = {"hinge": (hinge_rank_loss, hinge_by_loops, 0.5), "infonce": (infonce_loss, infonce_by_loops, 0.3)}


@pytest.mark.parametrize("name", PAIRS)
@settings(max_examples=25)
@given(data=st.data())
def test_loss_and_gradients_are_those_of_a_loop_over_all_pairs(name, data):
    ours, loops, parameter = PAIRS[name]
    pictures = data.draw(st.integers(2, 4))
    own = data.draw(st.lists(st.integers(0, pictures - 1), min_size=2, max_size=9).filter(lambda o: len(set(o)) > 1))
    generator = torch.Generator().manual_seed(data.draw(st.integers(0, 1000)))
    words = torch.randn(len(own), 5, generator=generator, dtype=torch.float64, requires_grad=True)
    seen = torch.randn(pictures, 5, generator=generator, dtype=torch.float64, requires_grad=True)
    gradients = []
    for loss in (ours(words @ seen.T, torch.tensor(own), parameter), loops(words @ seen.T, own, parameter)):
        gradients.append((loss.detach(), *torch.autograd.grad(loss, (words, seen))))
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("name", PAIRS)
def test_a_batch_of_one_picture_has_no_unmatched_pair(name):
    scores = torch.randn(3, 1, requires_grad=True)
    loss = PAIRS[name][0](scores, torch.zeros(3, dtype=torch.long), 0.5)
    loss.backward()
    assert loss.item() == pytest.approx(0, abs=1e-6)
    assert torch.isfinite(scores.grad).all()


def test_no_tensor_is_larger_than_words_by_words():
    """Everything that autograd keeps of the hinge, at a size where sentences x sentences x words would show."""
    sentences, words = 16, 12
    own = torch.arange(sentences).repeat_interleave(words)
    scores = torch.randn(len(own), sentences, requires_grad=True)
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda tensor: kept.append(tensor.numel()) or tensor, lambda t: t):
        hinge_rank_loss(scores, own, 0.5)
    assert 0 < max(kept) <= len(own) ** 2
