"""Tag the dev and test sentences of a corpus with a trained recogniser."""

import argparse

from visner import device as devices
from visner.ner import VERSION
from visner.ner.train import load, predict
from visner.provenance import sha256_file, versions
from visner.stages import log
from visner.tables import PREDICTIONS, read_provenance, write_table


def run(arguments: argparse.Namespace) -> None:
    """`visner ner predict`: labels and gates of every unit."""
    device = devices.select(arguments.gpu, arguments.threads)
    model, labels = load(arguments.model, device)
    data = model.read(arguments, ["dev", "test"], labels, device)
    chosen = [sentence for split in ("dev", "test") for sentence in data.splits[split]]
    predicted = predict(model, data, chosen, labels)
    rows = (
        {
            "sentence_id": sentence.sentence_id,
            "gold": [labels[i] for i in sentence.labels],
            "predicted": tags,
            "gate": gate,
        }
        for sentence, (tags, gate) in zip(chosen, predicted, strict=True)
    )
    made_by = {
        "stage": "ner",
        "version": VERSION,
        "recipe": model.recipe.model_dump(mode="json"),
        "data": read_provenance(arguments.sentences).get("sha256"),
        "sentences": sha256_file(arguments.sentences),
        "model": sha256_file(arguments.model),
        "pictures": read_provenance(arguments.grounding) if arguments.grounding else None,
        "counts": data.counts,
        "versions": versions("torch", "pytorch-crf", "numpy", "pyarrow", *model.libraries),
        "device": device.type,
    }
    count = write_table(arguments.output, PREDICTIONS, rows, made_by)
    log.info("%d sentences tagged", count)
