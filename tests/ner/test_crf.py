"""The CRF against pytorch-crf and against enumeration."""

import itertools

import pytest
import torch
import torchcrf

from visner.ner.crf import CRF


@pytest.fixture
def pair():
    torch.manual_seed(3)
    ours, peer = CRF(5), torchcrf.CRF(5, batch_first=True)
    with torch.no_grad():
        for parameter in ours.parameters():
            parameter.normal_()
    peer.load_state_dict(ours.state_dict())
    return ours, peer


@pytest.mark.parametrize("lengths", [[1], [6, 4, 1], [3, 3]])
def test_likelihood_gradients_and_decoding_are_those_of_pytorch_crf(pair, lengths):
    ours, peer = pair
    torch.manual_seed(4)
    emissions = torch.randn(len(lengths), max(lengths), 5, requires_grad=True)  # [B, T, K]
    tags = torch.randint(5, emissions.shape[:2])
    mask = torch.arange(max(lengths)) < torch.tensor(lengths).unsqueeze(1)
    weights = torch.randn(len(lengths))
    expected = peer(emissions, tags, mask, reduction="none")
    (expected * weights).sum().backward()
    wanted = [emissions.grad.clone()] + [parameter.grad for parameter in peer.parameters()]
    emissions.grad = None
    found = ours(emissions, tags, mask)
    (found * weights).sum().backward()
    torch.testing.assert_close(found, expected)
    for got, want in zip([emissions.grad] + [p.grad for p in ours.parameters()], wanted, strict=True):
        want = torch.zeros_like(got) if want is None else want  # pytorch-crf doesn't touch them at length 1
        torch.testing.assert_close(got, want, atol=1e-5, rtol=1e-4)
    assert ours.decode(emissions, mask) == peer.decode(emissions, mask)


def test_probabilities_of_all_taggings_sum_to_one(pair):
    ours, _ = pair
    emissions = torch.randn(1, 3, 5)
    mask = torch.ones(1, 3, dtype=torch.bool)
    total = sum(ours(emissions, torch.tensor([tags]), mask).exp() for tags in itertools.product(range(5), repeat=3))
    assert total.item() == pytest.approx(1, abs=1e-4)
