"""A newcomer's corpus: 77 sentences to train on, and the early stopping that is the default."""

import json
import re

import numpy as np
import pytest
from tiny_project import make_project

COUNTS = {"train": 77, "dev": 25, "test": 25}
PLACE = re.compile("<(City|Country|County|GPE_Other|Province)>")
TRAINING = {"learning_rate": 0.003, "batch": 10, "epochs": 30}  # patience: 5


@pytest.fixture
def project(tmp_path, shared_data):
    """Those of gsd-ene's newspaper sentences that have places, in three documents of the same form."""
    project = make_project(tmp_path / "small")
    sentences = []
    for file in sorted((shared_data / "gsd-ene" / "bccwj" / "xml" / "PN").iterdir()):
        body = re.search(r"<TEXT>\n(.*)</TEXT>", file.read_text(encoding="utf-8"), re.DOTALL)[1]
        sentences += [line for line in body.splitlines() if PLACE.search(line)]
    for split, count in COUNTS.items():
        body, sentences = "\n".join(sentences[:count]), sentences[count:]
        document = f"<DOC>\n<ID>{split}1</ID>\n<TEXT>\n{body}\n</TEXT>\n</DOC>\n"
        (project.folder / "corpus" / f"{split}1.xml").write_text(document, encoding="utf-8")
    files = {split: [f"corpus/{split}1.xml"] for split in COUNTS}
    corpus = {"format": "ene", "split": {"by": "files", **files}}
    text = "".join(file.read_text(encoding="utf-8") for file in (project.folder / "corpus").iterdir())
    characters = sorted(set(text) - set(" \n"))
    vectors = np.random.default_rng(1).standard_normal((len(characters), 50)).round(3)
    lines = (" ".join([one, *map(str, vector)]) for one, vector in zip(characters, vectors, strict=True))
    (project.folder / "vectors.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    ready = {"glove_char": {"path": "vectors.txt", "dimensions": 50}}
    experiment = {"corpus": "small", "vectors": "small", "hidden": 64, "training": TRAINING}
    project.configure(
        {"corpora": {"small": corpus}, "vectors": {"small": ready}, "experiments": {"baseline": experiment}}
    )
    return project


def test_case_77_sentences_train_a_baseline_that_is_not_zero(project):
    done = project.run("results/baseline/scores.json")
    assert done.returncode == 0, done.stdout + done.stderr
    scores = json.loads((project.folder / "results" / "baseline" / "scores.json").read_text())
    assert scores["sentences"] == COUNTS
    history = json.loads((project.folder / "results" / "baseline" / "seed1" / "training.json").read_text())
    assert history["dev_f1"][:6] == [0.0] * 6  # where patience ended it before
    assert max(history["dev_f1"]) > 0
    assert scores["test"]["strict"]["mean"]["micro"]["f1"] > 0
