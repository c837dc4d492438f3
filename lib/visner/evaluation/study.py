"""A study: experiments beside a baseline, with tests of significance, as tables, a chart and a page."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from visner.config.experiments import Study
from visner.errors import VisnerError
from visner.evaluation.chart import Bar, bar_chart
from visner.evaluation.comparison_tables import grounding_pairs, groundings_table, measures_table, published_tables
from visner.evaluation.data_tables import noun_corpus_tables, pictures_table, token_corpus_table, voken_tables
from visner.evaluation.gates import gate_means
from visner.evaluation.mentions import Gold, prediction_files, read_gold, read_predictions
from visner.evaluation.published import read_published
from visner.evaluation.randomisation import sentence_counts, significance
from visner.evaluation.report import Table
from visner.evaluation.study_tables import classes_table, gates_table, recipes_table, seen_table, systems_table
from visner.evaluation.warnings import BESIDE, doubts, stand_ins
from visner.runtime import stages, tables
from visner.runtime.spans import MIX

CHART = "f1_by_class.svg"  # among the tables
# The tables that stand in the two papers, by their numbers there; a study of a corpus with nouns follows the first.
ELEMENT_WISE = ("data", "classes", "splits", "systems", "by_class", "seen")
VOKENIZED = ("data", "measures", "groundings", "published")


def study(
    study: str,
    recipe: Study,
    corpus: Path,
    sentences: Path,
    scores: list[Path],
    predictions: list[Path],
    page: Path,
    content: Path,
    folder: Path,
    nouns: Path | None = None,
    sources: Sequence[str] = (),
    coverage: Sequence[Path] = (),
    matchers: Sequence[str] = (),
    vokens: Sequence[Path] = (),
    published: Path | None = None,
    published_sentences: dict[str, int] | None = None,
    gallery: Path | None = None,
) -> None:
    """Set a study's experiments beside its baseline: `page` (Markdown), its `content` (JSON), tables in `folder`.

    `corpus` and `nouns` are statistics of the corpus; `scores` are those of the baseline, then of each system;
    `predictions` follow them, a file a seed; `coverage` are the statistics of the `sources` of pictures, `vokens` the
    scores of the `matchers`; the `gallery` is only linked. Raises VisnerError where files don't belong together.
    """
    names = [recipe.baseline, *recipe.systems]
    gold = read_gold(sentences)
    variant = {"data_sha256": tables.read_provenance(sentences).get("sha256"), "sentences_sha256": gold.sha256}
    found = _read_scores(dict(zip(names, scores, strict=True)), variant)
    if recipe.seen_class and recipe.seen_class not in gold.labels - {MIX}:
        choices = ", ".join(sorted(gold.labels - {MIX}))
        raise VisnerError(f"studies.{study}.seen_class: no mention is of {recipe.seen_class!r}; choose from {choices}")
    statistics = _read(corpus, "documents", "sentences", "classes", "mix")
    voken_scores = _read_vokens(dict(zip(matchers, vokens, strict=True)), variant)

    if nouns:
        data, paper = noun_corpus_tables(statistics, _read(nouns, "words", "lexicon")), ELEMENT_WISE
    else:
        data, paper = [token_corpus_table(statistics, published_sentences or {})], VOKENIZED
    if coverage:
        data.append(pictures_table(dict(zip(sources, map(tables.read_json, coverage), strict=True))))
    if voken_scores:
        data += voken_tables(voken_scores)
    results = _result_tables(recipe, paper, found, *_read_systems(found, predictions, gold))
    if published:
        results += published_tables(found, read_published(published), statistics)
    stand_in = stand_ins(found)
    if stand_in:
        results = [replace(table, notes=[*table.notes, BESIDE]) for table in results]
    data, results, systems = _numbered(data, paper), _numbered(results, paper), recipes_table(found)

    warnings = stand_in + doubts(found)
    for table in (*data, *results, systems):
        table.save(folder)
    tables.write_text(folder / CHART, _class_chart(found))
    tables.write_json(
        content,
        {
            "study": study,
            "recipe": recipe.model_dump(mode="json"),
            "warnings": warnings,
            "unit": "percent",
            "micro_includes_mix": False,
            "tables": {table.name: table.content() for table in (*data, *results, systems)},
            "provenance": {system: one["provenance"] for system, one in found.items()},
            "vokens_provenance": {matcher: one["provenance"] for matcher, one in voken_scores.items()},
        },
    )
    chart, linked = (file and os.path.relpath(file, page.parent) for file in (folder / CHART, gallery))
    tables.write_text(page, _page(study, found, warnings, data, results, systems, chart, linked))
    stages.log.info("study %s: %s", study, page)


def _read(path: Path, *keys: str) -> dict:
    content = tables.read_json(path)
    missing = [key for key in keys if key not in content]
    if missing:
        raise VisnerError(f"{path}: it has no {', '.join(missing)}; made by another version? Delete it and run again")
    return content


def _read_scores(paths: dict[str, Path], variant: dict[str, str | None]) -> dict[str, dict]:
    """The systems' scores. Raises VisnerError where they are of another system, or of another variant of data.

    `variant` is what every system's provenance must say of its data: a table never mixes two.
    """
    found = {name: tables.read_json(path) for name, path in paths.items()}
    for name, content in found.items():
        if content.get("experiment") != name:
            raise VisnerError(f"{paths[name]}: these are scores of {content.get('experiment')}, not of {name}")
        _refuse_other_variant(paths[name], f"{name} was trained and scored", content["provenance"], variant)
    return found


def _read_vokens(paths: dict[str, Path], variant: dict[str, str | None]) -> dict[str, dict]:
    """The scores of the vokens of each matcher. Raises VisnerError where they are of another variant of data."""
    keys = ("recall", "diversity", "own", "overlap", "search", "provenance")
    found = {matcher: _read(path, *keys) for matcher, path in paths.items()}
    for matcher, content in found.items():
        _refuse_other_variant(paths[matcher], f"{matcher} found its vokens", content["provenance"], variant)
    return found


def _refuse_other_variant(path: Path, what: str, provenance: dict, variant: dict[str, str | None]) -> None:
    for key, sha256 in variant.items():
        if provenance[key] != sha256:
            raise VisnerError(
                f"{path}: {what} on another variant of the data ({key} is {provenance[key]}, here {sha256}); "
                "a table never mixes two: run it again on this one"
            )


def _read_systems(
    scores: dict[str, dict], predictions: Sequence[Path], gold: Gold
) -> tuple[dict[str, Any], dict[str, dict]]:
    """Each system's counts a test sentence (strict; see `sentence_counts`), and the means of its gate.

    Raises VisnerError where the predictions, a file for each system and seed, aren't those that were scored.
    """
    paths = prediction_files(scores, predictions)
    sentences = list(gold.units["test"])
    counts, gates = {}, {}
    for name, content in scores.items():
        stages.log.info("%s: predictions of the seeds %s", name, content["seeds"])
        predicted = [read_predictions(paths[name, seed], gold) for seed in content["seeds"]]
        mentions = [one.mentions["strict"]["test"] for one in predicted]
        counts[name], _ = sentence_counts(sentences, gold.mentions["strict"]["test"], mentions)
        for index, seed in enumerate(content["seeds"]):
            micro = content["test"]["strict"]["seeds"][str(seed)]["micro"]
            if counts[name][:, index].sum(axis=0).tolist() != [micro["predicted"], micro["correct"]]:
                raise VisnerError(f"{paths[name, seed]}: the scores of {name} are of other predictions; score it again")
        gates[name] = gate_means(gold, [one.gates for one in predicted])
    return counts, {name: means for name, means in gates.items() if means}


def _result_tables(
    recipe: Study, paper: Sequence[str], scores: dict[str, dict], counts: dict[str, Any], gates: dict
) -> list[Table]:
    """The tables of what the systems scored; `counts` and `gates` are those of `_read_systems`."""
    gold = int(scores[recipe.baseline]["test"]["strict"]["mean"]["micro"]["gold"])

    def test(system: str, other: str) -> dict[str, float]:
        return significance(counts[system], counts[other], gold, recipe.shuffles, recipe.seed)

    tests = {system: test(system, recipe.baseline) for system in recipe.systems}
    pairs = {pair: test(pair[1], pair[0]) for pair in grounding_pairs(scores)}
    results = [
        (systems_table if "systems" in paper else measures_table)(scores, tests, recipe.shuffles),
        groundings_table(scores, pairs),
        classes_table(scores),
        seen_table(scores, recipe.seen_class),
        gates_table(gates),
    ]
    return [table for table in results if table.rows]


def _numbered(found: Sequence[Table], paper: Sequence[str]) -> list[Table]:
    """Tables with the numbers that a paper's have, these first and in its order."""
    numbers = {name: number for number, name in enumerate(paper, start=1)}
    numbered = [
        replace(table, title=f"Table {numbers[table.name]}. {table.title}") if table.name in numbers else table
        for table in found
    ]
    return sorted(numbered, key=lambda table: numbers.get(table.name, len(paper) + 1))


