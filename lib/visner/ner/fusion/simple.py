"""Pictures beside the text as they are (element-wise visual NER, eq. 6)."""

from torch import Tensor

from visner.ner.fusion import Fused, Fusion, Pictures


class Simple(Fusion):
    """[h; v]: the vector of a state's own picture stands beside it; zeros where it has none."""

    widens = True

    def __init__(self, text: int, visual: int, **options):
        super().__init__()

    def forward(self, states: Tensor, pictures: Pictures) -> Fused:
        """See `Fusion`."""
        owners = pictures.owners()
        return Fused(states, owners, None, pictures.vectors[pictures.own[owners]])
