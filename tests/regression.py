"""A small model to fit: a regression with dropout, so that random states matter."""

import torch
from torch import nn

DATA = torch.randn(40, 3, generator=torch.Generator().manual_seed(2))


class Batch:
    """Some examples."""

    def __init__(self, rows):
        self.x, self.y = DATA[rows], DATA[rows].sum(1)

    def __len__(self):
        return len(self.x)


class Line(nn.Module):
    """The sum of three numbers, to be learnt."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.layers = nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.5), nn.Linear(8, 1))

    def loss(self, batch):
        return ((self.layers(batch.x).squeeze(1) - batch.y) ** 2).mean()


def batches(generator, start):
    """An epoch's five batches without the first `start` ones."""
    for rows in torch.randperm(len(DATA), generator=generator).split(8)[start:]:
        yield Batch(rows)
