"""What a job of each rule is expected to take, and what it asks a scheduler for.

Expected seconds are `start`, and the job's work (`visner.planning.workload`) at this machine's speed; expected memory
is `base` and what the job loads. The rules ask for `TIME` and `MEMORY` times that (and for Snakemake's own memory), and
for as much again with each further attempt. Threads never depend on the attempt, for results do on them.
"""

import math
from typing import NamedTuple

from visner.planning.counts import Counts
from visner.planning.workload import Work, Workload
from visner.workflow import Wiring

TIME, MEMORY = 3.0, 1.5  # asked for / expected: nodes differ, other jobs run beside; a trial run's peak lies near
LEAST_MINUTES, LEAST_MB = 10, 500
SNAKEMAKE_MB = 350  # in a job of SLURM's snakemake itself runs twice, with 160 to 175 MB resident each (ps, in the job)


class Cost(NamedTuple):
    """What a rule's jobs cost on one thread of a processor, and on a GPU where they use one."""

    start: float  # seconds whatever the work: imports, models
    base: float  # MB likewise
    each: float = 0.0  # seconds an item
    rate: float = math.inf  # billion multiply-adds a second
    gpu_each: float | None = None  # as `each`; None: not on a GPU
    gpu_rate: float = math.inf


# Measured on 2 cores of an Intel Xeon (2026) from the rules' benchmark files: the sample with nothing beside it, and
# gsd-ene, stockmark and Twitter-2017 (small) with other work beside them, where the larger sizes show. Nothing was
# measured on a GPU: those figures follow from published ones (densenet121 3,600 pictures/s on an RTX 4090, timm) and
# are on the slow side.
COSTS = {
    "corpora_download": Cost(5, 100),
    # sample 0.73 s, 113 MB; gsd-ene (0.3M units) 1.3 s of processor time, 183 MB
    "corpora_read": Cost(0.7, 110, 3e-6),
    "corpora_page": Cost(1, 100),
    "corpora_attachments": Cost(1, 110),
    # sample 2.1 s, 464 MB over all processes; 458,754 characters a second and process (benchmarks/nouns.py)
    "nouns_find": Cost(2, 420, 2.5e-6),
    # sample: 1,125 drawings in 16.5 s with two workers; photographs 6 ms of processor time (docs/results.md, crawl)
    "images_fetch.sample": Cost(0.7, 165, 0.029),
    "images_fetch.folder": Cost(0.7, 165, 0.006),
    "images_fetch.network": Cost(5, 350, 0.009),  # 229 pictures a second where nothing else limits it
    "images_coverage": Cost(0.7, 110, 2e-6),
    # densenet121 10.1 s, 1,147 MB
    "embeddings_weights": Cost(10, 1150),
    # sample: 390 drawings by densenet121 in (30.5 - 4) + (9.2 - 4) s, 1,016 MB; 9 to 11 pictures/s (docs/results.md)
    "embeddings_embed": Cost(4, 1000, 0.006, 40, 0.004, 5_000),
    # sample 25 epochs: characters 13.5 s, words 14.9 s on two threads; stockmark's words, 15 epochs, 12.9 s, 223 MB
    "vectors_glove": Cost(1, 140, 1.0, 0.33),
    # sample: 945 steps of 150 characters in 28 to 32 s, 945 MB; stockmark: 2,600 of 500 in 125 s, 1,017 MB
    "vectors_flair_train": Cost(8, 930, 0.010, 20, 0.010, 2_000),
    "vectors_flair_import": Cost(15, 1000),
    # sample 3.4 s, 740 MB; stockmark (0.3M characters) 6.4 s, 923 MB
    "vectors_flair_embed": Cost(3, 650, 0, 21, 0, 2_000),
    "vectors_encoder": Cost(60, 700),
    # MiniLM-L6 over Twitter-2017: 15.2 s of processor time, 1,098 MB; the matcher's training 23.1 s, 1,161 MB
    "vokens_states": Cost(5, 900, 5e-6, 150, 5e-6, 10_000),
    "vokens_train": Cost(6, 1000, 2e-6, 30, 1e-6, 3_000),
    "vokens_pool": Cost(6, 850, 2e-5, 20, 2e-5, 1_000),
    # torch and FAISS search 100,000 vectors of 64 dimensions 1,000 to 2,000 times a second
    "vokens_search": Cost(6, 850, 2e-5, 10, 2e-5, 1_000),
    "vokens_judge": Cost(6, 850, 2e-5, 10, 2e-5, 1_000),
    # sample 1.3 s, 163 MB; stockmark (0.3M units) 2.0 s, 238 MB
    "grounding": Cost(1.2, 155, 4e-6),
    # sample: 15 epochs in batches of 10, 31 to 35 s, 905 MB; gsd-ene: 10 of 20, 175 to 259 s, 1,238 MB
    "ner_train.bilstm_crf": Cost(4, 850, 50e-6, 85, 20e-6, 4_000),
    # MiniLM-L6, Twitter-2017, three epochs: 212 to 256 s of processor time, 1,632 to 1,863 MB
    "ner_train.bert_crf": Cost(10, 1150, 100e-6, 44, 50e-6, 10_000),
    # sample 3.2 to 3.9 s, 709 MB; gsd-ene 5.5 s, 978 MB
    "ner_predict.bilstm_crf": Cost(3, 670, 25e-6, 85, 20e-6, 10_000),
    # MiniLM-L6, Twitter-2017: 7.6 to 14.8 s of processor time, 1,043 to 1,293 MB
    "ner_predict.bert_crf": Cost(5, 950, 50e-6, 80, 30e-6, 20_000),
    "ner_describe": Cost(0.5, 90),
    "evaluation_scores": Cost(0.5, 110, 50e-6),
    "evaluation_gallery": Cost(1.2, 155, 10e-6),
    # sample 0.9 s; gsd-ene (10,000 shuffles of 6,102 predicted sentences) 1.0 s of processor time, 163 MB
    "evaluation_study": Cost(0.8, 150, 1e-8),
}


