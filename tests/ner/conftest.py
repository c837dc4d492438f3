"""What tests of BERT-CRF share."""

import pytest


@pytest.fixture
def given(tmp_path, encoder):
    """The tables of `train` for a few sentences whose pictures are random vectors, and the encoder's files."""
    from bert_sentences import SENTENCES, write

    write(tmp_path, SENTENCES)
    return {
        "sentences": tmp_path / "sentences.parquet",
        "grounding": tmp_path / "grounding.parquet",
        "visual": tmp_path / "vectors.npy",
        "encoder": sorted(encoder.iterdir()),
    }
