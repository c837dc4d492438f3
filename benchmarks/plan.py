"""How far `visner plan` is from what a real run then uses.

Copies the project into a scratch folder, plans a target there, makes it from nothing with Snakemake, and sets the
plan beside what the run left: core hours and the longest chain from the rules' benchmark files (seconds times the
threads that a job holds; the chain is looked for anew among the measured times), disk from the files in results, store
and resources. Exit status 1 if any of them is more than a factor of 2 off. The sample takes some four minutes.
"""

import argparse
import csv
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from machine.quiet import Busy

from visner.planning.plan import Job, plan
from visner.planning.plan_command import chain_of, core_hours

ROOT = Path(__file__).resolve().parents[1]
FACTOR = 2.0


def copy_project(folder: Path) -> Path:
    """What a run needs, without results: the Snakefile's place in it."""
    for name in ("Snakefile", "config.yaml"):
        shutil.copy(ROOT / name, folder)
    for name in ("workflow", "profiles", "config", "data"):
        shutil.copytree(ROOT / name, folder / name)
    return folder / "Snakefile"


def measured(jobs: list[Job], folder: Path) -> list[Job]:
    """The jobs with the seconds that their benchmark files tell."""
    found = []
    for job in jobs:
        with open(folder / job.benchmark, encoding="utf-8", newline="") as file:
            found.append(job._replace(seconds=float(next(csv.DictReader(file, delimiter="\t"))["s"])))
    return found


def chain_hours(jobs: list[Job]) -> float:
    """Hours of the longest chain."""
    return sum(jobs[place].seconds for place in chain_of(jobs)) / 3600


def main() -> int:
    """Plan, run, compare with the claim."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", default="results/studies/ene/index.md", metavar="FILE", help="(%(default)s)")
    parser.add_argument("--configfile", type=Path, metavar="FILE", help="(default: the sample's)")
    parser.add_argument("--cores", default="all", metavar="N", help="(default: %(default)s)")
    arguments = parser.parse_args()
    configfiles = [arguments.configfile.resolve()] if arguments.configfile else []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        snakefile = copy_project(folder)
        planned = plan(snakefile, folder, configfiles, [arguments.target], everything=True).jobs
        command = [sys.executable, "-m", "snakemake", arguments.target, "--cores", arguments.cores, "--quiet", "all"]
        if configfiles:
            command += ["--configfile", str(configfiles[0])]
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "lib")}
        with Busy() as busy:
            done = subprocess.run(command, cwd=folder, env=environment)
        if done.returncode:
            sys.exit("the run failed")
        real = measured(planned, folder)
        places = [folder / name for name in ("results", "store", "resources")]
        kept = [file for place in places for file in place.rglob("*") if file.is_file()]
        rows = {
            "core hours": (core_hours(planned), core_hours(real)),
            "longest chain, hours": (chain_hours(planned), chain_hours(real)),
            "disk, GB": (sum(job.disk for job in planned) / 1e3, sum(file.stat().st_size for file in kept) / 1e9),
        }
        print(f"{len(planned)} jobs; the largest differences in a job's seconds:")
        pairs = sorted(zip(planned, real, strict=True), key=lambda pair: -abs(pair[0].seconds - pair[1].seconds))
        for expected, taken in pairs[:8]:
            name = " ".join((taken.rule, *taken.wildcards.values()))
            print(f"  {name:45} planned {expected.seconds:6.1f}, took {taken.seconds:6.1f}")
    for name, (expected, used) in rows.items():
        print(f"{name:>22}: planned {expected:.4f}, used {used:.4f}, ratio {expected / used:.2f}")
    reached = all(1 / FACTOR <= expected / used <= FACTOR for expected, used in rows.values())
    print(f"one run; {busy}")
    print("the claim holds" if reached else "BELOW THE CLAIM")
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
