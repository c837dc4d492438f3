"""The typed configuration: named recipes, experiments that pick them, studies that compare experiments.

`load` reads and validates everything before a job starts; each mistake becomes one line that names its key and the
choices.
"""

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError, field_validator, model_validator

from visner.config import files as config_files
from visner.config.base import Name, NewFolder, PositiveInt, Recipe
from visner.config.corpora import Corpus
from visner.config.errors import explain, suggest
from visner.config.experiments import BertExperiment, BiLSTMExperiment, Experiment, Study
from visner.config.groundings import Grounding
from visner.config.images import Embedding, Images
from visner.config.matchers import Matcher
from visner.config.vectors import Vectors
from visner.errors import VisnerError

STAGES = ("corpora", "nouns", "images", "embeddings", "vectors", "vokens", "grounding", "ner", "evaluation")
RESERVED = (*STAGES, "matchers", "studies", "logs")  # folders of results


class Config(Recipe):
    """A whole configuration; every relative path in it is relative to the Snakefile's folder."""

    corpora: dict[Name, Corpus]
    images: dict[Name, Images] = {}
    embeddings: dict[Name, Embedding] = {}
    vectors: dict[Name, Vectors] = {}
    matchers: dict[Name, Matcher] = {}
    groundings: dict[Name, Grounding] = {}
    experiments: dict[Name, Experiment] = {}
    studies: dict[Name, Study] = {}
    store: NewFolder = "store"
    scratch: str | None = None  # a folder on a disk of each machine, as its jobs name it: variables are theirs
    gpu: Annotated[int, Field(ge=0, strict=True)] = 0  # GPUs for each job of a GPU stage; 0: the CPU
    training_threads: PositiveInt = 1  # of each training and embedding on a CPU

    @field_validator("gpu")
    @classmethod
    def _at_most_one(cls, gpu: int) -> int:
        if gpu > 1:
            raise ValueError("a job computes on one GPU at most: choose 0 or 1; more GPUs run more jobs side by side")
        return gpu

    @model_validator(mode="after")
    def _names_exist(self):
        for name, images in self.images.items():
            if images.on_network and images.crawl.user_agent is None:
                raise ValueError(
                    f"images.{name}.crawl.user_agent: this key is needed: say who asks and where you can be reached, "
                    "such as 'my-study (+mailto:me@university.example)'"
                )
        for name, matcher in self.matchers.items():
            self._check_matcher(f"matchers.{name}", matcher)
        for name, grounding in self.groundings.items():
            self._check_grounding(f"groundings.{name}", grounding)
        for name, experiment in self.experiments.items():
            at = f"experiments.{name}"
            if name in RESERVED:
                raise ValueError(
                    f"{at}: the name is reserved for a folder of results; reserved are {', '.join(sorted(RESERVED))}"
                )
            self._known(f"{at}.corpus", experiment.corpus, self.corpora)
            if not self.corpora[experiment.corpus].classes:
                raise ValueError(f"{at}.corpus: corpora.{experiment.corpus} has no classes to recognise")
            if experiment.fusion != "none":
                self._known(f"{at}.grounding", experiment.grounding, self.groundings)
                self._check_units(f"{at}.grounding", experiment)
            if isinstance(experiment, BiLSTMExperiment):
                self._check_vectors(at, experiment)
        for name, vectors in self.vectors.items():
            for part in ("glove_char", "glove_word", "flair"):
                for corpus in getattr(getattr(vectors, part), "corpora", []):
                    self._known(f"vectors.{name}.{part}.corpora", corpus, self.corpora)
        for name, study in self.studies.items():
            for experiment in study.members:
                self._known(f"studies.{name}", experiment, self.experiments)
            corpora = {self.experiments[experiment].corpus for experiment in study.members}
            if self.experiments[study.baseline].fusion != "none":
                raise ValueError(
                    f"studies.{name}.baseline: {study.baseline} sees pictures: what they are worth shows beside a "
                    "system that sees none (`fusion: none`)"
                )
            if study.baseline in study.systems or len(set(study.systems)) < len(study.systems):
                raise ValueError(f"studies.{name}.systems: each experiment once, and not the baseline")
            if len(corpora) > 1:
                raise ValueError(
                    f"studies.{name}: its experiments must share one corpus, not {', '.join(sorted(corpora))}"
                )
            classes = self.corpora[corpora.pop()].classes
            if study.seen_class is not None and study.seen_class not in classes:
                raise ValueError(
                    f"studies.{name}.seen_class: no class {study.seen_class!r}{suggest(study.seen_class, classes)}"
                )
            shown = study.gallery.system
            if shown is not None and shown not in self.shown_systems(name):
                raise ValueError(
                    f"studies.{name}.gallery.system: {shown!r} is no system of the study that sees pictures, and no "
                    f"control{suggest(shown, self.shown_systems(name))}"
                )
        return self

    def encoders(self) -> dict[str, str]:
        """key -> the encoder that a recipe names there."""
        named = {f"matchers.{name}.encoder": one.encoder for name, one in self.matchers.items()}
        tuned = {name: one for name, one in self.experiments.items() if isinstance(one, BertExperiment)}
        return named | {f"experiments.{name}.encoder": one.encoder for name, one in tuned.items()}

    def shown_systems(self, study: str) -> list[str]:
        """The systems of a study that see pictures as they are: what its gallery can show."""
        experiments = {name: self.experiments[name] for name in self.studies[study].systems}
        return [
            name
            for name, one in experiments.items()
            if one.grounding is not None and self.groundings[one.grounding].control is None
        ]

    def shown(self, study: str) -> str | None:
        """The system whose pictures a study's gallery shows, if there is one."""
        return self.studies[study].gallery.system or next(iter(self.shown_systems(study)), None)

    def study_corpus(self, study: str) -> str:
        """The one corpus of a study's experiments."""
        return self.experiments[self.studies[study].baseline].corpus

    def study_groundings(self, study: str) -> list[Grounding]:
        """What a study's systems see, each once."""
        names = dict.fromkeys(self.experiments[name].grounding for name in self.studies[study].systems)
        return [self.groundings[name] for name in names if name]

    def study_matchers(self, study: str) -> list[str]:
        """The matchers whose vokens a study's systems see."""
        return list(dict.fromkeys(one.matcher for one in self.study_groundings(study) if one.by == "voken"))

    def study_sources(self, study: str) -> list[tuple[str, str]]:
        """The images recipes that its systems see or their matchers learnt from, each with the corpus asked."""
        learnt = [self.matchers[name].attached for name in self.study_matchers(study)]
        seen = [self.pictures_of(one, self.study_corpus(study)) for one in self.study_groundings(study)]
        return list(dict.fromkeys([*learnt, *seen]))

    def pictures_of(self, grounding: Grounding, corpus: str) -> tuple[str, str]:
        """The images recipe whose pictures a corpus' units see, and the corpus whose queries it was asked."""
        if grounding.by != "voken":
            return grounding.images, corpus
        return self.matchers[grounding.matcher].searched

    def system(self, name: str) -> dict[str, dict]:
        """All recipes that an experiment's system is made by, as JSON has them; not how a source is asked (`crawl`)."""
        experiment = self.experiments[name]
        used = {"experiments": {name}, "corpora": {experiment.corpus}, "vectors": set(), "groundings": set()}
        used |= {"images": set(), "embeddings": set(), "matchers": set()}
        if isinstance(experiment, BiLSTMExperiment):
            used["vectors"].add(experiment.vectors)
            vectors = self.vectors[experiment.vectors]
            for part in filter(None, (vectors.glove_char, vectors.glove_word, vectors.flair)):
                used["corpora"].update(part.corpora)
        if experiment.grounding:
            used["groundings"].add(experiment.grounding)
            grounding = self.groundings[experiment.grounding]
            images, asked = self.pictures_of(grounding, experiment.corpus)
            used["images"].add(images)
            used["corpora"].add(asked)
            used["embeddings"].add(grounding.embedding)
            if grounding.by == "voken":
                matcher = self.matchers[grounding.matcher]
                used["matchers"].add(grounding.matcher)
                used["images"].add(matcher.images)
                used["embeddings"].add(matcher.embedding)
        return {
            section: {
                one: getattr(self, section)[one].model_dump(mode="json", exclude={"crawl"}) for one in sorted(names)
            }
            for section, names in sorted(used.items())
        }

    def _check_vectors(self, at: str, experiment: BiLSTMExperiment) -> None:
        self._known(f"{at}.vectors", experiment.vectors, self.vectors)
        if experiment.fusion not in ("none", "simple") and self.vectors[experiment.vectors].flair is None:
            raise ValueError(
                f"{at}.fusion: {experiment.fusion} reads Flair vectors, and vectors.{experiment.vectors} has none; set "
                "its flair, or fusion to simple"
            )

    def _check_matcher(self, at: str, matcher: Matcher) -> None:
        self._known(f"{at}.corpus", matcher.corpus, self.corpora)
        self._known(f"{at}.images", matcher.images, self.images)
        self._known(f"{at}.embedding", matcher.embedding, self.embeddings)
        self._attached(f"{at}.images", matcher.images)
        if matcher.pool is not None:
            self._known(f"{at}.pool", matcher.pool, self.images)
        if matcher.pool_corpus is not None:
            self._known(f"{at}.pool_corpus", matcher.pool_corpus, self.corpora)
        asked = matcher.pool_corpus or matcher.corpus
        if matcher.pool is not None and self.images[matcher.pool].source != "attached" and not self._asks(asked):
            raise ValueError(
                f"{at}.pool: the source {matcher.pool!r} is asked for queries, and corpora.{asked} has none, being "
                "tokens: name in pool_corpus a corpus that has, such as a text file with a thing to look up a line "
                "(format: text, nouns: {queries: sentences})"
            )

    def _asks(self, corpus: str) -> bool:
        """Whether a corpus has queries: nouns of text in characters, or its sentences as they are."""
        recipe = self.corpora[corpus]
        return recipe.nouns.queries == "sentences" or not recipe.of_tokens

    def _check_grounding(self, at: str, grounding: Grounding) -> None:
        self._known(f"{at}.embedding", grounding.embedding, self.embeddings)
        if grounding.by == "voken":
            self._known(f"{at}.matcher", grounding.matcher, self.matchers)
            most, key = self.matchers[grounding.matcher].top, f"matchers.{grounding.matcher}.top"
        else:
            self._known(f"{at}.images", grounding.images, self.images)
            most, key = self.images[grounding.images].depth, f"images.{grounding.images}.depth"
        if grounding.by == "attachment":
            self._attached(f"{at}.images", grounding.images)
        elif grounding.k > most:
            raise ValueError(f"{at}.k: {grounding.k} is more than {key}; choose 1 to {most}")

    def _check_units(self, at: str, experiment: Experiment) -> None:
        """Whether a grounding can be that of an experiment's corpus."""
        grounding = self.groundings[experiment.grounding]
        if grounding.by == "query" and not self._asks(experiment.corpus):
            raise ValueError(f"{at}: queries are found in text of characters, not of tokens")
        if grounding.by == "voken":
            corpus = self.matchers[grounding.matcher].corpus
            if corpus != experiment.corpus:
                raise ValueError(
                    f"{at}: matchers.{grounding.matcher} finds the vokens of the corpus {corpus!r}, not of "
                    f"{experiment.corpus!r}"
                )

    def _attached(self, key: str, name: str) -> None:
        if self.images[name].source != "attached":
            attached = [one for one, images in self.images.items() if images.source == "attached"]
            raise ValueError(f"{key}: the source of {name!r} is not `attached`{suggest(name, attached)}")

    @staticmethod
    def _known(key: str, name: str, recipes: dict) -> None:
        if name not in recipes:
            raise ValueError(f"{key}: there is no recipe {name!r}{suggest(name, recipes)}")


def load(content: dict | str | Path) -> Config:
    """A validated configuration from a YAML file or an already parsed mapping; VisnerError names every mistake."""
    where = "configuration"
    if not isinstance(content, dict):
        where = str(content)
        content = config_files.read(content)
    try:
        return Config.model_validate(content)
    except ValidationError as error:
        lines = sorted({explain(one, content, Config) for one in error.errors()})
        raise VisnerError("\n".join(f"{where}: {line}" for line in lines)) from None


def read_recipe(text: str, kind: Any) -> Any:
    """A recipe as a command line gives it: JSON, or `FILE.yaml:section.name` of a configuration.

    `kind` is the model, or the union of models, that it must be.
    """
    if not text.lstrip().startswith("{"):
        file, _, key = text.rpartition(":")
        found: Any = load(file)
        for part in key.split("."):
            choices = found if isinstance(found, dict) else dict(found)
            if part not in choices:
                raise VisnerError(f"{file}: {key}: there is no {part!r}{suggest(part, choices)}")
            found = choices[part]
        text = found.model_dump_json()
    try:
        return TypeAdapter(kind).validate_json(text)
    except ValidationError as error:
        raise VisnerError(f"--recipe: {error.errors()[0]['loc']}: {error.errors()[0]['msg']}") from None
