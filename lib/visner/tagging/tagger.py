"""A trained experiment that tags new text: the stages of the pipeline, run on a few sentences in memory."""

import tempfile
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import NamedTuple, overload

import numpy as np
import torch

from visner.embeddings.embed import embed
from visner.embeddings.weights import Weights, read_weights
from visner.errors import VisnerError
from visner.grounding.queries import mean_vectors, unit_rows
from visner.images.fetch import look_up
from visner.ner import saving
from visner.ner.batches import Data, decode_all
from visner.ner.bilstm_data import Tables
from visner.ner.vectors import NOTHING, read_indexed
from visner.nouns.finder import NounFinder
from visner.runtime import device as devices
from visner.runtime import stages, tables
from visner.runtime.pictures import first_pictures
from visner.runtime.spans import bio_to_spans
from visner.tagging.trained import Trained
from visner.vectors.encoder import FlairEncoder

KEPT = 10_000  # vectors of looked-up queries in memory: 40 MB of a DenseNet's


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
    """Tags text with `results/{experiment}`, by the seed that was best on dev unless `seed`, or the path, says another.

    Nouns of the experiment's corpus have its pictures; others are looked up in the same source where that is on this
    machine (one on the network is asked with `fetch` only), and their vectors come from, and go to, the store.
    On the CPU it computes with `threads` threads; the process that it is in is left as it was.
    Raises VisnerError where a file of the experiment is missing, or isn't the one that it was trained with.
    """

    def __init__(
        self, folder: str | Path, seed: int | None = None, fetch: bool = False, gpu: int = 0, threads: int = 1
    ):
        if threads < 1:
            raise VisnerError(f"threads: {threads} can't compute; choose 1 or more")
        trained = Trained(folder, seed)
        self.folder, self.seed, self.recipe = trained.folder, trained.seed, trained.recipe
        self.device, self._threads = devices.choose(gpu), threads
        self._finder = NounFinder(trained.config.corpora[self.recipe.corpus].nouns, trained.root)
        with self._aside():
            self.model, beside = saving.load(trained.model, self.device)
            if {**beside.get("recipe", {}), "seeds": None} != {**self.recipe.model_dump(mode="json"), "seeds": None}:
                raise VisnerError(f"{trained.model}: made by another recipe than system.json's; {trained.again}")
            self._read_vectors(trained)
            self._pictures = _Pictures(trained, self.device, fetch) if self.recipe.fusion != "none" else None
        self.lookups = self._pictures.lookups if self._pictures else Lookups()

    @overload
    def tag(self, texts: str) -> Tagged: ...
    @overload
    def tag(self, texts: Iterable[str]) -> list[Tagged]: ...
    def tag(self, texts):
        """Mentions and words of each text, or of one text that is given by itself; a text is one sentence.

        Raises VisnerError where a text has half a character (a lone surrogate), which no encoding can write.
        """
        if isinstance(texts, str):
            return self.tag([texts])[0]
        texts = list(texts)
        for number, text in enumerate(texts, start=1):
            if not isinstance(text, str):
                raise TypeError(f"texts are strings, and text {number} is of type {type(text).__name__}")
            try:
                text.encode()
            except UnicodeEncodeError as error:
                place = f"U+{ord(text[error.start]):04X} at {error.start}"
                raise VisnerError(f"text {number}: {place} is half a character; decode the text again") from None
        with self._aside():
            return self._tag(texts) if texts else []

    def _tag(self, texts: list[str]) -> list[Tagged]:
        words = self._finder.words_of_all(texts).to_pylist()
        rows, visual = {}, NOTHING
        if self._pictures:
            rows, visual = self._pictures.of({query for one in words for word in one for query in word["queries"]})
        contextual = self._contextual([[word["surface"] for word in one] for one in words])
        given = replace(self._tables, contextual=contextual, visual=visual)
        sentences, first = [], 0
        for text, one in zip(texts, words, strict=True):
            seen = unit_rows(len(text), one, rows) if self._pictures else None
            sentences.append(
                given.sentence("", list(text), one, first, seen, None, self.recipe.series, self.recipe.distinct)
            )
            first += len(one)
        filled = [i for i, text in enumerate(texts) if text]
        data = Data({}, partial(given.batch, device=self.device))
        decoded = decode_all(self.model, data, [sentences[i] for i in filled])
        by_text = dict(zip(filled, decoded, strict=True))
        return [_tagged(text, words[i], rows, *by_text.get(i, ([], None))[:2]) for i, text in enumerate(texts)]

    @contextmanager
    def _aside(self) -> Iterator[None]:
        """What is computed in the block leaves the process's threads, random numbers and warnings as they were."""
        alone = (devices.threads(self._threads), torch.random.fork_rng(devices=[]), warnings.catch_warnings())
        with alone[0], alone[1], alone[2], stages.within_another():
            yield

    def _read_vectors(self, trained: Trained) -> None:
        recipe = trained.config.vectors[self.recipe.vectors]

        def checked(name: str) -> Path:
            path = trained.results / "vectors" / self.recipe.vectors / f"{name}.safetensors"
            trained.check(name, path)
            return path

        char_index, chars = read_indexed(checked("glove_char") if recipe.glove_char else None)
        word_index, words = read_indexed(checked("glove_word") if recipe.glove_word else None)
        self._tables = Tables(chars, words, char_index=char_index, word_index=word_index)
        models = (checked(f"flair_{direction}") for direction in ("forward", "backward"))
        self._encoder = FlairEncoder(*models, self.device) if recipe.flair else None

    def _contextual(self, surfaces: list[list[str]]) -> np.ndarray:
        if self._encoder is None:
            return NOTHING
        encoded = self._encoder.encode([one for one in surfaces if one])
        return np.concatenate([*encoded, np.zeros((0, self._encoder.dimensions), dtype=np.float32)])


