"""Read a corpus into one table of sentences with labels and splits, and count it.

`read` writes the table and its statistics; `page` shows the statistics as Tables 1-3 of the paper do. A corpus is
a recipe of the configuration: ENE inline tags, Stockmark's JSON, CoNLL columns, tweets with pictures, or plain text.
What is left out or mended is counted and listed; what can't be read stops with its file and line. `download` fetches
one file of a public corpus and refuses every other variant of it. `attachments` lists the pictures that came with the
sentences, for the source of pictures `attached`.

    visner corpora read --recipe config.yaml:corpora.ene --root . --output sentences.parquet \\
        --statistics statistics.json
    visner corpora page --statistics statistics.json --nouns nouns.json --output index.md
    visner corpora download --url https://example.org/twitter2017/train.txt --sha256 801e14... --output train.txt
"""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `visner corpora`."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    read = verbs.add_parser("read", help="corpus files -> sentences.parquet and statistics.json")
    read.add_argument("--recipe", required=True, metavar="JSON", help="a corpus, as JSON or FILE.yaml:corpora.NAME")
    read.add_argument("--root", default=".", metavar="DIR", help="where the recipe's relative paths begin")
    read.add_argument("--name", default="NAME", help="the corpus' name in the configuration, for messages")
    read.add_argument("--output", required=True, metavar="FILE", help="the table of sentences (Parquet)")
    read.add_argument("--statistics", required=True, metavar="FILE", help="the counts (JSON)")
    page = verbs.add_parser("page", help="statistics -> a readable page (Markdown)")
    page.add_argument("--statistics", required=True, metavar="FILE", help="the counts of `read`")
    page.add_argument("--nouns", nargs="?", metavar="FILE", help="what `visner nouns` counted, of a text that it cuts")
    page.add_argument("--published", default="{}", metavar="JSON", help="split -> sentences, as a paper counts them")
    page.add_argument("--output", required=True, metavar="FILE", help="the page (Markdown)")
    attachments = verbs.add_parser("attachments", help="sentences.parquet -> the names of their pictures")
    attachments.add_argument("--sentences", required=True, metavar="FILE", help="what `read` made")
    attachments.add_argument("--shards", required=True, type=int, metavar="N", help="in how many files pictures are")
    attachments.add_argument("--output", required=True, metavar="FILE", help="the table of queries (Parquet)")

    download = verbs.add_parser("download", help="a public file, checked by its sha256")
    download.add_argument("--url", required=True, help="its address")
    download.add_argument("--sha256", required=True, metavar="HEX", help="of its bytes")
    download.add_argument("--output", required=True, metavar="FILE", help="where it goes")


def run(arguments: argparse.Namespace) -> None:
    """Run a verb."""
    import json

    from visner import config, recipes, stages, tables
    from visner.corpora.attachments import write_attachments
    from visner.corpora.download import download
    from visner.corpora.page import page
    from visner.corpora.reading import read_corpus

    stages.die_with_parent()
    with stages.locked(arguments.output):
        if arguments.verb == "page":
            counted = tables.read_json(arguments.statistics)
            nouns = tables.read_json(arguments.nouns) if arguments.nouns else None
            tables.write_text(arguments.output, page(counted, nouns, json.loads(arguments.published)))
            return
        if arguments.verb == "download":
            download(arguments.url, arguments.sha256, arguments.output)
            return
        if arguments.verb == "attachments":
            count = write_attachments(arguments.sentences, arguments.shards, arguments.output)
            stages.log.info("%d distinct attachments", count)
            return
        recipe = config.read_recipe(arguments.recipe, recipes.Corpus)
        outputs = arguments.output, arguments.statistics
        _report(read_corpus(recipe, Path(arguments.root), *outputs, f"corpora.{arguments.name}"))


def _report(counted: dict) -> None:
    """The main counts, and what a user should look at, as messages."""
    from logging import INFO, WARNING

    from visner.stages import log

    splits = ", ".join(f"{split} {counts['sentences']:,}" for split, counts in counted["splits"].items())
    log.info(
        "%s files, %s documents, %s sentences (%s), %s mentions",
        *(f"{counted[key]:,}" for key in ("files", "documents", "sentences")),
        splits,
        f"{counted['mentions']:,}",
    )
    for kind, finding in counted["findings"].items():
        if finding["count"]:
            level = WARNING if kind == "files_unopened" else INFO
            log.log(level, "%s: %s", f"{finding['count']:,}", finding["meaning"])
    for label, counts in counted["classes"].items():
        if not counts["mentions"]:
            log.warning("classes: no mention has the class %s", label)
