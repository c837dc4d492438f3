"""What a machine's matrix products are capable of: a claim about bfloat16 is one about machines that have it."""

import time

import torch


def bfloat16_gain(size: int = 1024, rounds: int = 10) -> float:
    """How many times as fast as a float32 product one of bfloat16 is, on the CPU with torch's threads now."""
    seconds = {}
    for dtype in (torch.float32, torch.bfloat16):
        one, other = (torch.ones(size, size, dtype=dtype) for _ in range(2))
        times = []
        for _ in range(rounds):
            began = time.perf_counter()
            one @ other
            times.append(time.perf_counter() - began)
        seconds[dtype] = min(times)
    return seconds[torch.float32] / seconds[torch.bfloat16]
