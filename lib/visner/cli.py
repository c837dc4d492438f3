"""The command `visner`: what people type. The stages are run by Snakemake (see `visner.jobs`)."""

import argparse
import importlib
import os
import sys

from visner import __version__
from visner.errors import VisnerError
from visner.runtime import stages

COMMANDS = {
    "tag": "visner.tagging.command",
    "plan": "visner.plan",
    "store": "visner.images.crawling.store_command",
}


def build_parser() -> argparse.ArgumentParser:
    """The whole command line; each subcommand's arguments come from its module."""
    parser = argparse.ArgumentParser(
        prog="visner",
        description="Words grounded in pictures, for named entity recognition.",
        epilog="Experiments are run by Snakemake: snakemake --cores all results/ene_gate/scores.json",
    )
    parser.add_argument("--version", action="version", version=f"visner {__version__}")
    parser.add_argument("--log", metavar="FILE", help="also write the messages to FILE")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, path in COMMANDS.items():
        module = importlib.import_module(path)
        summary = module.__doc__.splitlines()[0]
        subparser = subparsers.add_parser(
            name, help=summary, description=module.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        module.add_arguments(subparser)
        subparser.set_defaults(run=module.run)
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run a subcommand; the exit status. A VisnerError is printed as it is, without a traceback."""
    parsed = build_parser().parse_args(arguments)
    stages.start_log(parsed.log)
    try:
        parsed.run(parsed)
    except VisnerError as error:
        stages.log.error("visner %s: %s", parsed.command, error)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output has gone, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception:  # a mistake of ours, a full disk: its traceback belongs into the log, too
        stages.log.exception("visner %s: unexpected error", parsed.command)
        return 1
    return 0
