"""A tiny corpus of tweets with pictures' vectors, and a tiny BERT, all written by the test."""

import hashlib
import importlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from visner.config.matchers import Matcher
from visner.runtime import device, tables

TOPICS = ["cat", "dog", "sea", "sun", "car", "map", "hat", "key"]
FILLERS = ["the", "a", "my", "big", "old", "new"]
INVISIBLE = "\N{VARIATION SELECTOR-16}"
RECIPE = {
    **{"corpus": "c", "images": "i", "embedding": "e", "hidden": 32, "dimensions": 16, "top": 4},
    "training": {"epochs": 12, "batch": 8, "learning_rate": 0.01, "patience": 12},
}
COUNTS = {"train": 48, "dev": 16, "test": 16}


def image_id(name: str) -> str:
    """The sha256 that the bytes of a picture have."""
    return hashlib.sha256(name.encode()).hexdigest()


def write_encoder(folder: Path, words: list[str], positions: int = 64) -> Path:
    """A BERT of two layers of 32 dimensions with random weights, and a WordPiece vocabulary of the words."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast

    letters = sorted({letter for word in words for letter in word})
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words, *letters, *(f"##{one}" for one in letters)]
    folder.mkdir(parents=True)
    (folder / "vocab.txt").write_text("\n".join(dict.fromkeys(vocabulary)) + "\n")
    tokenizer = BertTokenizerFast(str(folder / "vocab.txt"), model_max_length=positions)
    tokenizer.save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=positions,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(1)
        BertModel(config).save_pretrained(folder)
    return folder


@dataclass
class Corpus:
    """The files of a corpus."""

    folder: Path
    sentences: list[dict]

    def path(self, name: str) -> Path:
        return self.folder / name

    def arguments(self, verb: str, **changes) -> dict:
        """The keyword arguments of a verb's function, as its rule gives them; `recipe` changes keys of RECIPE."""
        one = {"shard": 0, "shards": 1}
        pairs = {
            "states": [self.path("states.npy")],
            "images": [self.path("images.parquet")],
            "embeddings": [self.path("embeddings.parquet")],
        }
        matcher = {"matcher": self.path("matcher.safetensors")}
        pool = {"pictures": self.path("pool.parquet"), "index": self.path("pool.faiss")}
        recipe = {"recipe": Matcher(**RECIPE | changes.pop("recipe", {}))}
        of_verb = {
            "states": {
                **one,
                "encoder": [self.path("encoder") / "config.json"],
                "words": "first",
                "precision": "float32",
                "states": self.path("states.npy"),
                "statistics": self.path("states.json"),
            },
            "train": {
                **pairs,
                **matcher,
                **recipe,
                "resume": self.path(".resume"),
                "history": self.path("training.json"),
            },
            "pool": {**pairs, **matcher, **pool, **recipe},
            "search": {
                **one,
                **matcher,
                **pool,
                **recipe,
                "states": self.path("states.npy"),
                "output": self.path("vokens.parquet"),
            },
            "judge": {
                **pairs,
                **matcher,
                "name": "tiny",
                "vokens": [self.path("vokens.parquet")],
                "statistics": [self.path("states.json")],
                "scores": self.path("scores.json"),
                "page": self.path("index.md"),
            },
        }
        return {"sentences": self.path("sentences.parquet"), **of_verb[verb], **changes}

    def run(self, verb: str, gpu: int = 0, **changes) -> None:
        """Call a verb's function."""
        function = getattr(importlib.import_module(f"visner.vokens.{verb}"), verb)
        function(**self.arguments(verb, **changes), device=device.select(gpu, threads=1))


def write_pictures(folder: Path, pictures: dict[str, str | None], vectors: dict[str, np.ndarray]) -> None:
    """One shard of images (name -> image_id, or None for a broken one), and the vectors of regions 0 and 1."""
    blank = dict.fromkeys(tables.IMAGES.names)
    rows = [
        {**blank, "query": name, "rank": 0, "image_id": one, "reason": None if one else "broken"}
        for name, one in pictures.items()
    ]
    tables.write_table(folder / "images.parquet", tables.IMAGES, rows)
    dimensions = len(next(iter(vectors.values())))
    rows = [
        {"image_id": one, "region": region, "vector": vectors[one] if region == 0 else np.full(dimensions, 99.0)}
        for one in sorted(vectors)
        for region in (0, 1)
    ]
    tables.write_table(folder / "embeddings.parquet", tables.embeddings_schema(dimensions), rows)


def write_corpus(folder: Path) -> Corpus:
    """Tweets of a filler, a topic and an invisible word; a picture's vector is that of its topic, with some noise.

    Of every ten tweets one has no attachment, and one a broken one. Two training tweets share their bytes, as do a
    training and a test tweet.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(7)
    directions = rng.standard_normal((len(TOPICS), 12)).astype(np.float32)
    sentences, pictures, vectors = [], {}, {}
    for split, count in COUNTS.items():
        for number in range(count):
            topic = number % len(TOPICS)
            name = None if number % 10 == 3 else f"{split}_{number}.jpg"
            units = [FILLERS[number % len(FILLERS)], TOPICS[topic], INVISIBLE][: 3 if number % 5 == 0 else 2]
            sentences.append(
                {
                    "sentence_id": f"{split}_{number}",
                    "document_id": f"{split}_{number}",
                    "split": split,
                    "text": " ".join(units),
                    "units": units,
                    "labels": ["O"] * len(units),
                    "attachment": name,
                }
            )
            if name is None:
                continue
            one = None if number % 10 == 7 else image_id(name)
            pictures[name] = one
            if one:
                vectors[one] = directions[topic] + 0.2 * rng.standard_normal(12).astype(np.float32)
    pictures["train_8.jpg"] = pictures["train_0.jpg"]
    pictures["test_8.jpg"] = pictures["train_16.jpg"]
    tables.write_table(folder / "sentences.parquet", tables.SENTENCES, sentences, {"sha256": "ab" * 32})
    write_pictures(folder, pictures, vectors)
    return Corpus(folder, sentences)


@pytest.fixture
def corpus(tmp_path) -> Corpus:
    """A corpus before any verb."""
    made = write_corpus(tmp_path)
    write_encoder(tmp_path / "encoder", [*TOPICS, *FILLERS])
    return made


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Corpus:
    """A corpus after all verbs; not to be changed."""
    folder = tmp_path_factory.mktemp("vokens")
    made = write_corpus(folder)
    write_encoder(folder / "encoder", [*TOPICS, *FILLERS])
    for verb in ("states", "train", "pool", "search", "judge"):
        made.run(verb)
    return made
