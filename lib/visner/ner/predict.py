"""Tag the dev and test sentences of a corpus with a trained recogniser."""

from pathlib import Path

import torch
from pydantic import TypeAdapter

from visner.config.experiments import Experiment
from visner.ner import VERSION, systems
from visner.ner.batches import decode_all
from visner.ner.inputs import Files
from visner.ner.saving import load
from visner.runtime.provenance import sha256_file, versions
from visner.runtime.stages import log
from visner.runtime.tables import PREDICTIONS, read_provenance, write_table


def predict(
    *,
    sentences: Path,
    words: Path | None = None,
    glove_char: Path | None = None,
    glove_word: Path | None = None,
    flair: Path | None = None,
    grounding: Path | None = None,
    visual: Path | None = None,
    model: Path,
    predictions: Path,
    scratch: str = "",
    device: torch.device,
) -> None:
    """Write labels and gates of every unit; a part that the model's recipe doesn't use is left out."""
    files = Files(sentences, words, glove_char, glove_word, flair, grounding, visual, scratch)
    trained, beside = load(model, device)
    recipe = TypeAdapter(Experiment).validate_python(beside["recipe"])
    data = systems.read(trained, recipe, beside, files, ["dev", "test"], device)
    chosen = [sentence for split in ("dev", "test") for sentence in data.splits[split]]
    labels = trained.config.labels
    rows = (
        {
            "sentence_id": sentence.sentence_id,
            "gold": [labels[i] for i in sentence.labels],
            "predicted": tags,
            "gate": gates,
        }
        for sentence, (tags, gates, _) in zip(chosen, decode_all(trained, data, chosen), strict=True)
    )
    made_by = {
        "stage": "ner",
        "version": VERSION,
        "recipe": beside["recipe"],
        "data": read_provenance(sentences).get("sha256"),
        "sentences": sha256_file(sentences),
        "model": sha256_file(model),
        "pictures": read_provenance(grounding) if grounding else None,
        "counts": data.counts,
        "versions": versions("torch", "pytorch-crf", "numpy", "pyarrow", *systems.libraries(recipe)),
        "device": device.type,
    }
    count = write_table(predictions, PREDICTIONS, rows, made_by)
    log.info("%d sentences tagged", count)
