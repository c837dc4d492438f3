"""Groundings: which pictures each unit of a corpus sees, and by which vectors."""

from typing import Annotated, Literal, Union

from pydantic import Field

from visner.config.base import Name, PositiveInt, Recipe


class GroundingRecipe(Recipe):
    """What all groundings share."""

    embedding: Name
    control: Literal["shuffled", "noise", "presence"] | None = None  # vectors that are not the right pictures'


class QueryGrounding(GroundingRecipe):
    """The mean of the first K usable pictures of a word's query (element-wise visual NER, section 3.1)."""

    by: Literal["query"]
    images: Name
    k: PositiveInt


class VokenGrounding(GroundingRecipe):
    """The first K pictures that a matcher found for a word (vokenized NER, eq. 1)."""

    by: Literal["voken"]
    matcher: Name
    k: PositiveInt


class AttachmentGrounding(GroundingRecipe):
    """The picture that came with the sentence, whole or by its regions, as the embedding has it."""

    by: Literal["attachment"]
    images: Name


Grounding = Annotated[Union[QueryGrounding, VokenGrounding, AttachmentGrounding], Field(discriminator="by")]
