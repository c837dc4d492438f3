"""What a recogniser reads: the tables of the earlier stages, by the paths that the command line gives."""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from visner.errors import VisnerError
from visner.keyed_vectors import read_vectors
from visner.ner.dataset import Sentence, read_sentences
from visner.ner.frozen import Tables
from visner.scratch import mapped
from visner.tables import SENTENCES, iterate_rows

NOTHING = np.zeros((0, 0), dtype=np.float32)


@dataclass
class Frozen:
    """The frozen vectors with the keys of their rows."""

    tables: Tables
    char_index: dict[str, int]
    word_index: dict[str, int]


def paths(arguments: argparse.Namespace) -> dict[str, Path]:
    """What a model stands on: tables by their arguments' names, what a tagger reads, files of the encoder's folder."""
    names = ("sentences", "words", "glove_char", "glove_word", "flair", "grounding", "visual")
    found = {name: path for name in names if (path := getattr(arguments, name)) is not None}
    found |= {path.stem: path for path in arguments.tagging}
    if arguments.encoder is not None:
        if not arguments.encoder.is_dir():
            raise VisnerError(f"{arguments.encoder}: there is no such folder of an encoder; fetch it first")
        files = sorted(path for path in arguments.encoder.iterdir() if path.is_file() and path.name[0] != ".")
        found |= {f"encoder/{path.name}": path for path in files}
    return found


def load_frozen(arguments: argparse.Namespace) -> Frozen:
    """The tables that the arguments name; arrays of word occurrences and pictures stay on disk, mapped."""
    char_index, chars = read_indexed(arguments.glove_char) if arguments.glove_char else ({}, NOTHING)
    word_index, words = read_indexed(arguments.glove_word) if arguments.glove_word else ({}, NOTHING)
    contextual = mapped(arguments.flair, arguments.scratch) if arguments.flair else NOTHING
    return Frozen(Tables(chars, words, contextual, load_visual(arguments)), char_index, word_index)


def load_visual(arguments: argparse.Namespace) -> np.ndarray:
    """The pictures' vectors, mapped."""
    return mapped(arguments.visual, arguments.scratch) if arguments.visual else NOTHING


def read_indexed(path: Path) -> tuple[dict[str, int], np.ndarray]:
    """key -> row, and the vectors [V, D]."""
    keys, vectors = read_vectors(path)
    return {key: row for row, key in enumerate(keys)}, vectors


def load_sentences(
    arguments: argparse.Namespace, frozen: Frozen, splits: list[str], labels: list[str]
) -> dict[str, list[Sentence]]:
    """The sentences of some splits, with `labels` in the order of their ids."""
    if arguments.words is None:
        raise VisnerError("--words: a bilstm_crf reads its corpus' words; give results/nouns/CORPUS/words.parquet")
    label_index = {label: number for number, label in enumerate(labels)}
    return read_sentences(
        arguments.sentences,
        arguments.words,
        arguments.grounding,
        splits,
        frozen.char_index,
        frozen.word_index,
        label_index,
    )


def corpus_labels(sentences: Path) -> list[str]:
    """Every label of a corpus, O first: the ids of a model's outputs."""
    found = {label for row in iterate_rows(sentences, SENTENCES, ["labels"]) for label in row["labels"]}
    return ["O", *sorted(found - {"O"})]
