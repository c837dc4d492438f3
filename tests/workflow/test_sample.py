"""The embedded sample, whole, as `make run` makes it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = "results/ene_gate/scores.json"


def test_the_gate_scores_within_the_documented_band(tmp_path):
    band = re.search(r"between ([\d.]+) and ([\d.]+)", (ROOT / "docs" / "results.md").read_text())
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "lib"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--snakefile", str(ROOT / "Snakefile")]
    command += ["--directory", str(tmp_path), "--workflow-profile", str(ROOT / "profiles" / "default"), TARGET]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, done.stdout + done.stderr
    scores = json.loads((tmp_path / TARGET).read_text())
    assert scores["provenance"]["weights"]["name"] == "random"  # named in every result
    f1 = scores["test"]["strict"]["mean"]["micro"]["f1"]
    assert float(band[1]) <= f1 <= float(band[2])
