"""A study: experiments beside a baseline, with tests of significance, as tables, a chart and a page."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from visner import stages, tables
from visner.errors import VisnerError
from visner.evaluation.chart import Bar, bar_chart
from visner.evaluation.comparison_tables import grounding_pairs, groundings_table, measures_table, published_tables
from visner.evaluation.data_tables import noun_corpus_tables, pictures_table, token_corpus_table, voken_tables
from visner.evaluation.gates import GateMeans
from visner.evaluation.mentions import Gold, read_gold, read_predictions
from visner.evaluation.published import read_published
from visner.evaluation.randomisation import sentence_counts, significance
from visner.evaluation.report import Table
from visner.evaluation.study_tables import classes_table, gates_table, recipes_table, seen_table, systems_table
from visner.evaluation.warnings import BESIDE, Notice, doubts, stand_ins
from visner.recipes import Study
from visner.spans import MIX

CHART = "f1_by_class.svg"  # among the tables
# The tables that stand in the two papers, by their numbers there; a study of a corpus with nouns follows the first.
ELEMENT_WISE = ("data", "classes", "splits", "systems", "by_class", "seen")
VOKENIZED = ("data", "measures", "groundings", "published")


@dataclass(frozen=True)
class StudyFiles:
    """What a study is made from; what its corpus or systems don't have is left out."""

    corpus_statistics: str | Path
    sentences: str | Path
    scores: dict[str, str | Path]  # by experiment
    predictions: dict[tuple[str, int], str | Path]  # by experiment and seed
    nouns_statistics: str | Path | None = None
    coverage: dict[str, str | Path] = field(default_factory=dict)  # by source
    vokens: dict[str, str | Path] = field(default_factory=dict)  # by matcher
    published: str | Path | None = None
    gallery: str | Path | None = None  # only linked


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
        _refuse_other_variant(paths[name], f"{name} was trained and scored", content["provenance"], variant)
    return found


def _refuse_other_variant(path: str | Path, what: str, provenance: dict, variant: dict[str, str | None]) -> None:
    for key, sha256 in variant.items():
        if provenance[key] != sha256:
            raise VisnerError(
                f"{path}: {what} on another variant of the data ({key} is {provenance[key]}, here {sha256}); "
                "a table never mixes two: run it again on this one"
            )


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
    files: StudyFiles,
    published_sentences: dict[str, int],
    output: str | Path,
    folder: str | Path,
) -> None:
    """Write the page `output` (index.md), index.json beside it, and every table and the chart into `folder`."""
    gold = read_gold(files.sentences)
    variant = {"data_sha256": tables.read_provenance(files.sentences).get("sha256"), "sentences_sha256": gold.sha256}
    scores = read_scores(files.scores, recipe, variant)
    if recipe.seen_class and recipe.seen_class not in gold.labels - {MIX}:
        choices = ", ".join(sorted(gold.labels - {MIX}))
        raise VisnerError(f"studies.{name}.seen_class: no mention is of {recipe.seen_class!r}; choose from {choices}")
    stand_in = stand_ins(scores)
    warnings = stand_in + doubts(scores)
    vokens = read_vokens(files.vokens, variant)
    data = _data_tables(files, vokens, published_sentences)
    paper = ELEMENT_WISE if files.nouns_statistics else VOKENIZED
    results = _result_tables(recipe, paper, scores, *read_systems(scores, files.predictions, gold))
    if files.published:
        results += published_tables(scores, read_published(files.published), tables.read_json(files.corpus_statistics))
    data, results = _ordered(data, paper), _ordered(results, paper)
    if stand_in:
        results = [replace(table, notes=[*table.notes, BESIDE]) for table in results]
    recipes = recipes_table(scores)
    for table in (*data, *results, recipes):
        table.save(folder)
    tables.write_text(Path(folder) / CHART, class_chart(scores))
    tables.write_json(
        Path(output).with_suffix(".json"),
        {
            "study": name,
            "recipe": recipe.model_dump(mode="json"),
            "warnings": [warning.markdown() for warning in warnings],
            "unit": "percent",
            "micro_includes_mix": False,
            "tables": {table.name: table.content() for table in (*data, *results, recipes)},
            "provenance": {system: content["provenance"] for system, content in scores.items()},
            "vokens_provenance": {matcher: content["provenance"] for matcher, content in vokens.items()},
        },
    )
    beside = Path(output).parent
    chart = os.path.relpath(Path(folder) / CHART, beside)
    gallery = files.gallery and os.path.relpath(files.gallery, beside)
    tables.write_text(output, page(name, scores, warnings, data, results, recipes, chart, gallery))


