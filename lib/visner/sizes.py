"""What a job asks for: memory and time, from the MB of the files that it reads and from its attempt.

The figures are generous multiples of what was measured (docs/planning.md) and need not be exact: a job that asked for
too little is started again by profiles/slurm and asks for twice, then three times as much; a training goes on.
"""

import math
import os
from contextlib import suppress
from fnmatch import fnmatchcase
from typing import NamedTuple

TEXT = 100  # compressed text becomes Python's objects
MEMORY = {  # MB in memory a MB on disk, by the first pattern that a file's path matches
    "results/images/*": 0.02,  # the names of pictures are read, or one picture after the other
    "results/embeddings/*": 1.5,
    "results/vokens/*/pool.faiss": 3,
    "results/vokens/*/pool.parquet": 10,
    "*.parquet": TEXT,
    "*.safetensors": 6,  # parameters; in training also gradients, two moments, the best epoch's
    "*": 1.5,
}
GPU = 32  # cores that one GPU stands for: published speeds are 40 to 400 times those of a core


class Size(NamedTuple):
    """What a rule's jobs ask for at least, and core minutes a MB of the files that match a pattern."""

    mb: int = 1000
    minutes: int = 10
    core_minutes: float = 0
    pattern: str = "*.parquet"


RULES = {  # those that need more than the least
    "nouns_find": Size(1500),
    "images_fetch": Size(1000, 30, 2000),  # a MB of queries is 100,000 pages, and a crawl waits to be polite
    "embeddings_weights": Size(2000),
    "embeddings_embed": Size(2000, 30, 0.5, "results/images/*"),
    "vectors_glove": Size(1000, 30, 5),
    "vectors_flair_train": Size(2000, 60, 30),
    "vectors_flair_import": Size(2000),
    "vectors_flair_embed": Size(2000, 10, 5),
    "vectors_hub_encoder": Size(2000, 30),
    "vokens_states": Size(2000, 20, 5),
    "vokens_train": Size(2000, 30, 10),
    "vokens_pool": Size(2000, 30),
    "vokens_search": Size(2000, 20, 0.1, "*.npy"),
    "vokens_judge": Size(2000, 30, 0.1, "*.npy"),
    "ner_train": Size(2000, 30, 120),
    "ner_predict": Size(2000, 10, 3),
}


def megabytes(file: str) -> float:
    """A file's MB; 0 where it isn't there yet, as in a dry run. Snakemake asks again before it starts the job."""
    with suppress(OSError):
        return os.stat(file).st_size / 1e6
    return 0.0


def factor(file: str, rulename: str) -> float:
    """MB in memory a MB on disk."""
    if rulename == "corpora_read":
        return TEXT  # whatever the names of a corpus' files are
    return next(times for pattern, times in MEMORY.items() if fnmatchcase(file, pattern))


def mem_mb(wildcards, input, rulename, attempt, size=megabytes) -> int:
    """Memory in MB; a resource function, as Snakemake calls it."""
    read = sum(size(file) * factor(file, rulename) for file in input)
    return 100 * math.ceil(attempt * (RULES.get(rulename, Size()).mb + read) / 100)


def runtime(wildcards, input, rulename, threads, attempt, gpu=0, size=megabytes) -> int:
    """Time in minutes; a resource function, with the number of GPUs that the job has."""
    asked = RULES.get(rulename, Size())
    growing = asked.core_minutes * sum(size(file) for file in input if fnmatchcase(file, asked.pattern))
    return 5 * math.ceil(attempt * (asked.minutes + growing / max(threads, GPU * gpu)) / 5)
