"""What a reader of a study must know before its numbers: which only stand in for real ones, and which prove little."""

BESIDE = "Stand-in numbers: see the head of the study's page."


def stand_ins(scores: dict[str, dict]) -> list[str]:
    """Of some systems' scores, in Markdown: weights that were never trained, and the notes of their pictures."""
    warnings = []
    untrained = [name for name, one in scores.items() if _is_untrained(one["provenance"]["recipes"])]
    if untrained:
        warnings.append(
            f"**Random weights: stand-in numbers.** The picture vectors of {', '.join(untrained)}, or those that found "
            "the pictures, come from a network that was never trained; these scores say nothing about what pictures "
            "are worth."
        )
    notes: dict[tuple[str, str], list[str]] = {}
    for name, one in scores.items():
        for images, recipe in one["provenance"]["recipes"].get("images", {}).items():
            if recipe.get("note"):
                notes.setdefault((images, recipe["note"]), []).append(name)
    return warnings + [f"**Pictures {images}:** {note} ({', '.join(names)})" for (images, note), names in notes.items()]


def _is_untrained(recipes: dict) -> bool:
    return any(one["weights"] == "random" for one in recipes.get("embeddings", {}).values())


def doubts(scores: dict[str, dict]) -> list[str]:
    """Warnings of under-trained systems and of seeds that differ more than systems, in Markdown; the baseline first."""
    silent, rising, unsure = [], [], []
    first = next(iter(scores.values()))["test"]["strict"]
    for name, content in scores.items():
        test = content["test"]["strict"]
        if seeds := [seed for seed, one in test["seeds"].items() if not one["micro"]["predicted"]]:
            silent.append(_with_seeds(name, seeds))
        reports = content["training"].items()
        if seeds := [seed for seed, report in reports if report["best_epoch"] == len(report["dev_f1"])]:
            rising.append(_with_seeds(name, seeds))
        effect = test["mean"]["micro"]["f1"] - first["mean"]["micro"]["f1"]
        spread = max(_spread(test), _spread(first))
        if test is not first and spread > abs(effect):
            unsure.append(f"{name} (difference {effect:+.2f}, seeds {spread:.2f} apart)")
    warnings = []
    if silent:
        warnings.append(
            f"**Nothing predicted:** {', '.join(silent)} found no mention at all in the test set: that is a training "
            "that failed, and no system to compare with. Look at its training.json: more epochs, another learning rate?"
        )
    if rising:
        warnings.append(
            f"**Still improving:** the best epoch of {', '.join(rising)} was the last one; with more epochs "
            "(`training.epochs`) the comparison may come out otherwise."
        )
    if unsure:
        warnings.append(
            f"**Seeds differ by more than the effect:** {', '.join(unsure)}. The difference is that of the mean F1 to "
            "the baseline, beside it how far the F1 of the best and the worst seed lie apart, in the system or in the "
            "baseline."
        )
    return warnings


def _with_seeds(name: str, seeds: list[str]) -> str:
    return f"{name} (seed{'s' if len(seeds) > 1 else ''} {', '.join(seeds)})"


def _spread(reading: dict) -> float:
    f1 = [one["micro"]["f1"] for one in reading["seeds"].values()]
    return max(f1) - min(f1)
