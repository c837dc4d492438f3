"""The recipes of the configuration: one model a kind, each key with its default.

A recipe's `fingerprint` is the JSON that the rules hand to the stages: the keys that change results, no others. Its
`files` are those that it names itself, for the rules to watch.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Union

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, model_validator

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")]  # it becomes a folder's name
PositiveInt = Annotated[int, Field(gt=0, strict=True)]  # strict: neither "10" nor true is a number
Seed = Annotated[int, Field(ge=0, strict=True)]
Probability = Annotated[float, Field(ge=0, lt=1)]


def _is_path(text: str) -> bool:
    """Whether a key that takes a name or a file holds a file: names have no dot and no slash."""
    return "/" in text or "." in text


class Recipe(BaseModel):
    """A group of keys; a key that it doesn't have is an error, not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def fingerprint(self, *without: str, only: Iterable[str] | None = None) -> str:
        """The recipe as JSON with sorted keys, the same for the same content: what a rule has in its params."""
        content = self.model_dump(mode="json", exclude=set(without), include=set(only) if only else None)
        return json.dumps(content, sort_keys=True, ensure_ascii=False)

    def files(self, root: Path) -> list[Path]:
        """The files that the recipe names; relative paths start at `root`."""
        return [root / path for path in self._paths()]

    def _paths(self) -> list[str]:
        return []


class HashSplit(Recipe):
    """Documents into train, dev and test by a hash of their id: one more document moves no other."""

    by: Literal["hash"] = "hash"
    ratio: tuple[PositiveFloat, PositiveFloat, PositiveFloat] = (70, 15, 15)
    seed: Seed = 1


class FileSplit(Recipe):
    """Each split from its own files or folders; the corpus' `paths` is then left out."""

    by: Literal["files"]
    train: list[str]
    dev: list[str] = []
    test: list[str] = []


class ListSplit(Recipe):
    """A text file a split with the ids of its documents, one a line."""

    by: Literal["lists"]
    train: str
    dev: str
    test: str


class Nouns(Recipe):
    """How MeCab finds the nouns of a corpus, and in how many shards their pictures are kept."""

    dictionary: str = "unidic-lite"  # "unidic-lite", "unidic", or the folder of a dictionary
    pos: list[str] = ["名詞"]  # the parts of speech whose words are queries, with all below them
    exclude: list[str] = []  # and those below them that are not, such as 名詞-数詞
    shards: PositiveInt = 16


class CorpusRecipe(Recipe):
    """What all corpus formats share."""

    paths: list[str] = []
    split: Annotated[Union[HashSplit, FileSplit, ListSplit], Field(discriminator="by")] = HashSplit()
    max_units: PositiveInt = 300  # a longer sentence is cut, and counted
    nouns: Nouns = Nouns()

    @model_validator(mode="after")
    def _has_files(self):
        if (self.split.by == "files") == bool(self.paths):
            raise ValueError("give either `paths`, or `split: {by: files, train: ..., dev: ..., test: ...}`")
        return self


class EneCorpus(CorpusRecipe):
    """The Extended Named Entity corpus' inline tags (GSK2014-A, BCCWJ edition)."""

    format: Literal["ene"]
    classes: list[str] = ["City", "Country", "County", "GPE_Other", "Province"]
    corrections: str | None = None  # a TSV of hand-corrected mentions
    split_sentences: bool = False  # cut lines at 。！？ outside brackets


class StockmarkCorpus(CorpusRecipe):
    """Stockmark's Wikipedia NER: a JSON list of sentences with spans."""

    format: Literal["stockmark"]
    classes: list[str] = ["人名", "法人名", "政治的組織名", "その他の組織名", "地名", "施設名", "製品名", "イベント名"]


class ConllCorpus(CorpusRecipe):
    """A token a line in columns, an empty line after each sentence."""

    format: Literal["conll"]
    classes: list[str]
    token_column: int = 0
    label_column: int = -1
    separator: Literal["whitespace", "tab"] = "whitespace"
    scheme: Literal["BIO", "BIOES"] = "BIO"
    units: Literal["tokens", "characters"] = "tokens"  # characters: tokens are joined without a space


class TextCorpus(CorpusRecipe):
    """Plain text, a sentence a line, no labels: for word vectors and language models."""

    format: Literal["text"]
    classes: list[str] = []


Corpus = Annotated[Union[EneCorpus, StockmarkCorpus, ConllCorpus, TextCorpus], Field(discriminator="format")]


class ImageRecipe(Recipe):
    """What all sources of pictures share: how many, how large."""

    depth: PositiveInt = 15  # usable pictures a query at most
    max_pixels: PositiveInt = 40_000_000
    max_bytes: PositiveInt = 20_000_000
    side: PositiveInt = 256  # the kept form's shorter side, in pixels; smaller pictures stay as they are
    on_network: ClassVar[bool] = False  # whether looking a query up may leave this machine


class SampleImages(ImageRecipe):
    """Pictures drawn by visner's own seeded program: for the embedded sample."""

    source: Literal["sample"]
    seed: Seed = 1
    drawings: PositiveInt = 6  # pictures a kind


