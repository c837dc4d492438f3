"""A readable page on a corpus: Tables 1-3 of the paper, and what was left out or mended."""

from pathlib import Path

from visner.corpora.splits import SPLITS
from visner.runtime import tables

SIZES = ("documents", "sentences", "units", "characters", "mentions")


def page(*, statistics: Path, nouns: Path | None = None, output: Path, published: dict[str, int]) -> None:
    """Write a corpus' statistics as Markdown.

    `nouns` is what the stage nouns counted (words, lexicon, nouns, coverage), None where units are tokens; `published`
    are the sentences of each split as a paper counts them, or empty.
    """
    counted = tables.read_json(nouns) if nouns else None
    tables.write_text(output, markdown(tables.read_json(statistics), counted, published))


def markdown(corpus: dict, nouns: dict | None, published: dict[str, int]) -> str:
    """The page's text; see `page`."""
    classes = {**corpus["classes"]}
    if corpus["format"] == "ene":
        classes["MIX"] = corpus["mix"]
    parts = [
        "# The corpus",
        f"Format {corpus['format']}, {corpus['files']:,} files, sha256 `{corpus['sha256']}`.",
        *_file_sums(corpus),
        "## Table 1: size",
        _table(
            ["", "count"],
            [
                *([key, nouns[key]] for key in ("words", "lexicon") if nouns),
                *([key, corpus[key]] for key in SIZES),
            ],
        ),
    ]
    if nouns:
        coverage = f"{nouns['coverage']:.1%} of the words have a non-empty query"
        parts.append(f"{nouns['nouns']:,} words are nouns: {coverage}.")
    has_orphans = corpus["orphans"] or corpus["format"] == "imgid"
    columns = {**{size: size for size in SIZES}, **({"orphans": "I- that continue nothing"} if has_orphans else {})}
    parts += [
        "## Splits",
        _table(
            ["split", *columns.values()],
            [[split, *(corpus["splits"][split][key] for key in columns)] for split in SPLITS],
        ),
        *_comparison(corpus, published),
    ]
    if classes:
        parts += [
            "## Table 2: classes",
            _table(
                ["class", "types", "mentions"],
                [[label, counts["types"], counts["mentions"]] for label, counts in classes.items()],
            ),
            "## Table 3: mentions by class and split",
            _table(
                ["class", *SPLITS],
                [[label, *(counts[split] for split in SPLITS)] for label, counts in classes.items()],
            ),
        ]
    if corpus["format"] == "ene":
        parts.append("MIX is the class of mentions that have several; no sum on this page counts it.")
    if corpus["other_classes"]:
        listed = ", ".join(f"{_escaped(label)} {count:,}" for label, count in corpus["other_classes"].items())
        parts.append(f"Plain text here, as the recipe doesn't want these classes: {listed}.")
    parts += ["## Left out and mended", f"Corrections by hand: {corpus['corrections']:,}.", *_findings(corpus)]
    return "\n\n".join(parts) + "\n"


def _file_sums(corpus: dict) -> list[str]:
    """The sha256 of each file, of corpora that circulate in variants."""
    files = corpus.get("files_sha256", [])
    return ["\n".join(f"- {one['split']}: `{one['file']}`, sha256 `{one['sha256']}`" for one in files)] if files else []


def _comparison(corpus: dict, published: dict[str, int]) -> list[str]:
    """Sentences of each split beside a paper's counts, and those that another split has, too."""
    parts = []
    if published:
        counted = {split: corpus["splits"][split]["sentences"] for split in SPLITS if split in published}
        differing = [split for split in counted if counted[split] != published[split]]
        parts += [
            "## Sentences here and published",
            _table(["split", "here", "published"], [[split, counted[split], published[split]] for split in counted]),
            f"**They differ in {', '.join(differing)}.**" if differing else "They agree.",
        ]
    if sum(corpus["splits"][split]["sentences"] > 0 for split in SPLITS) > 1:
        rows = [
            [f"{split}, also in {other}", count]
            for split, others in corpus["overlap"].items()
            for other, count in others.items()
        ]
        parts += ["## The same sentence in two splits", _table(["sentences of", "count"], rows)]
    return parts


def _findings(corpus: dict) -> list[str]:
    met = [finding for finding in corpus["findings"].values() if finding["count"]]
    parts = []
    for finding in met:
        examples = finding["examples"]
        shown = f" (the first {len(examples)} are listed)" if len(examples) < finding["count"] else ""
        listed = "\n".join(f"- `{one['at']}` {_escaped(one['text'])}".rstrip() for one in examples)
        parts.append(f"**{finding['count']:,} {_escaped(finding['meaning'])}**{shown}\n\n{listed}")
    return parts or ["Nothing else."]


def _table(header: list[str], rows: list[list]) -> str:
    """A Markdown table: names to the left, numbers to the right."""
    cells = [[_escaped(str(row[0])), *(f"{number:,}" for number in row[1:])] for row in rows]
    rule = ["---"] + ["--:"] * (len(header) - 1)
    return "\n".join(f"| {' | '.join(row)} |" for row in [header, rule, *cells])


def _escaped(text: str) -> str:
    """Text from a corpus, so that Markdown shows it as it is, on one line."""
    for character in "\\`*_[]<>|#&":
        text = text.replace(character, "\\" + character)
    return " ".join(text.split("\n"))
