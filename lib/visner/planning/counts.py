"""How much there is of everything that jobs work on: counted where its table is there, estimated before.

Estimates start at what is always there, the bytes of a corpus' files and of a folder of pictures. As soon as a stage
has counted (its statistics.json, its Parquet file), its count is taken in their place.
"""

import json
import os
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from visner import tables
from visner.errors import VisnerError
from visner.recipes import BertExperiment, below
from visner.workflow import Wiring

# format -> bytes of its files a unit, units a sentence. ene: data/gsd-ene (1,232,713 bytes, 297,946 units, 7,557
# sentences); stockmark: 4,048,156, 308,374, 5,343; imgid: Twitter-2017 (678,774, 75,646, 4,819).
BYTES_AND_LENGTH = {
    "ene": (4.1, 39),
    "stockmark": (13.1, 58),
    "imgid": (9.0, 16),
    "conll": (8.0, 20),
    "text": (3.0, 40),
}
CHARACTERS_A_WORD = 1.67  # gsd-ene: 297,946 in 181,375 words; stockmark: 308,374 in 179,418
NOUNS = 0.36  # of the words: gsd-ene 0.33, stockmark 0.39
# Distinct nouns are HEAPS_FACTOR * nouns ** HEAPS_POWER: through gsd-ene (16,167 of 59,802); 2,970 for the sample's
# 2,032, and 100,000 where a corpus of the paper's size has 50,000.
HEAPS_FACTOR, HEAPS_POWER = 12.7, 0.65
LEXICON = 1.3  # distinct words a distinct noun: gsd-ene 20,867 to 16,167
LETTERS = 3_000  # distinct characters of a Japanese corpus
DOWNLOADED = 250_000  # bytes of a corpus' file that isn't there yet: Twitter's have 101,346 to 474,906
BERT = (85.1e6, 109.5e6, 768)  # of bert-base: multiply-adds a sub-token, parameters, hidden size


class Backbone(NamedTuple):
    """A CNN in numbers."""

    gmac: float  # billion multiply-adds a picture of 224 x 224
    dimensions: int
    megabytes: float  # of its weights


BACKBONES = {  # from torchvision's table of weights
    "resnet18": Backbone(1.81, 512, 45),
    "resnet50": Backbone(4.09, 2048, 98),
    "resnet101": Backbone(7.80, 2048, 171),
    "resnet152": Backbone(11.51, 2048, 230),
    "densenet121": Backbone(2.83, 1024, 31),
    "densenet161": Backbone(7.73, 2208, 110),
    "densenet201": Backbone(4.29, 1920, 77),
}


class Text(NamedTuple):
    """A corpus in numbers; `share` is that of each split among its units."""

    counted: bool
    sentences: float
    units: float
    words: float
    nouns: float
    queries: float
    share: dict[str, float]


class Pictures(NamedTuple):
    """The pictures of a corpus' queries: rows of the table of images, and different pictures among them."""

    rows: float
    distinct: float


class Encoder(NamedTuple):
    """A text encoder in numbers."""

    multiply_adds: float  # a sub-token, forward
    parameters: float
    hidden: int


