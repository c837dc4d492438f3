"""Pictures beside the text, times a gate (element-wise visual NER, eq. 5)."""

import torch
from torch import Tensor, nn

from visner.ner.fusion import Fused, Fusion, Pictures


class Gate(Fusion):
    """[h; g v] with g = sigmoid(W_g [v; h] + b): one number, or with `gate="vector"` one for each dimension of v.

    Zeros stand beside a state without a picture of its own.
    """

    widens = True

    def __init__(self, text: int, visual: int, gate: str | None = None, **options):
        super().__init__()
        self.linear = nn.Linear(visual + text, visual if gate == "vector" else 1)  # W_g, b

    def forward(self, states: Tensor, pictures: Pictures) -> Fused:
        """See `Fusion`; the gate of a state is the mean over its dimensions."""
        owners = pictures.owners()
        seen = pictures.vectors[pictures.own[owners]]  # [M, V]
        gate = torch.sigmoid(self.linear(torch.cat([seen, states[owners]], dim=1)))  # [M, 1] or [M, V]
        return Fused(states, owners, gate.float().mean(1), gate * seen)
