"""Tweets with pictures, from text files and a folder to vokens and groundings: real Snakemake runs."""

import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_project import ROOT, Project
from transformers import BertConfig, BertModel, BertTokenizerFast

from visner import tables

TOPICS = {"cat": "red", "dog": "green", "sea": "blue", "sun": "yellow"}
COUNTS = {"train": 24, "dev": 8, "test": 8}
SYSTEM = {
    "corpus": "tweets",
    "model": "bert_crf",
    "encoder": "encoder",
    "images": "tweets",
    "embedding": "resnet18",
    "fusion": "gate",
}
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
            "training": {"epochs": 3, "batch": 8},
        }
    },
    "experiments": {
        "found": {**SYSTEM, "grounding": "vokens", "matcher": "tiny", "k": 2},
        "attached": {**SYSTEM, "grounding": "attached"},
        "shuffled": {**SYSTEM, "grounding": "attached", "control": "shuffled"},
    },
}
TARGETS = [
    "results/vokens/tiny/scores.json",
    "results/images/tweets/tweets/statistics.json",
    *(f"results/grounding/{name}/grounding.parquet" for name in CONFIG["experiments"]),
]


def write_encoder(folder):
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", *TOPICS]) + "\n")
    BertTokenizerFast(str(folder / "vocab.txt"), model_max_length=32).save_pretrained(folder)
    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    torch.manual_seed(1)
    BertModel(BertConfig(vocab_size=10, max_position_embeddings=32, **sizes)).save_pretrained(folder)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The tweets after a run; dev's second picture is missing."""
    folder = tmp_path_factory.mktemp("tweets") / "project"
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
    done = project.run(*TARGETS)
    assert done.returncode == 0, done.stdout + done.stderr
    return project


@pytest.fixture
def project(made, tmp_path):
    """A finished project to change."""
    return made.copy(tmp_path / "project")


def test_text_files_and_a_folder_of_pictures_become_vokens_and_groundings(made):
    results = made.folder / "results"
    scores = tables.read_json(results / "vokens/tiny/scores.json")
    assert scores["recall"]["candidates"] == 7
    assert scores["search"] == {"method": "exact", "recall": None, "pictures": 24, "names": 24}
    assert scores["states"]["without_subtokens"] == sum(COUNTS.values())
    coverage = tables.read_json(results / "images/tweets/tweets/statistics.json")
    assert coverage["rejected"]["missing"]["examples"] == [{"query": "dev1.jpg", "source_url": "dev1.jpg"}]
    sentences = list(tables.iterate_rows(results / "corpora/tweets/sentences.parquet", tables.SENTENCES))
    pool = tables.read_table(results / "vokens/tiny/pool.parquet", tables.POOL).to_pylist()
    held_out = {row["attachment"] for row in sentences if row["split"] != "train"}
    assert not held_out & {name for row in pool for name in row["names"]}
    sizes = {"found": 2, "attached": 49, "shuffled": 49}
    vectors = {name: np.load(results / f"grounding/{name}/vectors.npy") for name in sizes}
    for name, size in sizes.items():
        rows = list(tables.iterate_rows(results / f"grounding/{name}/grounding.parquet", tables.GROUNDING))
        assert [row["sentence_id"] for row in rows] == [row["sentence_id"] for row in sentences]
        for row, sentence in zip(rows, sentences, strict=True):
            if name == "found":
                assert [len(unit) for unit in row["rows"]] == [2, 2, 0]
            else:
                lost = sentence["attachment"] == "dev1.jpg"
                assert [len(unit) for unit in row["rows"]] == [0 if lost else size] * 3
    assert vectors["attached"].shape == vectors["shuffled"].shape == (39 * 49, 512)
    assert not np.array_equal(vectors["attached"], vectors["shuffled"])


def test_each_key_reruns_what_it_changes_and_no_more(project):
    config = project.config()
    config["experiments"]["found"]["k"] = 1
    project.configure(config)
    assert project.rules_run(*TARGETS) == ["grounding"]
    config["matchers"]["tiny"]["top"] = 2
    project.configure(config)
    assert project.rules_run(*TARGETS) == ["grounding", "vokens_judge", "vokens_search"]
    config["matchers"]["tiny"]["margin"] = 0.2
    project.configure(config)
    assert project.rules_run(*TARGETS) == ["grounding", "vokens_judge", "vokens_search", "vokens_train"]


def test_a_deleted_folder_of_results_comes_back_the_same(project):
    names = ["states.npy", "matcher.safetensors", "vokens.parquet", "pool.parquet", "scores.json", "index.md"]
    vokens = project.folder / "results" / "vokens" / "tiny"
    before = [(vokens / name).read_bytes() for name in names]
    shutil.rmtree(project.folder / "results" / "vokens")
    done = project.run(*TARGETS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [(vokens / name).read_bytes() for name in names] == before
