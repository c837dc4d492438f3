"""Where a query's pictures come from, and how they become vectors."""

from collections.abc import Iterable
from typing import Annotated, Any, ClassVar, Literal, Union

from pydantic import BeforeValidator, Field, PositiveFloat, field_validator, model_validator

from visner.config.base import File, FileOrName, Folder, PositiveInt, Recipe, Seed


class ImageRecipe(Recipe):
    """What all sources of pictures share: how many, how large."""

    depth: PositiveInt = 15  # usable pictures a query at most
    max_pixels: PositiveInt = 40_000_000
    max_bytes: PositiveInt = 20_000_000
    max_seconds: PositiveFloat = 60.0  # of processor time to decode a picture: forty times what the largest need
    side: PositiveInt = 256  # the kept form's shorter side, in pixels; smaller pictures stay as they are
    note: str | None = None  # what readers must know of these pictures; stands at the head of every study with them
    on_network: ClassVar[bool] = False  # whether looking a query up may leave this machine

    def fingerprint(self, *, without: Iterable[str] = ()) -> str:
        """As every recipe's, without the note."""
        return super().fingerprint(without=("note", *without))


class FolderImages(ImageRecipe):
    """Pictures on disk: named by a manifest (query -> files in rank order), or a folder a query."""

    source: Literal["folder"]
    folder: Folder
    manifest: File | None = None  # TSV or Parquet
    query_column: str = "query"
    files_column: str = "files"  # in a TSV, files are separated by |


class AttachedImages(ImageRecipe):
    """The pictures that came with a corpus' sentences: files of a folder, each named as the attachment is."""

    source: Literal["attached"]
    folder: Folder
    depth: Literal[1] = 1
    placeholders: list[Annotated[str, Field(pattern="^[0-9a-f]{64}$")]] = []  # sha256 of files that show nothing


LocalImages = FolderImages | AttachedImages


class Crawl(Recipe):
    """How a crawl behaves towards the web: nothing here changes what a result is. Limits are those of one job."""

    user_agent: str | None = None  # who asks, and where they can be reached
    robots: bool = True  # whether the picture hosts' robots.txt is heeded
    x_robots_tag: bool = True  # whether a picture's X-Robots-Tag (noai, noimageai, noindex ...) is heeded
    concurrency: PositiveInt = 32  # pictures in flight
    host_concurrency: PositiveInt = 2
    host_rate: PositiveFloat | None = 2.0  # requests a second to one host
    bandwidth: PositiveInt | None = None  # bytes a second, of all pictures together
    connect_timeout: PositiveFloat = 10.0  # seconds, as those below
    read_timeout: PositiveFloat = 20.0  # without a byte
    total_timeout: PositiveFloat = 120.0  # of one request
    retries: Annotated[int, Field(ge=0, strict=True)] = 2  # at once, after 429, 5xx and network failures
    longest_wait: PositiveFloat = 300.0  # the longest Retry-After that is waited for
    patience: Annotated[float, Field(ge=0)] = 3600.0  # how long an engine that fails or throttles is asked again
    redirects: Annotated[int, Field(ge=0, strict=True)] = 5
    allow_hosts: list[str] = []  # names or addresses that may be local or private
    max_empty: Annotated[float, Field(gt=0, le=1)] = 0.5  # a clearly larger share of empty queries stops the stage

    @field_validator("user_agent")
    @classmethod
    def _has_contact(cls, value: str | None) -> str | None:
        if value is not None and ("\n" in value or not ("@" in value or "://" in value)):
            raise ValueError("name a contact in it (an address with @, or a page with ://), on one line")
        return value


class CrawledImages(ImageRecipe):
    """Pictures of the web: a source names addresses, and the crawl store keeps what came from them."""

    candidates: PositiveInt = 45  # addresses tried for a query at most
    crawl: Crawl = Crawl()
    on_network: ClassVar[bool] = True

    def fingerprint(self, *, without: Iterable[str] = ()) -> str:
        """As every recipe's, without how the crawl behaves."""
        return super().fingerprint(without=("crawl", *without))

    @model_validator(mode="after")
    def _enough_candidates(self):
        if self.candidates < self.depth:
            raise ValueError(f"`candidates` must be at least `depth` ({self.depth})")
        return self


class EngineImages(CrawledImages):
    """A search engine's pictures; what an engine has no filter for, it is not asked for."""

    source: Literal["bing", "google", "baidu", "flickr"]
    engine: str | None = None  # its address in place of the public one: scheme and host
    photos: bool = True  # photographs only
    language: str | None = None  # ISO 639-1
    region: str | None = None  # ISO 3166-1
    safe_search: Literal["off", "moderate", "strict"] = "moderate"


class CustomImages(CrawledImages):
    """A source of the user's own: the class `Source` of a Python file (see docs/crawling.md)."""

    source: Literal["custom"]
    file: File
    options: dict[str, Any] = {}  # handed to it


def _refuse_sample(recipe: Any) -> Any:
    if isinstance(recipe, dict) and recipe.get("source") == "sample":
        raise ValueError(
            "the source `sample` is gone, its drawings are files now: write `source: folder`, "
            "`folder: data/sample/pictures` and `manifest: data/sample/pictures/manifest.tsv`, and leave out `seed` "
            "and `drawings`"
        )
    return recipe


Images = Annotated[
    Union[FolderImages, AttachedImages, EngineImages, CustomImages],
    Field(discriminator="source"),
    BeforeValidator(_refuse_sample),
]


class Embedding(Recipe):
    """Picture -> vector: a torchvision backbone without its classifier."""

    backbone: str = "densenet121"
    weights: FileOrName = "IMAGENET1K_V1"  # torchvision's name, a file, or "random"
    seed: Seed = 1  # of random weights
    precision: Literal["float32", "bfloat16"] = "float32"
    regions: bool = False  # also the 7x7 grid before the last pooling
    stored: Literal["float16", "float32"] = "float16"  # how a vector's numbers are written to disk
