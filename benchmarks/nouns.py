"""How fast `visner nouns` is beside a bare fugashi loop.

The loop reads surface and feature_raw of every word of every sentence, in this process, and keeps nothing. The stage
reads a table of sentences and writes its three files, with one process and with several. All take turns until two
rounds agree; printed are characters a second, and their ratios. Exit status 1 if the stage has less than 0.6 of the
loop's speed with one process, or with several less than 0.75 of that times their number (of idle cores).
"""

import argparse
import os
import re
import sys
import tempfile
from pathlib import Path

import fugashi
import unidic_lite
from machine.quiet import MOST, until_two_agree

from visner.config.corpora import Nouns
from visner.nouns.find import find
from visner.runtime import tables

ROOT = Path(__file__).resolve().parents[1]
CHARACTERS = 4_000_000  # so many that starting the processes, half a second, does not show


def read_texts(folder: Path) -> list[str]:
    """The sentences of ENE documents, their tags taken out, over and over until there are enough of them."""
    lines = [line for file in sorted(folder.rglob("*.xml")) for line in file.read_text(encoding="utf-8").splitlines()]
    texts = [text for line in lines if (text := re.sub("<[^>]*>", "", line).strip())]
    return texts * (CHARACTERS // sum(map(len, texts)) + 1)


def loop_bare(texts: list[str]) -> None:
    """The peer: fugashi, and nothing else."""
    tagger = fugashi.GenericTagger(f"-r /dev/null -d {unidic_lite.DICDIR}")
    for text in texts:
        for node in tagger(text):
            node.surface, node.feature_raw  # noqa: B018


def main() -> int:
    """Measure, print, compare with the claim."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, default=os.cpu_count(), metavar="N", help="(default: one a core)")
    parser.add_argument("--rounds", type=int, default=MOST, metavar="N", help="at most (default: %(default)s)")
    arguments = parser.parse_args()
    folders = [ROOT.parent / "shared/data/gsd-ene", ROOT / "data/sample"]
    folder = next((one for one in folders if one.is_dir()), None)
    if folder is None:
        parser.error(f"no text: neither {folders[0]} nor {folders[1]} is there")
    texts = read_texts(folder)
    characters = sum(map(len, texts))
    print(f"{folder.name}: {len(texts)} sentences, {characters} characters")

    with tempfile.TemporaryDirectory() as scratch:
        sentences = Path(scratch, "sentences.parquet")
        row = {"document_id": "", "split": "train", "labels": [], "attachment": None}
        rows = ({**row, "sentence_id": str(n), "text": text, "units": list(text)} for n, text in enumerate(texts))
        tables.write_table(sentences, tables.SENTENCES, rows)
        made = [Path(scratch, name) for name in ("words.parquet", "queries.parquet", "statistics.json")]

        def stage(processes: int) -> None:
            files = {file.stem: file for file in made}
            find(sentences=sentences, shards=Path(scratch, "queries"), recipe=Nouns(), workers=processes, **files)

        several = arguments.processes
        runs = {"bare loop": lambda: loop_bare(texts), "1 process": lambda: stage(1)}
        if several > 1:
            runs[f"{several} processes"] = lambda: stage(several)
        rounds = until_two_agree(runs, arguments.rounds)

    speeds = {name: characters / rounds.typical(name) for name in runs}
    bare, one, *more = speeds.values()
    for name, speed in speeds.items():
        print(f"{name:>12}: {speed:10,.0f} characters/s, {speed / bare:.2f} of the bare loop")
    reached = one >= 0.6 * bare and all(speed >= 0.75 * several * one for speed in more)
    print(rounds)
    print("the claim holds" if reached else "BELOW THE CLAIM")
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
