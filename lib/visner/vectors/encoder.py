"""Contextual string embeddings (Akbik et al. 2018): a vector of every word from two character language models.

A sentence is read as its words joined by single spaces, after the model's delimiter and before a closing space, as
flair's FlairEmbeddings does by default. A word's vector is the forward model's state at the space after the word,
which has seen its last character, and the backward model's state at the space before it.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from visner.vectors.language_model import CharacterLanguageModel

STEPS = 512  # characters at once; a longer sentence goes on with the state it had
CELLS = 8_192  # characters of a batch, padding included


class FlairEncoder:
    """Vectors of words in their sentences, [forward state ; backward state], `dimensions` long."""

    def __init__(self, forward: str | Path, backward: str | Path, device: torch.device | str = "cpu"):
        self.device = torch.device(device)
        self.models = [
            CharacterLanguageModel.load(forward, "forward").to(self.device),
            CharacterLanguageModel.load(backward, "backward").to(self.device),
        ]
        self.dimensions = sum(model.hidden for model in self.models)

    def encode(self, sentences: Sequence[Sequence[str]]) -> list[np.ndarray]:
        """A [words, dimensions] float32 array a sentence; sentences of about one length share a batch."""
        vectors: list[np.ndarray] = [np.empty(0)] * len(sentences)
        for batch in length_buckets(sentences):
            for number, found in zip(batch, self._encode_batch([sentences[number] for number in batch]), strict=True):
                vectors[number] = found
        return vectors

    @torch.inference_mode()
    def _encode_batch(self, sentences: Sequence[Sequence[str]]) -> list[np.ndarray]:
        counts = [len(words) for words in sentences]
        halves = [self._states(model, sentences) for model in self.models]
        both = torch.cat(halves, 1).cpu().numpy()  # [words of the batch, dimensions]
        return np.split(both, np.cumsum(counts)[:-1])

    def _states(self, model: CharacterLanguageModel, sentences: Sequence[Sequence[str]]) -> torch.Tensor:
        """The model's state of each word of the batch, [words, hidden]."""
        texts, steps, columns = [], [], []
        for column, words in enumerate(sentences):
            if model.lowercase:
                words = [word.lower() for word in words]
            text, ends = _read_by(model, words)
            texts.append([model.ids.get(character, 0) for character in text])
            steps += ends
            columns += [column] * len(ends)
        longest = max(map(len, texts))
        characters = np.zeros((longest, len(texts)), np.int64)  # padding follows the text: no state has seen it
        for column, text in enumerate(texts):
            characters[: len(text), column] = text
        ids = torch.from_numpy(characters).to(self.device)  # [T, B]
        step = torch.tensor(steps, dtype=torch.long, device=self.device)  # [words]
        column = torch.tensor(columns, dtype=torch.long, device=self.device)  # [words]
        states = torch.empty(len(steps), model.hidden, device=self.device)  # [words, hidden]
        carried = None
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):  # float32 is float32 on a GPU too
            for start in range(0, longest, STEPS):
                output, carried = model(ids[start : start + STEPS], carried)  # [t, B, hidden]
                here = (step >= start) & (step < start + STEPS)
                states[here] = output[step[here] - start, column[here]]
        return states


def _read_by(model: CharacterLanguageModel, words: Sequence[str]) -> tuple[str, list[int]]:
    """The text as the model reads it, and for each word, in order, the position whose state is the word's."""
    text = " ".join(words)
    first = len(model.delimiter)
    stops = np.cumsum([len(word) + 1 for word in words]) - 1  # in the text: the position after each word
    if model.direction == "forward":
        return f"{model.delimiter}{text} ", (first + stops).tolist()
    starts = stops - [len(word) for word in words]
    return f"{model.delimiter}{text[::-1]} ", (first + len(text) - starts).tolist()


def length_buckets(sentences: Sequence[Sequence[str]]) -> Iterator[list[int]]:
    """The sentences' numbers in batches, longest first, so that a batch pads little and holds few characters."""
    lengths = [sum(map(len, words)) + len(words) + 1 for words in sentences]
    batch: list[int] = []
    for number in sorted(range(len(sentences)), key=lambda number: -lengths[number]):
        if batch and (len(batch) + 1) * min(lengths[batch[0]], STEPS) > CELLS:
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch
