"""Flair vectors on each device, beside a pass over each word's own text in float64 on the CPU; within 1e-4."""

import numpy as np
import pytest
import torch

from visner.vectors import encoder
from visner.vectors.encoder import FlairEncoder
from visner.vectors.language_model import CharacterLanguageModel

from .conftest import CHARACTERS


def by_prefixes(path, direction, words):
    """Each word's vector [W, hidden]: the state after all that its model has read up to the space beyond the word."""
    model = CharacterLanguageModel.load(path, direction).double()
    vectors = []
    for number in range(len(words)):
        seen = " ".join(words[: number + 1]) if direction == "forward" else " ".join(words[number:])[::-1]
        ids = torch.tensor([[model.ids.get(character, 0)] for character in f"\n{seen} "])  # [T, 1]
        vectors.append(model(ids)[0][-1, 0].numpy())
    return np.array(vectors).reshape(len(words), model.hidden)


@pytest.mark.parametrize("steps", [7, 512])
def test_flair_vectors_are_those_of_each_words_own_text(models, monkeypatch, device, steps):
    monkeypatch.setattr(encoder, "STEPS", steps)
    rng = np.random.default_rng(2)
    letters = [*CHARACTERS[2:], "未"]
    sentences = [
        ["".join(rng.choice(letters, rng.integers(1, 5))).replace(" ", "京") for _ in range(length)]
        for length in (0, 1, 3, 12, 5)
    ]
    found = FlairEncoder(*models, device).encode(sentences)
    for words, vectors in zip(sentences, found, strict=True):
        halves = [by_prefixes(path, way, words) for path, way in zip(models, ("forward", "backward"), strict=True)]
        assert vectors.dtype == np.float32
        np.testing.assert_allclose(vectors, np.hstack(halves), atol=1e-4)


def test_a_gpu_reads_with_cudnn_and_without_tf32(models):
    """Without cuDNN the LSTM is many times slower there; TF32 would round what float32 multiplies to 10 bits."""
    seen = []
    read = FlairEncoder(*models)
    for model in read.models:
        model.register_forward_hook(
            lambda *_: seen.append((torch.backends.cudnn.enabled, torch.backends.cudnn.allow_tf32))
        )
    read.encode([["京都", "に"]])
    assert seen == [(True, False)] * 2
