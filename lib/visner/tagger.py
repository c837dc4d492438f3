"""A trained experiment that tags new text: the stages of the pipeline, run on a few sentences in memory."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from visner import device as devices
from visner import tables
from visner.config import Config
from visner.embeddings.embed import embed
from visner.errors import VisnerError
from visner.grounding.queries import mean_vectors, unit_rows
from visner.images.fetch import fetch
from visner.ner.bilstm_crf import prepare
from visner.ner.dataset import build_sentence
from visner.ner.frozen import Tables
from visner.ner.inputs import NOTHING, read_indexed
from visner.ner.recogniser import Data
from visner.ner.train import load, predict
from visner.nouns.finder import NounFinder
from visner.pictures import first_pictures
from visner.recipes import BiLSTMExperiment, below
from visner.spans import bio_to_spans
from visner.vectors.encoder import FlairEncoder


class Mention(NamedTuple):
    """A span of a text, in code points."""

    start: int
    stop: int
    label: str
    surface: str


class Word(NamedTuple):
    """A word of a text; `gate` is how far its pictures were let in, None without pictures or without a gate."""

    start: int
    stop: int
    surface: str
    query: str | None
    has_pictures: bool
    gate: float | None


class Tagged(NamedTuple):
    """A text with its mentions and its words."""

    text: str
    mentions: list[Mention]
    words: list[Word]


@dataclass
class Lookups:
    """What became of the distinct queries so far."""

    known: set[str] = field(default_factory=set)  # the experiment's own corpus had pictures for them
    found: set[str] = field(default_factory=set)  # looked up now, with pictures
    missed: set[str] = field(default_factory=set)  # without any


class Tagger:
    """Tags text with `results/{experiment}`, by the seed that was best on dev unless `seed` says another.

    Nouns of the experiment's corpus have its pictures; others are looked up in the same source where that is on this
    machine (one on the network is asked with `fetch` only), and their vectors come from, and go to, the store.
    Raises VisnerError where a file of the experiment is missing.
    """

    def __init__(
        self, folder: str | Path, seed: int | None = None, fetch: bool = False, gpu: int = 0, threads: int = 1
    ):
        self.folder = Path(folder).resolve()
        self._results = self.folder.parent
        system = tables.read_json(self.folder / "system.json")
        config = system["config"]
        ((self.name, recipe),) = config["experiments"].items()
        if recipe["model"] != "bilstm_crf":
            raise VisnerError(f"{folder}: it is a {recipe['model']}, and only a bilstm_crf can tag raw text as yet")
        self.recipe = BiLSTMExperiment.model_validate(recipe)
        if self.recipe.control:
            raise VisnerError(f"{folder}: the control `{self.recipe.control}` has no pictures of its own to tag with")
        if crawl := system.get("crawl"):
            config["images"][self.recipe.images]["crawl"] = crawl
        self._config = Config.model_validate(config)
        corpus = self._config.corpora[self.recipe.corpus]
        if getattr(corpus, "units", "characters") == "tokens":
            raise VisnerError(f"{folder}: it labels tokens, and only systems that label characters can tag raw text")
        self._root = self._results.parent / system["root"]
        self._store = below(self._root, system["store"])
        self._fetch = fetch
        self.device = devices.select(gpu, threads)
        self.seed = best_seed(self.folder, self.recipe.seeds) if seed is None else seed
        self.model, self.labels = load(self.folder / f"seed{self.seed}" / "model.safetensors", self.device)
        self._finder = NounFinder(corpus.nouns, self._root)
        self._read_vectors()
        self._rows: dict[str, int] = {}
        self._visual = NOTHING
        if self.recipe.fusion != "none":
            self._read_pictures()
        self.lookups = Lookups()

    def tag(self, texts: Sequence[str]) -> list[Tagged]:
        """Mentions and words of each text; a text is one sentence, of any length."""
        words = [self._finder.words(text) for text in texts]
        if self.recipe.fusion != "none":
            self._look_up({query for one in words for word in one for query in word["queries"]})
        contextual = self._contextual([[word["surface"] for word in one] for one in words])
        sentences, first = [], 0
        for text, one in zip(texts, words, strict=True):
            rows = unit_rows(len(text), one, self._rows) if self.recipe.fusion != "none" else None
            indexed = build_sentence("", list(text), one, first, rows, self._char_index, self._word_index)
            sentences.append(indexed)
            first += len(one)
        given = Tables(self._chars, self._words, contextual, self._visual)
        filled = [i for i, text in enumerate(texts) if text]
        data = Data({}, partial(prepare, tables=given, device=self.device))
        predicted = predict(self.model, data, [sentences[i] for i in filled], self.labels)
        by_text = dict(zip(filled, predicted, strict=True))
        return [self._tagged(text, words[i], *by_text.get(i, ([], None))) for i, text in enumerate(texts)]

    def _tagged(self, text: str, words: list[dict], labels: list[str], gates: np.ndarray | None) -> Tagged:
        mentions = [Mention(*span, text[span.start : span.stop]) for span in bio_to_spans(labels)]
        tagged = []
        for word in words:
            query = next((query for query in word["queries"] if query in self._rows), None)
            gate = float(gates[word["start"]]) if query is not None and gates is not None else None
            place = (word["start"], word["stop"], word["surface"])
            tagged.append(Word(*place, query or next(iter(word["queries"]), None), query is not None, gate))
        return Tagged(text, mentions, tagged)

    def _read_vectors(self) -> None:
        folder, recipe = self._results / "vectors" / self.recipe.vectors, self._config.vectors[self.recipe.vectors]
        self._char_index, self._chars = {}, NOTHING
        self._word_index, self._words = {}, NOTHING
        if recipe.glove_char:
            self._char_index, self._chars = read_indexed(folder / "glove_char.safetensors")
        if recipe.glove_word:
            self._word_index, self._words = read_indexed(folder / "glove_word.safetensors")
        models = (folder / f"flair_{direction}.safetensors" for direction in ("forward", "backward"))
        self._encoder = FlairEncoder(*models, self.device) if recipe.flair else None

    def _contextual(self, surfaces: list[list[str]]) -> np.ndarray:
        if self._encoder is None:
            return NOTHING
        encoded = self._encoder.encode([one for one in surfaces if one])
        return np.concatenate([*encoded, np.zeros((0, self._encoder.dimensions), dtype=np.float32)])

    def _read_pictures(self) -> None:
        """The rows that the experiment's grounding has: the corpus' queries in their order there."""
        folder = self._results / "images" / self.recipe.images / self.recipe.corpus
        shards = [folder / f"{n}.parquet" for n in range(self._config.corpora[self.recipe.corpus].nouns.shards)]
        self._rows = {query: row for row, query in enumerate(first_pictures(shards, self.recipe.k))}
        grounded = self._results / "grounding" / self.name / "vectors.npy"
        if not grounded.exists():
            raise VisnerError(f"{grounded}: no such file; make it again (snakemake {grounded})")
        self._visual = np.load(grounded, allow_pickle=False)

    def _look_up(self, queries: set[str]) -> None:
        """Add rows for the queries that have none yet, by the stages `images` and `embeddings`."""
        fresh = sorted(queries - self._rows.keys() - self.lookups.missed)
        self.lookups.known |= (queries & self._rows.keys()) - self.lookups.found
        images = self._config.images[self.recipe.images]
        if not fresh or (images.on_network and not self._fetch):
            self.lookups.missed |= set(fresh)
            return
        with tempfile.TemporaryDirectory() as folder:
            asked, shard, vectors = (Path(folder) / name for name in ("queries", "images", "vectors"))
            rows = ({"query": query, "occurrences": 1, "shard": 0} for query in fresh)
            tables.write_table(asked, tables.QUERIES, rows)
            fetch(images, self._root, self._store, asked, 0, shard)
            pictures = first_pictures([shard], self.recipe.k)
            if pictures:
                weights = self._results.parent / "resources" / "weights" / f"{self.recipe.embedding}.safetensors"
                recipe = self._config.embeddings[self.recipe.embedding]
                embed(recipe, weights, shard, self._store, vectors, self.device)
                means = mean_vectors(pictures, [vectors])
                self._rows |= {query: len(self._visual) + row for row, query in enumerate(pictures)}
                self._visual = np.concatenate([self._visual, means])
        self.lookups.found |= pictures.keys()
        self.lookups.missed |= set(fresh) - pictures.keys()


def best_seed(folder: Path, seeds: Sequence[int]) -> int:
    """The seed with the highest dev F1; the first of equals, as in scores.json."""
    reports = {seed: tables.read_json(folder / f"seed{seed}" / "training.json") for seed in seeds}
    return max(seeds, key=lambda seed: max(reports[seed]["dev_f1"]))
