"""The stage with a real text encoder: what training never named is found by its meaning alone."""

from pathlib import Path

import numpy as np
import pytest

from visner.runtime import tables

from .conftest import Corpus, image_id, write_pictures

TRAIN = {
    "cat": ["my kitten sleeps on the sofa", "two cats and a purring tabby", "feline paws and whiskers today"],
    "sea": ["surfing big waves at the beach", "the ocean is blue tonight", "sailing boats on the coast"],
    "food": ["pizza and pasta for dinner", "baking a chocolate cake", "best burger with fries in town"],
    "car": ["driving my new truck", "engine and tyres of a racing car", "the vehicle broke down on the motorway"],
    "snow": ["skiing in the frozen mountains", "a cold winter blizzard", "ice and snowflakes everywhere"],
    "music": ["she plays the guitar on stage", "a concert of the rock band", "singing this song all day"],
}
TEST = {  # no noun of them is above
    "cat": ["meow said the kitty", "my pet loves tuna"],
    "sea": ["swim near the shore", "a dolphin in the water"],
    "food": ["hungry for noodles and soup", "lunch at the restaurant"],
    "car": ["parked the automobile", "a taxi to the garage"],
    "snow": ["freezing hail storm", "the glacier of january"],
    "music": ["a piano melody", "drummer of the orchestra"],
}
TOP = 3  # pictures of a topic in training


@pytest.fixture(scope="module")
def made(tmp_path_factory, minilm):
    """Tweets of six topics after all verbs; pictures' vectors are the topic's direction, with noise."""
    corpus = Corpus(tmp_path_factory.mktemp("minilm"), [])
    rng = np.random.default_rng(2)
    directions = dict(zip(TRAIN, rng.standard_normal((len(TRAIN), 24)), strict=True))
    pictures, vectors = {}, {}
    for split, tweets in (("train", TRAIN), ("dev", TEST), ("test", TEST)):
        for topic, texts in tweets.items():
            for number, text in enumerate(texts):
                name = f"{split}-{topic}-{number}.jpg"
                corpus.sentences.append(
                    {
                        **{"sentence_id": name, "document_id": name, "split": split, "text": text},
                        **{"units": text.split(), "labels": ["O"] * len(text.split()), "attachment": name},
                    }
                )
                pictures[name] = image_id(name)
                vectors[pictures[name]] = directions[topic] + 0.1 * rng.standard_normal(24)
    tables.write_table(corpus.path("sentences.parquet"), tables.SENTENCES, corpus.sentences)
    write_pictures(corpus.folder, pictures, vectors)
    for verb in ("states", "train", "pool", "search"):
        corpus.run(verb, **({"encoder": [Path(minilm) / "config.json"]} if verb == "states" else {}))
    return corpus


def test_the_states_are_those_that_transformers_computes(made, minilm):
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(minilm), AutoModel.from_pretrained(minilm).eval()
    states, row = np.load(made.path("states.npy")), 0
    for sentence in made.sentences:
        encoded = tokenizer(sentence["units"], is_split_into_words=True, return_tensors="pt")
        with torch.no_grad():
            hidden = model(**encoded).last_hidden_state[0]
        firsts = [encoded.word_ids().index(word) for word in range(len(sentence["units"]))]
        np.testing.assert_allclose(states[row : row + len(firsts)], hidden[firsts].numpy(), atol=2e-5)
        row += len(firsts)
    assert row == len(states)


def test_tweets_of_new_words_find_pictures_of_their_topic(made):
    """A blind choice, or states without meaning, would find the right topic for one word in six."""
    topics = {image_id(f"train-{topic}-{number}.jpg"): topic for topic in TRAIN for number in range(TOP)}
    found = [
        topics[best[0]] == row["sentence_id"].split("-")[1]
        for row in tables.iterate_rows(made.path("vokens.parquet"), tables.VOKENS)
        if row["sentence_id"].startswith("test")
        for best in row["image_ids"]
    ]
    assert len(found) == sum(len(text.split()) for texts in TEST.values() for text in texts)
    assert np.mean(found) > 0.5
