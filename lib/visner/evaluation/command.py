"""Score a system's predictions over its seeds; set systems beside a baseline.

`scores` counts exact matches on test and dev, in two readings of BIO side by side (strict IOB2; lenient, as conlleval),
for every seed, with mean and deviation: micro, for each class, weighted by support, seen and unseen. `study` makes the
page of a study from the scores of its experiments: tables like those of the paper, a chart, and approximate
randomisation against the baseline. `gallery` shows test sentences with the pictures that each word sees.

    visner evaluation scores --recipe config.yaml:experiments.ene_gate --name ene_gate \\
        --system results/ene_gate/system.json --sentences results/corpora/ene/sentences.parquet \\
        --words results/nouns/ene/words.parquet --seeds 1 \\
        --predictions results/ene_gate/seed1/predictions.parquet \\
        --training results/ene_gate/seed1/training.json --output results/ene_gate/scores.json
"""

import argparse
import json
from pathlib import Path

from visner import stages
from visner.config import read_recipe
from visner.errors import VisnerError
from visner.recipes import Experiment, Study


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `visner evaluation`."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    scores = verbs.add_parser("scores", help="scores.json of one experiment", description=experiment.__doc__)
    scores.add_argument("--recipe", required=True, metavar="JSON", help="the experiment, or FILE.yaml:experiments.NAME")
    scores.add_argument("--name", required=True, metavar="EXPERIMENT")
    scores.add_argument("--system", required=True, metavar="JSON", help="all recipes of the system: system.json")
    scores.add_argument("--sentences", required=True, metavar="PARQUET", help="the corpus, with its splits")
    scores.add_argument("--words", nargs="?", metavar="PARQUET", help="its words, where units are characters")
    scores.add_argument("--seeds", required=True, nargs="+", type=int, metavar="N")
    scores.add_argument(
        "--predictions", required=True, nargs="+", metavar="PARQUET", help="a file a seed, in their order"
    )
    scores.add_argument(
        "--training", required=True, nargs="+", metavar="JSON", help="a training report a seed, likewise"
    )
    scores.add_argument("--output", required=True, metavar="JSON", help="made: scores.json")
    scores.set_defaults(verb_run=experiment)

    page = verbs.add_parser("study", help="a study's page, tables and chart", description=study.__doc__)
    page.add_argument("--recipe", required=True, metavar="JSON", help="the study, or FILE.yaml:studies.NAME")
    page.add_argument("--name", required=True, metavar="STUDY")
    page.add_argument("--corpus-statistics", required=True, metavar="JSON")
    page.add_argument("--nouns-statistics", nargs="?", metavar="JSON", help="of a corpus whose nouns were looked up")
    page.add_argument("--coverage", nargs="*", default=[], metavar="SOURCE=JSON", help="statistics of its pictures")
    page.add_argument("--vokens", nargs="*", default=[], metavar="MATCHER=JSON", help="scores of its vokens")
    page.add_argument("--published", nargs="?", metavar="JSON", help="published scores")
    page.add_argument("--published-sentences", default="{}", metavar="JSON", help="split -> sentences, as in a paper")
    page.add_argument("--gallery", nargs="?", metavar="HTML", help="the study's gallery, to be linked")
    page.add_argument("--sentences", required=True, metavar="PARQUET", help="the corpus, with its splits")
    page.add_argument("--scores", required=True, nargs="+", metavar="EXPERIMENT=JSON")
    page.add_argument("--predictions", required=True, nargs="+", metavar="EXPERIMENT:SEED=PARQUET")
    page.add_argument("--output", required=True, metavar="MD", help="made: index.md, and index.json beside it")
    page.add_argument("--tables", required=True, metavar="DIR", help="made: each table as JSON and TSV, and the chart")
    page.set_defaults(verb_run=study)

    shown = verbs.add_parser("gallery", help="sentences with the pictures of their words", description=gallery.__doc__)
    shown.add_argument("--recipe", required=True, metavar="JSON", help="the system's grounding and k")
    shown.add_argument("--name", required=True, metavar="STUDY")
    shown.add_argument("--count", type=int, default=40, metavar="N", help="sentences at most (default: 40)")
    shown.add_argument("--sentences", required=True, metavar="PARQUET", help="the corpus, with its splits")
    shown.add_argument("--words", metavar="PARQUET", help="for `by: query`")
    shown.add_argument("--vokens", nargs="+", metavar="PARQUET", help="for `by: voken`")
    shown.add_argument("--images", required=True, nargs="+", metavar="PARQUET", help="shards of the pictures")
    shown.add_argument("--scores", required=True, nargs=2, metavar="EXPERIMENT=JSON", help="baseline, system")
    shown.add_argument("--predictions", required=True, nargs="+", metavar="EXPERIMENT:SEED=PARQUET")
    shown.add_argument("--output", required=True, metavar="HTML", help="made: one file with all its pictures in it")
    shown.set_defaults(verb_run=gallery)


