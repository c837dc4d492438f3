"""A readable page on a corpus: Tables 1-3 of the paper, and what was left out or mended."""

from visner.corpora.splits import SPLITS

SIZES = ("documents", "sentences", "units", "characters", "mentions")


def page(corpus: dict, nouns: dict) -> str:
    """Markdown of a corpus' statistics; `nouns` is what the stage nouns counted (words, lexicon, nouns, coverage)."""
    classes = {**corpus["classes"]}
    if corpus["format"] == "ene":
        classes["MIX"] = corpus["mix"]
    parts = [
        "# The corpus",
        f"Format {corpus['format']}, {corpus['files']:,} files, sha256 `{corpus['sha256']}`.",
        "## Table 1: size",
        _table(
            ["", "count"],
            [
                ["words", nouns["words"]],
                ["lexicon", nouns["lexicon"]],
                *([key, corpus[key]] for key in SIZES),
            ],
        ),
        f"{nouns['nouns']:,} words are nouns: {nouns['coverage']:.1%} of the words have a non-empty query.",
        "## Splits",
        _table(
            ["split", *SIZES],
            [[split, *(corpus["splits"][split][key] for key in SIZES)] for split in SPLITS],
        ),
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


def _findings(corpus: dict) -> list[str]:
    met = [finding for finding in corpus["findings"].values() if finding["count"]]
    parts = []
    for finding in met:
        examples = finding["examples"]
        shown = f" (the first {len(examples)} are listed)" if len(examples) < finding["count"] else ""
        listed = "\n".join(f"- `{one['at']}` {_escaped(one['text'])}" for one in examples)
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
