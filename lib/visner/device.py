"""Where tensors live, how many threads compute them, and in which precision."""

import os
from contextlib import nullcontext

import torch

from visner.errors import VisnerError


def select(gpu: int, threads: int) -> torch.device:
    """The GPU if `gpu` is 1, else the CPU with a fixed number of threads (results depend on it in the last bits).

    VisnerError where torch sees no GPU, and in a SLURM job that was given more of them than it would use.
    """
    given = given_by_slurm()
    if given > gpu:
        raise VisnerError(
            f"gpu: this SLURM job was given {given} and would use {gpu}: let `gpu` in the configuration and what is "
            "asked of SLURM (the resource gpu, slurm_extra) agree, or narrow CUDA_VISIBLE_DEVICES"
        )
    if gpu:
        if not torch.cuda.is_available():
            raise VisnerError(
                "gpu: the configuration asks for a GPU and torch sees none; set gpu: 0, or look at nvidia-smi"
            )
        return torch.device("cuda")
    torch.set_num_threads(threads)
    return torch.device("cpu")


def kind(device: torch.device) -> list[str | int]:
    """What results depend on in their last bits: the kind of device, and on the CPU the number of threads."""
    return ["cpu", torch.get_num_threads()] if device.type == "cpu" else [device.type]


def given_by_slurm() -> int:
    """The GPUs of this SLURM job on this machine that are visible to it; 0 elsewhere, where GPUs are nobody's."""
    if "SLURM_JOB_ID" not in os.environ:
        return 0
    given = int(os.environ.get("SLURM_GPUS_ON_NODE") or 0)
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    return given if visible is None else min(given, len(list(filter(None, visible.split(",")))))


def autocast(device: torch.device, precision: str):
    """A context in which matrix products run in `precision` ("float32" or "bfloat16")."""
    if precision == "float32":
        return nullcontext()
    return torch.autocast(device.type, torch.bfloat16)
