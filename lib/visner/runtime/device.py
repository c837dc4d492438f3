"""Where tensors live, how many threads compute them, and in which precision."""

import fcntl
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from pathlib import Path
from typing import IO

import torch

from visner.errors import VisnerError
from visner.runtime.stages import log


def select(gpu: int, threads: int) -> torch.device:
    """For a job: what `choose` gives, as the process's own GPU, or the CPU with so many threads for the whole process.

    VisnerError as `choose`, and in a SLURM job that was given more GPUs than it would use.
    """
    given = given_by_slurm(gpu)
    if given > gpu:
        raise VisnerError(
            f"gpu: this SLURM job was given {given} and would use {gpu}: let `gpu` in the configuration and what is "
            "asked of SLURM (the resource gpu, slurm_extra) agree, or narrow CUDA_VISIBLE_DEVICES"
        )
    device = choose(gpu)
    if device.type == "cpu":
        torch.set_num_threads(threads)
        return device
    torch.cuda.set_device(device)
    return torch.device("cuda")


def choose(gpu: int) -> torch.device:
    """A GPU if `gpu` is 1, else the CPU; the process is left as it was.

    Of several GPUs one that no other job of this user has chosen, if there is one, until the process ends.
    VisnerError where torch sees no GPU.
    """
    if not gpu:
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise VisnerError("gpu: 1 asks for a GPU and torch sees none; set gpu: 0, or look at nvidia-smi")
    return torch.device("cuda", claim(torch.cuda.device_count()))


@contextmanager
def threads(count: int) -> Iterator[None]:
    """The CPU computes with `count` threads in the block: results depend on them in their last bits."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def kind(device: torch.device) -> list[str | int]:
    """What results depend on in their last bits: the kind of device, and on the CPU the number of threads."""
    return ["cpu", torch.get_num_threads()] if device.type == "cpu" else [device.type]


@cache  # a process has one, whatever it computes
def claim(count: int) -> int:
    """The first of `count` GPUs that is free, or 0, as these are numbered for this process.

    A file's lock says whose it is, by CUDA_VISIBLE_DEVICES' name of the GPU; the kernel frees it with the process.
    """
    names = (os.environ.get("CUDA_VISIBLE_DEVICES") or ",".join(map(str, range(count)))).split(",")
    folder = Path(tempfile.gettempdir()) / f"visner-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    for number, name in enumerate(names[:count]):
        lock = folder / f"gpu-{name.strip().replace('/', '-')}.lock"
        file = open(lock, "w")  # noqa: SIM115 - open as long as the process lives
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            continue
        _claimed.append(file)
        return number
    return 0


_claimed: list[IO] = []


def given_by_slurm(gpu: int) -> int:
    """The GPUs of this SLURM job on this machine that are visible to it; 0 elsewhere, where GPUs are nobody's."""
    if "SLURM_JOB_ID" not in os.environ:
        return 0
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    shown = None if visible is None else len(list(filter(None, visible.split(","))))
    on_node = os.environ.get("SLURM_GPUS_ON_NODE")
    if on_node is None:  # also in the first task of a job array with GPUs, from which the plugin hides it
        return (shown or 0) if gpu else 0
    return int(on_node) if shown is None else min(int(on_node), shown)


def autocast(device: torch.device, precision: str):
    """A context in which matrix products run in `precision` ("float32" or "bfloat16").

    The first time that it is bfloat16 and slower than float32 on this machine, a warning says so.
    """
    if precision == "float32":
        return nullcontext()
    _warn_if_slower(device.type)
    return torch.autocast(device.type, torch.bfloat16)


@cache  # once a process
def _warn_if_slower(kind: str) -> None:
    gain = bfloat16_gain(torch.device(kind))
    if gain < 1:
        slower = f"bfloat16 products take {1 / gain:.1f} times as long as float32 ones on this machine"
        log.warning("precision: %s; `precision: float32` would be faster", slower)


def bfloat16_gain(device: torch.device) -> float:
    """How many times as fast as a float32 product one of bfloat16 is, with torch's threads now.

    It takes some milliseconds; a tenth of a second on a processor without instructions for bfloat16, where its products
    take a hundred times as long.
    """
    size = 256 if device.type == "cpu" else 4096
    seconds = {}
    for dtype in (torch.float32, torch.bfloat16):
        one, other = (torch.ones(size, size, dtype=dtype, device=device) for _ in range(2))
        times: list[float] = []
        while len(times) < 10 and sum(times) < 0.03:
            began = time.perf_counter()
            (one @ other)[0, 0].item()  # waits for a GPU
            times.append(time.perf_counter() - began)
        seconds[dtype] = min(times)
    return seconds[torch.float32] / seconds[torch.bfloat16]
