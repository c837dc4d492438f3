"""`scores.json`: one experiment's scores for every seed, their mean and deviation, and what made them.

Exact matches on test and dev, in two readings of BIO side by side (strict IOB2; lenient, as conlleval).
"""

import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from visner.config.experiments import Experiment
from visner.errors import VisnerError
from visner.evaluation.mentions import READINGS, Gold, Mention, read_gold, read_predictions
from visner.evaluation.scoring import DIGITS, Counts, count, measures, support_weighted, total
from visner.evaluation.seen import by_name, by_words, seen_and_unseen
from visner.runtime import stages, tables
from visner.runtime.provenance import versions
from visner.runtime.spans import MIX

LIBRARIES = (
    *("torch", "torchvision", "transformers", "tokenizers", "flair", "gensim", "pytorch-crf", "faiss-cpu"),
    *("fugashi", "unidic-lite", "numpy", "pyarrow", "pillow"),
)
GROUNDING_KEYS = ("by", "images", "matcher", "embedding", "k", "control")  # in which systems may differ, too


def score(
    experiment: str,
    recipe: Experiment,
    system: Path,
    sentences: Path,
    predictions: list[Path],
    training: list[Path],
    scores: Path,
    words: Path | None = None,
) -> None:
    """Write an experiment's `scores` (JSON), of `predictions` and reports of its `training`, both a file a seed.

    `system` has all recipes that it is made by; `words` is the table of the corpus' words, None where units are tokens.
    Raises VisnerError where a file is of other data or of another seed, or where nothing can be scored.
    """
    if not len(recipe.seeds) == len(predictions) == len(training):
        raise VisnerError(
            f"{experiment}: {len(predictions)} files of predictions and {len(training)} reports of training for "
            f"{len(recipe.seeds)} seeds"
        )
    gold = read_gold(sentences)
    if not gold.sentences["test"]:
        raise VisnerError(f"{sentences}: it has no test sentence to score; give the corpus another split")
    reports = {seed: _training_report(path, seed) for seed, path in zip(recipe.seeds, training, strict=True)}
    predicted = {
        seed: read_predictions(path, gold).mentions for seed, path in zip(recipe.seeds, predictions, strict=True)
    }
    classes = _classes(gold, predicted)
    known_words = by_words(gold, sentences, words)
    splits: dict[str, dict] = {"test": {}, "dev": {}}
    for split, readings in splits.items():
        for reading in READINGS:
            mentions = gold.mentions[reading]
            seen = {"seen_words": known_words, "seen": by_name(mentions["train"])}
            readings[reading] = over_seeds(
                {
                    str(seed): seed_scores(mentions[split], found[reading][split], classes, seen)
                    for seed, found in predicted.items()
                }
            )
    dev, micro = splits["dev"]["strict"]["seeds"], splits["test"]["strict"]["mean"]["micro"]
    recipes = tables.read_json(system)["config"]
    grounding = dict.fromkeys(GROUNDING_KEYS) | recipes.get("groundings", {}).get(recipe.grounding, {})
    content = {
        "experiment": experiment,
        "corpus": recipe.corpus,
        "unit": "percent",
        "micro_includes_mix": False,
        "sentences": gold.sentences,
        "seeds": recipe.seeds,
        "best_dev_seed": max(recipe.seeds, key=lambda seed: dev[str(seed)]["micro"]["f1"]),  # the first of equals
        **splits,
        "training": {str(seed): report for seed, report in reports.items()},
        "provenance": {
            "recipe": grounding | recipe.model_dump(mode="json"),
            "recipes": {section: named for section, named in recipes.items() if section != "experiments"},
            "data_sha256": tables.read_provenance(sentences).get("sha256"),
            "sentences_sha256": gold.sha256,
            "weights": _weights(recipe, dict(zip(training, reports.values(), strict=True))),
            "versions": versions(*LIBRARIES),
        },
    }
    tables.write_json(scores, content)
    stages.log.info(
        "%s: test precision %.2f, recall %.2f, F1 %.2f (strict, mean of %d seeds)",
        *(experiment, micro["precision"], micro["recall"], micro["f1"], len(recipe.seeds)),
    )


def seed_scores(
    gold: Sequence[Mention],
    predicted: Sequence[Mention],
    classes: Sequence[str],
    seen: dict[str, Callable[[Mention], bool]],
) -> dict[str, Any]:
    """One seed's scores on one split in one reading: micro, by class, weighted by support, seen and unseen.

    `classes` are those of the averages (MIX stands apart); `seen` says for each key of
    `visner.evaluation.seen.MEANINGS` whether a mention is seen.
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


def _training_report(path: Path, seed: int) -> dict:
    report = tables.read_json(path)
    if not isinstance(report, dict) or report.get("seed") != seed:
        raise VisnerError(
            f"{path}: it is not the training report of seed {seed}; give the files in the order of the recipe's seeds"
        )
    return report


def _weights(recipe: Experiment, reports: dict[Path, dict]) -> dict[str, str] | None:
    """Name and sha256 of the picture weights, which all seeds must share; None for a system without pictures."""
    if recipe.fusion == "none":
        return None
    first = None
    for path, report in reports.items():
        try:
            made_by = report["provenance"]["pictures"]["embeddings"]
            weights = {"name": made_by["weights"], "sha256": made_by["weights_sha256"]}
        except (KeyError, TypeError):
            raise VisnerError(
                f"{path}: it doesn't say which weights the pictures' vectors come from; train again"
            ) from None
        first = first or weights
        if weights != first:
            raise VisnerError(
                f"{path}: its picture weights are {weights}, those of the first seed {first}; train again"
            )
    return first


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
