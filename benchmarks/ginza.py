"""Our gate against GiNZA 5.3 on the same test sentences: exact-match F1 of the location classes.

GiNZA's model was trained on the licensed ENE corpus; it needs an environment of its own (its pins differ from ours):

    python3 -m venv ginza-environment && ginza-environment/bin/pip install ginza==5.3.0 ja-ginza==5.3.0
    snakemake --cores all results/gsd-ene_gate/scores.json --configfile config/gsd-ene.yaml
    python benchmarks/ginza.py --python ginza-environment/bin/python

Prints both F1s (micro, strict, without MIX; ours the mean over seeds). Exit status 1 where ours is not above GiNZA's.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from visner.runtime.spans import Span, micro_f1, spans_to_bio
from visner.runtime.tables import SENTENCES, iterate_rows, read_json

TAG = """
import json, sys
import spacy
nlp = spacy.load("ja_ginza")
texts = json.load(sys.stdin)
found = [[(e.start_char, e.end_char, e.label_) for e in doc.ents] for doc in nlp.pipe(texts)]
json.dump(found, sys.stdout)
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("--experiment", default="gsd-ene_gate")
    parser.add_argument("--python", help="the Python of the environment with GiNZA")
    arguments = parser.parse_args()
    if not arguments.python:
        print("skipped: no environment with GiNZA was named (--python; see --help)")
        return 0
    if not (arguments.results / arguments.experiment / "scores.json").exists():
        print(f"skipped: {arguments.results} has no {arguments.experiment}; make it first, as --help says")
        return 0
    scores = read_json(arguments.results / arguments.experiment / "scores.json")
    ours = scores["test"]["strict"]["mean"]["micro"]["f1"]
    classes = set(scores["test"]["strict"]["mean"]["classes"])
    table = arguments.results / "corpora" / scores["corpus"] / "sentences.parquet"
    rows = [row for row in iterate_rows(table, SENTENCES) if row["split"] == "test"]
    texts = json.dumps([row["text"] for row in rows])
    done = subprocess.run([arguments.python, "-c", TAG], input=texts, stdout=subprocess.PIPE, text=True, check=True)
    predicted = []
    for row, found in zip(rows, json.loads(done.stdout), strict=True):
        spans = [Span(start, stop, label) for start, stop, label in found if label in classes]
        predicted.append(spans_to_bio(spans, len(row["text"])))
    theirs = 100 * micro_f1([row["labels"] for row in rows], predicted)
    print(f"{arguments.experiment}: {ours:.2f} (mean of {len(scores['seeds'])} seeds); GiNZA: {theirs:.2f}; "
          f"{len(rows)} test sentences")  # fmt: skip
    return int(ours <= theirs)


if __name__ == "__main__":
    sys.exit(main())
