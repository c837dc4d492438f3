"""States against transformers sentence by sentence; words that have none."""

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from visner.errors import VisnerError
from visner.runtime import tables

from .conftest import INVISIBLE, write_encoder


def write(path, sentences):
    blank = {"document_id": "d", "split": "train", "text": "", "labels": [], "attachment": None}
    rows = [{**blank, "sentence_id": str(i), "units": units} for i, units in enumerate(sentences)]
    tables.write_table(path, tables.SENTENCES, rows)


def alone(folder, sentence, way, precision=torch.float32):
    """The states of one sentence as transformers' and torch's documentation compute them, without batches."""
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    pieces = [tokenizer(word, add_special_tokens=False)["input_ids"] for word in sentence]
    ids = [tokenizer.cls_token_id, *sum(pieces, []), tokenizer.sep_token_id]
    with torch.no_grad(), torch.autocast("cpu", precision, enabled=precision != torch.float32):
        hidden = model(torch.tensor([ids])).last_hidden_state[0].float()
    states, place = [], 1
    for piece in pieces:
        here = hidden[place : place + len(piece)]
        place += len(piece)
        states.append(torch.zeros(32) if not piece else here[0] if way == "first" else here.mean(0))
    return torch.stack(states).numpy()


@pytest.mark.parametrize("way", ["first", "mean"])
def test_states_are_those_of_each_sentence_alone(corpus, way):
    rng = np.random.default_rng(1)
    known = ["cat", "dog", "catdog", "seasun", INVISIBLE, "the"]
    sentences = [[known[i] for i in rng.integers(0, len(known), rng.integers(1, 20))] for _ in range(40)]
    sentences[5] = [INVISIBLE]
    write(corpus.path("sentences.parquet"), sentences)
    corpus.run("states", words=way)
    states = np.load(corpus.path("states.npy"))
    expected = np.concatenate([alone(corpus.path("encoder"), sentence, way) for sentence in sentences])
    np.testing.assert_allclose(states, expected, atol=2e-6)
    counts = tables.read_json(corpus.path("states.json"))
    assert counts["without_subtokens"] == sum(sentence.count(INVISIBLE) for sentence in sentences) > 0
    assert counts["words"] == len(states)
    assert counts["long_sentences"] == 0


def test_states_in_bfloat16_are_those_of_autocast(corpus, slow_bfloat16):
    sentences = [["cat", "seasun", "the"], ["catdog"] * 9, ["dog", "cat"]]
    write(corpus.path("sentences.parquet"), sentences)
    corpus.run("states", precision="bfloat16")
    assert len(slow_bfloat16()) == 1
    states = np.load(corpus.path("states.npy"))
    folder = corpus.path("encoder")
    rounded, exact = (
        np.concatenate([alone(folder, sentence, "first", precision) for sentence in sentences])
        for precision in (torch.bfloat16, torch.float32)
    )
    assert states.dtype == np.float32
    assert np.abs(states - rounded).mean() < 0.5 * np.abs(states - exact).mean()


@pytest.mark.parametrize("way", ["first", "mean"])
def test_a_long_sentence_is_read_in_windows_of_whole_words(corpus, way):
    """Six sub-tokens between [CLS] and [SEP]: each window's words have the states of a sentence of their own."""
    windows = [["cat"] * 6, ["cat"] * 3, ["cat"] * 3, [*["cat"] * 5, INVISIBLE], ["catdog", "dog"]]
    sentences = [windows[0] + windows[1], windows[2], windows[3] + windows[4]]
    write(corpus.path("sentences.parquet"), sentences)
    folder = write_encoder(corpus.folder / "short", ["cat", "dog"], positions=8)
    corpus.run("states", encoder=[folder / "config.json"], words=way)
    expected = np.concatenate([alone(folder, words, way) for words in windows])
    np.testing.assert_allclose(np.load(corpus.path("states.npy")), expected, atol=2e-6)
    counts = tables.read_json(corpus.path("states.json"))
    assert counts == {"sentences": 3, "words": 20, "without_subtokens": 1, "long_sentences": 2}


def test_a_word_that_is_longer_than_a_window_has_the_state_of_its_beginning(corpus):
    write(corpus.path("sentences.parquet"), [["the", "catcatcat", "the"]])  # ##c ##a ##t are sub-tokens
    folder = write_encoder(corpus.folder / "short", ["cat", "the"], positions=8)
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    pieces = tokenizer("catcatcat", add_special_tokens=False)["input_ids"]
    assert len(pieces) == 7
    with torch.no_grad():
        ids = [tokenizer.cls_token_id, *pieces[:6], tokenizer.sep_token_id]
        hidden = model(torch.tensor([ids])).last_hidden_state[0]
    for way, expected in (("first", hidden[1]), ("mean", hidden[1:7].mean(0))):
        corpus.run("states", encoder=[folder / "config.json"], words=way)
        states = np.load(corpus.path("states.npy"))
        np.testing.assert_allclose(states[1], expected.numpy(), atol=2e-6)
        assert states.any(1).all()


def test_an_encoder_whose_positions_start_behind_its_padding_is_read_as_far_as_they_go(corpus, roberta):
    """RoBERTa's embeddings hold 40 positions, of which a text has 38: 18 words of two sub-tokens."""
    write(corpus.path("sentences.parquet"), [["tom"] * 25, ["tom"] * 18, ["tom"] * 7])
    corpus.run("states", encoder=[roberta / "config.json"])
    tokenizer = AutoTokenizer.from_pretrained(roberta, add_prefix_space=True)
    encoded = tokenizer(["tom"] * 18, is_split_into_words=True, return_tensors="pt")
    assert encoded["input_ids"].shape == (1, 38)
    with torch.no_grad():
        hidden = AutoModel.from_pretrained(roberta).eval()(**encoded).last_hidden_state[0]
    expected = hidden[1:-1:2].numpy()
    states = np.load(corpus.path("states.npy"))
    np.testing.assert_allclose(states[:18], expected, atol=2e-6)
    np.testing.assert_allclose(states[25:43], expected, atol=2e-6)
    np.testing.assert_allclose(states[18:25], states[43:], atol=2e-6)
    assert tables.read_json(corpus.path("states.json"))["long_sentences"] == 1


def test_the_same_bytes_twice(corpus):
    made = []
    for _ in range(2):
        corpus.run("states")
        made.append(corpus.path("states.npy").read_bytes())
    assert made[0] == made[1]


def test_a_folder_that_is_no_encoder_is_one_line(corpus):
    for folder in (corpus.folder / "nothing", corpus.folder):
        with pytest.raises(VisnerError, match="encoder: ") as error:
            corpus.run("states", encoder=[folder / "config.json"])
        assert "\n" not in str(error.value)