class FolderImages(ImageRecipe):
    """Pictures on disk: named by a manifest (query -> files in rank order), or a folder a query."""

    source: Literal["folder"]
    folder: str
    manifest: str | None = None  # TSV or Parquet
    query_column: str = "query"
    files_column: str = "files"  # in a TSV, files are separated by |

    def _paths(self) -> list[str]:
        return [self.manifest] if self.manifest else []


Images = Annotated[Union[SampleImages, FolderImages], Field(discriminator="source")]


class Embedding(Recipe):
    """Picture -> vector: a torchvision backbone without its classifier."""

    backbone: str = "densenet121"
    weights: str = "IMAGENET1K_V1"  # torchvision's name, a file, or "random"
    seed: Seed = 1  # of random weights
    precision: Literal["float32", "bfloat16"] = "float32"
    regions: bool = False  # also the 7x7 grid before the last pooling

    def _paths(self) -> list[str]:
        return [self.weights] if _is_path(self.weights) else []


class Glove(Recipe):
    """GloVe (Pennington et al. 2014), trained on the training splits of `corpora`, or ready vectors from `path`."""

    corpora: list[Name] = []
    path: str | None = None
    dimensions: PositiveInt = 300
    window: PositiveInt = 10
    min_count: PositiveInt = 1
    epochs: PositiveInt = 15
    learning_rate: PositiveFloat = 0.05
    alpha: PositiveFloat = 0.75
    x_max: PositiveFloat = 100.0
    seed: Seed = 1

    @model_validator(mode="after")
    def _has_source(self):
        if bool(self.corpora) == (self.path is not None):
            raise ValueError("give either `corpora` (to train on) or `path` (ready vectors)")
        return self

    def _paths(self) -> list[str]:
        return [self.path] if self.path else []


class Flair(Recipe):
    """Contextual string embeddings (Akbik et al. 2018): two language models, trained here or ready ones."""

    corpora: list[Name] = []
    forward: str | None = None  # a file, or a name that the flair library knows
    backward: str | None = None
    hidden: PositiveInt = 512  # a direction; a word's vector has twice as many
    epochs: PositiveInt = 10
    sequence_length: PositiveInt = 250
    batch: PositiveInt = 100
    learning_rate: PositiveFloat = 20.0
    seed: Seed = 1

    @model_validator(mode="after")
    def _has_source(self):
        ready = (self.forward is not None) + (self.backward is not None)
        if ready == 1 or bool(self.corpora) == (ready == 2):
            raise ValueError("give either `corpora` (to train on) or both `forward` and `backward` (ready models)")
        return self

    def _paths(self) -> list[str]:
        return [model for model in (self.forward, self.backward) if model and _is_path(model)]


class Vectors(Recipe):
    """The text side of x_t (eq. 1); a part that is null is left out."""

    glove_char: Glove | None = None
    glove_word: Glove | None = None
    flair: Flair | None = None

    @model_validator(mode="after")
    def _not_empty(self):
        if not (self.glove_char or self.glove_word or self.flair):
            raise ValueError("name at least one of glove_char, glove_word, flair")
        return self


class Training(Recipe):
    """How a recogniser is fitted."""

    learning_rate: PositiveFloat = 1e-3
    batch: PositiveInt = 20  # sentences
    epochs: PositiveInt = 50  # at most
    patience: PositiveInt = 5  # epochs without a better dev F1 before it stops
    clip: PositiveFloat = 1.0  # the gradient's norm


class Experiment(Recipe):
    """One system on one corpus, trained once a seed."""

    corpus: Name
    vectors: Name
    images: Name | None = None
    k: PositiveInt | None = None  # the first K usable pictures of a query are averaged
    embedding: Name | None = None
    grounding: Literal["queries"] | None = None
    control: Literal["shuffled", "noise", "presence"] | None = None
    model: Literal["bilstm_crf"] = "bilstm_crf"
    fusion: Literal["none", "simple", "gate"] = "none"
    gate: Literal["scalar", "vector"] = "scalar"
    hidden: PositiveInt = 256  # LSTM units a direction
    dropout_input: Probability = 0.5
    dropout_output: Probability = 0.5
    precision: Literal["float32", "bfloat16"] = "float32"
    training: Training = Training()
    seeds: list[Seed] = Field(default=[1], min_length=1)

    @model_validator(mode="after")
    def _pictures_match_fusion(self):
        pictures = {key: getattr(self, key) for key in ("images", "k", "embedding", "grounding")}
        if self.fusion == "none":
            given = [key for key, value in {**pictures, "control": self.control}.items() if value is not None]
            if given:
                raise ValueError(
                    f"`fusion: none` sees no pictures: leave out {', '.join(given)}, or set fusion to simple or gate"
                )
        else:
            missing = [key for key, value in pictures.items() if value is None]
            if missing:
                raise ValueError(f"`fusion: {self.fusion}` needs pictures: set {', '.join(missing)}")
        if len(set(self.seeds)) != len(self.seeds):
            raise ValueError("`seeds` names a seed twice")
        return self


class Study(Recipe):
    """Experiments beside a baseline: tables and tests of significance."""

    baseline: Name
    systems: list[Name] = Field(min_length=1)
    seen_class: str | None = None  # the class of the seen/unseen table (Table 6); null: all classes
    shuffles: PositiveInt = 10_000  # of the approximate randomisation test
    seed: Seed = 1
