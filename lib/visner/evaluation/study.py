"""A study: experiments beside a baseline, with tests of significance, as tables, a chart and a page."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from visner import stages, tables
from visner.errors import VisnerError
from visner.evaluation.chart import Bar, bar_chart
from visner.evaluation.gates import GateMeans
from visner.evaluation.mentions import Gold, read_gold, read_predictions
from visner.evaluation.randomisation import sentence_counts, significance
from visner.evaluation.report import Table
from visner.evaluation.study_tables import (
    classes_table,
    data_tables,
    gates_table,
    pictures_table,
    recipes_table,
    seen_table,
    systems_table,
)
from visner.recipes import Study
from visner.spans import MIX

CHART = "f1_by_class.svg"  # among the tables


def read_scores(paths: dict[str, str | Path], recipe: Study, variant: dict[str, str | None]) -> dict[str, dict]:
    """The study's scores, the baseline first. Raises VisnerError where one is missing, or of another variant of data.

    `variant` is what every system's provenance must say of its data: a table never mixes two.
    """
    wanted = list(dict.fromkeys([recipe.baseline, *recipe.systems]))
    if set(wanted) != set(paths):
        raise VisnerError(f"--scores: the study needs {', '.join(wanted)}, and got {', '.join(sorted(paths))}")
    found = {name: tables.read_json(paths[name]) for name in wanted}
    for name, content in found.items():
        if content.get("experiment") != name:
            raise VisnerError(f"{paths[name]}: these are scores of {content.get('experiment')}, not of {name}")
        for key, sha256 in variant.items():
            if content["provenance"][key] != sha256:
                raise VisnerError(
                    f"{paths[name]}: {name} was trained and scored on another variant of the data ({key} is "
                    f"{content['provenance'][key]}, here {sha256}); a table never mixes two: run it again on this one"
                )
    return found


def read_systems(
    scores: dict[str, dict], paths: dict[tuple[str, int], str | Path], gold: Gold
) -> tuple[dict[str, Any], dict[str, dict]]:
    """Each system's counts a test sentence (strict; see `sentence_counts`), and the means of its gate.

    `paths` are predictions by system and seed. Raises VisnerError where they aren't those that were scored.
    """
    expected = {(name, seed) for name, content in scores.items() for seed in content["seeds"]}
    if expected != set(paths):
        odd = ", ".join(f"{name}:{seed}" for name, seed in sorted(expected ^ set(paths)))
        raise VisnerError(f"--predictions: one file for each system and seed is needed; missing or too many: {odd}")
    sentences = list(gold.units["test"])
    names = set(sentences)
    counts, gates = {}, {}
    for name, content in scores.items():
        means = GateMeans(names)
        predicted = []
        for seed in content["seeds"]:
            stages.log.info("%s: predictions of seed %s", name, seed)
            predicted.append(read_predictions(paths[name, seed], gold, means.see)["strict"]["test"])
        counts[name], _ = sentence_counts(sentences, gold.mentions["strict"]["test"], predicted)
        for index, seed in enumerate(content["seeds"]):
            micro = content["test"]["strict"]["seeds"][str(seed)]["micro"]
            if counts[name][:, index].sum(axis=0).tolist() != [micro["predicted"], micro["correct"]]:
                raise VisnerError(f"{paths[name, seed]}: the scores of {name} are of other predictions; score it again")
        gates[name] = means.means()
    return counts, {name: means for name, means in gates.items() if means}


def make_study(
    name: str,
    recipe: Study,
    corpus_statistics: str | Path,
    nouns_statistics: str | Path,
    coverage_files: dict[str, str | Path],
    sentences: str | Path,
    score_files: dict[str, str | Path],
    prediction_files: dict[tuple[str, int], str | Path],
    output: str | Path,
    folder: str | Path,
) -> None:
    """Write the page `output` (index.md), index.json beside it, and every table and the chart into `folder`."""
    gold = read_gold(sentences)
    variant = {"data_sha256": tables.read_provenance(sentences).get("sha256"), "sentences_sha256": gold.sha256}
    scores = read_scores(score_files, recipe, variant)
    if recipe.seen_class and recipe.seen_class not in gold.labels - {MIX}:
        choices = ", ".join(sorted(gold.labels - {MIX}))
        raise VisnerError(f"studies.{name}.seen_class: no mention is of {recipe.seen_class!r}; choose from {choices}")
    counts, gates = read_systems(scores, prediction_files, gold)
    gold_mentions = scores[recipe.baseline]["test"]["strict"]["mean"]["micro"]["gold"]
    tests = {
        system: significance(counts[system], counts[recipe.baseline], int(gold_mentions), recipe.shuffles, recipe.seed)
        for system in scores
        if system != recipe.baseline
    }
    data = data_tables(
        _read_statistics(corpus_statistics, "documents", "sentences", "classes", "mix"),
        _read_statistics(nouns_statistics, "words", "lexicon"),
    )
    if coverage_files:
        data.append(pictures_table({source: tables.read_json(path) for source, path in coverage_files.items()}))
    results = [
        systems_table(scores, tests, recipe.shuffles),
        classes_table(scores),
        seen_table(scores, recipe.seen_class),
        gates_table(gates),
    ]
    recipes = recipes_table(scores)
    warnings = stand_ins(scores)
    for table in (*data, *results, recipes):
        table.save(folder)
    tables.write_text(Path(folder) / CHART, class_chart(scores))
    tables.write_json(
        Path(output).with_suffix(".json"),
        {
            "study": name,
            "recipe": recipe.model_dump(mode="json"),
            "warnings": warnings,
            "unit": "percent",
            "micro_includes_mix": False,
            "tables": {table.name: table.content() for table in (*data, *results, recipes)},
            "provenance": {system: content["provenance"] for system, content in scores.items()},
        },
    )
    chart = os.path.relpath(Path(folder) / CHART, Path(output).parent)
    tables.write_text(output, page(name, scores, warnings, data, results, recipes, chart))


def _read_statistics(path: str | Path, *keys: str) -> dict:
    content = tables.read_json(path)
    missing = [key for key in keys if key not in content]
    if missing:
        raise VisnerError(f"{path}: it has no {', '.join(missing)}; made by another version? Delete it and run again")
    return content


def stand_ins(scores: dict[str, dict]) -> list[str]:
    """Warnings for the head of the page: which numbers only stand in for real ones."""
    untrained = [name for name, one in scores.items() if (one["provenance"]["weights"] or {}).get("name") == "random"]
    if not untrained:
        return []
    return [
        f"**Random weights: stand-in numbers.** The picture vectors of {', '.join(untrained)} come from a network that "
        "was never trained; these scores say nothing about what pictures are worth."
    ]


def class_chart(scores: dict[str, dict]) -> str:
    """F1 of each class on test, strict, as SVG; only classes with gold mentions there."""
    strict = {name: content["test"]["strict"] for name, content in scores.items()}
    shown = [one for one, found in next(iter(strict.values()))["mean"]["classes"].items() if found["gold"]]
    series = {}
    for name, content in strict.items():
        mean, deviation = content["mean"]["classes"], (content["deviation"] or {}).get("classes")
        series[name] = [Bar(mean[one]["f1"], deviation and deviation[one]["f1"]) for one in shown]
    return bar_chart("F1 of each class on test, in percent", shown, series)


def page(
    name: str,
    scores: dict[str, dict],
    warnings: Sequence[str],
    data: Sequence[Table],
    results: Sequence[Table],
    recipes: Table,
    chart: str,
) -> str:
    """The study's Markdown; `chart` is the picture's path relative to it."""
    baseline, first = next(iter(scores.items()))
    sentences, provenance = first["sentences"], first["provenance"]
    sha256 = provenance["data_sha256"]
    systems, by_class, seen, gates = results
    sections = [
        f"# Study {name}",
        *(f"> {warning}" for warning in warnings),
        f"Corpus `{first['corpus']}`: {sentences['train']:,} sentences to train on, {sentences['dev']:,} to choose the "
        f"epoch by, {sentences['test']:,} to test on. Baseline: `{baseline}`. All systems saw the same data"
        + (f" (sha256 `{sha256}`)." if sha256 else "."),
        "## Data",
        *(table.markdown() for table in data),
        "## Results",
        systems.markdown(),
        f"![F1 of each class and system; the numbers are those of Table 5]({chart})",
        by_class.markdown(),
        seen.markdown(),
        *([gates.markdown()] if gates.rows else []),
        "## What made these numbers",
        recipes.markdown(),
        "Library versions: "
        + ", ".join(f"{library} {version}" for library, version in provenance["versions"].items())
        + ".",
        "The same tables for programs: `index.json`, and `tables/` with a JSON and a TSV file for each.",
    ]
    return "\n\n".join(sections) + "\n"
