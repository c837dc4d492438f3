"""Find the words and nouns of a corpus, and the queries to look their pictures up by.

MeCab (through fugashi) cuts the text of every sentence into words. A noun's query is the noun itself, NFKC-normalised;
all other words have none. The recipe names MeCab's dictionary, the part of speech that is looked up, and the ones
below it that are left out. A corpus whose units are tokens, as a tweet's are, has no Japanese text: there every
token is a word, and no word has a query. With `queries: sentences` each sentence is a query as it is: for a list of
things whose pictures are a matcher's pool.

Example:

  visner nouns --recipe config.yaml:corpora.ene.nouns --sentences results/corpora/ene/sentences.parquet \\
    --words words.parquet --queries queries.parquet --statistics statistics.json --processes 2
"""

import argparse

from visner import config, recipes, stages
from visner.nouns.extraction import find_nouns


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--recipe", required=True, help="JSON, or FILE.yaml:corpora.NAME.nouns")
    parser.add_argument("--root", default=".", help="where a relative dictionary path starts (default: .)")
    parser.add_argument("--sentences", required=True, metavar="PARQUET", help="the corpus, as `visner corpora` made it")
    parser.add_argument("--words", required=True, metavar="PARQUET", help="made: every sentence's words")
    parser.add_argument("--queries", required=True, metavar="PARQUET", help="made: the distinct queries")
    parser.add_argument("--statistics", required=True, metavar="JSON", help="made: counts, and the share of nouns")
    parser.add_argument("--processes", type=int, default=1, metavar="N", help="MeCab processes (default: 1)")


def run(arguments: argparse.Namespace) -> None:
    """Make the three files."""
    stages.die_with_parent()
    recipe = config.read_recipe(arguments.recipe, recipes.Nouns)
    with stages.locked(arguments.words):
        find_nouns(
            recipe,
            arguments.root,
            arguments.sentences,
            arguments.words,
            arguments.queries,
            arguments.statistics,
            arguments.processes,
        )
