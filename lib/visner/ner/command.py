"""Train a recogniser; tag the dev and test sentences with it.

`train` fits the recogniser of one experiment with one seed. Interrupted, it goes on from its checkpoint (under
--resume) and ends in the same model; SIGTERM makes a checkpoint first. `predict` writes what a model says of every
dev and test sentence; nothing is scored here. `describe` keeps all recipes of a system beside its models.

    visner ner train --recipe config.yaml:experiments.ene_gate --seed 1 --sentences ... --words ... ...
"""

import argparse
import json
from pathlib import Path

from visner import stages, tables


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verbs `train` and `predict`."""
    from visner.ner import options

    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    train = verbs.add_parser("train", help="fit a recogniser")
    train.add_argument("--recipe", required=True, help="the experiment, as JSON or FILE.yaml:experiments.NAME")
    train.add_argument("--seed", type=int, required=True)
    train.add_argument("--encoder", type=Path, metavar="FOLDER", help="the encoder that a bert_crf is trained from")
    train.add_argument(
        "--tagging", nargs="*", type=Path, default=[], metavar="FILE",
        help="what a tagger reads beside these: the language models, the keys of --visual; their digests are kept",
    )  # fmt: skip
    train.add_argument("--resume", type=Path, required=True, metavar="FOLDER", help="where checkpoints are kept")
    train.add_argument("--output-model", type=Path, required=True, metavar="SAFETENSORS")
    train.add_argument("--output-history", type=Path, required=True, metavar="JSON", help="losses and dev F1")
    predict = verbs.add_parser("predict", help="tag dev and test")
    predict.add_argument("--model", type=Path, required=True, metavar="SAFETENSORS")
    predict.add_argument("--output", type=Path, required=True, metavar="PARQUET")
    describe = verbs.add_parser("describe", help="write down what a system consists of, for tagging new text")
    describe.add_argument("--system", required=True, metavar="JSON", help="the recipes and where files are")
    describe.add_argument("--crawl", default="{}", metavar="JSON", help="how its source of pictures is to be asked")
    describe.add_argument("--output", type=Path, required=True, metavar="JSON")
    for verb in (train, predict):
        options.add_arguments(verb)
        stages.add_compute_arguments(verb)


def run(arguments: argparse.Namespace) -> None:
    """Run the verb."""
    stages.die_with_parent()
    if arguments.verb == "train":
        from visner.ner.train import run as train

        with stages.locked(arguments.output_model):
            train(arguments)
    elif arguments.verb == "describe":
        content = {**json.loads(arguments.system), "crawl": json.loads(arguments.crawl)}
        tables.write_json(arguments.output, content)
    else:
        from visner.ner.predict import run as predict

        with stages.locked(arguments.output):
            predict(arguments)
