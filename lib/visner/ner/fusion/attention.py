"""The text's states mixed with what they attend to among the pictures of their sentence (vokenized NER, eq. 6)."""

from torch import Tensor, nn

from visner.errors import VisnerError
from visner.ner.fusion import Fused, Fusion, Pictures, Weigh, let_in


class Attention(Fusion):
    """(1 - lambda) h + lambda s: s is what multi-head attention gathers for h from all pictures of its sentence.

    A state sees them whether it has a picture of its own or not; those of a sentence without pictures stay as they are.
    """

    def __init__(self, text: int, visual: int, heads: int = 8, **options):
        super().__init__()
        if not text or text % heads:
            raise VisnerError(f"heads: {heads} don't divide the {text} dimensions of the text's states")
        self.attend = nn.MultiheadAttention(text, heads, kdim=visual, vdim=visual, batch_first=True)
        self.weigh = Weigh(text)

    def forward(self, states: Tensor, pictures: Pictures) -> Fused:
        """See `Fusion`; `pictures.shown` and `pictures.mask` are needed."""
        mask, pictured = pictures.mask, (pictures.shown >= 0).any(1)  # [B, T], [B]
        seeing = (mask & pictured.unsqueeze(1))[mask].nonzero().squeeze(1)  # [M]
        if not len(seeing):
            return Fused(states, seeing, states.new_zeros(0))
        queries = states.new_zeros(*mask.shape, states.shape[1])  # [B, T, D]
        queries[mask] = states
        rows = pictures.shown[pictured]  # [C, S]
        keys = pictures.vectors[rows.clamp(min=0)]  # [C, S, V]
        seen, _ = self.attend(queries[pictured], keys, keys, key_padding_mask=rows < 0, need_weights=False)  # [C, T, D]
        seen = seen[mask[pictured]]  # [M, D]
        return let_in(states, seeing, seen, self.weigh(states[seeing], seen))
