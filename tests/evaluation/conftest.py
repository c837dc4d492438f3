"""A small world to score: a corpus of Japanese sentences on disk, and predictions of two systems with errors."""

import json
import random
import re
from pathlib import Path

import pytest

from visner.config.experiments import BertExperiment, BiLSTMExperiment, ExperimentRecipe, Study
from visner.evaluation.score import score
from visner.evaluation.study import study
from visner.runtime import tables
from visner.runtime.spans import Span, spans_to_bio

PLACES = {
    "City": ["広島", "京都", "Paris", "箱根", "奈良"],
    "Country": ["日本", "独"],
    "Province": ["広島", "北海道"],
    "MIX": ["仏独"],
}


STATISTICS = {
    "documents": 40,
    "sentences": 120,
    "classes": {
        "City": {"types": 5, "mentions": 31, "train": 16, "dev": 8, "test": 7},
        "Country": {"types": 2, "mentions": 30, "train": 10, "dev": 11, "test": 9},
    },
    "mix": {"types": 1, "mentions": 3, "train": 2, "dev": 0, "test": 1},
}


EMBEDDINGS = {
    "densenet121": {"backbone": "densenet121", "regions": False},
    "grid": {"backbone": "densenet121", "regions": True},
    "resnet152": {"backbone": "resnet152", "regions": False},
}


COVERAGE = {
    "queries": 50,
    "queries_covered": 20,
    "occurrences": 80,
    "occurrences_covered": 60,
    "distinct_pictures": 123,
    "shared": [{"image_id": "ab" * 32, "queries": 31}, {"image_id": "cd" * 32, "queries": 22}],
    "rejected": {"truncated": {"pictures": 3, "examples": []}, "missing": {"pictures": 2, "examples": []}},
}


