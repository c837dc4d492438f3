"""The tables that set systems beside each other: what was measured, which pictures were seen, what others published."""

from collections.abc import Sequence

from visner.evaluation.mentions import READINGS
from visner.evaluation.published import Published
from visner.evaluation.report import Table
from visner.evaluation.study_tables import MEASURE_COLUMNS, difference, mark, measures, p_value
from visner.runtime.spans import MIX

# In which two systems may differ that see other pictures.
PICTURE_KEYS = ("grounding", "by", "matcher", "k", "images", "seeds")
FUSIONS = {"blend": "fuse", "attention": "visual attention"}  # as the papers call them, where that differs


def measures_table(scores: dict[str, dict], tests: dict[str, dict], shuffles: int) -> Table:
    """F1 of each class, precision, recall and F1 of each system, a row a reading; the baseline first."""
    baseline = next(iter(scores))
    gold = {reading: scores[baseline]["test"][reading]["mean"] for reading in READINGS}
    classes = [name for name, one in gold["lenient"]["classes"].items() if one["gold"]]
    rows = []
    for name, content in scores.items():
        for reading in READINGS:
            found, test = content["test"][reading], tests.get(name, {}) if reading == "strict" else {}
            row = {"system": name, "reading": reading, "seeds": len(content["seeds"])}
            for one in classes:
                row |= _prefixed(one, measures(found, "classes", one))
            row |= measures(found, "micro") | _prefixed("weighted", measures(found, "weighted"))
            row |= {key: test.get(key) for key in ("difference", "p")} | {"mark": mark(test.get("p"))}
            rows.append(row | {"gold": round(found["mean"]["micro"]["gold"])})
    columns = [
        *("system", "reading", "seeds", *((one, f"{one}_f1") for one in classes), *MEASURE_COLUMNS),
        *(("weighted F1", "weighted_f1"), ("Δ F1", difference), ("p", p_value), "gold"),
    ]
    notes = [
        "Test set, exact matches, in percent: F1 of each class; micro precision, recall and F1; F1 averaged over "
        "classes by gold mentions (weighted). Mean ± sample deviation over seeds. Strict: IOB2; lenient: an I- without "
        f"a B- opens a mention, in the gold standard, too. {MIX} is in no average.",
        f"Gold mentions: {'; '.join(_support(reading, gold[reading], classes) for reading in READINGS)}.",
        f"Δ F1 and p (\\* < 0.05, \\*\\* < 0.01) against the baseline `{baseline}`: two-sided approximate "
        f"randomisation of the strict mean F1, {shuffles:,} shuffles, the unit a sentence with all its seeds.",
    ]
    return Table("measures", "Classes and averages", columns, rows, notes)


def _support(reading: str, mean: dict, classes: Sequence[str]) -> str:
    return f"{reading} " + ", ".join(f"{one} {round(mean['classes'][one]['gold']):,}" for one in classes)


def _prefixed(prefix: str, row: dict) -> dict:
    return {f"{prefix}_{key}": row[key] for key in ("f1", "f1_deviation")}


def grounding_pairs(scores: dict[str, dict]) -> list[tuple[str, str]]:
    """(original, vokenized): systems that see attached pictures and vokens, and differ in nothing else.

    Whether the attached picture is seen by its regions is no difference of models here.
    """
    alike: dict[str, dict[str, list[str]]] = {}
    for name, content in scores.items():
        recipe, recipes = content["provenance"]["recipe"], content["provenance"]["recipes"]
        if recipe.get("by") in ("attachment", "voken"):
            rest = {key: value for key, value in recipe.items() if key not in PICTURE_KEYS}
            rest["embedding"] = {**recipes["embeddings"][recipe["embedding"]], "regions": None}
            alike.setdefault(repr(sorted(rest.items())), {}).setdefault(recipe["by"], []).append(name)
    return [
        (original, vokenized)
        for group in alike.values()
        for vokenized in group.get("voken", [])
        for original in group.get("attachment", [])
    ]


