"""`scores.json`: one experiment's scores for every seed, their mean and deviation, and what made them."""

import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from visner import tables
from visner.errors import VisnerError
from visner.evaluation.mentions import READINGS, Gold, Mention, read_gold, read_predictions
from visner.evaluation.scoring import DIGITS, Counts, count, measures, support_weighted, total
from visner.evaluation.seen import by_name, by_words, seen_and_unseen
from visner.provenance import versions
from visner.recipes import Experiment
from visner.spans import MIX

LIBRARIES = (
    *("torch", "torchvision", "transformers", "tokenizers", "flair", "gensim", "pytorch-crf", "faiss-cpu"),
    *("fugashi", "unidic-lite", "numpy", "pyarrow", "pillow"),
)

# By which systems differ, too.
GROUNDING_KEYS = ("by", "images", "matcher", "embedding", "k", "control")


def score(
    gold: Sequence[Mention],
    predicted: Sequence[Mention],
    classes: Sequence[str],
    seen: dict[str, Callable[[Mention], bool]],
) -> dict[str, Any]:
    """One seed's scores on one split in one reading; `classes` are those of the averages (MIX stands apart).

    `seen` says for each key of `visner.evaluation.seen.MEANINGS` whether a mention is seen.
    """
    counts = count(gold, predicted, lambda mention: mention.label)
    by_class = {name: counts.get(name, Counts(0, 0, 0)) for name in classes}
    measured = {name: measures(found) for name, found in by_class.items()}
    return {
        "micro": measures(total(by_class.values())),
        "weighted": support_weighted(measured.values()),
        "classes": measured,
        "mix": measures(counts.get(MIX, Counts(0, 0, 0))),
        **{key: seen_and_unseen(gold, predicted, classes, is_seen) for key, is_seen in seen.items()},
    }


def over_seeds(scores: dict[str, dict]) -> dict[str, Any]:
    """`{"mean", "deviation", "seeds"}` of scores by seed; the sample deviation, null for a single seed."""
    trees = list(scores.values())
    return {
        "mean": _leafwise(statistics.fmean, trees),
        "deviation": _leafwise(statistics.stdev, trees) if len(trees) > 1 else None,
        "seeds": scores,
    }


def experiment_scores(
    name: str,
    recipe: Experiment,
    sentences: str | Path,
    words: str | Path | None,
    predictions: dict[int, str | Path],
    training: dict[int, str | Path],
    recipes: dict[str, Any],
) -> dict[str, Any]:
    """The content of scores.json; `predictions` and `training` are files by seed, `words` the table of the corpus'
    words (None where units are tokens), `recipes` all that the system is made by.

    Raises VisnerError where a file is of other data or of another seed, or where nothing can be scored.
    """
    gold = read_gold(sentences)
    if not gold.sentences["test"]:
        raise VisnerError(f"{sentences}: it has no test sentence to score; give the corpus another split")
    reports = {seed: _training_report(path, seed) for seed, path in training.items()}
    predicted = {seed: read_predictions(path, gold) for seed, path in predictions.items()}
    classes = _classes(gold, predicted)
    known_words = by_words(gold, sentences, words)
    seen = {
        reading: {"seen_words": known_words, "seen": by_name(gold.mentions[reading]["train"])} for reading in READINGS
    }
    splits = {
        split: {
            reading: over_seeds(
                {
                    str(seed): score(
                        gold.mentions[reading][split], predicted[seed][reading][split], classes, seen[reading]
                    )
                    for seed in predictions
                }
            )
            for reading in READINGS
        }
        for split in ("test", "dev")
    }
    dev = splits["dev"]["strict"]["seeds"]
    grounding = recipes.get("groundings", {}).get(recipe.grounding, {})
    return {
        "experiment": name,
        "corpus": recipe.corpus,
        "unit": "percent",
        "micro_includes_mix": False,
        "sentences": gold.sentences,
        "seeds": list(predictions),
        "best_dev_seed": max(predictions, key=lambda seed: dev[str(seed)]["micro"]["f1"]),  # the first of equals
        **splits,
        "training": {str(seed): report for seed, report in reports.items()},
        "provenance": {
            "recipe": dict.fromkeys(GROUNDING_KEYS) | grounding | recipe.model_dump(mode="json"),
            "recipes": {section: named for section, named in recipes.items() if section != "experiments"},
            "data_sha256": tables.read_provenance(sentences).get("sha256"),
            "sentences_sha256": gold.sha256,
            "weights": _weights(recipe, training, reports),
            "versions": versions(*LIBRARIES),
        },
    }


def _training_report(path: str | Path, seed: int) -> dict:
    report = tables.read_json(path)
    if not isinstance(report, dict) or report.get("seed") != seed:
        raise VisnerError(f"{path}: it is not the training report of seed {seed}; give files in the order of --seeds")
    return report


def _weights(recipe: Experiment, paths: dict[int, str | Path], reports: dict[int, dict]) -> dict[str, str] | None:
    """Name and sha256 of the picture weights, which all seeds must share; None for a system without pictures."""
    if recipe.fusion == "none":
        return None
    found = {}
    for seed, report in reports.items():
        try:
            made_by = report["provenance"]["pictures"]["embeddings"]
            found[seed] = {"name": made_by["weights"], "sha256": made_by["weights_sha256"]}
        except (KeyError, TypeError):
            raise VisnerError(
                f"{paths[seed]}: it doesn't say which weights the pictures' vectors come from; train again"
            ) from None
    first = next(iter(found))
    for seed, weights in found.items():
        if weights != found[first]:
            raise VisnerError(
                f"{paths[seed]}: its picture weights are {weights}, those of seed {first} {found[first]}; train again"
            )
    return found[first]


def _classes(gold: Gold, predicted: dict[int, dict]) -> list[str]:
    """Every class but MIX; a tagger may predict one that its configuration names and no sentence has."""
    labels = {
        mention.label
        for readings in predicted.values()
        for mentions in readings["lenient"].values()  # whose classes include the strict reading's
        for mention in mentions
    }
    return sorted((gold.labels | labels) - {MIX})


def _leafwise(combine, trees: Sequence[Any]) -> Any:
    """`combine` over the numbers at the same place of equally shaped nested dicts."""
    if isinstance(trees[0], dict):
        return {key: _leafwise(combine, [tree[key] for tree in trees]) for key in trees[0]}
    return round(combine(trees), DIGITS)
