"""Labels in columns: which ones a recipe knows, what they mean in its scheme, and which scheme they look like."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from visner.config.corpora import ConllCorpus, CustomCorpus, ImgidCorpus
from visner.config.errors import suggest
from visner.corpora.records import Findings, comment_remedy
from visner.errors import VisnerError
from visner.runtime.spans import SCHEMES, breaches, to_bio
from visner.runtime.stages import log

FOREIGN = {"S": "BIOES", "E": "BIOES", "U": "BILOU", "L": "BILOU"}  # a prefix -> the scheme that has it


class Labels:
    """The labels of a file, read by the recipe's scheme. What breaks the scheme is counted and listed."""

    def __init__(self, path: Path, recipe: ConllCorpus | ImgidCorpus | CustomCorpus, findings: Findings):
        self._path, self._recipe, self._findings = path, recipe, findings
        prefixes = SCHEMES[recipe.scheme]
        self._choices = ["O", *(f"{prefix}-{one}" for one in recipe.classes for prefix in prefixes)]
        self._known = frozenset(self._choices)
        self._kind = "labels_orphaned" if recipe.scheme == "BIO" else "labels_inconsistent"

    def check(self, number: int, label: str, line: str) -> None:
        """VisnerError with file and line where the recipe has no such label; `line` is the whole line."""
        if label in self._known:
            return
        at, own, other = f"{self._path}:{number}", self._recipe.scheme, FOREIGN.get(label[:1])
        if label[1:2] == "-" and label[2:] in self._recipe.classes and other:
            key = f"{self._findings.corpus}.scheme"
            raise VisnerError(f"{at}: the scheme {own} ({key}) has no label {label!r}; set `scheme: {other}`")
        raise VisnerError(f"{at}: the label {label!r} is unknown{suggest(label, self._choices)}{comment_remedy(line)}")

    def read(self, numbers: Sequence[int], tokens: Sequence[str], labels: Sequence[str]) -> list[str]:
        """The labels of a sentence as BIO; `numbers` are those of their lines."""
        scheme = self._recipe.scheme
        if any(label != "O" for label in labels):
            counts = self._findings.schemes[self._path]
            counts["mentions"] += sum(label[0] == "B" for label in to_bio(labels, "IOB1"))
            for other in {"BIO", "IOB1"} - {scheme}:
                counts[other] += sum(1 for _ in breaches(labels, other))
            for place in breaches(labels, scheme):
                counts[scheme] += 1
                self._findings.add(self._kind, self._path, numbers[place], f"{tokens[place]} {labels[place]}")
        return to_bio(labels, scheme)


def compare_schemes(recipe: ConllCorpus | ImgidCorpus | CustomCorpus, findings: Findings) -> None:
    """Say under the key where the labels that were read fit another scheme better than the recipe's.

    IOB1 read as BIO loses mentions: VisnerError where those are most, a warning where they are those of some files.
    Read by another scheme, no mention is lost: a warning, too.
    """
    scheme, key = recipe.scheme, f"{findings.corpus}.scheme"
    total = sum(findings.schemes.values(), start=Counter())
    fitting = _fitting(total, scheme)
    if (scheme, fitting) == ("BIO", "IOB1") and 2 * total["BIO"] > total["mentions"]:
        raise VisnerError(f"{key}: {_lost(total)}; set `scheme: IOB1`")
    others = [path for path, counts in findings.schemes.items() if _fitting(counts, scheme) != scheme]
    if scheme != "BIO" and others and len(others) == len(findings.schemes):
        log.warning(
            "%s: %s labels break the scheme %s, and %s break %s; set `scheme: %s`",
            *(key, f"{total[scheme]:,}", scheme, f"{total[fitting]:,}", fitting, fitting),
        )
    elif scheme == "BIO" and others:
        log.warning(
            "%s: in %s file(s), such as %s, %s; `scheme: IOB1` reads files of both schemes",
            *(key, f"{len(others):,}", others[0], _lost(findings.schemes[others[0]])),
        )


def _fitting(counts: Counter, scheme: str) -> str:
    """The scheme that the fewest labels break; the recipe's, where no other has fewer."""
    return min((scheme, "BIO", "IOB1"), key=lambda one: counts[one])


def _lost(counts: Counter) -> str:
    return f"{counts['BIO']:,} of {counts['mentions']:,} mentions begin with I-, as in IOB1, and are none in BIO"
