"""The CRF against pytorch-crf and against enumeration."""

import itertools

import pytest
import torch
import torchcrf

from visner.ner.crf import CRF

LABELS = ["O", "B-X", "I-X", "B-Y", "I-Y"]


@pytest.fixture
def pair():
    torch.manual_seed(3)
    ours, peer = CRF(LABELS, constrained=False), torchcrf.CRF(5, batch_first=True)
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


def obeys(path):
    """Whether label ids of LABELS are IOB2: written down again, one pair at a time."""
    before = "O"
    for label in (LABELS[number] for number in path):
        if label[0] == "I" and before not in (f"B-{label[2:]}", label):
            return False
        before = label
    return True


@pytest.mark.parametrize("seed", range(20))
def test_constrained_decoding_is_the_best_path_that_obeys_the_scheme(seed):
    """By enumeration of all paths: the best of all without the constraint, the best that obeys it with it."""
    generator = torch.Generator().manual_seed(seed)
    lengths = [4, 2, 1]
    emissions = 2 * torch.randn(3, 4, 5, generator=generator)  # [B, T, K]
    emissions[:, :, [2, 4]] += 1.5  # the model likes I-, where it may stand or not
    mask = torch.arange(4) < torch.tensor(lengths).unsqueeze(1)
    for constrained in (True, False):
        crf = CRF(LABELS, constrained)
        with torch.no_grad():
            for parameter in crf.parameters():
                parameter.normal_(generator=torch.Generator().manual_seed(seed + 100))
        decoded = crf.decode(emissions, mask)
        for row, length in enumerate(lengths):

            @torch.no_grad()
            def score(path, row=row, crf=crf):
                found = crf.start_transitions[path[0]] + crf.end_transitions[path[-1]]
                found = found + sum(crf.transitions[pair] for pair in itertools.pairwise(path))
                return float(found + sum(emissions[row, t, tag] for t, tag in enumerate(path)))

            paths = itertools.product(range(5), repeat=length)
            allowed = [path for path in paths if not constrained or obeys(path)]
            assert tuple(decoded[row]) == max(allowed, key=score)


def test_gold_labels_that_break_the_scheme_have_the_same_likelihood_with_and_without_the_constraint(pair):
    ours, _ = pair
    other = CRF(LABELS, constrained=True)
    other.load_state_dict(ours.state_dict())
    emissions, mask = torch.randn(1, 3, 5), torch.ones(1, 3, dtype=torch.bool)
    broken = torch.tensor([[2, 0, 4]])  # I-X O I-Y
    found = other(emissions, broken, mask)
    assert torch.isfinite(found).all()
    torch.testing.assert_close(found, ours(emissions, broken, mask))
