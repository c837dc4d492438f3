"""Where tensors live, how many threads compute them, and in which precision."""

from contextlib import nullcontext

import torch

from visner.errors import VisnerError


def select(gpu: int, threads: int) -> torch.device:
    """The GPU if `gpu` is 1, else the CPU with a fixed number of threads (results depend on it in the last bits)."""
    if gpu:
        if not torch.cuda.is_available():
            raise VisnerError(
                "gpu: the configuration asks for a GPU and torch sees none; set gpu: 0, or look at nvidia-smi"
            )
        return torch.device("cuda")
    torch.set_num_threads(threads)
    return torch.device("cpu")


def autocast(device: torch.device, precision: str):
    """A context in which matrix products run in `precision` ("float32" or "bfloat16")."""
    if precision == "float32":
        return nullcontext()
    return torch.autocast(device.type, torch.bfloat16)
