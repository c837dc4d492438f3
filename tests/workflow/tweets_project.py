"""A project of forty tweets with pictures, whose words find vokens in two shards of sentences."""

import shutil
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from tiny_project import ROOT, Project
from transformers import BertConfig, BertModel, BertTokenizerFast

TOPICS = {"cat": "red", "dog": "green", "sea": "blue", "sun": "yellow"}
COUNTS = {"train": 24, "dev": 8, "test": 8}
SYSTEM = {
    "corpus": "tweets",
    "model": "bert_crf",
    "encoder": "encoder",
    "fusion": "blend",
}
ATTACHED = {"by": "attachment", "images": "tweets", "embedding": "resnet18"}
CONFIG = {
    "corpora": {
        "tweets": {
            "format": "imgid",
            "classes": ["PER", "LOC"],
            "split": {"by": "files", **{split: [f"{split}.txt"] for split in COUNTS}},
            "nouns": {"shards": 2},
        }
    },
    "images": {"tweets": {"source": "attached", "folder": "pictures", "side": 32}},
    "embeddings": {"resnet18": {"backbone": "resnet18", "weights": "random", "regions": True}},
    "matchers": {
        "tiny": {
            "corpus": "tweets",
            "images": "tweets",
            "embedding": "resnet18",
            "encoder": "encoder",
            "top": 3,
            "shards": 2,
            "training": {"epochs": 3, "batch": 8},
        }
    },
    "groundings": {
        "found": {"by": "voken", "matcher": "tiny", "embedding": "resnet18", "k": 2},
        "attached": ATTACHED,
        "shuffled": {**ATTACHED, "control": "shuffled"},
    },
    "experiments": {
        "found": {**SYSTEM, "grounding": "found"},
        "attached": {**SYSTEM, "grounding": "attached"},
        "shuffled": {**SYSTEM, "grounding": "shuffled"},
    },
}
TARGETS = [
    "results/vokens/tiny/scores.json",
    "results/images/tweets/tweets/statistics.json",
    *(f"results/grounding/{name}/tweets/grounding.parquet" for name in CONFIG["experiments"]),
]


def write_encoder(folder):
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", *TOPICS]) + "\n")
    BertTokenizerFast(str(folder / "vocab.txt"), model_max_length=32).save_pretrained(folder)
    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    torch.manual_seed(1)
    BertModel(BertConfig(vocab_size=10, max_position_embeddings=32, **sizes)).save_pretrained(folder)


def make_tweets(folder: Path) -> Project:
    """The project; dev's second picture is missing."""
    folder.mkdir()
    shutil.copy(ROOT / "Snakefile", folder)
    for part in ("workflow", "profiles"):
        shutil.copytree(ROOT / part, folder / part)
    write_encoder(folder / "encoder")
    (folder / "pictures").mkdir()
    rng = np.random.default_rng(1)
    for split, count in COUNTS.items():
        lines = []
        for number in range(count):
            topic = list(TOPICS)[number % len(TOPICS)]
            lines += [f"IMGID:{split}{number}", "the\tO", f"{topic}\tB-PER", "\ufe0f\tO", ""]
            if (split, number) != ("dev", 1):
                picture = np.array(Image.new("RGB", (32, 32), TOPICS[topic])) // 2
                noise = rng.integers(0, 60, picture.shape, np.uint8)
                Image.fromarray(picture + noise).save(folder / "pictures" / f"{split}{number}.jpg")
        (folder / f"{split}.txt").write_text("\n".join(lines) + "\n")
    project = Project(folder)
    project.configure(CONFIG)
    return project
