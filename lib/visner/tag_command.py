"""Tag new text with a trained experiment.

Reads texts, a sentence a line, from files or standard input. Prints each with its mentions tagged inline and, below
it, the nouns with the gate that let their pictures in (0 to 1; - where no picture was found); or, with --json, a JSON
object a line. Nouns that the experiment's corpus doesn't have are looked up in its source of pictures.

    echo 日本の首都は東京である。 | visner tag --model results/ene_gate
"""

import argparse
import json
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from visner import stages
from visner.errors import VisnerError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--model", required=True, type=Path, metavar="FOLDER", help="results/{experiment}")
    parser.add_argument("--seed", type=int, help="which of its seeds (default: the best on dev)")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--fetch", action="store_true", help="ask a source on the network for unknown nouns, too")
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="UTF-8 texts (default: standard input)")
    stages.add_compute_arguments(parser)


def run(arguments: argparse.Namespace) -> None:
    """Tag all lines, some hundred at a time."""
    from visner.tagger import Tagger

    tagger = Tagger(arguments.model, arguments.seed, arguments.fetch, arguments.gpu, arguments.threads)
    show = as_json if arguments.json else as_text
    lines = _lines(arguments.files)
    while some := list(islice(lines, 256)):
        for tagged in tagger.tag(some):
            print(show(tagged), flush=True)
    if tagger.recipe.fusion != "none":
        counts = tagger.lookups
        stages.log.info(
            "%d nouns: %d known from the corpus, %d looked up now, %d without pictures",
            len(counts.known) + len(counts.found) + len(counts.missed),
            len(counts.known),
            len(counts.found),
            len(counts.missed),
        )


def as_json(tagged) -> str:
    """A text, its mentions and its words as one line of JSON; places are in code points."""
    content = {
        "text": tagged.text,
        "mentions": [mention._asdict() for mention in tagged.mentions],
        "words": [word._asdict() for word in tagged.words],
    }
    return json.dumps(content, ensure_ascii=False)


def as_text(tagged) -> str:
    """A text with inline tags, and below it its nouns with their gates."""
    parts, end = [], 0
    for mention in tagged.mentions:
        parts += [tagged.text[end : mention.start], f"<{mention.label}>{mention.surface}</{mention.label}>"]
        end = mention.stop
    line = "".join([*parts, tagged.text[end:]])
    nouns = [word for word in tagged.words if word.query is not None]
    return line + ("\n    " + "  ".join(map(_noun, nouns)) if nouns else "")


def _noun(word) -> str:
    if not word.has_pictures:
        return f"{word.surface} -"
    return word.surface if word.gate is None else f"{word.surface} {word.gate:.2f}"


def _lines(files: list[Path]) -> Iterator[str]:
    for file in files or [None]:
        try:
            with open(file or sys.stdin.fileno(), encoding="utf-8", closefd=file is not None) as opened:
                for line in opened:
                    yield line.rstrip("\n")
        except UnicodeDecodeError as error:
            raise VisnerError(f"{file or 'standard input'}: not UTF-8: {error}; convert it first") from None
        except OSError as error:
            raise VisnerError(f"{file}: {error.strerror}") from None
