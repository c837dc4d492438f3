"""The gallery of a study: test sentences, what their words see, and what a system and the baseline made of them.

The second paper ends with it: "since the result only shows the difference in metrics, we have to dig more into the
cases in the future study".
"""

import math
from collections.abc import Sequence
from pathlib import Path

from visner import tables
from visner.errors import VisnerError
from visner.evaluation.gallery_page import Case, Outcome, page
from visner.evaluation.mentions import Gold, Mention, read_gold, read_predictions
from visner.evaluation.shown import kept_pictures, sights
from visner.evaluation.warnings import stand_ins


def make_gallery(
    study: str,
    recipe: dict,
    sentences: str | Path,
    files: dict[str, str | Path | list],
    score_files: dict[str, str | Path],
    prediction_files: dict[tuple[str, int], str | Path],
    count: int,
    output: str | Path,
) -> int:
    """Write the page; how many sentences it has.

    `recipe` is the system's `by`, k and fusion, `files` the tables of its grounding (words, vokens, images),
    `score_files` those of the baseline and of the system, in this order. Both are shown by the seed that was best on
    dev.
    """
    scores = {name: tables.read_json(path) for name, path in score_files.items()}
    gold = read_gold(sentences)
    seeds = {name: one["best_dev_seed"] for name, one in scores.items()}
    gates: dict[str, list[float] | None] = {}
    found = []
    for name, seed in seeds.items():
        if (name, seed) not in prediction_files:
            raise VisnerError(f"--predictions: {name}:{seed} is missing, the seed that was best on dev")
        found.append(_test_mentions(prediction_files[name, seed], gold, gates))  # the last is the system
    outcomes = _outcomes(gold, *found)
    chosen = sorted(outcomes, key=lambda name: (not outcomes[name].differ, outcomes[name].all_right))[:count]
    rows = {
        row["sentence_id"]: row
        for row in tables.iterate_rows(sentences, tables.SENTENCES)
        if row["sentence_id"] in set(chosen)
    }
    seen = sights(recipe, rows, files)
    pictures = {one.image_id for sight in seen.values() for word in sight.words for one in word.pictures}
    pictures |= {sight.own.image_id for sight in seen.values() if sight.own}
    cases = [Case(name, rows[name]["units"], seen[name], _known(gates.get(name)), outcomes[name]) for name in chosen]
    text = page(
        study,
        seeds,
        "attention" if (recipe["by"], recipe["fusion"]) == ("voken", "attention") else recipe["by"],
        [f"{warning.head} {warning.text}" for warning in stand_ins(scores)],
        list(outcomes.values()),
        cases,
        kept_pictures(files["images"], pictures - {None}),
    )
    tables.write_text(output, text)
    return len(cases)


def _test_mentions(path: str | Path, gold: Gold, gates: dict[str, list[float] | None]) -> dict[str, set[Mention]]:
    """sentence -> its predicted mentions, strict, of test; puts each sentence's gate into `gates`."""
    predicted = read_predictions(path, gold, lambda row: gates.update({row["sentence_id"]: row["gate"]}))
    return _by_sentence(predicted["strict"]["test"])


def _by_sentence(mentions: Sequence[Mention]) -> dict[str, set[Mention]]:
    found: dict[str, set[Mention]] = {}
    for mention in mentions:
        found.setdefault(mention.sentence, set()).add(mention)
    return found


def _outcomes(gold: Gold, baseline: dict[str, set], system: dict[str, set]) -> dict[str, Outcome]:
    """Every test sentence's outcome, in the order of the corpus."""
    right = _by_sentence(gold.mentions["strict"]["test"])
    return {
        name: Outcome(*(found.get(name, set()) for found in (right, baseline, system))) for name in gold.units["test"]
    }


def _known(gate: list[float] | None) -> list[float | None] | None:
    """A sentence's gate with None where a unit sees no picture."""
    return gate and [None if value is None or math.isnan(value) else value for value in gate]
