"""The gallery of a study: test sentences, what their words see, and what a system and the baseline made of them.

The second paper ends with it: "since the result only shows the difference in metrics, we have to dig more into the
cases in the future study".
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from visner.evaluation.gallery_page import Case, Outcome, write_page
from visner.evaluation.mentions import Mention, prediction_files, read_gold, read_predictions
from visner.evaluation.shown import kept_pictures, sights
from visner.evaluation.warnings import stand_ins
from visner.runtime import stages, tables


def gallery(
    study: str,
    by: Literal["query", "voken", "attachment"],
    k: int | None,
    fusion: str,
    most: int,
    sentences: Path,
    images: list[Path],
    scores: list[Path],
    predictions: list[Path],
    page: Path,
    words: Path | None = None,
    vokens: list[Path] | None = None,
) -> None:
    """Write the page of `most` test sentences: each word's pictures, its gate, and what two systems found.

    `by` and `k` are those of the system's grounding, which was made from `images`, and from `words` or `vokens`;
    `scores` are the baseline's and the system's, `predictions` follow them, a file a seed. Both are shown by the seed
    that was best on dev.
    """
    contents = {content["experiment"]: content for content in map(tables.read_json, scores)}
    seeds = {name: content["best_dev_seed"] for name, content in contents.items()}
    files = prediction_files(contents, predictions)
    gold = read_gold(sentences)
    baseline, system = (read_predictions(files[name, seed], gold) for name, seed in seeds.items())
    tested = [_by_sentence(one["strict"]["test"]) for one in (gold.mentions, baseline.mentions, system.mentions)]
    outcomes = {name: Outcome(*(one.get(name, set()) for one in tested)) for name in gold.units["test"]}
    chosen = sorted(outcomes, key=lambda name: (not outcomes[name].differ, outcomes[name].all_right))[:most]
    wanted = set(chosen)
    rows = {
        row["sentence_id"]: row
        for row in tables.iterate_rows(sentences, tables.SENTENCES)
        if row["sentence_id"] in wanted
    }
    seen = sights(by, k, rows, images, words, vokens)
    pictures = {one.image_id for sight in seen.values() for word in sight.words for one in word.pictures}
    pictures |= {sight.own.image_id for sight in seen.values() if sight.own}
    text = write_page(
        study,
        seeds,
        "attention" if (by, fusion) == ("voken", "attention") else by,
        [warning.replace("**", "") for warning in stand_ins(contents)],
        list(outcomes.values()),
        [Case(name, rows[name]["units"], seen[name], _known(system.gates[name]), outcomes[name]) for name in chosen],
        kept_pictures(images, pictures - {None}),
    )
    tables.write_text(page, text)
    stages.log.info("gallery of %s: %d sentences, %s", study, len(chosen), page)


def _by_sentence(mentions: Sequence[Mention]) -> dict[str, set[Mention]]:
    found: dict[str, set[Mention]] = {}
    for mention in mentions:
        found.setdefault(mention.sentence, set()).add(mention)
    return found


def _known(gate: list[float] | None) -> list[float | None] | None:
    """A sentence's gate with None where a unit sees no picture."""
    return gate and [None if value is None or math.isnan(value) else value for value in gate]
