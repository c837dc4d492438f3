"""What tests of BERT-CRF share."""

import argparse

import pytest


@pytest.fixture
def given(tmp_path, encoder):
    """The arguments of `ner train` for a few sentences whose pictures are random vectors."""
    from bert_sentences import SENTENCES, write

    write(tmp_path, SENTENCES)
    paths = {"sentences": tmp_path / "sentences.parquet", "encoder": encoder, "scratch": "", "tagging": []}
    return argparse.Namespace(**paths, grounding=tmp_path / "grounding.parquet", visual=tmp_path / "vectors.npy")