def make_sentences(path: Path, seed: int = 1, changed: bool = False) -> list[dict]:
    """A sentences table of 40 documents with up to two mentions a sentence; `changed` moves one to another split."""
    chance = random.Random(seed)
    rows = []
    for number in range(120):
        text, spans = "今日は", []
        for _ in range(chance.randint(0, 2)):
            label = chance.choice(list(PLACES))
            name = chance.choice(PLACES[label])
            spans.append(Span(len(text), len(text) + len(name), label))
            text += name + chance.choice(["から", "へ、", "で"])
        split = ("train", "train", "dev", "test")[number // 3 % 4]
        rows.append(
            {
                "sentence_id": f"d{number // 3:02}:{number % 3}",
                "document_id": f"d{number // 3:02}",
                "split": "dev" if changed and number == 0 else split,
                "text": text,
                "units": list(text),
                "labels": spans_to_bio(spans, len(text)),
                "attachment": None,
            }
        )
    tables.write_table(path, tables.SENTENCES, rows, {"sha256": "ab" * 32})
    return rows


def characters(sentence: dict) -> dict:
    """A row of words, each of them one character."""
    places = enumerate(sentence["units"])
    words = [{"surface": unit, "pos": "", "start": n, "stop": n + 1, "queries": []} for n, unit in places]
    return {"sentence_id": sentence["sentence_id"], "words": words}


def make_predictions(path: Path, sentences: list[dict], seed: int, errors: float, gate: bool) -> list[dict]:
    """Predictions for dev and test: gold, with a share `errors` of the labels replaced by any other."""
    chance = random.Random(seed)
    labels = ["O", *(f"{prefix}-{name}" for prefix in "BI" for name in PLACES)]
    rows = [
        {
            "sentence_id": row["sentence_id"],
            "gold": row["labels"],
            "predicted": [chance.choice(labels) if chance.random() < errors else label for label in row["labels"]],
            "gate": [chance.random() for _ in row["units"]] if gate else None,
        }
        for row in sentences
        if row["split"] != "train"
    ]
    tables.write_table(path, tables.PREDICTIONS, rows)
    return rows


QUERIES = {"by": "query", "images": "pool", "k": 5, "embedding": "densenet121", "control": None}
VOKENS = {"by": "voken", "matcher": "m", "k": 1, "embedding": "densenet121", "control": None}
ATTACHED = {"by": "attachment", "images": "pool", "embedding": "densenet121", "control": None}
GROUNDINGS = {
    "queries": QUERIES,
    "vokens": VOKENS,
    "shuffled": VOKENS | {"control": "shuffled"},
    "attached": ATTACHED,
    "grid": ATTACHED | {"embedding": "grid"},
    "resnet152": ATTACHED | {"embedding": "resnet152"},
}


def experiment(fusion: str, seeds: list[int]) -> BiLSTMExperiment:
    """A recipe as a configuration would have it."""
    return BiLSTMExperiment(
        corpus="ene", vectors="ene", fusion=fusion, seeds=seeds, grounding=None if fusion == "none" else "queries"
    )


def bert(fusion: str, grounding: str | None = None, **more) -> BertExperiment:
    """A recipe over tokens."""
    fusion = {"gate": "blend"}.get(fusion, fusion)
    return BertExperiment(model="bert_crf", corpus="ene", fusion=fusion, grounding=grounding, **more)


def markdown_table(page: str, title: str) -> list[list[str]]:
    """The cells of the table below a title, header first."""
    lines = page.split(f"### {title}")[1].split("\n\n")[1].splitlines()
    rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return [rows[0], *rows[2:]]


class World:
    """Files of a study in a folder, and the functions that make its results."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.sentences = folder / "sentences.parquet"
        self.rows = make_sentences(self.sentences)
        self.words = folder / "words.parquet"
        tables.write_table(self.words, tables.WORDS, map(characters, self.rows))
        self.predictions: dict[tuple[str, int], Path] = {}
        self.seeds: dict[str, list[int]] = {}
        self.weights: dict[str, str] = {}
        (folder / "nouns.json").write_text(json.dumps({"words": 345, "lexicon": 67}))
        (folder / "corpus.json").write_text(json.dumps(STATISTICS))
        (folder / "pictures.json").write_text(json.dumps(COVERAGE))

    def train(self, name: str, fusion: str, errors: dict[int, float], weights: dict | None = None) -> None:
        """Stand in for the recogniser: predictions and reports of each seed."""
        self.seeds[name], self.weights[name] = list(errors), (weights or {}).get("name")
        for seed, share in errors.items():
            folder = self.folder / name / f"seed{seed}"
            folder.mkdir(parents=True)
            self.predictions[name, seed] = folder / "predictions.parquet"
            make_predictions(folder / "predictions.parquet", self.rows, seed, share, fusion == "gate")
            report = {"seed": seed, "best_epoch": 2, "dev_f1": [40.0, 50.0, 45.0], "recipe": {}, "provenance": {}}
            if weights:
                made_by = {"weights": weights["name"], "weights_sha256": weights["sha256"]}
                report["provenance"]["pictures"] = {"embeddings": made_by}
            (folder / "training.json").write_text(json.dumps(report))

    def score(self, name: str, fusion: str, recipe: ExperimentRecipe | None = None, note: str | None = None) -> Path:
        """Score an experiment; its scores.json."""
        seeds, output = self.seeds[name], self.folder / name / "scores.json"
        system = self.folder / name / "system.json"
        recipe = recipe or experiment(fusion, seeds)
        config = {"corpora": {"ene": {"format": "ene"}}, "experiments": {name: {}}}
        if recipe.grounding:
            embeddings = {key: one | {"weights": self.weights[name]} for key, one in EMBEDDINGS.items()}
            groundings = {recipe.grounding: GROUNDINGS[recipe.grounding]}
            config |= {"images": {"pool": {"note": note}}, "embeddings": embeddings, "groundings": groundings}
        system.write_text(json.dumps({"config": config}))
        score(
            experiment=name,
            recipe=recipe,
            system=system,
            sentences=self.sentences,
            words=self.words,
            predictions=[self.predictions[name, seed] for seed in seeds],
            training=[self.folder / name / f"seed{seed}" / "training.json" for seed in seeds],
            scores=output,
        )
        return output

    def study(self, recipe: Study, **changed) -> Path:
        """The page of a study of all that was trained; `changed` are other arguments of its function."""
        page = self.folder / "study" / "index.md"
        given = {
            "study": "places",
            "recipe": recipe,
            "corpus": self.folder / "corpus.json",
            "nouns": self.folder / "nouns.json",
            "sentences": self.sentences,
            "sources": ["pool"],
            "coverage": [self.folder / "pictures.json"],
            "scores": [self.folder / name / "scores.json" for name in self.seeds],
            "predictions": list(self.predictions.values()),
            "page": page,
            "content": page.with_suffix(".json"),
            "folder": page.parent / "tables",
        }
        study(**(given | changed))
        return page


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A fresh corpus in a temporary folder."""
    return World(tmp_path)
