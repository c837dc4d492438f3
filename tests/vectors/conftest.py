"""Small texts as the tables that earlier stages make, and small language models."""

import pytest
import torch

from visner.runtime import tables
from visner.vectors.language_model import CharacterLanguageModel

CHARACTERS = ["<unk>", *"\n 京都東山に雨が降る。abcAB1"]


@pytest.fixture
def write_corpus(tmp_path):
    """A function that writes sentences, (split, words) pairs, as the tables of a corpus; their two paths."""

    def write(sentences, name="corpus"):
        sentence_rows, word_rows = [], []
        for number, (split, words) in enumerate(sentences):
            text = "".join(words)
            sentence = {"sentence_id": f"{name}:{number}", "document_id": name, "split": split, "text": text}
            sentence_rows.append(sentence | {"units": list(text), "labels": ["O"] * len(text), "attachment": None})
            row = [{"surface": word, "pos": "名詞", "start": 0, "stop": 1, "queries": []} for word in words]
            word_rows.append({"sentence_id": f"{name}:{number}", "words": row})
        paths = tmp_path / f"{name}.sentences.parquet", tmp_path / f"{name}.words.parquet"
        tables.write_table(paths[0], tables.SENTENCES, sentence_rows)
        tables.write_table(paths[1], tables.WORDS, word_rows)
        return paths

    return write


@pytest.fixture
def models(tmp_path):
    """Files of a forward and a backward language model with random weights."""
    torch.manual_seed(0)
    paths = []
    for direction in ("forward", "backward"):
        model = CharacterLanguageModel(direction, CHARACTERS, embedding_size=10, hidden=16)
        model.save(tmp_path / f"{direction}.safetensors", {})
        paths.append(tmp_path / f"{direction}.safetensors")
    return paths
