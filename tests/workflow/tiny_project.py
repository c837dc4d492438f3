"""A tiny project that real Snakemake runs are made on: six documents, small models, everything else as shipped."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
TARGET = "results/tiny_gate/scores.json"
EXPERIMENT = {
    "corpus": "tiny",
    "vectors": "tiny",
    "grounding": "pictures",
    "fusion": "gate",
    "hidden": 8,
    "training": {"epochs": 3, "batch": 8, "learning_rate": 0.02},
}
DRAWINGS = {"source": "folder", "folder": "drawings", "manifest": "drawings/manifest.tsv", "depth": 3, "side": 32}
CONFIG = {
    "corpora": {
        "tiny": {
            "format": "ene",
            "paths": ["corpus"],
            "split": {"by": "lists", "train": "train.txt", "dev": "dev.txt", "test": "test.txt"},
            "nouns": {"shards": 1},
        }
    },
    "images": {"sample": DRAWINGS},
    "embeddings": {"resnet18": {"backbone": "resnet18", "weights": "random"}},
    "vectors": {
        "tiny": {
            "glove_char": {"corpora": ["tiny"], "dimensions": 8, "epochs": 2},
            "glove_word": {"corpora": ["tiny"], "dimensions": 8, "epochs": 2},
            "flair": {"corpora": ["tiny"], "hidden": 8, "epochs": 1, "sequence_length": 50, "batch": 10},
        }
    },
    "groundings": {"pictures": {"by": "query", "images": "sample", "embedding": "resnet18", "k": 2}},
    "experiments": {"tiny_gate": EXPERIMENT},
    "training_threads": 1,
}


@dataclass
class Project:
    """A folder with a Snakefile and all it needs."""

    folder: Path

    def config(self) -> dict:
        return yaml.safe_load((self.folder / "config.yaml").read_text())

    def configure(self, content: dict) -> None:
        (self.folder / "config.yaml").write_text(yaml.safe_dump(content, allow_unicode=True))

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "snakemake", "--cores", "2", *(arguments or [TARGET])]

    def environment(self) -> dict:
        """Ours, without the folder of this Python in PATH: the jobs must find it by themselves."""
        own = str(Path(sys.executable).parent)
        path = os.pathsep.join(folder for folder in os.environ["PATH"].split(os.pathsep) if folder != own)
        return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT / "lib"), "OMP_NUM_THREADS": "1"}

    def run(self, *arguments: str, timeout: float = 600) -> subprocess.CompletedProcess:
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    def rules_run(self, *arguments: str) -> list[str]:
        """The rules that a run, which must succeed, has executed, or with -n would; sorted, one entry a job."""
        done = self.run(*arguments)
        said = done.stdout + done.stderr
        assert done.returncode == 0, said
        if "-n" not in arguments:
            return sorted(re.findall(r"^Finished jobid: \d+ \(Rule: (\w+)\)", said, re.MULTILINE))
        counts = re.findall(r"^(\w+) +(\d+)$", said.partition("Job stats:")[2].partition("total ")[0], re.MULTILINE)
        return sorted(rule for rule, count in counts for _ in range(int(count)))

    def copy(self, folder: Path) -> "Project":
        """The same project elsewhere, with all times kept."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Project(folder)


def pictured_words() -> dict[str, list[str]]:
    """The words that the tiny project has pictures of, with their files: two of each kind of the sample's."""
    lines = (ROOT / "data/sample/pictures/manifest.tsv").read_text(encoding="utf-8").splitlines()[1:]
    ranked = (line.split("\t") for line in lines)
    two = ("-0.webp", "-1.webp")
    return {word: [file for file in files.split("|") if file.endswith(two)] for word, files in ranked}


def copy_pictures(folder: Path) -> None:
    """The tiny project's pictures and their manifest."""
    folder.mkdir()
    ranked = pictured_words()
    for file in {file for files in ranked.values() for file in files}:
        shutil.copy(ROOT / "data/sample/pictures" / file, folder)
    lines = ["query\tfiles", *(f"{word}\t{'|'.join(files)}" for word, files in ranked.items())]
    (folder / "manifest.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def make_project(folder: Path) -> Project:
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "Snakefile", folder)
    for part in ("workflow", "profiles"):
        shutil.copytree(ROOT / part, folder / part)
    sample = ROOT / "data" / "sample" / "ene"
    lists = {split: (sample / "splits" / f"{split}.txt").read_text().split() for split in ("train", "dev", "test")}
    (folder / "corpus").mkdir()
    for split, count in (("train", 4), ("dev", 1), ("test", 1)):
        chosen = lists[split][:count]
        (folder / f"{split}.txt").write_text("\n".join(chosen) + "\n")
        for document in chosen:
            shutil.copy(sample / document.split("_")[0] / f"{document}.xml", folder / "corpus")
    copy_pictures(folder / "drawings")
    project = Project(folder)
    project.configure(CONFIG)
    return project
