"""What a recogniser reads: the tables of the earlier stages, by the paths that the command line gives."""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from visner.ner.bilstm_crf import Tables
from visner.ner.dataset import Sentence, read_sentences
from visner.tables import SENTENCES, iterate_rows, read_vectors

NOTHING = np.zeros((0, 0), dtype=np.float32)


@dataclass
class Frozen:
    """The frozen vectors with the keys of their rows."""

    tables: Tables
    char_index: dict[str, int]
    word_index: dict[str, int]


def load_frozen(arguments: argparse.Namespace) -> Frozen:
    """The tables that the arguments name; arrays of word occurrences and pictures stay on disk, mapped."""
    char_index, chars = read_vectors(arguments.glove_char) if arguments.glove_char else ({}, NOTHING)
    word_index, words = read_vectors(arguments.glove_word) if arguments.glove_word else ({}, NOTHING)
    contextual = np.load(arguments.flair, mmap_mode="r", allow_pickle=False) if arguments.flair else NOTHING
    visual = np.load(arguments.visual, mmap_mode="r", allow_pickle=False) if arguments.visual else NOTHING
    return Frozen(Tables(chars, words, contextual, visual), char_index, word_index)


def load_sentences(
    arguments: argparse.Namespace, frozen: Frozen, splits: list[str], labels: list[str]
) -> dict[str, list[Sentence]]:
    """The sentences of some splits, with `labels` in the order of their ids."""
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
