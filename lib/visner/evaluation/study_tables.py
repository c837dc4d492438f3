"""The tables of a study, in the order and with the contents of the paper's Tables 1 to 6, and two more."""

from collections.abc import Sequence
from typing import Any

from visner.evaluation.mentions import SPLITS
from visner.evaluation.report import Column, Table, percent
from visner.evaluation.seen import ALL, GROUPS
from visner.spans import MIX

MEASURES = {"precision": "Prec.", "recall": "Recall", "f1": "F1"}
LEVELS = ((0.01, "**"), (0.05, "*"))  # of significance, and their marks


def data_tables(corpus: dict, nouns: dict) -> list[Table]:
    """Tables 1 to 3 from the statistics of corpus and nouns: the size, types and mentions a class, mentions a split."""
    size = {"words": nouns["words"], "lexicon": nouns["lexicon"]}
    size |= {"documents": corpus["documents"], "sentences": corpus["sentences"]}
    counted = {**corpus["classes"], MIX: corpus["mix"]}
    classes = [{"class": name, **{key: one[key] for key in ("types", "mentions")}} for name, one in counted.items()]
    splits = [{"class": name, **{split: one[split] for split in SPLITS}} for name, one in counted.items()]
    return [
        Table(
            "data",
            "Table 1. The corpus",
            [Column("what", "", number=False), Column("number", "number")],
            [{"what": what, "number": number} for what, number in size.items()],
        ),
        Table(
            "classes",
            "Table 2. Types and mentions of each class",
            [Column("class", "class", number=False), Column("types", "types"), Column("mentions", "mentions")],
            classes,
        ),
        Table(
            "splits",
            "Table 3. Mentions of each class in each split",
            [Column("class", "class", number=False), *(Column(split, split) for split in SPLITS)],
            splits,
        ),
    ]


def pictures_table(coverage: dict[str, dict]) -> Table:
    """How much of the corpus each source of pictures covers, from the statistics of the stage images."""
    rows = []
    for source, one in coverage.items():
        rejected = sum(reason["pictures"] for reason in one["rejected"].values())
        counts = {key: one[key] for key in ("queries", "queries_covered", "distinct_pictures")}
        share = 100 * one["occurrences_covered"] / one["occurrences"] if one["occurrences"] else 0.0
        rows.append({"source": source, **counts, "occurrences_covered": share, "rejected": rejected})
    return Table(
        "pictures",
        "Pictures of each source",
        [
            Column("source", "source", number=False),
            Column("queries", "queries"),
            Column("queries_covered", "with pictures"),
            Column("occurrences_covered", "% of nouns with pictures", percent("occurrences_covered")),
            Column("distinct_pictures", "pictures"),
            Column("rejected", "rejected"),
        ],
        rows,
    )


def systems_table(scores: dict[str, dict], tests: dict[str, dict], shuffles: int) -> Table:
    """Table 4: each system's micro measures in both readings, and its difference from the baseline, the first row."""
    rows = []
    for name, content in scores.items():
        test = tests.get(name, {"difference": None, "p": None})
        rows.append(
            {
                "system": name,
                "seeds": len(content["seeds"]),
                **_measures(content["test"]["strict"], "micro"),
                "mark": mark(test["p"]),
                "difference": test["difference"],
                "p": test["p"],
                **_measures(content["test"]["lenient"], "micro", prefix="lenient_"),
                **_measures(content["test"]["strict"], "weighted", prefix="weighted_"),
            }
        )
    columns = [
        Column("system", "system", number=False),
        *_measure_columns(),
        Column("difference", "Δ F1", lambda row: _signed(row["difference"])),
        Column("p", "p", lambda row: "–" if row["p"] is None else f"{row['p']:.4f}"),
        *(
            Column(f"lenient_{key}", f"lenient {heading}", percent(f"lenient_{key}"))
            for key, heading in MEASURES.items()
        ),
        Column("weighted_f1", "weighted F1", percent("weighted_f1")),
    ]
    notes = [
        "Test set, exact matches, micro average in percent, mean ± sample deviation over seeds. Precision, recall "
        "and F1 read BIO strictly (IOB2); lenient: an I- without a B- opens a mention, as in conlleval. Weighted: the "
        f"average over classes by gold mentions (strict). {MIX} is in no average.",
        f"\\* p < 0.05, \\*\\* p < 0.01 against the baseline, `{next(iter(scores))}`: two-sided approximate "
        f"randomisation of the mean F1, {shuffles:,} shuffles, the unit a sentence with all its seeds.",
    ]
    return Table("systems", "Table 4. Systems", columns, rows, notes)


