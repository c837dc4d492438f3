"""A job that was given GPUs which it would leave idle stops before it computes; so does one that lacks its GPU."""

import logging
import os
import subprocess
import sys
import time

import pytest
import torch

from visner.errors import VisnerError
from visner.runtime import device

# What SLURM 22.05 sets in a job with `--gpus=2`, one with `--gres=gpu:1`, and one without, batch script and step alike.
TWO = {"SLURM_JOB_ID": "1", "SLURM_GPUS": "2", "SLURM_GPUS_ON_NODE": "2", "CUDA_VISIBLE_DEVICES": "0,1"}
ONE = {"SLURM_JOB_ID": "2", "SLURM_GPUS_ON_NODE": "1", "CUDA_VISIBLE_DEVICES": "0"}
NONE = {"SLURM_JOB_ID": "3"}


@pytest.fixture
def given(monkeypatch):
    """A function that sets the environment to this and no other GPUs and jobs."""

    def give(environment):
        for name in ("SLURM_JOB_ID", "SLURM_GPUS_ON_NODE", "CUDA_VISIBLE_DEVICES"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)

    return give


FIRST_OF_ARRAY = {"SLURM_JOB_ID": "4", "CUDA_VISIBLE_DEVICES": "0,1"}  # the plugin hides the rest from it


@pytest.mark.parametrize("environment, gpu, number", [(TWO, 1, 2), (TWO, 0, 2), (ONE, 0, 1), (FIRST_OF_ARRAY, 1, 2)])
def test_more_gpus_than_are_used_are_refused(given, environment, gpu, number):
    given(environment)
    with pytest.raises(VisnerError, match=f"gpu: this SLURM job was given {number} and would use {gpu}: let `gpu`"):
        device.select(gpu, 1)


WORKSTATION = {"CUDA_VISIBLE_DEVICES": "0,1"}
NARROWED = {**TWO, "CUDA_VISIBLE_DEVICES": ""}


@pytest.mark.parametrize("environment", [NONE, WORKSTATION, NARROWED, FIRST_OF_ARRAY, {}])
def test_gpus_that_were_not_given_to_the_job_are_nobodys(given, environment):
    given(environment)
    assert device.select(0, torch.get_num_threads()) == torch.device("cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize("environment", [ONE, {**TWO, "CUDA_VISIBLE_DEVICES": "1"}, {}])
def test_a_gpu_that_torch_does_not_see_is_asked_for(given, environment):
    given(environment)
    with pytest.raises(VisnerError, match="asks for a GPU and torch sees none; set gpu: 0, or look at nvidia-smi"):
        device.select(1, 1)


def test_a_number_of_threads_is_a_blocks_own():
    before = torch.get_num_threads()
    with pytest.raises(KeyError), device.threads(before + 1):
        assert torch.get_num_threads() == before + 1
        raise KeyError
    assert torch.get_num_threads() == before


CLAIM = "import sys\nfrom visner.runtime.device import claim\nprint(claim(2), claim(2), flush=True)\nsys.stdin.read()"


def test_jobs_side_by_side_have_a_gpu_each_while_there_are_some(tmp_path):
    """Of two GPUs, which jobs see as 0 and 1; a killed one's is free again."""
    path = os.pathsep.join(sys.path)
    environment = {**os.environ, "PYTHONPATH": path, "TMPDIR": str(tmp_path), "CUDA_VISIBLE_DEVICES": "4, MIG-7/1"}

    def start():
        job = subprocess.Popen(
            [sys.executable, "-c", CLAIM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True
        )
        first, again = map(int, job.stdout.readline().split())
        assert again == first  # of one process: it has one
        return job, first

    jobs = [start() for _ in range(3)]
    assert [number for _, number in jobs] == [0, 1, 0]
    jobs[1][0].kill()
    jobs[1][0].wait()
    jobs.append(start())
    assert jobs[3][1] == 1
    for job, _ in jobs:
        job.communicate()


def test_the_gain_of_bfloat16_is_that_of_a_product_timed_here():
    """Beside a larger product in plain view; only the order of magnitude, for the machine may be busy."""
    seconds = {}
    for dtype in (torch.float32, torch.bfloat16):
        one = torch.ones(300, 300, dtype=dtype)
        times = []
        for _ in range(5):
            began = time.perf_counter()
            one @ one
            times.append(time.perf_counter() - began)
        seconds[dtype] = min(times)
    expected = seconds[torch.float32] / seconds[torch.bfloat16]
    assert expected / 8 < device.bfloat16_gain(torch.device("cpu")) < 8 * expected


@pytest.mark.parametrize("gain, lines", [(0.01, 1), (2.0, 0)])
def test_case_bfloat16_that_is_slower_than_float32_is_said_in_one_line(monkeypatch, caplog, gain, lines):
    """In whichever stage: all that have `precision` ask for this context. The product is timed once a process."""
    timed = []
    monkeypatch.setattr(device, "bfloat16_gain", lambda on: timed.append(on.type) or gain)
    device._warn_if_slower.cache_clear()
    one = torch.ones(4, 4)
    with caplog.at_level(logging.WARNING, "visner"):
        for precision in ("float32", "bfloat16", "bfloat16"):
            with device.autocast(torch.device("cpu"), precision):
                assert (one @ one).dtype == getattr(torch, precision)
    device._warn_if_slower.cache_clear()
    assert timed == ["cpu"]
    said = "precision: bfloat16 products take 100.0 times as long as float32 ones on this machine; `precision: float32`"
    assert [line.startswith(said) for line in caplog.messages] == [True] * lines
