"""Real Snakemake runs on a tiny project."""

import fcntl
import shutil

import pytest
from PIL import Image
from tiny_project import TARGET, Project, make_project

TYPES = {"PER": "tom", "LOC": "kyoto"}


@pytest.fixture(scope="session")
def finished(tmp_path_factory, worker_id) -> Project:
    """The tiny project after an undisturbed run, made once for all of pytest's processes. Tests change copies of it."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "finished"
    with open(f"{folder}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / TARGET).exists():
            project = make_project(folder)
            done = project.run()
            assert done.returncode == 0, done.stdout + done.stderr
    return Project(folder)


@pytest.fixture
def project(finished, tmp_path) -> Project:
    """A finished project to change."""
    return finished.copy(tmp_path / "project")


@pytest.fixture
def unfinished(tmp_path) -> Project:
    """The tiny project before any run."""
    return make_project(tmp_path / "project")


@pytest.fixture
def tweets(unfinished, encoder):
    """A project with twenty tweets, one without its picture, and a system of each fusion."""
    folder = unfinished.folder
    (folder / "pictures").mkdir()
    for split, first, count in (("train", 0, 12), ("dev", 12, 4), ("test", 16, 4)):
        text = []
        for number in range(first, first + count):
            label, word = list(TYPES.items())[number % 2]
            text += [f"IMGID:{number}", "fast\tO", f"{word}\tB-{label}", "\ufe0f\tO", ""]
            if number != 3:
                colour = (200, 30, 20 + number) if number % 2 else (20, 40 + number, 220)
                Image.new("RGB", (40, 40), colour).save(folder / "pictures" / f"{number}.jpg")
        (folder / f"{split}.txt").write_text("\n".join(text))
    shutil.copytree(encoder, folder / "models" / "tiny")
    splits = {split: [f"{split}.txt"] for split in ("train", "dev", "test")}
    pictured = {"corpus": "tweets", "images": "own", "embedding": "resnet18"}
    system = {"corpus": "tweets", "model": "bert_crf", "encoder": "models/tiny"}
    system["training"] = {"epochs": 3, "encoder_learning_rate": 0.002, "learning_rate": 0.02}
    attached = {"by": "attachment", "images": "own", "embedding": "resnet18"}
    unfinished.configure(
        {
            "corpora": {
                "tweets": {
                    "format": "imgid",
                    "classes": list(TYPES),
                    "split": {"by": "files", **splits},
                    "nouns": {"shards": 1},
                }
            },
            "images": {"own": {"source": "attached", "folder": "pictures", "note": "plain colours"}},
            "embeddings": {
                "resnet18": {"backbone": "resnet18", "weights": "random"},
                "regions": {"backbone": "resnet18", "weights": "random", "regions": True},
            },
            "matchers": {"tiny": {**pictured, "encoder": "models/tiny", "training": {"epochs": 2, "batch": 4}}},
            "groundings": {
                "vokens": {"by": "voken", "matcher": "tiny", "embedding": "resnet18", "k": 2},
                "regions": {**attached, "embedding": "regions"},
            },
            "experiments": {
                "text": system,
                "gate": {**system, "grounding": "vokens", "fusion": "blend"},
                "grid": {**system, "grounding": "regions", "fusion": "attention"},
            },
            "studies": {"tweets": {"baseline": "text", "systems": ["gate", "grid"], "shuffles": 50}},
        }
    )
    return unfinished
