"""A character language model without its decoder, as visner keeps it: a safetensors file, no pickle, no flair."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from visner.errors import VisnerError
from visner.runtime import tables

Direction = Literal["forward", "backward"]


class CharacterLanguageModel(nn.Module):
    """An embedding of characters and an LSTM over them: the part of flair's LanguageModel that makes vectors.

    `characters` holds the dictionary's items by id; what isn't among them has id 0, as in flair. `delimiter` is
    what stands before every text, and `lowercase` says that the model knows lower-case text only.
    """

    def __init__(
        self,
        direction: Direction,
        characters: Sequence[str],
        embedding_size: int,
        hidden: int,
        layers: int = 1,
        delimiter: str = "\n",
        lowercase: bool = False,
    ):
        super().__init__()
        self.direction, self.characters, self.delimiter, self.lowercase = direction, characters, delimiter, lowercase
        self.hidden = hidden
        self.ids = {character: row for row, character in enumerate(characters)}
        self.encoder = nn.Embedding(len(characters), embedding_size)
        self.rnn = nn.LSTM(embedding_size, hidden, layers)

    def forward(self, characters: torch.Tensor, state=None) -> tuple[torch.Tensor, tuple[torch.Tensor, torch.Tensor]]:
        """Hidden states [T, B, hidden] of character ids [T, B], and the LSTM's state after the last."""
        return self.rnn(self.encoder(characters), state)

    def save(self, path: str | Path, provenance: dict[str, Any]) -> None:
        """Write the tensors, and all else as one JSON metadata entry, `visner`."""
        description = {
            "direction": self.direction,
            "characters": list(self.characters),
            "embedding_size": self.encoder.embedding_dim,
            "hidden": self.hidden,
            "layers": self.rnn.num_layers,
            "delimiter": self.delimiter,
            "lowercase": self.lowercase,
        }
        metadata = json.dumps({"model": description, "provenance": provenance}, ensure_ascii=False, sort_keys=True)
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in self.state_dict().items()}
        with tables.atomic_path(path) as temporary:
            save_file(tensors, temporary, metadata={"visner": metadata})

    @classmethod
    def load(cls, path: str | Path, direction: Direction) -> "CharacterLanguageModel":
        """The model in evaluation mode; VisnerError where the file isn't one, or reads in the other direction."""
        with tables.reading(path, "a language model", tables.FETCHED), safe_open(path, "pt") as file:
            model = cls(**json.loads(file.metadata()["visner"])["model"])
            model.load_state_dict({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
        if model.direction != direction:
            raise VisnerError(f"{path}: a {model.direction} model, where a {direction} one is needed; swap the two")
        return model.eval().requires_grad_(False)