def run(arguments: argparse.Namespace) -> None:
    """Run a verb under the lock of its output."""
    stages.die_with_parent()
    with stages.locked(arguments.output):
        arguments.verb_run(arguments)


def experiment(arguments: argparse.Namespace) -> None:
    """Score one experiment: for every seed, their mean and deviation, with what made them."""
    from visner import tables
    from visner.evaluation.scores import experiment_scores

    seeds = arguments.seeds
    if len(set(seeds)) != len(seeds):
        raise VisnerError("--seeds: a seed comes twice")
    for option in ("predictions", "training"):
        if len(getattr(arguments, option)) != len(seeds):
            raise VisnerError(f"--{option}: {len(getattr(arguments, option))} files for {len(seeds)} seeds")
    content = experiment_scores(
        arguments.name,
        read_recipe(arguments.recipe, Experiment),
        arguments.sentences,
        arguments.words,
        dict(zip(seeds, arguments.predictions, strict=True)),
        dict(zip(seeds, arguments.training, strict=True)),
        tables.read_json(arguments.system)["config"],
    )
    tables.write_json(arguments.output, content)
    micro = content["test"]["strict"]["mean"]["micro"]
    stages.log.info(
        "%s: test precision %.2f, recall %.2f, F1 %.2f (strict, mean of %d seeds)",
        arguments.name,
        micro["precision"],
        micro["recall"],
        micro["f1"],
        len(seeds),
    )


def study(arguments: argparse.Namespace) -> None:
    """Set a study's experiments beside its baseline: tables, a chart, tests of significance, a page."""
    from visner.evaluation.study import StudyFiles, make_study

    files = StudyFiles(
        corpus_statistics=arguments.corpus_statistics,
        sentences=arguments.sentences,
        scores=_named_files("--scores", arguments.scores),
        predictions=_predictions(arguments.predictions),
        nouns_statistics=arguments.nouns_statistics,
        coverage=_named_files("--coverage", arguments.coverage),
        vokens=_named_files("--vokens", arguments.vokens),
        published=arguments.published,
        gallery=arguments.gallery,
    )
    recipe, counts = read_recipe(arguments.recipe, Study), json.loads(arguments.published_sentences)
    make_study(arguments.name, recipe, files, counts, arguments.output, arguments.tables)
    stages.log.info("study %s: %s", arguments.name, arguments.output)


def gallery(arguments: argparse.Namespace) -> None:
    """Show test sentences: each word's pictures, how far the gate lets them in, and what two systems found."""
    from visner.evaluation.gallery import make_gallery

    recipe = json.loads(arguments.recipe)
    needed = {"query": "words", "voken": "vokens"}.get(recipe["by"])
    if needed and getattr(arguments, needed) is None:
        raise VisnerError(f"`by: {recipe['by']}` reads --{needed}: give it")
    shown = make_gallery(
        arguments.name,
        recipe,
        arguments.sentences,
        {key: getattr(arguments, key) for key in ("words", "vokens", "images")},
        _named_files("--scores", arguments.scores),
        _predictions(arguments.predictions),
        arguments.count,
        arguments.output,
    )
    stages.log.info("gallery of %s: %d sentences, %s", arguments.name, shown, arguments.output)


def _predictions(texts: list[str]) -> dict[tuple[str, int], Path]:
    """The files of EXPERIMENT:SEED=FILE."""
    found: dict[tuple[str, int], Path] = {}
    for key, path in _named_files("--predictions", texts).items():
        name, _, seed = key.rpartition(":")
        if not name or not seed.isdecimal():
            raise VisnerError(f"--predictions: {key}={path}: write EXPERIMENT:SEED=FILE")
        found[name, int(seed)] = path
    return found


def _named_files(option: str, texts: list[str]) -> dict[str, Path]:
    files: dict[str, Path] = {}
    for text in texts:
        name, equals, path = text.partition("=")
        if not (name and equals and path):
            raise VisnerError(f"{option}: {text}: write NAME=FILE")
        if name in files:
            raise VisnerError(f"{option}: {name} comes twice")
        files[name] = Path(path)
    return files
