"""The recurrence against torch's nn.LSTM."""

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from visner.ner.lstm import BiLSTM, Recurrence, reversed_positions


def reordered(weight):
    """nn.LSTM's gate order (input, forget, cell, output) as ours (output, input, forget, cell)."""
    i, f, g, o = weight.chunk(4)
    return torch.cat([o, i, f, g])


@pytest.mark.parametrize("lengths", [[1], [5, 3, 1], [7, 7]])
def test_states_and_gradients_are_those_of_nn_lstm(lengths):
    torch.manual_seed(1)
    peer = nn.LSTM(6, 4, bidirectional=True, batch_first=True)
    ours = BiLSTM(4)
    with torch.no_grad():
        ours.weight[0] = reordered(peer.weight_hh_l0).T
        ours.weight[1] = reordered(peer.weight_hh_l0_reverse).T
    inputs = torch.randn(len(lengths), max(lengths), 6, requires_grad=True)  # [B, T, 6]
    packed = pack_padded_sequence(inputs, lengths, batch_first=True)
    expected, _ = pad_packed_sequence(peer(packed)[0], batch_first=True)  # [B, T, 8]

    gates = [
        inputs @ reordered(peer.weight_ih_l0).T + reordered(peer.bias_ih_l0 + peer.bias_hh_l0),
        inputs @ reordered(peer.weight_ih_l0_reverse).T + reordered(peer.bias_ih_l0_reverse + peer.bias_hh_l0_reverse),
    ]
    found = ours(torch.stack(gates, dim=2), torch.tensor(lengths))  # [B, T, 8]
    mask = torch.arange(max(lengths)) < torch.tensor(lengths).unsqueeze(1)  # [B, T]
    torch.testing.assert_close(found[mask], expected[mask])

    weights = torch.randn_like(expected)
    (expected * weights)[mask].sum().backward()
    expected_grads = (
        inputs.grad.clone(),
        reordered(peer.weight_hh_l0.grad).T,
        reordered(peer.weight_hh_l0_reverse.grad).T,
    )
    inputs.grad = None
    (found * weights)[mask].sum().backward()
    for got, wanted in zip((inputs.grad, *ours.weight.grad), expected_grads, strict=True):
        torch.testing.assert_close(got, wanted)


def test_gradients_against_finite_differences():
    torch.manual_seed(2)
    gates = torch.randn(4, 2, 3, 8, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(2, 2, 8, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(Recurrence.apply, (gates, weight))


def test_reversal_stays_within_the_length():
    found = reversed_positions(torch.tensor([3, 1]), 4)
    assert found.tolist() == [[2, 1, 0, 3], [0, 1, 2, 3]]
