"""A few sentences with pictures, and BERT-CRF on them."""

import numpy as np
import torch

from visner.config.experiments import BertExperiment
from visner.ner import systems
from visner.ner.inputs import Files
from visner.runtime import tables

CPU = torch.device("cpu")
VISUAL = 6
LABELS = ["O", "B-X", "I-X"]
SENTENCES = [
    ("1", "train", ["tom", "likes", "jaguars"], ["B-X", "O", "O"], [[0], [], [1, 2]]),
    ("2", "train", ["\ufe0f", "kyoto"], ["O", "B-X"], [[3], []]),
    ("3", "train", ["abcdefgh", "fast", "jaguar", "in", "kyoto", "bead"], ["O", "O", "B-X", "I-X", "O", "O"], [[]] * 6),
    ("4", "dev", ["tom", "likes", "jaguars"], ["B-X", "O", "O"], [[4], [4], [4]]),
    ("5", "test", ["fast", "tom"], ["O", "B-X"], [[], [1, 0]]),
]


def write(folder, sentences):
    rows, grounded = [], []
    for name, split, units, labels, pictures in sentences:
        text = {"sentence_id": name, "document_id": name, "split": split, "text": " ".join(units)}
        rows.append({**text, "units": units, "labels": labels, "attachment": f"{name}.jpg"})
        scores = [[1.0] * len(unit) for unit in pictures]
        grounded.append({"sentence_id": name, "rows": pictures, "scores": scores})
    tables.write_table(folder / "sentences.parquet", tables.SENTENCES, rows, {"sha256": "s"})
    tables.write_table(folder / "grounding.parquet", tables.GROUNDING, grounded)
    visual = np.random.default_rng(5).standard_normal((5, VISUAL)).astype(np.float32)
    np.save(folder / "vectors.npy", visual)
    return visual


def recipe(fusion, **more):
    pictures = {"grounding": "x"}
    return BertExperiment(
        model="bert_crf", corpus="x", fusion=fusion, **({} if fusion == "none" else pictures), **{"heads": 4, **more}
    )


def begin(given, fusion, seed=6, **more):
    """A new model, its training and dev data, and what is saved beside it; `given` are arguments of `train`."""
    torch.manual_seed(seed)
    files = Files(**{name: path for name, path in given.items() if name != "encoder"})
    model, data, beside = systems.begin(recipe(fusion, **more), files, given["encoder"], LABELS, CPU)
    return model.eval(), data, beside