load = Tagger  # as programs call it: visner.load(folder)


class _Pictures:
    """Vectors of queries: those of the experiment's grounding by their keys, others looked up by the stages."""

    def __init__(self, trained: Trained, device: torch.device, fetch: bool):
        self._trained, self._device, self._recipe = trained, device, trained.grounding
        grounding = trained.results / "grounding" / trained.recipe.grounding / trained.recipe.corpus
        keys, vectors = grounding / "keys.parquet", grounding / "vectors.npy"
        trained.check("keys", keys)
        trained.check("visual", vectors)
        self._made_by = tables.read_provenance(keys)
        if self._made_by["recipe"] != self._recipe.model_dump(mode="json"):
            raise VisnerError(f"{keys}: made by another recipe than system.json's; {trained.again}")
        names = tables.read_table(keys, tables.ROW_KEYS, ["key"])["key"].to_pylist()
        self._rows = {query: row for row, query in enumerate(names)}
        self._vectors = np.load(vectors, mmap_mode="r", allow_pickle=False)  # [Q, V]
        self._found: dict[str, np.ndarray] = {}  # the last KEPT that were looked up, [V] each
        self._images = trained.config.images[self._recipe.images]
        self._asks = fetch or not self._images.on_network
        self._file = trained.project / "resources" / "weights" / f"{self._recipe.embedding}.safetensors"
        if self._asks and not self._file.exists():
            raise VisnerError(
                f"{self._file}: no such file, so no new word can get pictures; {trained.make(self._file)}"
            )
        self.lookups = Lookups()

    def of(self, queries: set[str]) -> tuple[dict[str, int], np.ndarray]:
        """Those of the queries that have pictures -> their rows of an array [P, V] with the vectors of just these."""
        self.lookups.known |= queries & self._rows.keys()
        fresh = sorted(queries - self._rows.keys() - self._found.keys() - self.lookups.missed)
        if fresh and self._asks:
            self._found |= self._look_up(fresh)
            self.lookups.found |= self._found.keys() & set(fresh)
        self.lookups.missed |= set(fresh) - self._found.keys()
        known, found = sorted(queries & self._rows.keys()), sorted(queries & self._found.keys())
        array = np.empty((len(known) + len(found), self._vectors.shape[1]), np.float32)
        array[: len(known)] = self._vectors[[self._rows[query] for query in known]]
        for row, query in enumerate(found, start=len(known)):
            array[row] = self._found[query]
        for query in list(self._found)[:-KEPT]:
            del self._found[query]
        return {query: row for row, query in enumerate([*known, *found])}, array

    def _look_up(self, queries: list[str]) -> dict[str, np.ndarray]:
        """The vectors [V] of those queries that have pictures, by the stages `images` and `embeddings`."""
        with tempfile.TemporaryDirectory() as folder:
            shard, vectors = (Path(folder) / name for name in ("images", "vectors"))
            look_up(queries, shard, self._images, self._trained.root, self._store)
            pictures = first_pictures([shard], self._recipe.k)
            if not pictures:
                return {}
            recipe = self._trained.config.embeddings[self._recipe.embedding]
            embed(self._weights, shard, vectors, recipe, self._store, self._device)
            return dict(zip(pictures, mean_vectors(pictures, [vectors]), strict=True))

    @cached_property
    def _weights(self) -> Weights:
        """The CNN, which must be the one that the grounding's vectors are from."""
        weights = read_weights(self._file)
        if weights.sha256 != self._made_by["embeddings"].get("weights_sha256"):
            raise VisnerError(f"{self._file}: not the weights of the experiment's own pictures; {self._trained.again}")
        return weights

    @cached_property
    def _store(self) -> Path:
        """The project's store, or where that can't be written, one that ends with this tagger."""
        store = self._trained.store
        try:
            (store / "embeddings").mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=store / "embeddings"):
                return store
        except OSError as error:
            stages.log.warning("%s: %s: what is looked up now is not kept", store, error.strerror)
            self._own_store = tempfile.TemporaryDirectory()
            return Path(self._own_store.name)


def _tagged(text: str, words: list[dict], rows: dict[str, int], labels: list[str], gates: np.ndarray | None) -> Tagged:
    # Lenient: what `constrained: false` lets through, an I- that continues nothing, opens a mention and isn't dropped.
    mentions = [Mention(*span, text[span.start : span.stop]) for span in bio_to_spans(labels, lenient=True)]
    tagged = []
    for word in words:
        query = next((query for query in word["queries"] if query in rows), None)
        gate = float(gates[word["start"]]) if query is not None and gates is not None else None
        place = (word["start"], word["stop"], word["surface"])
        tagged.append(Word(*place, query or next(iter(word["queries"]), None), query is not None, gate))
    return Tagged(text, mentions, tagged)