def classes_table(scores: dict[str, dict]) -> Table:
    """Table 5: each system's measures for each class, MIX apart at the end."""
    rows = []
    for name, content in scores.items():
        strict = content["test"]["strict"]
        places = [(one, ("classes", one)) for one in strict["mean"]["classes"]]
        if strict["mean"]["mix"]["gold"] or strict["mean"]["mix"]["predicted"]:
            places.append((MIX, ("mix",)))
        rows += [{"system": name, "class": one, **_measures(strict, *place, counts=True)} for one, place in places]
    columns = [
        Column("system", "system", number=False),
        Column("class", "class", number=False),
        Column("gold", "gold"),
        *_measure_columns(),
    ]
    return Table("by_class", "Table 5. Each class", columns, rows, ["Test set, strict, mean ± deviation over seeds."])


def seen_table(scores: dict[str, dict], seen_class: str | None) -> Table:
    """Table 6: mentions whose surface training has seen in their class, and the others; differences to the baseline."""
    key = seen_class or ALL
    rows = []
    baseline = next(iter(scores))
    for group in GROUPS:
        for name, content in scores.items():
            strict = content["test"]["strict"]
            row = {"mentions": group, "system": name, **_measures(strict, "seen", key, group, counts=True)}
            first = next((one for one in rows if one["mentions"] == group), row)
            for measure in MEASURES:
                defined = name != baseline and None not in (row[measure], first[measure])
                row[f"{measure}_difference"] = round(row[measure] - first[measure], 6) if defined else None
            rows.append(row)
    columns = [
        Column("mentions", "mentions", number=False),
        Column("system", "system", number=False),
        Column("gold", "gold"),
        *(Column(measure, heading, _with_difference(measure)) for measure, heading in MEASURES.items()),
    ]
    what = f"class {seen_class}" if seen_class else "all classes"
    notes = [
        "Test set, strict. Unseen: no training mention of the same class has the same surface; predicted mentions are "
        "judged by their own surface. In brackets the difference to the baseline."
    ]
    return Table("seen", f"Table 6. Seen and unseen mentions, {what}", columns, rows, notes)


def gates_table(gates: dict[str, dict[str, dict]]) -> Table:
    """How open the gate is inside the gold mentions of each class, and outside of all; a row a system and place."""
    rows = [
        {"system": name, "place": place, **found} for name, means in gates.items() for place, found in means.items()
    ]
    columns = [
        Column("system", "system", number=False),
        Column("place", "units in", number=False),
        Column("gate", "mean gate", lambda row: f"{row['gate']:.4f}"),
        Column("units", "units"),
    ]
    notes = ["Test set, all seeds; gold mentions by class, and all units outside of them. 0: no picture gets in."]
    return Table("gates", "The gate", columns, rows, notes)


def recipes_table(scores: dict[str, dict]) -> Table:
    """What each system is: the keys of its recipe that tell systems of a study apart, and its weights."""
    rows = []
    for name, content in scores.items():
        recipe, weights = content["provenance"]["recipe"], content["provenance"]["weights"] or {}
        rows.append(
            {
                "system": name,
                **{key: recipe[key] for key in ("fusion", "gate", "control", "images", "k", "embedding", "vectors")},
                "weights": weights.get("name"),
                "weights_sha256": weights.get("sha256"),
                "seeds": " ".join(map(str, content["seeds"])),
                "best_dev_seed": content["best_dev_seed"],
            }
        )
        if recipe["fusion"] != "gate":
            rows[-1]["gate"] = None
    keys = ["system", "fusion", "gate", "control", "images", "k", "embedding", "vectors", "weights", "seeds"]
    columns = [Column(key, key, number=key == "k") for key in keys]
    columns.append(Column("best_dev_seed", "best dev seed"))
    return Table("recipes", "The systems", columns, rows)


def mark(p: float | None) -> str:
    """The mark of a level of significance: ** at 0.01, * at 0.05, else nothing."""
    return next((sign for level, sign in LEVELS if p is not None and p < level), "")


def _measures(scores: dict, *place: str, prefix: str = "", counts: bool = False) -> dict[str, Any]:
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


def _measure_columns() -> list[Column]:
    return [Column(key, heading, _marked if key == "f1" else percent(key)) for key, heading in MEASURES.items()]


def _marked(row: dict) -> str:
    return percent("f1")(row) + row.get("mark", "").replace("*", "\\*")


def _with_difference(measure: str):
    def write(row: dict) -> str:
        difference = row[f"{measure}_difference"]
        return percent(measure)(row) + (f" ({_signed(difference)})" if difference is not None else "")

    return write


def _signed(difference: float | None) -> str:
    return "–" if difference is None else f"{difference:+.2f}"
