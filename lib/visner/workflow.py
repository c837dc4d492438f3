"""What the rules ask the configuration: which files a job reads, and what its command is told.

Every method takes a job's wildcards, as Snakemake's input functions do, and gives paths below the working directory.
"""

import os
import sys
from pathlib import Path

from visner import encoders
from visner.config import Config
from visner.recipes import Experiment, Matcher, below


def use_this_python() -> None:
    """Let the jobs' `python` be the one that runs Snakemake, whether its environment was activated or not."""
    folder = str(Path(sys.executable).parent)
    if not os.environ["PATH"].startswith(folder + os.pathsep):
        os.environ["PATH"] = folder + os.pathsep + os.environ["PATH"]


class Wiring:
    """The wiring of one configuration; relative paths in it start at `folder`, the Snakefile's."""

    def __init__(self, config: Config, folder: str | Path):
        self.config = config
        self.root = Path(os.path.relpath(folder))
        self.store = os.path.relpath(below(folder, config.store))

    def experiment(self, wildcards) -> Experiment:
        """The experiment that the wildcards name."""
        return self.config.experiments[wildcards.experiment]

    def nouns_statistics(self, corpus: str) -> list[str]:
        """What was counted of a corpus' nouns, where it has any."""
        return [path.replace("words.parquet", "statistics.json") for path in self.words(corpus)]

    def words(self, corpus: str) -> list[str]:
        """The table of a corpus' words; of tokens, which are words already, there is none."""
        tokens = getattr(self.config.corpora[corpus], "units", "characters") == "tokens"
        return [] if tokens else [f"results/nouns/{corpus}/words.parquet"]

    def corpus_table(self, table: str):
        """An input function: a table of the experiment's corpus, such as `corpora/{corpus}/sentences.parquet`."""
        return lambda wildcards: f"results/{table.format(corpus=self.experiment(wildcards).corpus)}"

    def image_shards(self, images: str, corpus: str) -> list[str]:
        """All shards of a corpus' pictures."""
        shards = range(self.config.corpora[corpus].nouns.shards)
        return [f"results/images/{images}/{corpus}/{shard}.parquet" for shard in shards]

    def embedding_shards(self, embedding: str, images: str, corpus: str) -> list[str]:
        """And of their vectors."""
        return [
            path.replace("results/images/", f"results/embeddings/{embedding}/", 1)
            for path in self.image_shards(images, corpus)
        ]

    def matcher(self, wildcards) -> Matcher:
        """The matcher that the wildcards name."""
        return self.config.matchers[wildcards.matcher]

    def pairs_tables(self, wildcards) -> dict[str, str | list[str]]:
        """The tables that a matcher is trained and judged on, by the names of its command's arguments."""
        this = self.matcher(wildcards)
        return {
            "sentences": f"results/corpora/{this.corpus}/sentences.parquet",
            "images": self.image_shards(this.images, this.corpus),
            "embeddings": self.embedding_shards(this.embedding, this.images, this.corpus),
        }

    @staticmethod
    def pool(matcher: Matcher) -> tuple[str, str]:
        """The images recipe that a matcher searches, and the corpus that it was asked for."""
        return matcher.pool or matcher.images, matcher.pool_corpus or matcher.corpus

    def pool_tables(self, wildcards) -> dict[str, str | list[str]]:
        """The tables that a matcher searches, by the names of its command's arguments."""
        this = self.matcher(wildcards)
        pool = self.pool(this)
        return {
            "sentences": f"results/corpora/{this.corpus}/sentences.parquet",
            "images": self.image_shards(*pool),
            "embeddings": self.embedding_shards(this.embedding, *pool),
        }

    def voken_shards(self, matcher: str, file: str) -> list[str]:
        """A file of each shard of a matcher's sentences, such as `vokens/{shard}.parquet`."""
        shards = range(self.config.matchers[matcher].shards)
        return [f"results/vokens/{matcher}/{file.format(shard=shard)}" for shard in shards]

    def encoder_folder(self, encoder: str) -> str:
        """See `visner.encoders.folder`."""
        return encoders.folder(encoder, self.root)

    def encoder_files(self, encoder: str) -> list[str]:
        """See `visner.encoders.files`."""
        return encoders.files(encoder, self.root)

    def seed_files(self, name: str, file: str) -> list[str]:
        """One file of each seed of an experiment."""
        return [f"results/{name}/seed{seed}/{file}" for seed in self.config.experiments[name].seeds]


def arguments(tables: dict[str, str | list[str]]) -> list[str]:
    """Tables by name as the words of a command line."""
    words = []
    for name, paths in tables.items():
        words += [f"--{name.replace('_', '-')}", *([paths] if isinstance(paths, str) else paths)]
    return words
