"""Experiments: one system on one corpus; and studies, which compare them."""

from typing import Annotated, Any, Literal, Union

from pydantic import Discriminator, Field, PositiveFloat, Tag, model_validator

from visner.config.base import BERT, File, Name, PositiveInt, Recipe, Seed

Probability = Annotated[float, Field(ge=0, lt=1)]
Fusion = Literal["none", "simple", "gate", "blend", "attention"]  # each a file of visner/ner/fusion/


class Training(Recipe):
    """How a recogniser is fitted."""

    learning_rate: PositiveFloat = 1e-3
    batch: PositiveInt = 20  # sentences
    epochs: PositiveInt = 50  # at most
    patience: PositiveInt = 5  # epochs without a better dev F1 after which it stops, counted once dev F1 is above 0
    min_epochs: PositiveInt = 1  # at least, whatever `patience` says
    clip: PositiveFloat = 1.0  # the gradient's norm

    @model_validator(mode="after")
    def _epochs_in_order(self):
        if self.min_epochs > self.epochs:
            raise ValueError(f"`min_epochs: {self.min_epochs}` is more than `epochs: {self.epochs}`")
        return self


class FineTuning(Training):
    """How a pretrained encoder is fitted with what stands on it: AdamW, a linear warm-up and a linear decay."""

    learning_rate: PositiveFloat = 1e-3  # of what is new: fusion, emissions, CRF
    encoder_learning_rate: PositiveFloat = 3e-5
    batch: PositiveInt = 16
    accumulation: PositiveInt = 1  # batches whose gradients make one step
    epochs: PositiveInt = 10
    patience: PositiveInt = 3
    warm_up: Probability = 0.1  # the share of all steps in which the rates rise
    weight_decay: Annotated[float, Field(ge=0)] = 0.01  # not of biases, norms and the CRF


MOVED = ("images", "k", "embedding", "control", "matcher")  # keys that groundings have, and experiments had


class ExperimentRecipe(Recipe):
    """What all systems share: the corpus, the pictures that its units see, how they are trained, once a seed."""

    corpus: Name
    grounding: Name | None = None
    fusion: Fusion = "none"
    gate: Literal["scalar", "vector"] | None = None  # of the fusion `gate`
    heads: PositiveInt = 8  # of the fusion `attention`
    pictures: Literal["mean", "series"] | None = None  # of a word; null: series for attention, mean for the others
    distinct: bool = True  # of a series: a picture of several words is there once, not once a word
    visual_scale: Literal["auto", "none"] = "auto"  # auto: pictures' vectors are brought to the length of the others
    constrained: bool = True  # no I- that continues nothing is predicted
    precision: Literal["float32", "bfloat16"] = "float32"
    training: Training = Training()
    seeds: list[Seed] = Field(default=[1], min_length=1)

    @property
    def series(self) -> bool:
        """Whether each picture of a word is seen by itself, and not their mean."""
        return self.fusion == "attention" and self.pictures != "mean"

    @model_validator(mode="before")
    @classmethod
    def _pictures_are_a_groundings(cls, content: Any):
        moved = [key for key in MOVED if isinstance(content, dict) and key in content]
        if moved:
            raise ValueError(
                f"{', '.join(moved)}: pictures are a recipe of their own now: write `groundings: {{NAME: {{by: query, "
                "images: ..., embedding: ..., k: ...}}` (by: voken has a matcher in place of images, by: attachment no "
                "k), and here `grounding: NAME`"
            )
        return content

    @model_validator(mode="after")
    def _grounding_matches_fusion(self):
        given = [key for key in ("grounding", "pictures") if getattr(self, key) is not None]
        if self.fusion == "none" and given:
            raise ValueError(
                f"`fusion: none` sees no pictures: leave out {', '.join(given)}, or choose another fusion "
                f"({', '.join(Fusion.__args__[1:])})"
            )
        if self.fusion != "none" and self.grounding is None:
            raise ValueError(f"`fusion: {self.fusion}` needs pictures: set grounding")
        if len(set(self.seeds)) != len(self.seeds):
            raise ValueError("`seeds` names a seed twice")
        if self.pictures == "series" and self.fusion != "attention":
            raise ValueError("`pictures: series` is for `fusion: attention`; the others see a word's mean")
        return self


class BiLSTMExperiment(ExperimentRecipe):
    """A character BiLSTM-CRF over frozen text vectors (element-wise visual NER)."""

    model: Literal["bilstm_crf"] = "bilstm_crf"
    vectors: Name
    gate: Literal["scalar", "vector"] = "scalar"
    hidden: PositiveInt = 256  # LSTM units a direction
    dropout_input: Probability = 0.5
    dropout_output: Probability = 0.5


class BertExperiment(ExperimentRecipe):
    """A fine-tuned HuggingFace encoder with a CRF (vokenized NER)."""

    model: Literal["bert_crf"]
    encoder: str = BERT  # NAME@REVISION of HuggingFace's hub, a folder, or package:NAME/FOLDER
    max_subtokens: PositiveInt = 512  # of one pass of the encoder; longer sentences take several
    dropout_output: Probability = 0.1  # of the words' states; the encoder has its own
    training: FineTuning = FineTuning()

    @model_validator(mode="after")
    def _keys_match_each_other(self):
        if self.fusion == "gate" and self.gate is None:
            raise ValueError(
                "`fusion: gate` sets the gated picture beside the word's state, and needs `gate: scalar` or `vector`; "
                "what a bert_crf's gate was, (1 - lambda) h + lambda P v, is `fusion: blend`"
            )
        return self


def model(content: Any) -> str:
    """The kind of an experiment, by its key `model`."""
    return content.get("model", "bilstm_crf") if isinstance(content, dict) else getattr(content, "model", None)


Experiment = Annotated[
    Union[Annotated[BiLSTMExperiment, Tag("bilstm_crf")], Annotated[BertExperiment, Tag("bert_crf")]],
    Discriminator(model),
]


class Gallery(Recipe):
    """A page of test sentences: what every word sees, and what a system and the baseline make of it."""

    system: Name | None = None  # whose pictures are shown; null: the study's first that sees them as they are
    sentences: PositiveInt = 40  # at most; those come first where the two differ


class Study(Recipe):
    """Experiments beside a baseline: tables and tests of significance."""

    baseline: Name
    systems: list[Name] = Field(min_length=1)
    seen_class: str | None = None  # the class of the seen/unseen table; null: all classes
    shuffles: PositiveInt = 10_000  # of the approximate randomisation test
    seed: Seed = 1
    published: File | None = None  # a JSON file of published scores, as data/published/twitter.json
    gallery: Gallery = Gallery()

    @property
    def members(self) -> list[str]:
        """Its experiments, the baseline first."""
        return [self.baseline, *self.systems]
