"""What a study's systems scored: together, by class, seen and unseen; their gates, and what the systems are."""

import itertools
from collections.abc import Sequence
from typing import Any

from visner.evaluation.report import UNDEFINED, Table, written
from visner.evaluation.seen import ALL, GROUPS, MEANINGS
from visner.runtime.spans import MIX

MEASURES = {"precision": "Prec.", "recall": "Recall", "f1": "F1"}
LEVELS = ((0.01, "**"), (0.05, "*"))  # of significance, and their marks


def systems_table(scores: dict[str, dict], tests: dict[str, dict], shuffles: int) -> Table:
    """Each system's micro measures in both readings, and its difference from the baseline, the first row."""
    rows = []
    for name, content in scores.items():
        test = tests.get(name, {"difference": None, "p": None})
        rows.append(
            {
                "system": name,
                "seeds": len(content["seeds"]),
                **measures(content["test"]["strict"], "micro"),
                "mark": mark(test["p"]),
                "difference": test["difference"],
                "p": test["p"],
                **measures(content["test"]["lenient"], "micro", prefix="lenient_"),
                **measures(content["test"]["strict"], "weighted", prefix="weighted_"),
            }
        )
    columns = [
        *("system", *MEASURE_COLUMNS, ("Δ F1", difference), ("p", p_value)),
        *((f"lenient {heading}", f"lenient_{key}") for key, heading in MEASURES.items()),
        ("weighted F1", "weighted_f1"),
    ]
    notes = [
        "Test set, exact matches, micro average in percent, mean ± sample deviation over seeds. Precision, recall "
        "and F1 read BIO strictly (IOB2); lenient: an I- without a B- opens a mention, as in conlleval. Weighted: the "
        f"average over classes by gold mentions (strict). {MIX} is in no average.",
        f"\\* p < 0.05, \\*\\* p < 0.01 against the baseline, `{next(iter(scores))}`: two-sided approximate "
        f"randomisation of the mean F1, {shuffles:,} shuffles, the unit a sentence with all its seeds.",
    ]
    return Table("systems", "Systems", columns, rows, notes)


def classes_table(scores: dict[str, dict]) -> Table:
    """Each system's measures for each class, MIX apart at the end."""
    rows = []
    for name, content in scores.items():
        strict = content["test"]["strict"]
        places = [(one, ("classes", one)) for one in strict["mean"]["classes"]]
        if strict["mean"]["mix"]["gold"] or strict["mean"]["mix"]["predicted"]:
            places.append((MIX, ("mix",)))
        rows += [{"system": name, "class": one, **measures(strict, *place, counts=True)} for one, place in places]
    columns = ["system", "class", "gold", *MEASURE_COLUMNS]
    return Table("by_class", "Each class", columns, rows, ["Test set, strict, mean ± deviation over seeds."])


def seen_table(scores: dict[str, dict], seen_class: str | None) -> Table:
    """Mentions that training has seen and the others, in both meanings; differences to the baseline."""
    key = seen_class or ALL
    rows = []
    for (meaning, what), group in itertools.product(MEANINGS.items(), GROUPS):
        first = None  # the baseline's row
        for name, content in scores.items():
            row = {"by": what, "mentions": group, "system": name}
            row |= measures(content["test"]["strict"], meaning, key, group, counts=True)
            for measure in MEASURES:
                defined = first is not None and None not in (row[measure], first[measure])
                row[f"{measure}_difference"] = round(row[measure] - first[measure], 6) if defined else None
            first = first or row
            rows.append(row)
    beside = ((heading, _with_difference(measure)) for measure, heading in MEASURES.items())
    columns = ["by", "mentions", "system", "gold", *beside]
    what = f"class {seen_class}" if seen_class else "all classes"
    notes = [
        "Test set, strict. Unseen by words, as the paper has it: the mention's words appear nowhere in the training "
        "text. Unseen by names: no training mention of the same class has the same surface. Predicted mentions are "
        "judged by their own words, class and surface. In brackets the difference to the baseline."
    ]
    return Table("seen", f"Seen and unseen mentions, {what}", columns, rows, notes)


def gates_table(gates: dict[str, dict[str, dict]]) -> Table:
    """How open the gate is inside the gold mentions of each class, and outside of all; a row a system and place."""
    rows = [
        {"system": name, "place": place, **found} for name, means in gates.items() for place, found in means.items()
    ]
    columns = ["system", ("units in", "place"), ("mean gate", lambda row: f"{row['gate']:.4f}"), "units"]
    notes = ["Test set, all seeds; gold mentions by class, and all units outside of them. 0: no picture gets in."]
    return Table("gates", "The gate", columns, rows, notes)


SYSTEM_KEYS = (
    *("model", "encoder", "fusion", "gate", "grounding", "by", "matcher", "control", "images"),
    *("k", "embedding", "pictures", "vectors", "weights"),
)


def recipes_table(scores: dict[str, dict]) -> Table:
    """What each system is: the keys of its recipe that tell systems of a study apart, and its weights."""
    rows = []
    for name, content in scores.items():
        recipe, weights = content["provenance"]["recipe"], content["provenance"]["weights"] or {}
        row = {"system": name, **{key: recipe.get(key) for key in SYSTEM_KEYS}, "weights": weights.get("name")}
        if recipe["fusion"] != "gate":
            row["gate"] = None
        row["weights_sha256"] = weights.get("sha256")
        row["seeds"] = " ".join(map(str, content["seeds"]))
        rows.append(row | {"best_dev_seed": content["best_dev_seed"]})
    used = [key for key in SYSTEM_KEYS if any(row[key] is not None for row in rows)]
    return Table("recipes", "The systems", ["system", *used, "seeds", ("best dev seed", "best_dev_seed")], rows)


def mark(p: float | None) -> str:
    """The mark of a level of significance: ** at 0.01, * at 0.05, else nothing."""
    return next((sign for level, sign in LEVELS if p is not None and p < level), "")


def p_value(row: dict) -> str:
    """A cell with the row's p."""
    return UNDEFINED if row["p"] is None else f"{row['p']:.4f}"


def measures(scores: dict, *place: str, prefix: str = "", counts: bool = False) -> dict[str, Any]:
    """Means and deviations at a place of a reading's scores; None where there is no gold mention to measure by."""
    mean, deviation = _at(scores["mean"], place), _at(scores["deviation"], place)
    defined = mean.get("gold", 1) > 0  # an average over classes has no count of its own
    row: dict[str, Any] = {}
    if counts:
        row["gold"] = round(mean["gold"])  # the same for all seeds
        row |= {f"{key}_mean": mean[key] for key in ("predicted", "correct")}
    for measure in MEASURES:
        row[f"{prefix}{measure}"] = mean[measure] if defined else None
        row[f"{prefix}{measure}_deviation"] = deviation[measure] if defined and deviation else None
    return row


def _at(tree: dict | None, place: Sequence[str]) -> Any:
    for key in place:
        tree = tree and tree[key]
    return tree


def marked(row: dict) -> str:
    """A cell with the row's F1, and its mark of significance."""
    return written(row, "f1") + row.get("mark", "").replace("*", "\\*")


MEASURE_COLUMNS = (("Prec.", "precision"), ("Recall", "recall"), ("F1", marked))


def difference(row: dict) -> str:
    """A cell with the row's difference, with its sign."""
    return UNDEFINED if row["difference"] is None else f"{row['difference']:+.2f}"


def _with_difference(measure: str):
    def write(row: dict) -> str:
        found = row[f"{measure}_difference"]
        return written(row, measure) + ("" if found is None else f" ({found:+.2f})")

    return write
