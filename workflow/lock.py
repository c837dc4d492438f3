"""Write the conda environments, which have the pins of requirements.lock: the last step of `make lock`.

They are workflow/envs/visner.yaml and workflow/envs/visner-gpu.yaml.
"""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHON = "3.11"
HEADER = (
    "# Made by `make lock` from pyproject.toml: do not edit.\n"
    "# visner itself is not in it: with --sdm conda, set PYTHONPATH to the folder lib.\n"
)


def pins_of(lock: str) -> list[str]:
    """The lines `name==version`, some with ` ; marker`, of a lock file, without its hashes."""
    return [line.removesuffix("\\").strip() for line in lock.splitlines() if re.match(r"[\w.-]+==", line)]


def environment(pins: list[str], gpu: bool = False) -> str:
    """A conda environment with the same packages; for GPUs with faiss-gpu, of the same version, for faiss-cpu."""
    name = "visner-gpu" if gpu else "visner"
    note = "# faiss-gpu brings CUDA 12 libraries of its own, in versions that pip chooses.\n" if gpu else ""
    if gpu:
        pins = [re.sub("^faiss-cpu==", "faiss-gpu==", pin) for pin in pins]
    lines = "".join(f"      - {pin}\n" for pin in pins)
    return (
        f"{HEADER}{note}name: {name}\nchannels:\n  - conda-forge\n  - nodefaults\n"
        f"dependencies:\n  - python={PYTHON}\n  - pip\n  - pip:\n{lines}"
    )


if __name__ == "__main__":
    pins = pins_of((ROOT / "requirements.lock").read_text())
    (ROOT / "workflow/envs/visner.yaml").write_text(environment(pins))
    (ROOT / "workflow/envs/visner-gpu.yaml").write_text(environment(pins, gpu=True))
    print(f"{len(pins)} packages pinned")
