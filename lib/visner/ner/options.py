"""The tables that a recogniser reads, as arguments of its commands."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The tables, as `train` and `predict` take them; a part that the experiment doesn't use is left out."""
    parser.add_argument("--sentences", required=True, type=Path, metavar="PARQUET")
    parser.add_argument("--words", type=Path, metavar="PARQUET")
    parser.add_argument("--glove-char", type=Path, metavar="SAFETENSORS", help="vectors of units")
    parser.add_argument("--glove-word", type=Path, metavar="SAFETENSORS", help="vectors of words")
    parser.add_argument("--flair", type=Path, metavar="NPY", help="a vector each word occurrence of --words")
    parser.add_argument("--grounding", type=Path, metavar="PARQUET", help="units -> rows of --visual")
    parser.add_argument("--visual", type=Path, metavar="NPY", help="the pictures' vectors")
    parser.add_argument(
        "--scratch", default="", metavar="FOLDER", help="a disk of this machine, to read --flair and --visual from"
    )
