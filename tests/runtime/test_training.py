"""The fit loop: early stopping, and that an interruption at any epoch leaves no trace in the result."""

import pytest
import torch
from regression import Line, batches
from torch import nn

from visner.config.experiments import Training
from visner.errors import VisnerError
from visner.runtime.training import History, fit, linear_schedule


def run(checkpoint, epochs, scores, patience=10, dev_losses=None, min_epochs=1):
    model = Line()
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    recipe = Training(epochs=epochs, patience=patience, min_epochs=min_epochs)
    remaining = iter(zip(scores, dev_losses or [1.0] * len(scores), strict=True))
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
    assert history.scores == [0.1, 0.5, 0.4, 0.3]
    assert history.best_epoch == 2
    _, two = run(tmp_path / "b", 2, [0.1, 0.5])
    assert all(torch.equal(best[name], two[name]) for name in two)


def test_case_patience_begins_when_dev_f1_leaves_zero(tmp_path):
    history, _ = run(tmp_path / "a", 20, [0.0] * 7 + [0.1, 0.3, 0.2, 0.25], patience=2)
    assert len(history.scores) == 11
    assert history.best_epoch == 9


def test_case_a_training_that_never_scores_goes_on_to_its_last_epoch(tmp_path):
    history, best = run(tmp_path / "a", 4, [0.0] * 4, patience=1, dev_losses=[4.0, 2.0, 1.0, 3.0])
    assert len(history.scores) == 4
    assert history.best_epoch == 3  # the lowest dev loss
    _, three = run(tmp_path / "b", 3, [0.0] * 3, dev_losses=[4.0, 2.0, 1.0])
    assert all(torch.equal(best[name], three[name]) for name in three)


def test_of_equal_scores_the_lower_dev_loss_is_best_and_patience_counts_from_it(tmp_path):
    scores, losses = [0.5, 0.5, 0.5, 0.4, 0.4], [3.0, 2.0, 2.0, 1.0, 1.0]
    history, best = run(tmp_path / "a", 9, scores, patience=3, dev_losses=losses)
    assert history.best_epoch == 2
    assert len(history.scores) == 5
    assert history.dev_losses == losses
    _, two = run(tmp_path / "b", 2, [0.5, 0.5], dev_losses=[3.0, 2.0])
    assert all(torch.equal(best[name], two[name]) for name in two)


def test_min_epochs_are_trained_whatever_patience_says(tmp_path):
    history, _ = run(tmp_path / "a", 9, [0.5] + [0.1] * 5, patience=1, min_epochs=6)
    assert len(history.scores) == 6
    with pytest.raises(ValueError, match="`min_epochs: 6` is more than `epochs: 5`"):
        Training(epochs=5, min_epochs=6)


def test_a_finished_training_does_nothing_more(tmp_path):
    run(tmp_path / "a", 2, [0.1, 0.2])
    history, _ = run(tmp_path / "a", 2, [])
    assert history == History(history.losses, [0.1, 0.2], [1.0, 1.0])


def test_a_loss_that_is_not_finite_stops_with_a_remedy(tmp_path):
    model = Line()
    optimizer = torch.optim.SGD(model.parameters(), 1e30)
    with pytest.raises(VisnerError, match="the loss of epoch .* lower training.learning_rate"):
        fit(model, optimizer, batches, 5, lambda: (0.5, 1.0), Training(epochs=5, clip=1e30), 1, tmp_path / "c")


class Examples(list):
    """A batch that knows how many examples it has."""


class Mean(nn.Module):
    """One weight that is drawn to the mean of what it sees."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(4.0))

    def loss(self, batch):
        return ((self.weight - torch.tensor(batch)) ** 2).mean()


def drawn(tmp_path, name, parts, **more):
    model = Mean()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    training = Training(epochs=3, clip=1e9)
    remaining = iter([0.1, 0.2, 0.3])
    fit(model, optimizer, lambda *_: map(Examples, parts), len(parts), lambda: (next(remaining), 1.0), training, 1,
        tmp_path / name, **more)  # fmt: skip
    return model.weight.item()


def test_accumulated_batches_of_any_sizes_make_the_step_of_one_batch(tmp_path):
    whole = drawn(tmp_path, "whole", [[1.0, 2.0, 6.0, 3.0], [5.0]])
    parts = drawn(tmp_path, "parts", [[1.0, 2.0, 6.0], [3.0], [5.0]], accumulation=2)
    assert parts == pytest.approx(whole, rel=1e-6)
    assert abs(parts - drawn(tmp_path, "each", [[1.0, 2.0, 6.0], [3.0], [5.0]])) > 0.01


def test_the_schedule_scales_every_step_by_its_number(tmp_path):
    seen = []

    def schedule(step):
        seen.append(step)
        return 1.0 if step == 4 else 0.0

    found = drawn(tmp_path, "a", [[1.0], [2.0]], schedule=schedule)
    assert seen == [0, 1, 2, 3, 4, 5]
    assert found == pytest.approx(4.0 - 0.1 * 2 * (4.0 - 1.0))  # the third epoch's first step alone


def test_a_linear_schedule_rises_and_falls():
    schedule = linear_schedule(10, 0.2)
    assert [schedule(step) for step in range(10)] == pytest.approx([0.5, 1, 1, *(n / 8 for n in range(7, 0, -1))])
    assert linear_schedule(4, 0.0)(0) == 1.0


@pytest.mark.parametrize("interrupted_after", [1, 3])
def test_a_schedule_and_accumulation_resume_to_the_same_bits(tmp_path, interrupted_after):
    def scheduled(name, epochs, scores):
        model = Line()
        optimizer = torch.optim.AdamW([{"params": [p], "lr": 0.01 * (n + 1)} for n, p in enumerate(model.parameters())])
        remaining = iter(scores)
        fit(model, optimizer, batches, 5, lambda: (next(remaining), 1.0), Training(epochs=epochs), 3, tmp_path / name,
            linear_schedule(12, 0.3), 2)  # fmt: skip
        return model.state_dict()

    scores = [0.1, 0.2, 0.3, 0.4]
    whole = scheduled("whole", 4, scores)
    scheduled("cut", interrupted_after, scores)
    resumed = scheduled("cut", 4, scores[interrupted_after:])
    for name, value in whole.items():
        assert torch.equal(resumed[name], value), name


def test_a_damaged_checkpoint_is_named(tmp_path):
    run(tmp_path / "cut", 1, [0.1])
    content = (tmp_path / "cut").read_bytes()
    for size in (0, 100, len(content) - 1):
        (tmp_path / "cut").write_bytes(content[:size])
        with pytest.raises(VisnerError, match=f"{tmp_path}/cut: can't resume from this checkpoint .*; delete it"):
            run(tmp_path / "cut", 2, [0.2])