def _class_chart(scores: dict[str, dict]) -> str:
    """F1 of each class on test, strict, as SVG; only classes with gold mentions there."""
    strict = {name: content["test"]["strict"] for name, content in scores.items()}
    shown = [one for one, found in next(iter(strict.values()))["mean"]["classes"].items() if found["gold"]]
    series = {}
    for name, content in strict.items():
        mean, deviation = content["mean"]["classes"], (content["deviation"] or {}).get("classes")
        series[name] = [Bar(mean[one]["f1"], deviation and deviation[one]["f1"]) for one in shown]
    return bar_chart("F1 of each class on test, in percent", shown, series)


def _page(
    name: str,
    scores: dict[str, dict],
    warnings: Sequence[str],
    data: Sequence[Table],
    results: Sequence[Table],
    systems: Table,
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
        *(f"> {warning}" for warning in warnings),
        f"Corpus `{first['corpus']}`: {sentences['train']:,} sentences to train on, {sentences['dev']:,} to choose the "
        f"epoch by, {sentences['test']:,} to test on. Baseline: `{baseline}`. All systems saw the same data"
        + (f" (sha256 `{sha256}`)." if sha256 else "."),
        "## Data",
        *(table.markdown() for table in data),
        "## Results",
        *(f"{table.markdown()}\n\n{picture}" if table.name == "by_class" else table.markdown() for table in results),
        *([f"[The gallery]({gallery}) shows sentences, and the pictures that their words see."] if gallery else []),
        "## What made these numbers",
        systems.markdown(),
        "Library versions: "
        + ", ".join(f"{library} {version}" for library, version in provenance["versions"].items())
        + ".",
        "The same tables for programs: `index.json`, and `tables/` with a JSON and a TSV file for each.",
    ]
    return "\n\n".join(sections) + "\n"
