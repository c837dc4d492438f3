"""A training of GloVe vectors, ended by real signals, makes the same file as one that was left in peace."""

import random

import pytest
import self_terminating

from visner.config.vectors import Glove


@pytest.fixture
def corpus(write_corpus):
    generator = random.Random(1)
    words = [f"w{number}" for number in range(1500)]
    return write_corpus([("train", [generator.choice(words) for _ in range(20)]) for _ in range(2000)])


def train(folder, name, corpus, at=None):
    recipe = {"corpora": ["x"], "dimensions": 30, "epochs": 60}
    job = {
        "rule": "vectors_glove",
        "log": f"{name}.log",
        "input": {"sentences": [corpus[0]], "words": [corpus[1]]},
        "output": {"output": f"{name}.safetensors"},
        "params": {"recipe": Glove(**recipe).fingerprint(), "unit": "word"},
    }
    return self_terminating.run(job, folder, at)


def test_sigterm_leaves_no_trace_in_the_vectors(corpus, tmp_path):
    assert train(tmp_path, "whole", corpus) == 0
    log = tmp_path / "cut.log"
    for at, place in (("epoch 3:", "epoch 3"), ("resuming", "epoch 4")):
        assert train(tmp_path, "cut", corpus, at) == 143, log.read_text()
        assert log.read_text().splitlines()[-1] == f"stopped by SIGTERM in {place}; run again to go on"
    (checkpoint,) = (tmp_path / "results/.resume").glob("*.safetensors")
    whole = checkpoint.read_bytes()
    checkpoint.write_bytes(whole[:100])
    assert train(tmp_path, "cut", corpus) == 1
    assert "delete it, and the training starts anew" in log.read_text()
    checkpoint.write_bytes(whole)
    assert train(tmp_path, "cut", corpus) == 0
    assert (tmp_path / "cut.safetensors").read_bytes() == (tmp_path / "whole.safetensors").read_bytes()
    assert not list((tmp_path / "results/.resume").glob("*.safetensors"))
