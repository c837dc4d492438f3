"""Tag the dev and test sentences of a corpus with a trained recogniser."""

import argparse

from visner import device as devices
from visner.ner import inputs
from visner.ner.train import load, predict
from visner.stages import log
from visner.tables import PREDICTIONS, read_provenance, write_table


def run(arguments: argparse.Namespace) -> None:
    """`visner ner predict`: labels and gates of every unit."""
    device = devices.select(arguments.gpu, arguments.threads)
    model, labels = load(arguments.model, device)
    frozen = inputs.load_frozen(arguments)
    sentences = inputs.load_sentences(arguments, frozen, ["dev", "test"], labels)
    chosen = [sentence for split in ("dev", "test") for sentence in sentences[split]]
    predicted = predict(model, chosen, frozen.tables, labels, device)
    rows = (
        {
            "sentence_id": sentence.sentence_id,
            "gold": [labels[i] for i in sentence.labels],
            "predicted": tags,
            "gate": gate,
        }
        for sentence, (tags, gate) in zip(chosen, predicted, strict=True)
    )
    provenance = {"sentences": read_provenance(arguments.sentences).get("sha256")}
    count = write_table(arguments.output, PREDICTIONS, rows, provenance)
    log.info("%d sentences tagged", count)
