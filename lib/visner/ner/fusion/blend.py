"""The text's states mixed with their pictures (vokenized NER, eq. 5)."""

from torch import Tensor, nn

from visner.errors import VisnerError
from visner.ner.fusion import Fused, Fusion, Pictures, Weigh, let_in


class Blend(Fusion):
    """(1 - lambda) h + lambda P v with lambda = sigmoid(W [h; P v] + b), for states with a picture v of their own."""

    def __init__(self, text: int, visual: int, **options):
        super().__init__()
        if not text:
            raise VisnerError("fusion: blend mixes pictures with the text's states, and there are none; choose gate")
        self.project = nn.Linear(visual, text, bias=False)  # P
        self.weigh = Weigh(text)

    def forward(self, states: Tensor, pictures: Pictures) -> Fused:
        """See `Fusion`."""
        owners = pictures.owners()
        seen = self.project(pictures.vectors)[pictures.own[owners]]  # [M, D]
        return let_in(states, owners, seen, self.weigh(states[owners], seen))
