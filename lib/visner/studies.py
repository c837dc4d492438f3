"""What the rules ask about studies: which files make their pages and galleries.

Every method takes a job's wildcards, as those of `visner.workflow.Wiring` do. What a study's page shows follows from
what its corpus and systems have: nouns are counted where text is cut into words, vokens where a system sees them.
"""

import json

from visner.recipes import Experiment
from visner.workflow import Wiring


class Studies:
    """The studies of one configuration."""

    def __init__(self, wiring: Wiring):
        self._wiring = wiring
        self._config = wiring.config

    def members(self, wildcards) -> list[str]:
        """A study's experiments, the baseline first."""
        study = self._config.studies[wildcards.study]
        return list(dict.fromkeys([study.baseline, *study.systems]))

    def _experiments(self, wildcards) -> list[Experiment]:
        return [self._config.experiments[name] for name in self.members(wildcards)]

    def _corpus(self, wildcards) -> str:
        return self._experiments(wildcards)[0].corpus

    def corpus_table(self, table: str):
        """An input function: a table of a study's corpus."""
        return lambda wildcards: f"results/{table.format(corpus=self._corpus(wildcards))}"

    def nouns(self, wildcards) -> list[str]:
        """What was counted of the nouns of a study's corpus."""
        return self._wiring.nouns_statistics(self._corpus(wildcards))

    def published_sentences(self, wildcards) -> str:
        """A paper's counts of the corpus' sentences, as JSON."""
        return json.dumps(getattr(self._config.corpora[self._corpus(wildcards)], "published", {}))

    def published(self, wildcards) -> list[str]:
        """The file of published scores, if the study names one."""
        return [str(path) for path in self._config.studies[wildcards.study].files(self._wiring.root)]

    def coverage(self, wildcards) -> dict[str, str]:
        """source -> the statistics of its pictures, for each that a study's experiments have or search."""
        places = {}
        for one in self._experiments(wildcards):
            if one.grounding:
                grounding = self._config.groundings[one.grounding]
                if grounding.by == "voken":
                    places[self._config.matchers[grounding.matcher].images, one.corpus] = None
                places[self._config.pictures_of(grounding, one.corpus)] = None
        own = self._corpus(wildcards)
        return {
            source if corpus == own else f"{source} of {corpus}": f"results/images/{source}/{corpus}/statistics.json"
            for source, corpus in places
        }

    def vokens(self, wildcards) -> dict[str, str]:
        """matcher -> the scores of its vokens, for each whose vokens a study's experiments see."""
        groundings = [self._config.groundings[one.grounding] for one in self._experiments(wildcards) if one.grounding]
        matchers = [grounding.matcher for grounding in groundings if grounding.by == "voken"]
        return {matcher: f"results/vokens/{matcher}/scores.json" for matcher in dict.fromkeys(matchers)}

    def scores(self, names: list[str]) -> dict[str, str]:
        """experiment -> its scores."""
        return {name: f"results/{name}/scores.json" for name in names}

    def predictions(self, names: list[str]) -> dict[str, str]:
        """EXPERIMENT:SEED -> predictions, of every seed."""
        return {
            f"{name}:{seed}": file
            for name in names
            for seed, file in zip(
                self._config.experiments[name].seeds,
                self._wiring.seed_files(name, "predictions.parquet"),
                strict=True,
            )
        }

    def has_gallery(self, study: str) -> bool:
        """Whether any of a study's systems sees pictures that a gallery can show."""
        return bool(self._config.shown_systems(study))

    def gallery(self, wildcards) -> list[str]:
        """The gallery of a study, if it has one."""
        return [f"results/studies/{wildcards.study}/gallery.html"] if self.has_gallery(wildcards.study) else []

    def shown(self, wildcards) -> list[str]:
        """The baseline, and the system whose pictures the gallery shows."""
        study = self._config.studies[wildcards.study]
        return [study.baseline, study.gallery.system or self._config.shown_systems(wildcards.study)[0]]

    def shown_tables(self, wildcards) -> dict[str, str | list[str]]:
        """What tells which pictures each word of that system sees, by the names of the command's arguments."""
        this = self._config.experiments[self.shown(wildcards)[1]]
        tables: dict[str, str | list[str]] = {"sentences": f"results/corpora/{this.corpus}/sentences.parquet"}
        grounding = self._config.groundings[this.grounding]
        if grounding.by == "query":
            tables["words"] = f"results/nouns/{this.corpus}/words.parquet"
        if grounding.by == "voken":
            tables["vokens"] = self._wiring.voken_shards(grounding.matcher, "vokens/{shard}.parquet")
        tables["images"] = self._wiring.image_shards(*self._config.pictures_of(grounding, this.corpus))
        return tables

    def shown_recipe(self, wildcards) -> str:
        """How that system comes by its pictures, as JSON."""
        this = self._config.experiments[self.shown(wildcards)[1]]
        grounding = self._config.groundings[this.grounding]
        return json.dumps({"by": grounding.by, "k": getattr(grounding, "k", None), "fusion": this.fusion})


def named(files: dict[str, str]) -> list[str]:
    """NAME=FILE, as the command takes files that have names."""
    return [f"{name}={file}" for name, file in files.items()]
