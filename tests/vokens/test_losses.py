"""Both losses and their gradients against loops over all pairs."""

import math

import numpy as np
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


def upstream_batchwise(words, pictures, mask, margin):
    """The two lines of the batch-wise loss in the code of Tan and Bansal (airsplay/vokenization, xmatching/loss.py).

    words [B, L, d] and their mask [B, L], pictures [B, d]. Every word of sentence a is compared at its place t with
    the positive score there of its own sentence, or of sentence b, and both sums are divided by words times B.
    """
    sentences, places = mask.shape
    image = token = 0.0
    for a in range(sentences):
        for b in range(sentences):
            for t in range(places):
                if a != b and mask[a, t]:
                    unmatched = words[a, t] @ pictures[b]
                    image += max(0.0, margin - words[a, t] @ pictures[a] + unmatched)
                    token += max(0.0, margin - words[b, t] @ pictures[b] + unmatched)
    return image / mask.sum() / sentences, token / mask.sum() / sentences


def upstream_paired(words, pictures, mask, margin, partner):
    """The loss that the same code trains with: the picture of the partner is each word's one negative."""
    total = 0.0
    for a, other in enumerate(partner):
        for t in range(mask.shape[1]):
            if mask[a, t]:
                total += max(0.0, margin - words[a, t] @ pictures[a] + words[a, t] @ pictures[other])
    return total / mask.sum()


def fixed_batch(lengths, seed=3):
    """Words [B, L, 5] of norm 1 with random padding, pictures [B, 5] of norm 1, the mask [B, L]."""
    rng = np.random.default_rng(seed)
    words = rng.standard_normal((len(lengths), max(lengths), 5))
    pictures = rng.standard_normal((len(lengths), 5))
    words, pictures = (x / np.linalg.norm(x, axis=-1, keepdims=True) for x in (words, pictures))
    return words, pictures, np.arange(max(lengths)) < np.array(lengths)[:, None]


def ours_of(words, pictures, mask, margin=0.5):
    """Our two lines: a batch of one word has no other word to compare with, so that only the first is left."""
    own = torch.from_numpy(np.nonzero(mask)[0])
    scores = torch.from_numpy(words[mask] @ pictures.T)
    image = np.mean([hinge_rank_loss(scores[i : i + 1], own[i : i + 1], margin).item() for i in range(len(own))])
    return image, hinge_rank_loss(scores, own, margin).item() - image


def test_the_hinge_is_upstreams_batchwise_one_where_sentences_have_one_word():
    words, pictures, mask = batch = fixed_batch([1, 1, 1, 1])
    ours, theirs = ours_of(*batch), upstream_batchwise(*batch, 0.5)
    assert min(theirs) > 0.1
    np.testing.assert_allclose(np.array(ours) * 3 / 4, theirs, rtol=1e-9)


def test_the_first_line_is_upstreams_two_and_the_second_has_more_words():
    lengths = [3, 3, 3, 3]
    words, pictures, mask = batch = fixed_batch(lengths)
    ours, theirs = ours_of(*batch), upstream_batchwise(*batch, 0.5)
    pairings = ([1, 0, 3, 2], [2, 3, 0, 1], [3, 2, 1, 0])
    paired = np.mean([upstream_paired(*batch, 0.5, partner) for partner in pairings])
    np.testing.assert_allclose([ours[0], ours[0] * 3 / 4], [paired, theirs[0]], rtol=1e-9)
    same_place = np.mean([
        max(0.0, 0.5 - words[b, t] @ pictures[b] + words[a, t] @ pictures[b])
        for a in range(4) for b in range(4) if a != b for t in range(3)
    ])  # fmt: skip
    assert same_place * 3 / 4 == pytest.approx(theirs[1], rel=1e-9)
    every_place = np.mean([
        max(0.0, 0.5 - words[b, t] @ pictures[b] + words[a, u] @ pictures[b])
        for a in range(4) for b in range(4) if a != b for t in range(3) for u in range(3)
    ])  # fmt: skip
    assert ours[1] == pytest.approx(every_place, rel=1e-9)
    assert abs(every_place - same_place) > 0.001


def test_the_second_line_takes_no_padding_for_a_word_as_upstreams_does():
    words, pictures, mask = fixed_batch([1, 3])
    other_padding = words.copy()
    other_padding[~mask] = -pictures[0]
    ours, theirs = (
        [lines(*batch) for batch in ((words, pictures, mask), (other_padding, pictures, mask))]
        for lines in (ours_of, lambda *batch: upstream_batchwise(*batch, 0.5))
    )
    assert ours[0] == ours[1]
    assert theirs[0][0] == theirs[1][0]
    assert theirs[1][1] - theirs[0][1] > 0.1
