"""The files of a configuration: read with the line of each mistake, also of those that Snakemake lets pass.

Snakemake reads them before it reads the Snakefile. Of two equal keys it takes the last one without a word, and where a
file isn't YAML it says neither file nor line. So we read the same files too.
"""

import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from visner.errors import VisnerError


def read(path: str | Path) -> dict:
    """The content of a configuration file, YAML or JSON; VisnerError names file and line of each mistake in it."""
    text, found = _text(path), None
    try:
        found = json.loads(text)
        text = text.replace("\t", " ")  # JSON is YAML but for its tabs, which all stand between its words
    except ValueError:
        pass
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        repeated = sorted(_repeated(node, (), set()))
        if found is None and node is not None:
            found = loader.construct_document(node)
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise VisnerError(f"{path}:{line}: not YAML: {error.reason}") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        tab = re.search(r"\\t|\btab\b", error.problem)
        problem = "a tab, where YAML has spaces only; replace it" if tab else error.problem
        raise VisnerError(f"{path}:{line}: not YAML: {problem}") from None
    if repeated:
        raise VisnerError("\n".join(f"{path}:{line}: {key}: {fault}" for line, key, fault in repeated))
    if not isinstance(found, dict):
        raise VisnerError(f"{path}:1: a configuration is a mapping of sections (corpora, images, ...)")
    return found


def check(files: Sequence[str | Path]) -> None:
    """VisnerError where Snakemake's `--configfile` has taken a target, or where `read` finds a mistake."""
    for place, file in enumerate(files):
        path = Path(os.path.relpath(file))
        if place and (path.parts[:1] == ("results",) or not path.exists()):
            raise VisnerError(
                f"{path}: no configuration file; --configfile takes all words that follow it: write targets before it "
                f"(snakemake {path} --configfile {os.path.relpath(files[0])}), or after `--`"
            )
        read(path)


def check_command_line() -> None:
    """`check` of the files that follow --configfile; ends this process, which is Snakemake, with the first mistake.

    The profiles call it, for Snakemake reads them before it reads those files; then it would end with a traceback, or
    without a line. Does nothing where another program reads a profile (`visner plan`).
    """
    program = Path(sys.argv[0])
    if program.name != "snakemake" and program.parts[-2:] != ("snakemake", "__main__.py"):
        return
    from snakemake.cli import get_argument_parser

    try:
        check(get_argument_parser().parse_args(sys.argv[1:]).configfile)
    except VisnerError as error:
        sys.exit(f"Error: {error}")


def _text(path: str | Path) -> str:
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise VisnerError(f"{path}: no such configuration file") from None
    except OSError as error:
        raise VisnerError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise VisnerError(f"{path}:{line}: not UTF-8; convert the file") from None


def _repeated(node: yaml.Node | None, above: tuple[str, ...], seen: set[int]) -> Iterator[tuple[int, str, str]]:
    """Line, key and fault of each key that a mapping has twice; what a merge (`<<`) brings is not in the mapping."""
    if node is None or id(node) in seen:  # an alias is the node of its anchor
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for number, one in enumerate(node.value):
            yield from _repeated(one, (*above, str(number)), seen)
    elif isinstance(node, yaml.MappingNode):
        lines: dict[tuple[str, str], int] = {}
        for key, value in node.value:
            path, line = (*above, str(key.value)), key.start_mark.line + 1
            if first := lines.get((key.tag, path[-1])):
                yield (
                    line,
                    ".".join(path),
                    f"this key is on line {first}, too, and only the last one would count; keep one",
                )
            lines.setdefault((key.tag, path[-1]), line)
            yield from _repeated(value, path, seen)
