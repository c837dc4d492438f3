"""`visner vectors glove`, ended by real signals, makes the same file as one that was left in peace."""

import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest


@pytest.fixture
def corpus(write_corpus):
    generator = random.Random(1)
    words = [f"w{number}" for number in range(1500)]
    return write_corpus([("train", [generator.choice(words) for _ in range(20)]) for _ in range(2000)])


def start(folder, name, corpus):
    recipe = {"corpora": ["x"], "dimensions": 30, "epochs": 60}
    command = [sys.executable, "-m", "visner", "--log", folder / f"{name}.log", "vectors", "glove", "--unit", "word"]
    command += ["--recipe", json.dumps(recipe), "--sentences", corpus[0], "--words", corpus[1]]
    command += ["--resume", folder / f"{name}-resume", "--output", folder / f"{name}.safetensors"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(list(map(str, command)), env=environment, stderr=subprocess.DEVNULL)


def test_sigterm_leaves_no_trace_in_the_vectors(corpus, tmp_path):
    assert start(tmp_path, "whole", corpus).wait(timeout=120) == 0
    log, stops = tmp_path / "cut.log", []
    for begun in ("epoch 3:", "resuming"):
        log.unlink(missing_ok=True)
        process = start(tmp_path, "cut", corpus)
        end = time.monotonic() + 60
        while process.poll() is None and not (log.exists() and begun in log.read_text()):
            assert time.monotonic() < end
            time.sleep(0.005)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 143, log.read_text()
        stops.append(log.read_text().splitlines()[-1])
    assert all(stop.startswith("stopped by SIGTERM in epoch ") for stop in stops)
    (checkpoint,) = (tmp_path / "cut-resume").glob("*.safetensors")
    broken = checkpoint.read_bytes()
    checkpoint.write_bytes(broken[:100])
    assert start(tmp_path, "cut", corpus).wait(timeout=60) == 1
    assert "delete it, and the training starts anew" in log.read_text()
    checkpoint.write_bytes(broken)
    assert start(tmp_path, "cut", corpus).wait(timeout=120) == 0
    assert (tmp_path / "cut.safetensors").read_bytes() == (tmp_path / "whole.safetensors").read_bytes()
    assert not list((tmp_path / "cut-resume").glob("*.safetensors"))
