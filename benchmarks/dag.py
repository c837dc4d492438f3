"""How long Snakemake needs before it starts a study of the paper's size, and for one that is finished.

A study of 141,146 sentences, 50,000 queries with 15 pictures each, 12 systems and 5 seeds is laid out in a scratch
folder: its corpus, its 750,000 picture files (empty ones, a folder a query), and after the first measurement all
results, as small files with Snakemake's records of them; the table of queries is a whole one, for a run looks at the
pictures of its queries. Measured, each in a new process and until two rounds agree: building the DAG of the fresh study
(`snakemake -n`), and running the finished one again, which must do nothing. Then one recipe is changed, then one
picture, and the jobs that follow from it must be due: else the records would be of no use, and the idle run idle for
nothing. Exit status 1 if there are more than 2,000 jobs, the DAG takes 20 s or longer, or the idle run 30 s.
"""

import argparse
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import yaml
from machine.quiet import Rounds, until_two_agree

from visner.runtime import tables

ROOT = Path(__file__).resolve().parents[1]
SENTENCES, QUERIES, DEPTH, DOCUMENTS, SYSTEMS, SEEDS = 141_146, 50_000, 15, 6_000, 12, 5
JOBS, BUILD, IDLE = 2_000, 20.0, 30.0  # the claims; seconds
TARGET = "results/studies/ene/index.md"


def lay_out(folder: Path, pictures: int) -> Path:
    """config/ene.yaml's files, in the numbers of the paper; the configuration that names them."""
    config = yaml.safe_load((ROOT / "config" / "ene.yaml").read_text(encoding="utf-8"))
    document = "<DOC>\n" + "東京の空は今日も青い。\n" * (SENTENCES // DOCUMENTS) + "</DOC>\n"
    for number in range(DOCUMENTS):
        file = folder / "ene" / f"{number % 6}" / f"{number}.xml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(document, encoding="utf-8")
    for name in ("bccwj", "mainichi"):
        (folder / f"{name}.txt").write_text("東京の空は今日も青い。\n", encoding="utf-8")
        config["corpora"][name]["paths"] = [str(folder / f"{name}.txt")]
    for query in range(pictures // DEPTH):
        place = folder / "pictures" / f"{query}"
        place.mkdir(parents=True)
        for rank in range(DEPTH):
            os.close(os.open(place / f"{rank}.jpg", os.O_CREAT))
    config["corpora"]["ene"]["paths"] = [str(folder / "ene")]
    config["images"]["folder"]["folder"] = str(folder / "pictures")
    config["store"] = str(folder / "store")
    gate = config["experiments"]["ene_gate"]
    for number in range(SYSTEMS - len(config["experiments"])):
        name = f"ene_gate_k{number + 1}"
        config["experiments"][name] = {**gate, "k": number + 1}
        config["studies"]["ene"]["systems"].append(name)
    assert {len(one["seeds"]) for one in config["experiments"].values()} == {SEEDS}
    assert len(config["experiments"]) == SYSTEMS
    return write(config, folder / "paper.yaml")


def write(config: dict, file: Path) -> Path:
    """A configuration in a file."""
    file.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    return file


class Ran(NamedTuple):
    """What Snakemake said, and its seconds: by the clock, and of processor time."""

    said: str
    seconds: float
    processor: float


def snakemake(folder: Path, config: Path, *arguments: str) -> Ran:
    """A run of Snakemake, which must succeed."""
    command = [sys.executable, "-m", "snakemake", TARGET, "--snakefile", ROOT / "Snakefile", "--directory", folder]
    command += ["--configfile", config, *arguments]
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "lib")}
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, env=environment)
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"snakemake {' '.join(arguments)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Ran(done.stdout + done.stderr, seconds, processor)


def repeated(folder: Path, config: Path, *arguments: str) -> tuple[Ran, float, Rounds]:
    """The last of some runs of Snakemake, their seconds when two agreed, and what is to be said of the rounds."""
    runs: list[Ran] = []

    def run() -> float:
        runs.append(snakemake(folder, config, *arguments))
        return runs[-1].seconds

    rounds = until_two_agree({"snakemake": run}, most=4)
    return runs[-1], rounds.typical("snakemake"), rounds


def jobs(said: str) -> dict[str, int]:
    """The counts of jobs that a run of Snakemake begins with."""
    return {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", said, re.MULTILINE)}


def write_queries(file: Path, queries: int, shards: int) -> None:
    """The table of queries: each has a folder of pictures, which a run compares with the one before."""
    names = sorted(map(str, range(queries)))
    rows = ({"query": name, "occurrences": 1, "shard": tables.shard_of(name, shards)} for name in names)
    tables.write_table(file, tables.QUERIES, rows)


def finish(folder: Path, config: Path, queries: int) -> None:
    """All results, as small files, and Snakemake's records of them."""
    shards = yaml.safe_load(config.read_text(encoding="utf-8"))["corpora"]["ene"]["nouns"]["shards"]
    for line in snakemake(folder, config, "--summary").said.splitlines():
        output = folder / line.split("\t")[0]
        if "\t" in line and line.split("\t")[2] != "rule":
            output.parent.mkdir(parents=True, exist_ok=True)
            if output.name == "tables":
                output.mkdir()
            elif output.name == "queries.parquet":
                write_queries(output, queries, shards)
            else:
                output.write_bytes(b"{}")
    # Without --forceall only the jobs that are due are recorded, and no change of the others' params would be seen.
    snakemake(folder, config, "--touch", "--forceall", "--cores", "1")


def main() -> int:
    """Measure, print, compare with the claims."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=QUERIES * DEPTH, metavar="N", help="(default: %(default)s)")
    parser.add_argument("--scratch", metavar="FOLDER", help="where the study is laid out (default: a temporary folder)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.scratch) as scratch:
        folder = Path(scratch)
        config = lay_out(folder, arguments.pictures)
        build, seconds, rounds = repeated(folder, config, "-n", "--quiet", "rules")
        total = jobs(build.said)["total"]
        print(f"{total:8} jobs, at most {JOBS}")
        print(
            f"{seconds:8.1f} s to build the DAG ({build.processor:.1f} of a processor), less than {BUILD:.0f}; {rounds}"
        )
        finish(folder, config, arguments.pictures // DEPTH)
        idle, idle_seconds, rounds = repeated(folder, config, "--cores", "1")
        if "Nothing to be done" not in idle.said:
            sys.exit(f"the finished study isn't finished:\n{idle.said[:3000]}")
        print(
            f"{idle_seconds:8.1f} s for a run that does nothing ({idle.processor:.1f}), less than {IDLE:.0f}; {rounds}"
        )
        changed = yaml.safe_load(config.read_text(encoding="utf-8"))
        changed["experiments"]["ene_gate"]["k"] = 14
        due = jobs(snakemake(folder, write(changed, folder / "changed.yaml"), "-n", "--quiet", "rules").said)
        if due.get("ner_train") != SEEDS or due.get("images_fetch"):
            sys.exit(f"another k must train one system again and fetch nothing; due are {due}")
        (folder / "pictures" / "7" / "0.jpg").write_bytes(b"another picture")
        due = jobs(snakemake(folder, config, "-n", "--quiet", "rules").said)
        if (due.get("images_fetch"), due.get("embeddings_embed")) != (1, 1):
            sys.exit(f"another picture must make its shard again and no other; due are {due}")
    reached = total <= JOBS and seconds < BUILD and idle_seconds < IDLE
    print("the claims hold" if reached else "BELOW THE CLAIM")
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
