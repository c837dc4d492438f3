"""What the rules ask the configuration: which files a job reads, and what its command is told.

Every method takes a job's wildcards, as Snakemake's input functions do, and gives paths below the working directory.
"""

import json
import os
import sys
from pathlib import Path

from visner import corpora, encoders
from visner.config import Config
from visner.errors import VisnerError
from visner.images.shard import Listings, Shard
from visner.preflight import check
from visner.provenance import sha256_file
from visner.recipes import BertExperiment, Experiment, Matcher, below


def use_this_python() -> None:
    """Let the jobs' `python` be the one that runs Snakemake, whether its environment was activated or not."""
    folder = str(Path(sys.executable).parent)
    if not os.environ["PATH"].startswith(folder + os.pathsep):
        os.environ["PATH"] = folder + os.pathsep + os.environ["PATH"]


class Wiring:
    """The wiring of one configuration; relative paths in it start at `folder`, the Snakefile's.

    `root` and `store` are said from the working directory, so that a moved project doesn't look like a changed one.
    Raises VisnerError for what `visner.preflight` finds, and where a corpus has no files: now, for Snakemake shows
    errors of input functions as tracebacks. `preflight` is false in a cluster's job: its run has looked already, where
    it was started, and a node need not see every file.
    """

    def __init__(self, config: Config, folder: str | Path, preflight: bool = True):
        self.config = config
        self.root = Path(os.path.relpath(folder))
        self.download_place = str(self.root / "resources/corpora/{corpus}/{file}")
        self.downloads = {
            name: recipe.download for name, recipe in config.corpora.items() if getattr(recipe, "download", None)
        }
        if preflight:
            check(config, self.root, [path for name in config.corpora for path in self._coming(name)])
        self.store = os.path.relpath(below(folder, config.store))
        self.corpora_files = {name: self._files_of(name) for name in config.corpora}
        self.listings = {name: Listings(recipe, self.root) for name, recipe in config.images.items()}

    def _coming(self, corpus: str) -> dict[Path, str]:
        """The files of a corpus that a rule downloads, and the sha256 that each must have."""
        sums = self.downloads[corpus].sha256 if corpus in self.downloads else {}
        return {Path(self.download_place.format(corpus=corpus, file=file)): sums[file] for file in sums}

    def _files_of(self, corpus: str) -> list[Path]:
        """All files of a corpus; those that a rule downloads need not be there, but none may be another variant."""
        coming = self._coming(corpus)
        try:
            for path, sha256 in coming.items():
                if path.is_file():
                    corpora.refuse_other_variant(f"download: {path}", sha256, sha256_file(path))
            found = corpora.files(self.config.corpora[corpus], self.root, coming)
            unread = [str(path) for path in coming if path not in found]
            if unread:
                raise VisnerError(
                    f"download: no split reads {', '.join(unread)}: name it there, or leave out `download`, and what "
                    "`split` names is read unchecked"
                )
            return found
        except VisnerError as error:
            raise VisnerError(f"configuration: corpora.{corpus}.{error}") from None

    def experiment(self, wildcards) -> Experiment:
        """The experiment that the wildcards name."""
        return self.config.experiments[wildcards.experiment]

    def corpus_files(self, wildcards) -> list[Path]:
        """All files of a corpus."""
        return self.corpora_files[wildcards.corpus]

    def nouns_statistics(self, corpus: str) -> list[str]:
        """What was counted of a corpus' nouns, where it has any."""
        return [path.replace("words.parquet", "statistics.json") for path in self.words(corpus)]

    def words(self, corpus: str) -> list[str]:
        """The table of a corpus' words; of tokens, which are words already, there is none."""
        tokens = getattr(self.config.corpora[corpus], "units", "characters") == "tokens"
        return [] if tokens else [f"results/nouns/{corpus}/words.parquet"]

    def download_address(self, wildcards) -> str:
        """Where a file is downloaded from."""
        return f"{self.downloads[wildcards.corpus].base.rstrip('/')}/{wildcards.file}"

    def published(self, wildcards) -> str:
        """A paper's counts of a corpus' sentences, as JSON: split -> count; of most corpora none."""
        return json.dumps(getattr(self.config.corpora[wildcards.corpus], "published", {}))

    def shard(self, wildcards) -> Shard:
        """A shard of pictures, which knows what it is made from."""
        made = f"results/images/{wildcards.source}/{wildcards.corpus}/{wildcards.shard}.parquet"
        return Shard(self.listings[wildcards.source], self.queries(wildcards), int(wildcards.shard), made)

    def corpus_table(self, table: str):
        """An input function: a table of the experiment's corpus, such as `corpora/{corpus}/sentences.parquet`."""
        return lambda wildcards: f"results/{table.format(corpus=self.experiment(wildcards).corpus)}"

    def queries(self, wildcards) -> str:
        """The table of what a source of images is asked for a corpus: its nouns, or its attachments."""
        if self.config.images[wildcards.source].source == "attached":
            return f"results/corpora/{wildcards.corpus}/attachments.parquet"
        return f"results/nouns/{wildcards.corpus}/queries.parquet"

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

    def training_texts(self, table: str, part: str | None = None):
        """An input function: one table of every corpus that a part of a vectors recipe is trained on.

        `part` is the recipe's key; by default the wildcard `part` says it.
        """

        def inputs(wildcards) -> list[str]:
            trained = getattr(self.config.vectors[wildcards.vectors], part or wildcards.part)
            return [f"results/{table.format(corpus=corpus)}" for corpus in trained.corpora]

        return inputs

    def ready_language_models(self) -> list[str]:
        """The vectors recipes whose language models are ready ones."""
        return [name for name, recipe in self.config.vectors.items() if recipe.flair and recipe.flair.forward]

    def hub_encoders(self) -> dict[str, str]:
        """folder in resources/encoders -> the name, of the encoders that are fetched from the hub."""
        named = sorted(name for name in self.config.encoders().values() if encoders.of_hub(name, self.root))
        return {name.replace("/", "--"): name for name in named}

    def encoder_folder(self, encoder: str) -> str:
        """See `visner.encoders.folder`."""
        return encoders.folder(encoder, self.root)

    def encoder_files(self, encoder: str) -> list[str]:
        """See `visner.encoders.files`."""
        return encoders.files(encoder, self.root)

    def system(self, wildcards) -> str:
        """All recipes that an experiment's system is made by, its vokens' too, and where its files are; not `crawl`."""
        this, config = self.experiment(wildcards), self.config
        used = {} if isinstance(this, BertExperiment) else {this.vectors: config.vectors[this.vectors]}
        parts = [part for one in used.values() for part in (one.glove_char, one.glove_word, one.flair) if part]
        corpora_read = {this.corpus, *(corpus for part in parts for corpus in part.corpora)}
        images, embeddings, matchers, groundings = set(), set(), {}, {}
        if this.grounding:
            groundings[this.grounding] = grounding = config.groundings[this.grounding]
            pictures, asked = config.pictures_of(grounding, this.corpus)
            images, embeddings, corpora_read = {pictures}, {grounding.embedding}, corpora_read | {asked}
            if grounding.by == "voken":
                matchers[grounding.matcher] = matcher = config.matchers[grounding.matcher]
                images, embeddings = images | {matcher.images}, embeddings | {matcher.embedding}
        recipes = {
            "corpora": {name: config.corpora[name] for name in sorted(corpora_read)},
            "vectors": used,
            "images": {name: config.images[name] for name in sorted(images)},
            "embeddings": {name: config.embeddings[name] for name in sorted(embeddings)},
            "matchers": matchers,
            "groundings": groundings,
            "experiments": {wildcards.experiment: this},
        }
        dumped = {
            section: {name: recipe.model_dump(mode="json", exclude={"crawl"}) for name, recipe in named.items()}
            for section, named in recipes.items()
        }
        content = {"config": dumped, "root": str(self.root), "store": config.store}
        return json.dumps(content, sort_keys=True, ensure_ascii=False)

    def seed_files(self, name: str, file: str) -> list[str]:
        """One file of each seed of an experiment."""
        return [f"results/{name}/seed{seed}/{file}" for seed in self.config.experiments[name].seeds]


def arguments(tables: dict[str, str | list[str]]) -> list[str]:
    """Tables by name as the words of a command line."""
    words = []
    for name, paths in tables.items():
        words += [f"--{name.replace('_', '-')}", *([paths] if isinstance(paths, str) else paths)]
    return words