def read_vokens(paths: dict[str, str | Path], variant: dict[str, str | None]) -> dict[str, dict]:
    """The scores of the vokens of each matcher. Raises VisnerError where they are of another variant of data."""
    keys = ("recall", "diversity", "own", "overlap", "search", "provenance")
    found = {matcher: _read_statistics(path, *keys) for matcher, path in paths.items()}
    for matcher, content in found.items():
        _refuse_other_variant(paths[matcher], f"{matcher} found its vokens", content["provenance"], variant)
    return found


def _data_tables(files: StudyFiles, vokens: dict[str, dict], published_sentences: dict[str, int]) -> list[Table]:
    """The tables of what the study was made on, as far as there is something to show."""
    corpus = _read_statistics(files.corpus_statistics, "documents", "sentences", "classes", "mix")
    if files.nouns_statistics:
        data = noun_corpus_tables(corpus, _read_statistics(files.nouns_statistics, "words", "lexicon"))
    else:
        data = [token_corpus_table(corpus, published_sentences)]
    if files.coverage:
        data.append(pictures_table({source: tables.read_json(path) for source, path in files.coverage.items()}))
    return data + (voken_tables(vokens) if vokens else [])


def _result_tables(
    recipe: Study, paper: Sequence[str], scores: dict[str, dict], counts: dict[str, Any], gates: dict
) -> list[Table]:
    """The tables of what the systems scored; `counts` and `gates` are those of `read_systems`."""
    gold = int(scores[recipe.baseline]["test"]["strict"]["mean"]["micro"]["gold"])

    def test(system: str, other: str) -> dict[str, float]:
        return significance(counts[system], counts[other], gold, recipe.shuffles, recipe.seed)

    tests = {system: test(system, recipe.baseline) for system in scores if system != recipe.baseline}
    pairs = {pair: test(pair[1], pair[0]) for pair in grounding_pairs(scores)}
    results = [
        (systems_table if "systems" in paper else measures_table)(scores, tests, recipe.shuffles),
        groundings_table(scores, pairs),
        classes_table(scores),
        seen_table(scores, recipe.seen_class),
        gates_table(gates),
    ]
    return [table for table in results if table.rows]


def _ordered(found: Sequence[Table], paper: Sequence[str]) -> list[Table]:
    """Tables with the numbers that a paper's have, these first and in its order."""
    numbers = {name: number for number, name in enumerate(paper, start=1)}
    numbered = [
        replace(table, title=f"Table {numbers[table.name]}. {table.title}") if table.name in numbers else table
        for table in found
    ]
    return sorted(numbered, key=lambda table: numbers.get(table.name, len(paper) + 1))


def _read_statistics(path: str | Path, *keys: str) -> dict:
    content = tables.read_json(path)
    missing = [key for key in keys if key not in content]
    if missing:
        raise VisnerError(f"{path}: it has no {', '.join(missing)}; made by another version? Delete it and run again")
    return content


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
    warnings: Sequence[Notice],
    data: Sequence[Table],
    results: Sequence[Table],
    recipes: Table,
    chart: str,
    gallery: str | None,
) -> str:
    """The study's Markdown; `chart` and `gallery` are paths relative to it."""
    baseline, first = next(iter(scores.items()))
    sentences, provenance = first["sentences"], first["provenance"]
    sha256 = provenance["data_sha256"]
    picture = f"![F1 of each class and system; the numbers are those of the table Each class]({chart})"
    sections = [
        f"# Study {name}",
        *(f"> {warning.markdown()}" for warning in warnings),
        f"Corpus `{first['corpus']}`: {sentences['train']:,} sentences to train on, {sentences['dev']:,} to choose the "
        f"epoch by, {sentences['test']:,} to test on. Baseline: `{baseline}`. All systems saw the same data"
        + (f" (sha256 `{sha256}`)." if sha256 else "."),
        "## Data",
        *(table.markdown() for table in data),
        "## Results",
        *(f"{table.markdown()}\n\n{picture}" if table.name == "by_class" else table.markdown() for table in results),
        *([f"[The gallery]({gallery}) shows sentences, and the pictures that their words see."] if gallery else []),
        "## What made these numbers",
        recipes.markdown(),
        "Library versions: "
        + ", ".join(f"{library} {version}" for library, version in provenance["versions"].items())
        + ".",
        "The same tables for programs: `index.json`, and `tables/` with a JSON and a TSV file for each.",
    ]
    return "\n\n".join(sections) + "\n"
