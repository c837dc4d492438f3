"""Corpora: what is read, how it is split, how its nouns are found."""

from typing import Annotated, Any, ClassVar, Literal, Union

from pydantic import Field, PositiveFloat, model_validator

from visner.config.base import File, FileOrFolder, FolderOrName, PositiveInt, Recipe, Seed

FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]*$")]
Comment = Annotated[str, Field(min_length=1)]  # lines that begin with it are left out
Scheme = Literal["BIO", "IOB1", "BIOES", "BILOU"]  # of labels; BIO is also called IOB2
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class HashSplit(Recipe):
    """Documents into train, dev and test by a hash of their id: one more document moves no other."""

    by: Literal["hash"] = "hash"
    ratio: tuple[PositiveFloat, PositiveFloat, PositiveFloat] = (70, 15, 15)
    seed: Seed = 1


class FileSplit(Recipe):
    """Each split from its own files or folders; the corpus' `paths` is then left out."""

    by: Literal["files"]
    train: list[FileOrFolder]
    dev: list[FileOrFolder] = []
    test: list[FileOrFolder] = []


class ListSplit(Recipe):
    """A text file a split with the ids of its documents, one a line."""

    by: Literal["lists"]
    train: File
    dev: File
    test: File


class Nouns(Recipe):
    """What a corpus' pictures are looked up for: nouns, as MeCab finds them; and in how many shards they are kept."""

    queries: Literal["nouns", "sentences"] = "nouns"  # sentences: each as it is, where they list what to look up
    dictionary: FolderOrName = "unidic-lite"  # "unidic-lite", "unidic", or the folder of a dictionary
    pos: list[str] = ["名詞"]  # the parts of speech whose words are queries, with all below them
    exclude: list[str] = []  # and those below them that are not, such as 名詞-数詞
    normal_form: Literal["NFKC", "none"] = "NFKC"  # of a query: none looks up a word as it stands in the text
    shards: PositiveInt = 16


class CorpusRecipe(Recipe):
    """What all corpus formats share."""

    paths: list[FileOrFolder] = []
    split: Annotated[Union[HashSplit, FileSplit, ListSplit], Field(discriminator="by")] = HashSplit()
    max_units: PositiveInt = 300  # a longer sentence is cut, and counted
    nouns: Nouns = Nouns()

    @property
    def of_tokens(self) -> bool:
        """Whether a unit is a token; else it is a character, and MeCab finds the words."""
        return getattr(self, "units", "characters") == "tokens"

    @model_validator(mode="after")
    def _has_files(self):
        if (self.split.by == "files") == bool(self.paths):
            raise ValueError("give either `paths`, or `split: {by: files, train: ..., dev: ..., test: ...}`")
        return self


class EneCorpus(CorpusRecipe):
    """The Extended Named Entity corpus' inline tags (GSK2014-A, BCCWJ edition)."""

    format: Literal["ene"]
    classes: list[str] = ["City", "Country", "County", "GPE_Other", "Province"]
    corrections: File | None = None  # a TSV of hand-corrected mentions
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
    scheme: Scheme = "BIO"
    comment: Comment | None = None
    units: Literal["tokens", "characters"] = "tokens"  # characters: tokens are joined without a space


class Download(Recipe):
    """Public files, fetched into `resources/corpora/{corpus}/`."""

    base: Annotated[str, Field(pattern=r"^https?://[^/]")]  # the address of the folder that they are in
    sha256: Annotated[dict[FileName, Sha256], Field(min_length=1)]  # file in that folder -> sha256 of its bytes


class ImgidCorpus(CorpusRecipe):
    """Tweets with a picture: a line `IMGID:<id>`, then a token, a tab and its label a line."""

    format: Literal["imgid"]
    classes: list[str]
    scheme: Scheme = "BIO"
    comment: Comment | None = None
    split: FileSplit
    download: Download | None = None
    published: dict[Literal["train", "dev", "test"], PositiveInt] = {}  # a paper's counts of tweets, shown beside ours
    units: ClassVar[str] = "tokens"


class TextCorpus(CorpusRecipe):
    """Plain text, a sentence a line, no labels: for word vectors and language models."""

    format: Literal["text"]
    classes: list[str] = []
    comment: Comment | None = None


class CustomCorpus(CorpusRecipe):
    """Any other format: the function `read` of a Python file yields its sentences (see docs/extending.md)."""

    format: Literal["custom"]
    file: File
    options: dict[str, Any] = {}  # handed to it
    classes: list[str]
    scheme: Scheme = "BIO"
    units: Literal["tokens", "characters"] = "tokens"
    suffixes: list[str] = []  # of the files that are read in a folder; none: all of them


Corpus = Annotated[
    Union[EneCorpus, StockmarkCorpus, ConllCorpus, ImgidCorpus, TextCorpus, CustomCorpus], Field(discriminator="format")
]
