"""Write the lock file and the conda environments, which have the same pins.

`make lock` installs visner with all its extras into a fresh environment, and pipes that environment's `pip freeze
--all` in here:

    pip freeze --all | python workflow/lock.py

It writes requirements.lock (for pip), workflow/envs/visner.yaml, and workflow/envs/visner-gpu.yaml.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements.lock"
ENVIRONMENTS = ROOT / "workflow" / "envs"
PYTHON = "3.11"
BASE = "# visner itself is not in it: with --sdm conda, set PYTHONPATH to the folder lib.\n"
HEADER = "# Made by `make lock` from pyproject.toml: do not edit.\n"


def pins_of(frozen: str) -> list[str]:
    """The lines `name==version` of a `pip freeze`, sorted; without pip, and without what came from a folder."""
    pins = [line for line in frozen.splitlines() if re.fullmatch(r"[\w.-]+==\S+", line)]
    return sorted((pin for pin in pins if not pin.startswith(("pip==", "visner=="))), key=str.lower)


def lock(pins: list[str]) -> str:
    """The lock file for pip."""
    return HEADER + "".join(f"{pin}\n" for pin in pins)


def environment(pins: list[str], gpu: bool = False) -> str:
    """A conda environment with the same packages; for GPUs with faiss-gpu, of the same version, for faiss-cpu."""
    name = "visner-gpu" if gpu else "visner"
    note = "# faiss-gpu brings CUDA 12 libraries of its own, in versions that pip chooses.\n" if gpu else ""
    if gpu:
        pins = [re.sub("^faiss-cpu==", "faiss-gpu==", pin) for pin in pins]
    lines = "".join(f"      - {pin}\n" for pin in pins)
    return (
        f"{HEADER}{BASE}{note}name: {name}\nchannels:\n  - conda-forge\n  - nodefaults\n"
        f"dependencies:\n  - python={PYTHON}\n  - pip\n  - pip:\n{lines}"
    )


def main() -> None:
    """Write the three files."""
    pins = pins_of(sys.stdin.read())
    if not pins:
        sys.exit("workflow/lock.py: nothing to pin; give it the output of pip freeze --all")
    LOCK.write_text(lock(pins))
    (ENVIRONMENTS / "visner.yaml").write_text(environment(pins))
    (ENVIRONMENTS / "visner-gpu.yaml").write_text(environment(pins, gpu=True))
    print(f"{len(pins)} packages pinned")


if __name__ == "__main__":
    main()
