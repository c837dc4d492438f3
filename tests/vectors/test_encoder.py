"""The encoder against a character-by-character pass, whatever else is in the batch. (Against flair: test_flair.)"""

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from visner.errors import VisnerError
from visner.vectors import encoder, flair_embed
from visner.vectors.encoder import FlairEncoder
from visner.vectors.language_model import CharacterLanguageModel

WORDS = st.lists(st.text("京都東山に雨abc未\u3000", min_size=1, max_size=5), max_size=9)


def one_by_one(path, direction, words):
    """Each word's vector by reading one character after the other up to the space beyond the word."""
    model = CharacterLanguageModel.load(path, direction)
    vectors = []
    for number in range(len(words)):
        if direction == "forward":
            text = "\n" + " ".join(words[: number + 1]) + " "
        else:
            text = "\n" + " ".join(words[number:])[::-1] + " "
        state = None
        for character in text:
            _, state = model(torch.tensor([[model.ids.get(character, 0)]]), state)
        vectors.append(state[0][-1, 0].numpy())
    return np.array(vectors, np.float32).reshape(len(words), model.hidden)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=10)
@given(st.lists(WORDS, max_size=5))
def test_states_after_and_before_each_word(models, sentences):
    found = FlairEncoder(*models).encode(sentences)
    assert len(found) == len(sentences)
    for words, vectors in zip(sentences, found, strict=True):
        expected = [one_by_one(path, way, words) for path, way in zip(models, ("forward", "backward"), strict=True)]
        assert vectors.dtype == np.float32
        np.testing.assert_allclose(vectors, np.hstack(expected), atol=1e-5)


@pytest.mark.parametrize("steps", [1, 7, 16])
def test_chunks_of_a_long_sentence_carry_the_state(models, monkeypatch, steps):
    sentences = [["京都", "に", "雨"] * 20, ["東", "山"], ["a" * 40]]
    whole = FlairEncoder(*models).encode(sentences)
    monkeypatch.setattr(encoder, "STEPS", steps)
    for vectors, expected in zip(FlairEncoder(*models).encode(sentences), whole, strict=True):
        np.testing.assert_allclose(vectors, expected, atol=1e-5)


def test_a_vector_depends_on_no_other_sentence(models):
    random = np.random.default_rng(0)
    sentences = [[str(random.choice(["京", "都に", "雨が降る"])) for _ in range(length)] for length in range(1, 80)]
    together = FlairEncoder(*models).encode(sentences)
    for words, vectors in zip(sentences, together, strict=True):
        np.testing.assert_allclose(FlairEncoder(*models).encode([words])[0], vectors, atol=1e-5)


def test_buckets_have_every_sentence_once_and_a_bounded_size(monkeypatch):
    monkeypatch.setattr(encoder, "CELLS", 60)
    random = np.random.default_rng(0)
    sentences = [["x" * int(length)] for length in random.integers(1, 100, 50)]
    batches = list(encoder.length_buckets(sentences))
    assert sorted(number for batch in batches for number in batch) == list(range(50))
    assert all(len(batch) == 1 or len(batch) * len(sentences[batch[0]][0]) <= 60 for batch in batches)


def test_the_stage_writes_a_row_a_word_in_order(models, write_corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(flair_embed, "WINDOW", 2)
    texts = [["京都", "に", "雨"], [], ["山"], ["雨", "が", "降る", "。"], ["東", "山"]]
    _, words = write_corpus([("train", text) for text in texts])
    output = tmp_path / "flair.npy"
    files = {"forward": models[0], "backward": models[1], "words": words, "output": output}
    flair_embed.flair_embed(**files, device=torch.device("cpu"))
    found = np.load(output, mmap_mode="r")
    assert (found.shape, found.dtype) == ((10, 32), np.float32)
    np.testing.assert_allclose(found, np.vstack(FlairEncoder(*models).encode(texts)), atol=1e-5)
    first = output.read_bytes()
    flair_embed.flair_embed(**files, device=torch.device("cpu"))
    assert output.read_bytes() == first


def test_swapped_models_and_other_files_are_refused(models, tmp_path):
    with pytest.raises(VisnerError, match="a backward model, where a forward one is needed"):
        FlairEncoder(models[1], models[0])
    (tmp_path / "other").write_bytes(b"other")
    with pytest.raises(VisnerError, match="not a language model"):
        FlairEncoder(tmp_path / "other", models[1])
    with pytest.raises(VisnerError, match="missing: no such file"):
        FlairEncoder(tmp_path / "missing", models[1])
