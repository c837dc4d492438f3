"""BERT-CRF against plain transformers and the equations written out."""

import itertools

import numpy as np
import pytest
import torch
from bert_sentences import SENTENCES, begin, recipe, write
from transformers import AutoModel, AutoTokenizer

from visner.errors import VisnerError
from visner.ner.systems import optimizer
from visner.ner.vectors import pictures_of


def reference_state(encoder, words, room=14):
    """[T, D]: each window of whole words through transformers' model by itself, the first sub-token of each word."""
    tokenizer, model = AutoTokenizer.from_pretrained(encoder), AutoModel.from_pretrained(encoder).eval()
    pieces = [tokenizer(word, add_special_tokens=False)["input_ids"] for word in words]
    states, window, places = torch.zeros(len(words), 32), [], []

    def read():
        ids = torch.tensor([[2, *window, 3]])
        found = model(ids).last_hidden_state[0]
        for t, place in places:
            states[t] = found[place + 1]

    for t, piece in enumerate(pieces):
        if len(window) + len(piece) > room:
            read()
            window, places = [], []
        if piece:
            places.append((t, len(window)))
        window += piece
    read()
    return states


def reference(model, encoder, words, rows, visual):
    """Emissions [T, K] of one sentence by the paper's equations 3 to 6, with torch's own layers a word at a time."""
    states = reference_state(encoder, words)
    fusion, scaled = model.config.fusion, model.config.visual_scale * torch.from_numpy(visual)
    fused = []
    everything = torch.stack([scaled[row] for row in dict.fromkeys(itertools.chain(*rows))]) if any(rows) else None
    for t, h in enumerate(states):
        seen = None
        if fusion in ("simple", "gate"):
            v = scaled[rows[t]].mean(0) if rows[t] else torch.zeros(scaled.shape[1])
            g = torch.sigmoid(model.fusion.linear(torch.cat([v, h]))) if fusion == "gate" else 1
            h = torch.cat([h, g * v])
        elif fusion == "blend" and rows[t]:
            seen = model.fusion.project(scaled[rows[t]].mean(0))
        elif fusion == "attention" and everything is not None:
            seen = model.fusion.attend(h[None], everything, everything)[0][0]
        if seen is not None:
            gate = torch.sigmoid(model.fusion.weigh.linear(torch.cat([h, seen])))
            h = (1 - gate) * h + gate * seen
        fused.append(h)
    return model.emit(torch.stack(fused))


@pytest.mark.parametrize(
    "fusion, gate",
    [("none", None), ("simple", None), ("gate", "scalar"), ("gate", "vector"), ("blend", None), ("attention", None)],
)
def test_emissions_are_those_of_the_equations(given, encoder, fusion, gate):
    model, data, _ = begin(given, fusion, gate=gate)
    visual = np.load(given["visual"])
    found, _ = model(data.batch(data.splits["train"]))
    for one, (_, _, words, _, rows) in zip(found, SENTENCES, strict=False):
        expected = reference(model, encoder, words, rows, visual)
        torch.testing.assert_close(one[: len(words)], expected, atol=1e-5, rtol=1e-5)
    assert data.counts["train"] == {
        "sentences": 3,
        "words": 11,
        "subtokens": 2 + 4 + 2 + 1 + 4 + 16,
        "words_without_subtokens": 1,
        "sentences_in_several_windows": 1,
    }


@pytest.mark.parametrize("fusion", ["blend", "attention"])
def test_words_that_see_no_picture_have_exactly_the_states_of_the_text(given, fusion):
    model, data, _ = begin(given, fusion)
    inputs = data.batch(data.splits["train"])
    model.emit, model.dropout_output = torch.nn.Identity(), torch.nn.Identity()
    fused, _ = model(inputs)
    plain = model.states(inputs)
    same = (fused[inputs.mask] == plain).all(1).tolist()
    if fusion == "blend":
        assert same == [False, True, False] + [False, True] + [True] * 6
    else:
        assert same == [False] * 3 + [False] * 2 + [True] * 6


@pytest.mark.parametrize("fusion", ["blend", "attention"])
def test_gates_are_predicted_where_pictures_are_seen(given, fusion):
    model, data, _ = begin(given, fusion)
    _, gates, _ = model.decode(data.batch(data.splits["train"]))
    without = [[False, True, False], [False, True], [True] * 6]
    if fusion == "attention":  # every word of a sentence that has pictures
        without = [[False] * 3, [False] * 2, [True] * 6]
    assert [np.isnan(one).tolist() for one in gates] == without


