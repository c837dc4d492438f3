"""Exact and approximate search of pools up to more than a million pictures: queries a second, recall, memory.

Seeded vectors of 64 dimensions in 2,000 clusters, and queries from the same clusters, ten pictures each. Up to a
million pictures the stage's exact search (torch) takes turns with FAISS's flat index, on the same threads; past that
the stage's HNSW graph is built, and its recall measured against the exact search, both as `visner vokens search` does.

The claim: the exact search is no slower than FAISS's at any size, and the graph finds 90 percent of what it finds.
Exit status 1 below that.

    python benchmarks/search.py
"""

import argparse
import resource
import sys
import time
from pathlib import Path

import faiss
import torch
from machine.quiet import until_two_agree
from torch import Tensor
from torch.nn import functional

from visner.vokens.index import EXACT as LARGEST
from visner.vokens.index import Pool, build, search_exactly

DIMENSIONS, CLUSTERS, SPREAD, TOP = 64, 2000, 0.7, 10
EXACT = LARGEST["cpu"]
SIZES = {4_000: 8192, 100_000: 2048, EXACT: 256}  # pictures: queries
RECALL = 0.9


def vectors(count: int, centres: Tensor, generator: torch.Generator) -> Tensor:
    """Seeded unit vectors [count, d], each near one of the centres."""
    chosen = torch.randint(len(centres), (count,), generator=generator)
    noise = torch.randn(count, DIMENSIONS, generator=generator) * (SPREAD / DIMENSIONS**0.5)
    return functional.normalize(noise.add_(centres[chosen]))


def resident() -> float:
    """The memory of this process, in MB (Linux)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6


def main() -> int:
    """Measure, print, and compare with the claim."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    threads = parser.parse_args().threads
    torch.set_num_threads(threads)
    faiss.omp_set_num_threads(threads)
    generator = torch.Generator().manual_seed(1)
    centres = functional.normalize(torch.randn(CLUSTERS, DIMENSIONS, generator=generator))
    pictures = vectors(EXACT + 1, centres, generator)
    queries = vectors(max(SIZES.values()), centres, generator)
    held = True
    for size, count in SIZES.items():
        index = faiss.IndexFlatIP(DIMENSIONS)
        index.add(pictures[:size].numpy())
        asked, pool = queries[:count], pictures[:size]
        ways = {
            "torch": lambda asked=asked, pool=pool: search_exactly(asked, pool, TOP),
            "FAISS flat": lambda asked=asked, index=index: index.search(asked.numpy(), TOP),
        }
        for way in ways.values():
            way()  # once before they are timed
        rounds = until_two_agree(ways)
        speed = {name: count / rounds.typical(name) for name in ways}
        ratio = speed["torch"] / speed["FAISS flat"]
        held &= ratio >= 1
        print(
            f"{size:,} pictures: torch {speed['torch']:,.0f} queries/s, FAISS flat {speed['FAISS flat']:,.0f}, "
            f"ratio {ratio:.2f} (claim: 1); {rounds}",
            flush=True,
        )
    before, processor, began = resident(), time.process_time(), time.perf_counter()
    graph = Pool(build(pictures), torch.device("cpu"))
    print(
        f"{len(pictures):,} pictures: {graph.method} built in {time.perf_counter() - began:.0f} s "
        f"({time.process_time() - processor:.0f} s of the processor), {resident() - before:.0f} MB "
        f"beside the pictures' {pictures.nbytes / 1e6:.0f} MB",
        flush=True,
    )
    rounds = until_two_agree({graph.method: lambda: graph.search(queries, TOP)})
    seconds = rounds.typical(graph.method)
    recall = graph.recall(queries, TOP)
    print(f"{graph.method}: {len(queries) / seconds:,.0f} queries/s at recall {recall:.4f} (claim: {RECALL}); {rounds}")
    return int(not held or recall < RECALL)


if __name__ == "__main__":
    sys.exit(main())