class Expected(NamedTuple):
    """What one job takes: seconds, MB in memory, MB that it leaves on disk."""

    seconds: float
    memory: float
    disk: float


class Sizes:
    """The sizes of the jobs of one configuration. The rules' resources are its methods, as Snakemake calls them."""

    def __init__(self, wiring: Wiring):
        self.config = wiring.config
        self.counts = Counts(wiring)
        self.workload = Workload(self.counts)

    def expected(self, rule: str, wildcards, threads: int) -> Expected:
        """What a job takes on a machine as that of `COSTS`, on a GPU where the configuration asks for one."""
        return expect(self._cost(rule, wildcards), self.workload.of(rule, wildcards), threads, bool(self.config.gpu))

    def mem_mb(self, wildcards, rulename: str, attempt: int) -> int:
        """The memory that a job asks for, in MB; a resource function."""
        megabytes = max(LEAST_MB, SNAKEMAKE_MB + MEMORY * self.expected(rulename, wildcards, 1).memory)
        return 100 * math.ceil(attempt * megabytes / 100)

    def runtime(self, wildcards, rulename: str, threads: int, attempt: int) -> int:
        """The time that a job asks for, in minutes; a resource function."""
        minutes = TIME * self.expected(rulename, wildcards, threads).seconds / 60
        return 5 * math.ceil(attempt * max(LEAST_MINUTES, minutes) / 5)

    def _cost(self, rule: str, wildcards) -> Cost:
        if rule == "images_fetch":
            source = self.config.images[wildcards.source]
            kind = "network" if source.on_network else "sample" if source.source == "sample" else "folder"
            return COSTS[f"images_fetch.{kind}"]
        if rule in ("ner_train", "ner_predict"):
            return COSTS[f"{rule}.{self.config.experiments[wildcards.experiment].model}"]
        return COSTS[rule]


def expect(cost: Cost, work: Work, threads: int, gpu: bool) -> Expected:
    """What a job that costs this takes for so much work."""
    if gpu and cost.gpu_each is not None:
        busy = work.items * cost.gpu_each + work.gmac / cost.gpu_rate
    else:
        busy = (work.items * cost.each + work.gmac / cost.rate) / threads
    return Expected(cost.start + max(work.waits, busy), cost.base + work.loaded, work.made)