class Counts:
    """The counts of one configuration, as the working directory has them now."""

    def __init__(self, wiring: Wiring):
        self.wiring, self.config = wiring, wiring.config

    def text(self, corpus: str) -> Text:
        """A corpus: counted by corpora and nouns, or estimated from its files."""
        recipe = self.config.corpora[corpus]
        counted = _json(f"results/corpora/{corpus}/statistics.json")
        found = _json(f"results/nouns/{corpus}/statistics.json")
        if counted:
            units, sentences = counted["units"], counted["sentences"]
            share = {split: one["units"] / max(units, 1) for split, one in counted["splits"].items()}
        else:
            size, length = BYTES_AND_LENGTH[recipe.format]
            units = self._bytes(corpus) / size
            sentences = units / length
            ratio = recipe.split.ratio if recipe.split.by == "hash" else (70, 15, 15)
            share = {split: part / sum(ratio) for split, part in zip(("train", "dev", "test"), ratio, strict=True)}
        if recipe.format == "text":
            share = {"train": 1.0}
        if found:
            words, nouns, queries = found["words"], found["nouns"], found["queries"]
        else:
            tokens = getattr(recipe, "units", "characters") == "tokens"
            words = units if tokens else units / CHARACTERS_A_WORD
            nouns = words * NOUNS
            queries = min(nouns, HEAPS_FACTOR * nouns**HEAPS_POWER)
        return Text(bool(counted and (found or words == units)), sentences, units, words, nouns, queries, share)

    @cache  # noqa: B019 - as a Wiring, a Counts lives as long as its process; a corpus may have thousands of files
    def _bytes(self, corpus: str) -> int:
        """Bytes of a corpus' files."""
        files = self.wiring.corpora_files[corpus]
        return sum(file.stat().st_size if file.is_file() else DOWNLOADED for file in files)

    def queries(self, source: str, corpus: str) -> float:
        """What a source is asked for a corpus: its distinct nouns, or the attachments of its sentences."""
        text = self.text(corpus)
        return text.sentences if self.config.images[source].source == "attached" else text.queries

    def pictures(self, source: str, corpus: str) -> Pictures:
        """All pictures of a corpus' queries: at most `depth` each, and no more than a local source has."""
        recipe, wanted = self.config.images[source], self.queries(source, corpus) * self.config.images[source].depth
        if recipe.on_network:
            return Pictures(wanted, wanted)
        distinct = min(wanted, _pictures_in(str(below(self.wiring.root, recipe.folder)), recipe.depth))
        return Pictures(distinct, distinct)

    def shard(self, source: str, corpus: str, shard: str) -> Pictures:
        """Those of one shard; its rows are counted where it is there."""
        of_all, shards = self.pictures(source, corpus), self.config.corpora[corpus].nouns.shards
        rows = _rows(f"results/images/{source}/{corpus}/{shard}.parquet")
        if rows is None:
            rows = of_all.rows / shards
        return Pictures(rows, rows * of_all.distinct / max(of_all.rows, 1))

    def backbone(self, embedding: str) -> Backbone:
        """An embedding's CNN; one that isn't in the table is taken for a ResNet-50."""
        return BACKBONES.get(self.config.embeddings[embedding].backbone, BACKBONES["resnet50"])

    def encoder(self, name: str) -> Encoder:
        """An encoder by its config.json; before that was fetched, it is taken for a BERT-base."""
        shape = _json(f"{self.wiring.encoder_folder(name)}/config.json") or {}
        try:
            hidden, layers, vocabulary = shape["hidden_size"], shape["num_hidden_layers"], shape["vocab_size"]
            layer = layers * (4 * hidden**2 + 2 * hidden * shape["intermediate_size"])
        except KeyError:
            return Encoder(*BERT)
        return Encoder(layer, layer + vocabulary * hidden, hidden)

    def subtokens(self, corpus: str) -> float:
        """What an encoder reads of a corpus of tokens: 1.3 sub-tokens each, two special ones a sentence, padding."""
        text = self.text(corpus)
        return 1.15 * (1.3 * text.units + 2 * text.sentences)

    def flair(self, vectors: str) -> tuple[int, float]:
        """Hidden size of a language model, and its multiply-adds a character; a ready one has 2,048."""
        recipe = self.config.vectors[vectors].flair
        hidden = 2048 if recipe.forward else recipe.hidden
        return hidden, 4 * (100 + hidden) * hidden

    def bilstm(self, name: str) -> tuple[float, float]:
        """Multiply-adds of a BiLSTM experiment a unit, forward, and its parameters.

        What a word's units share (GloVe of the word, Flair, pictures) is projected once a word.
        """
        one = self.config.experiments[name]
        vectors = self.config.vectors[one.vectors]
        unit = vectors.glove_char.dimensions if vectors.glove_char else 0
        word = vectors.glove_word.dimensions if vectors.glove_word else 0
        word += 2 * self.flair(one.vectors)[0] if vectors.flair else 0
        word += self.backbone(one.embedding).dimensions if one.embedding else 0
        gates = 2 * 4 * one.hidden
        return gates * (unit + one.hidden + word / CHARACTERS_A_WORD), gates * (unit + word + one.hidden)

    def is_bert(self, name: str) -> bool:
        """Whether an experiment fine-tunes an encoder."""
        return isinstance(self.config.experiments[name], BertExperiment)


def _json(path: str) -> dict[str, Any] | None:
    """A JSON file, or None where there is none (yet) that can be read."""
    try:
        return _read_json(path, Path(path).stat().st_mtime_ns)
    except (OSError, ValueError):
        return None


@lru_cache(maxsize=256)
def _read_json(path: str, mtime: int) -> dict[str, Any]:
    return json.loads(Path(path).read_text(encoding="utf-8"))


def _rows(path: str) -> int | None:
    """The rows of a Parquet file, or None where there is none (yet) that can be read."""
    try:
        return _read_rows(path, Path(path).stat().st_mtime_ns)
    except (OSError, VisnerError):
        return None


@lru_cache(maxsize=4096)
def _read_rows(path: str, mtime: int) -> int:
    return tables.count_rows(path)


@cache
def _pictures_in(folder: str, depth: int) -> int:
    """About how many pictures a folder has, by its own entries: a folder in it is a query's. All are not counted."""
    with os.scandir(folder) as entries:
        return sum(depth if entry.is_dir() else 1 for entry in entries)
