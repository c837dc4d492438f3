"""A tiny project whose jobs run on the cluster, and what tests do to them."""

import contextlib
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
from cluster import Cluster
from tiny_project import CONFIG, EXPERIMENT, TARGET, Project, make_project

LIMIT = 540  # seconds for a run of Snakemake: while SLURM's controller is away it can wait for good
POLLING = ("--slurm-init-seconds-before-status-checks", "6")
NO_ACCOUNTING = Path(__file__).resolve().parents[2] / "profiles" / "slurm" / "no-accounting"
STUDY = "results/studies/tiny/index.md"
MODEL = "results/tiny_gate/seed1/model.safetensors"


@dataclass
class Run:
    """A Snakemake that submits a project's jobs; it is killed when its time is over."""

    process: subprocess.Popen
    log: Path

    @property
    def text(self) -> str:
        return self.log.read_text()

    def end(self) -> None:
        """Wait for its end, which must be a success."""
        assert self.process.wait(timeout=LIMIT + 10) == 0, self.text[-5000:]


@dataclass
class ClusterProject:
    """A project whose jobs run on the cluster."""

    project: Project
    cluster: Cluster
    first_job: int  # of the cluster's jobs: earlier ones are other projects'

    @property
    def folder(self) -> Path:
        return self.project.folder

    def start(self, *arguments: str, target: str = TARGET) -> Run:
        """`snakemake --workflow-profile profiles/slurm TARGET` with these arguments, in the background."""
        snakemake = [sys.executable, "-m", "snakemake", "--workflow-profile", "profiles/slurm"]
        command = ["timeout", "--kill-after=5", str(LIMIT), *snakemake, *POLLING, *arguments, "--", target]
        log = self.folder / "run.log"
        environment = self.cluster.environment | self.project.environment()
        # the cluster's own srun, and what docs/cluster.md has for a site without accounting
        environment["PATH"] = f"{self.cluster.folder}/bin:{NO_ACCOUNTING}:{environment['PATH']}"
        with log.open("a") as output:
            process = subprocess.Popen(command, cwd=self.folder, env=environment, stdout=output, stderr=output)
        return Run(process, log)

    def remove(self, *names: str) -> None:
        """Take files and folders of a finished project away, so that they are made again."""
        for name in names:
            path = self.folder / name
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def jobs(self, rule: str = "") -> list[dict[str, str]]:
        """This project's jobs of a rule (or group), oldest first."""
        return [
            job
            for job in self.cluster.jobs()
            if int(job["JobId"]) >= self.first_job and job["Comment"].startswith(f"rule_{rule}")
        ]

    def process(self, rule: str) -> psutil.Process:
        """The process of a rule's job of this project, waited for."""
        return wait_for(lambda: self.processes(rule))[0]

    def processes(self, rule: str) -> list[psutil.Process]:
        """Those of all its jobs now."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):  # it has ended meanwhile
                command = " ".join(process.cmdline())
                script = re.search(r"\S+\.stage\.py", command)  # Snakemake's copy, which names the rule
                if script and rule in Path(script[0]).read_text() and Path(process.cwd()) == self.folder:
                    found.append(process)
        return found

    def stop_training_after_an_epoch(self) -> None:
        """The training stands still, as on a node that hangs, with a checkpoint written and epochs to go."""
        training = self.process("ner_train")
        wait_for(lambda: list((self.folder / "results" / ".resume").glob("*.safetensors")), pause=0.005)
        training.send_signal(signal.SIGSTOP)

    def stop_embedding(self) -> None:
        """All jobs that embed stand still, with pictures to go."""
        wait_for(lambda: list(self.folder.glob("store/embeddings/*")), pause=0.005)
        for job in self.processes("embeddings_embed"):
            job.suspend()

    def log(self, name: str) -> str:
        return (self.folder / "results" / "logs" / name).read_text()


def files(project: Project | ClusterProject, folder: str, pattern: str) -> dict[str, bytes]:
    """What the files below a folder of the results hold, by their names."""
    folder = project.folder / "results" / folder
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob(pattern) if file.is_file()}


def wait_for(condition: Callable, pause: float = 0.1, limit: float = 300):
    """What `condition` gives, once that is true."""
    end = time.monotonic() + limit
    while not (value := condition()):
        assert time.monotonic() < end, f"not within {limit} s"
        time.sleep(pause)
    return value


def make_study(folder: Path) -> Project:
    """The tiny project with two shards of pictures, for a job array, systems that find something, and a study."""
    project = make_project(folder)
    training = {"epochs": 30, "patience": 30, "batch": 4, "learning_rate": 0.01}
    gate = EXPERIMENT | {"hidden": 32, "training": training}
    text = {key: gate[key] for key in ("corpus", "vectors", "hidden", "training")} | {"fusion": "none"}
    content = CONFIG | {"experiments": {"tiny_gate": gate, "tiny_text": text}}
    content["corpora"] = {"tiny": CONFIG["corpora"]["tiny"] | {"nouns": {"shards": 2}}}
    content["studies"] = {"tiny": {"baseline": "tiny_text", "systems": ["tiny_gate"], "shuffles": 50}}
    project.configure(content)
    return project
