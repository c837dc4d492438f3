"""Flair vectors of a whole corpus: one row a word occurrence, in the order of the words table, in one mapped file."""

from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import torch

from visner.errors import VisnerError
from visner.runtime import stages, tables
from visner.vectors.encoder import FlairEncoder

WINDOW = 2048  # sentences in memory at once, put into buckets by their lengths


def flair_embed(*, forward: Path, backward: Path, words: Path, output: Path, device: torch.device) -> None:
    """Write `output`, a float32 .npy [words, dimensions], by a forward and a backward language model.

    Memory holds a window of sentences, whatever the corpus' size. VisnerError where a vector isn't finite.
    """
    encoder = FlairEncoder(forward, backward, device)
    total = _count_words(words)
    rows = tables.iterate_rows(words, tables.WORDS, ["words.list.element.surface"])
    sentences = ([word["surface"] for word in row["words"]] for row in rows)
    with (
        tables.atomic_path(output) as temporary,
        stages.progress(None, "Flair vectors", total=total, unit="word") as bar,
    ):
        vectors = np.lib.format.open_memmap(temporary, "w+", np.float32, (total, encoder.dimensions))
        row = 0
        while window := list(islice(sentences, WINDOW)):
            for found in encoder.encode(window):
                if not np.isfinite(found).all():
                    raise VisnerError(f"{words}: a Flair vector is not finite; make the language models again")
                vectors[row : row + len(found)] = found
                row += len(found)
                bar.update(len(found))
        vectors.flush()
    stages.log.info("%s: %d words, %d dimensions", output, total, encoder.dimensions)


def _count_words(path: str | Path) -> int:
    batches = tables.iterate_batches(path, tables.WORDS, ["words.list.element.start"])
    return sum(pc.sum(pc.list_value_length(batch.column("words"))).as_py() or 0 for batch in batches)
