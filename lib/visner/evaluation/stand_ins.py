"""Which numbers of a study only stand in for real ones, and why: said at the head of its page and beside its tables."""

from typing import NamedTuple

BESIDE = "Stand-in numbers: see the head of the study's page."


class StandIn(NamedTuple):
    """A warning: a few words, and what they mean."""

    head: str
    text: str

    def markdown(self) -> str:
        """For a page."""
        return f"**{self.head}** {self.text}"


def stand_ins(scores: dict[str, dict]) -> list[StandIn]:
    """The warnings of some systems' scores: weights that were never trained, and the notes of their pictures."""
    found = []
    untrained = [name for name, one in scores.items() if _is_untrained(one["provenance"]["recipes"])]
    if untrained:
        found.append(
            StandIn(
                "Random weights: stand-in numbers.",
                f"The picture vectors of {', '.join(untrained)}, or those that found the pictures, come from a network "
                "that was never trained; these scores say nothing about what pictures are worth.",
            )
        )
    notes: dict[tuple[str, str], list[str]] = {}
    for name, one in scores.items():
        for images, recipe in one["provenance"]["recipes"].get("images", {}).items():
            if recipe.get("note"):
                notes.setdefault((images, recipe["note"]), []).append(name)
    return found + [
        StandIn(f"Pictures {images}:", f"{note} ({', '.join(names)})") for (images, note), names in notes.items()
    ]


def _is_untrained(recipes: dict) -> bool:
    return any(one["weights"] == "random" for one in recipes.get("embeddings", {}).values())
