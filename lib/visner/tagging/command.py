"""Tag new text with a trained experiment.

Reads texts, a sentence a line, from files or standard input. Prints each with its mentions tagged inline and, below
it, the nouns with the gate that let their pictures in (0 to 1; - where no picture was found); or, with --json, a JSON
object a line. A line that comes by a pipe is answered at once. Nouns that the experiment's corpus doesn't have are
looked up in its source of pictures.

    echo 日本の首都は東京である。 | visner tag --model results/ene_gate
"""

import argparse
import json
import os
import stat
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from visner.errors import VisnerError
from visner.runtime import stages
from visner.tagging.trained import Trained

LINES = 64  # tagged at once, at most
TOO_LONG = "{}: more than {:,} characters; give a sentence a line"
READ = 1 << 16  # bytes read at once, at most: of a pipe what is in it
LONGEST = 50_000  # characters of a line: they take some 4 GB with a BiLSTM of 256 units


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument(
        "--model", required=True, type=Path, metavar="FOLDER", help="results/{experiment}, or a seed's folder below it"
    )
    parser.add_argument("--seed", type=int, help="which of its seeds (default: the best on dev)")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--fetch", action="store_true", help="ask a source on the network for unknown nouns, too")
    parser.add_argument("files", nargs="*", metavar="FILE", help="UTF-8 texts; - or none: standard input")
    parser.add_argument("--gpu", type=int, choices=(0, 1), default=0, help="1: compute on a GPU (default: 0, the CPU)")
    parser.add_argument("--threads", type=int, default=1, help="threads on the CPU (default: %(default)s)")


def run(arguments: argparse.Namespace) -> None:
    """Tag all lines as they come."""
    for file in arguments.files:
        if file != "-" and not os.path.exists(file):
            raise VisnerError(f"{file}: there is no such file")
    Trained(arguments.model, arguments.seed)  # what is wrong with them shows before torch is imported
    from visner.tagging.tagger import Tagger

    tagger = Tagger(arguments.model, arguments.seed, arguments.fetch, arguments.gpu, arguments.threads)
    show = as_json if arguments.json else as_text
    sys.stdout.reconfigure(encoding="utf-8")  # as what is read, whatever the terminal's settings
    if "-" in (arguments.files or ["-"]) and os.isatty(0):
        stages.log.info("reading a sentence a line from the terminal; Ctrl-D ends it")
    texts = 0
    # On a terminal the answers themselves show how far it is.
    shown = {"unit": "B", "unit_scale": True, "leave": False, "disable": sys.stdout.isatty()}
    with stages.progress(None, "tag", total=_size(arguments.files), **shown) as bar:
        for lines, size in read_lines(arguments.files or ["-"]):
            texts += len(lines)
            for tagged in tagger.tag(lines):
                print(show(tagged), flush=True)
            bar.update(size)
    if not texts:
        stages.log.warning("there was no text: give files, or a sentence a line on standard input")
    elif tagger.recipe.fusion != "none":
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


def read_lines(files: Iterable[str]) -> Iterator[tuple[list[str], int]]:
    """The lines of files, in lists of those that can be read now without waiting, 64 at most, and each list's bytes.

    Lines end as Python's do in text (LF, CR or both); a byte order mark at the head of a line is dropped. VisnerError,
    after the lines before it, names the line that is no UTF-8, or too long.
    """
    for file in files:
        name = "standard input" if file == "-" else file
        number, rest = 0, b""
        try:
            with open(0 if file == "-" else file, "rb", buffering=0, closefd=file != "-") as opened:
                while chunk := opened.read(READ):
                    lines = (rest + chunk).splitlines(keepends=True)
                    rest = b"" if lines[-1].endswith(b"\n") else lines.pop()  # what ends in CR may go on with LF
                    yield from _decoded(name, number, lines)
                    number += len(lines)
                    if len(rest) > 4 * LONGEST:
                        raise VisnerError(TOO_LONG.format(f"{name}:{number + 1}", LONGEST))
        except OSError as error:
            raise VisnerError(f"{name}: {error.strerror}") from None
        yield from _decoded(name, number, [rest] if rest else [])


def _decoded(name: str, number: int, lines: list[bytes]) -> Iterator[tuple[list[str], int]]:
    """Lines after the first `number` ones as text, 64 at a time, and their bytes."""
    for first in range(0, len(lines), LINES):
        texts, size = [], 0
        for place, line in enumerate(lines[first : first + LINES], start=number + first + 1):
            try:
                texts.append(_text(f"{name}:{place}", line))
            except VisnerError:
                if texts:
                    yield texts, size
                raise
            size += len(line)
        yield texts, size


def _text(place: str, line: bytes) -> str:
    try:
        text = line.rstrip(b"\r\n").decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise VisnerError(
            f"{place}: not UTF-8 ({error.reason} at byte {error.start}); convert it first, such as by "
            "iconv -f SHIFT_JIS -t UTF-8"
        ) from None
    if len(text) > LONGEST:
        raise VisnerError(TOO_LONG.format(place, LONGEST))
    return text


def _size(files: list[str]) -> int | None:
    """The bytes of all input together; None where that isn't known."""
    try:
        found = [os.stat(0 if file == "-" else file) for file in files or ["-"]]
    except OSError:  # which reading it says
        return None
    return sum(one.st_size for one in found) if all(stat.S_ISREG(one.st_mode) for one in found) else None
