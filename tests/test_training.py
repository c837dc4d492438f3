"""The fit loop: early stopping, and that an interruption at any epoch leaves no trace in the result."""

import pytest
import torch
from torch import nn

from visner.errors import VisnerError
from visner.recipes import Training
from visner.training import History, fit


class Line(nn.Module):
    """A regression with dropout, so that random states matter."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.layers = nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.5), nn.Linear(8, 1))

    def loss(self, batch):
        x, y = batch
        return ((self.layers(x).squeeze(1) - y) ** 2).mean()


DATA = torch.randn(40, 3, generator=torch.Generator().manual_seed(2))


def batches(generator):
    for rows in torch.randperm(len(DATA), generator=generator).split(8):
        yield DATA[rows], DATA[rows].sum(1)


def run(checkpoint, epochs, scores, patience=10):
    model = Line()
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    recipe = Training(epochs=epochs, patience=patience)
    remaining = iter(scores)
    history = fit(model, optimizer, batches, 5, lambda: next(remaining), recipe, 3, checkpoint)
    return history, model.state_dict()


@pytest.mark.parametrize("interrupted_after", [1, 2, 4])
def test_a_resumed_training_ends_in_the_same_bits(tmp_path, interrupted_after):
    scores = [0.1, 0.3, 0.2, 0.25, 0.4, 0.35]
    whole = run(tmp_path / "whole", 6, scores)
    run(tmp_path / "cut", interrupted_after, scores)
    torch.randn(7)  # whatever else the process draws must not matter
    resumed = run(tmp_path / "cut", 6, scores[interrupted_after:])
    assert resumed[0] == whole[0]
    for name, value in whole[1].items():
        assert torch.equal(resumed[1][name], value), name


def test_the_best_epoch_is_kept_and_patience_ends_the_training(tmp_path):
    history, best = run(tmp_path / "a", 9, [0.1, 0.5, 0.4, 0.3, 0.2, 0.1], patience=2)
    assert history.dev_f1 == [0.1, 0.5, 0.4, 0.3]
    assert history.best_epoch == 2
    _, two = run(tmp_path / "b", 2, [0.1, 0.5])
    assert all(torch.equal(best[name], two[name]) for name in two)


def test_a_finished_training_does_nothing_more(tmp_path):
    run(tmp_path / "a", 2, [0.1, 0.2])
    history, _ = run(tmp_path / "a", 2, [])
    assert history == History(history.losses, [0.1, 0.2])


def test_a_loss_that_is_not_finite_stops_with_a_remedy(tmp_path):
    model = Line()
    optimizer = torch.optim.SGD(model.parameters(), 1e30)
    with pytest.raises(VisnerError, match="the loss of epoch .* lower training.learning_rate"):
        fit(model, optimizer, batches, 5, lambda: 0.5, Training(epochs=5, clip=1e30), 1, tmp_path / "c")
