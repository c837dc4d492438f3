"""Matchers: the cross-modal models that find every word its pictures."""

from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, model_validator

from visner.config.base import BERT, Name, PositiveInt, Recipe, Seed
from visner.config.experiments import Probability, Training


class Matcher(Recipe):
    """Two frozen encoders, and two perceptrons into one space (vokenized NER, section 3.1 and eq. 2)."""

    corpus: Name
    images: Name  # of the source `attached`: the pictures that come with the corpus' sentences
    embedding: Name
    encoder: str = BERT  # NAME@REVISION of HuggingFace's hub, a folder, or package:NAME/FOLDER
    words: Literal["first", "mean"] = "first"  # a word's state: its first sub-token's, or the mean over all
    precision: Literal["float32", "bfloat16"] = "float32"  # of the text encoder
    hidden: PositiveInt = 256
    dimensions: PositiveInt = 64  # of the common space
    norm: Literal["unit", "none"] = "unit"  # of the vectors in it; none: the perceptrons' outputs as they are (eq. 2)
    dropout: Probability = 0.0  # of the perceptrons' hidden layer, while training
    loss: Literal["hinge", "infonce"] = "hinge"
    margin: PositiveFloat = 0.5  # of the hinge
    temperature: PositiveFloat = 0.07  # of InfoNCE
    training: Training = Training(batch=64, epochs=20)
    seed: Seed = 1
    top: Annotated[int, Field(gt=0, le=1000, strict=True)] = 10  # vokens kept a word
    exclude_own: bool = True  # a sentence's own attachment is no voken of its words
    pool: Name | None = None  # an images recipe whose pictures are searched; null: the training split's attachments
    pool_corpus: Name | None = None  # whose queries `pool` was asked; null: `corpus`
    shards: PositiveInt = 1  # jobs that the sentences are spread over; states may differ in their last bits by it

    @model_validator(mode="after")
    def _pool_corpus_has_pool(self):
        if self.pool_corpus is not None and self.pool is None:
            raise ValueError("`pool_corpus` says whose queries `pool` was asked: set pool, or leave it out")
        return self

    @property
    def attached(self) -> tuple[str, str]:
        """The images recipe of the sentences' own pictures, and their corpus."""
        return self.images, self.corpus

    @property
    def searched(self) -> tuple[str, str]:
        """The images recipe whose pictures are searched, and the corpus that it was asked for."""
        return self.pool or self.images, self.pool_corpus or self.corpus

    def training_fingerprint(self) -> str:
        """The fingerprint without what the pool and the search go by."""
        return self.fingerprint(without=("top", "exclude_own", "pool", "pool_corpus"))

    def pool_fingerprint(self) -> str:
        """The fingerprint without what the search alone goes by."""
        return self.fingerprint(without=("top", "exclude_own"))