def test_a_picture_is_a_words_mean_or_one_of_a_series():
    rows = [[4, 2], [], [4, 2], [2], [7]]
    pictures, seen = pictures_of(rows, series=False)
    assert pictures.tolist() == [[4, 2], [2, -1], [7, -1]]
    assert seen.tolist() == [0, -1, 0, 1, 2]
    pictures, seen = pictures_of(rows, series=True)
    assert pictures.tolist() == [[4], [2], [7]]
    assert seen.tolist() == [-1] * 5
    again, _ = pictures_of(rows, series=True, distinct=False)
    assert again.tolist() == [[4], [2], [4], [2], [2], [7]]  # one for each word that has it
    regions = [list(range(49))] * 3  # an attached picture's grid
    assert pictures_of(regions, series=True)[0].shape == (49, 1)


def test_the_crf_sees_words_only(given):
    """A batch's loss is the mean of the sentences' own, each by brute force over all paths of its words."""
    model, data, _ = begin(given, "none")
    short = data.splits["train"][:2]
    losses = []
    for sentence in short:
        emissions = model(data.batch([sentence]))[0][0]
        assert len(emissions) == len(sentence)
        scores = []
        for path in itertools.product(range(3), repeat=len(sentence)):
            score = model.crf.start_transitions[path[0]] + model.crf.end_transitions[path[-1]]
            score = score + sum(emissions[t, tag] for t, tag in enumerate(path))
            score = score + sum(model.crf.transitions[pair] for pair in itertools.pairwise(path))
            scores.append(score)
            if path == tuple(sentence.labels):
                gold = score
        losses.append(torch.logsumexp(torch.stack(scores), 0) - gold)
    torch.testing.assert_close(model.loss(data.batch(data.splits["train"][:2])), torch.stack(losses).mean())
    longer = data.batch(data.splits["train"])
    assert longer.ids.shape[1] > data.batch(short).ids.shape[1]
    torch.testing.assert_close(model(longer)[0][0, :3], model(data.batch(short))[0][0, :3])


@pytest.mark.parametrize("fusion", ["blend", "attention"])
def test_a_model_learns_what_only_pictures_tell(tmp_path, encoder, fusion):
    many = [(str(n), "train", ["tom", "fast"], [["O", "B-X"][n % 2], "O"], [[n % 2], [n % 2]]) for n in range(12)]
    write(tmp_path, [*many, ("d", "dev", ["tom"], ["O"], [[0]])])
    given = {"sentences": tmp_path / "sentences.parquet", "grounding": tmp_path / "grounding.parquet"}
    given |= {"visual": tmp_path / "vectors.npy", "encoder": sorted(encoder.iterdir())}
    rates = {"learning_rate": 0.02, "encoder_learning_rate": 1e-3}
    training = {**rates, "weight_decay": 0.0}
    model, data, _ = begin(given, fusion, training=training, dropout_output=0.0)
    steps, inputs = optimizer(model, recipe(fusion, training=training).training), data.batch(data.splits["train"])
    for _ in range(40):
        steps.zero_grad()
        model.loss(inputs).backward()
        steps.step()
    assert [one[0] for one in model.decode(inputs).tags] == [n % 2 for n in range(12)]


def test_heads_that_do_not_divide_the_dimensions_are_named(given):
    with pytest.raises(VisnerError, match="heads: 5 don't divide the 32 dimensions of the text's states"):
        begin(given, "attention", heads=5)


def test_another_kind_of_encoder_has_its_own_padding_positions_and_special_tokens(tmp_path, roberta):
    """RoBERTa: byte-level sub-tokens, padding 1, positions from 2 on; each sentence as transformers has it alone."""
    write(tmp_path, SENTENCES)
    given = {"sentences": tmp_path / "sentences.parquet", "encoder": sorted(roberta.iterdir())}
    model, data, beside = begin(given, "none")
    assert beside["subtokens"]["longest"] == 38
    found, _ = model(data.batch(data.splits["train"]))
    tokenizer = AutoTokenizer.from_pretrained(roberta, add_prefix_space=True)
    encoder = AutoModel.from_pretrained(roberta).eval()
    for one, (_, _, words, *_) in zip(found, SENTENCES, strict=False):
        encoded = tokenizer(words, is_split_into_words=True, return_tensors="pt")
        places = encoded.word_ids()
        states = encoder(**encoded).last_hidden_state[0]
        expected = model.emit(torch.stack([states[places.index(t)] for t in range(len(words))]))
        torch.testing.assert_close(one[: len(words)], expected, atol=1e-5, rtol=1e-5)


def test_pictures_are_scaled_unless_the_recipe_says_as_they_are(given):
    visual = np.load(given["visual"])[[0, 1, 2, 3]]  # those of the training sentences
    norm = np.linalg.norm(visual, axis=1).mean()
    assert begin(given, "blend")[0].config.visual_scale == pytest.approx(visual.shape[1] ** 0.5 / norm, rel=1e-5)
    assert begin(given, "blend", visual_scale="none")[0].config.visual_scale == 1.0