def groundings_table(scores: dict[str, dict], tests: dict[tuple[str, str], dict]) -> Table:
    """Original against vokenized pictures: a row a pair; `tests` are by pair, of vokenized against original."""
    rows = []
    for (original, vokenized), test in tests.items():
        first, second = scores[original]["test"], scores[vokenized]["test"]
        provenance = scores[original]["provenance"]
        row = {
            "fusion": FUSIONS.get(fusion := provenance["recipe"]["fusion"], fusion),
            "control": provenance["recipe"]["control"],
            "regions": provenance["recipes"]["embeddings"][provenance["recipe"]["embedding"]]["regions"],
        }
        for key, name, found in (("original", original, first), ("vokenized", vokenized, second)):
            row |= {key: name, f"{key}_seeds": len(scores[name]["seeds"])}
            for reading in READINGS:
                row |= _prefixed(f"{key}_{reading}", measures(found[reading], "micro"))
        rows.append(row | test | {"mark": mark(test["p"])})
    columns: list = [("model", _model)]
    for key in ("original", "vokenized"):
        columns += [(f"{key}: system", key), ("F1", f"{key}_strict_f1"), ("lenient F1", f"{key}_lenient_f1")]
    columns += [("Δ F1", lambda row: difference(row) + row["mark"].replace("*", "\\*")), ("p", p_value)]
    notes = [
        "Test set, micro. Original: the picture that came with the sentence; vokenized: pictures found for each word. "
        "The systems of a row are the same model, trained alike. Δ F1 is vokenized less original, strict; p as above."
    ]
    return Table("groundings", "Original and vokenized pictures", columns, rows, notes)


def _model(row: dict) -> str:
    parts = [row["fusion"], "the original by its regions" if row["regions"] else "", row["control"] or ""]
    return ", ".join(part for part in parts if part)


def published_tables(scores: dict[str, dict], published: Published, corpus: dict) -> list[Table]:
    """The study's systems (controls apart) beside published ones on the same data; then those on other variants."""
    here = published.variant_of(corpus)
    if here is None:
        known = ", ".join(f"{one.dataset} ({one.variant})" for one in published.variants)
        note = (
            f"This corpus' files (sha256) are none of those that the published numbers are on: {known}. None is shown."
        )
        return [_published_table("published", "Published systems", [], [note])]
    rows = []
    for name, content in scores.items():
        if content["provenance"]["recipe"]["control"] is None:
            row = {"system": name, "variant": here.variant}
            row |= _prefixed("micro", measures(content["test"]["strict"], "micro"))
            row |= _prefixed("lenient", measures(content["test"]["lenient"], "micro"))
            row |= _prefixed("weighted", measures(content["test"]["strict"], "weighted"))
            rows.append(row | {"reading": "both", "source": "this study"})
    others = []
    for one in published.scores:
        if one.dataset == here.dataset:
            place = "lenient" if (one.metric, one.reading) == ("micro", "lenient") else one.metric
            row = {"system": one.system, "variant": one.variant}
            for key in ("micro", "lenient", "weighted"):
                row |= {f"{key}_f1": one.f1 if key == place else None, f"{key}_f1_deviation": None}
            row |= {"reading": one.reading or "not said", "source": one.source}
            (rows if one.variant == here.variant else others).append(row)
    notes = [
        f"F1 on the test set of {here.dataset}, {here.variant} labels (the files' sha256 agree). A micro average "
        "whose source doesn't say how it reads BIO stands in the first column. Published numbers are as their sources "
        "give them; no difference from them is tested."
    ]
    tables = [_published_table("published", "Published systems", rows, notes)]
    if others:
        notes = [f"Not comparable with the published systems above, which are on the variant `{here.variant}`."]
        tables.append(_published_table("published_elsewhere", "Published on other labels", others, notes))
    return tables


def _published_table(name: str, title: str, rows: Sequence[dict], notes: Sequence[str]) -> Table:
    columns = ["system", ("micro F1", "micro_f1"), ("lenient micro F1", "lenient_f1"), ("weighted F1", "weighted_f1")]
    columns += [("reading of BIO", "reading"), *([("labels", "variant")] if name == "published_elsewhere" else [])]
    return Table(name, title, [*columns, "source"], rows, notes)
