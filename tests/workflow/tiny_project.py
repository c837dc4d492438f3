"""A tiny project that real Snakemake runs are made on: six documents, small models, everything else as shipped."""

import multiprocessing
import os
import re
import shutil
import subprocess
import sys
import tempfile
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

# Processes of it are forked from one that has imported Snakemake.
IMPORTED = multiprocessing.get_context("forkserver")
IMPORTED.set_forkserver_preload(["snakemake.cli"])


def snakemake(arguments: list[str], folder: Path, environment: dict[str, str], files: list[str]) -> None:
    """What a process does that is a run of Snakemake; its outputs go to two files."""
    from snakemake.cli import main

    for number, file in enumerate(files, start=1):
        os.dup2(os.open(file, os.O_CREAT | os.O_WRONLY | os.O_APPEND), number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = arguments
    main()


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
        """A whole run of Snakemake, as `command` would, but for the 2.5 s in which it imports what it needs."""
        command = self.command(*arguments)
        with tempfile.TemporaryDirectory() as folder:
            files = [f"{folder}/{name}" for name in ("stdout", "stderr")]
            process = IMPORTED.Process(target=snakemake, args=(command[2:], self.folder, self.environment(), files))
            process.start()
            process.join(timeout)
            if process.exitcode is None:
                process.kill()
                raise subprocess.TimeoutExpired(command, timeout)
            said = [Path(file).read_text() for file in files]
        return subprocess.CompletedProcess(command, process.exitcode, *said)

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
