"""Sentences of a BERT-CRF: words as sub-tokens in windows of its encoder, then batches."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from visner.config.experiments import BertExperiment
from visner.ner.batches import Data
from visner.ner.bert_crf import BertBatch
from visner.ner.inputs import SENTENCE, Files
from visner.ner.vectors import NONE, batch_pictures, pictures_of
from visner.runtime.aligned import aligned_rows
from visner.runtime.stages import log
from visner.runtime.subtokens import Subtokens, Windows
from visner.runtime.tables import GROUNDING


@dataclass
class EncodedSentence:
    """One sentence of T words and P pictures."""

    sentence_id: str
    windows: Windows
    pictures: np.ndarray  # [P, N] see `pictures_of`
    own: np.ndarray  # [T] word -> its picture
    labels: np.ndarray  # [T] label ids

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def subtokens(self) -> int:
        """Of all windows, special ones included."""
        return sum(len(ids) for ids in self.windows.ids)


def read(
    files: Files,
    splits: Sequence[str],
    labels: Sequence[str],
    recipe: BertExperiment,
    subtokens: Subtokens,
    visual: np.ndarray,
    pad: int,
    device: torch.device,
) -> Data:
    """The sentences of some splits; `labels` in the order of their ids, `visual` the pictures' vectors [*, V].

    `pad` is the encoder's id of padding.
    """
    label_index = {label: number for number, label in enumerate(labels)}
    others = [(files.grounding, GROUNDING, ["sentence_id", "rows"])] if files.grounding else []
    chosen: dict[str, list] = {split: [] for split in splits}
    for row, *grounding in aligned_rows(files.sentences, SENTENCE, others):
        if row["split"] in chosen:
            rows = grounding[0]["rows"] if grounding else [[]] * len(row["units"])
            chosen[row["split"]].append((row, *pictures_of(rows, recipe.series, recipe.distinct)))
    sentences = {}
    for split, rows in chosen.items():
        cut = subtokens.windows([row["units"] for row, *_ in rows])
        sentences[split] = [
            EncodedSentence(
                row["sentence_id"],
                windows,
                pictures,
                own,
                np.array([label_index[label] for label in row["labels"]], dtype=np.int64),
            )
            for (row, pictures, own), windows in zip(rows, cut, strict=True)
        ]
    counts = {split: count(some) for split, some in sentences.items()}
    for split, some in counts.items():
        log.info(
            "%s: %d of %d words have no sub-tokens, %d of %d sentences are read in several windows", split,
            some["words_without_subtokens"], some["words"], some["sentences_in_several_windows"], some["sentences"],
        )  # fmt: skip
    make = partial(batch, visual=visual, pad=pad, device=device)
    return Data(sentences, make, lambda sentence: sentence.subtokens, counts)


def count(sentences: Sequence[EncodedSentence]) -> dict[str, int]:
    """What is out of the ordinary, and of how much."""
    return {
        "sentences": len(sentences),
        "words": sum(map(len, sentences)),
        "subtokens": sum(sentence.subtokens for sentence in sentences),
        "words_without_subtokens": int(sum((sentence.windows.window == NONE).sum() for sentence in sentences)),
        "sentences_in_several_windows": sum(len(sentence.windows.ids) > 1 for sentence in sentences),
    }


def batch(sentences: Sequence[EncodedSentence], visual: np.ndarray, pad: int, device: torch.device) -> BertBatch:
    """Sentences as one batch, padded with `pad` to its longest window."""
    windows = [ids for sentence in sentences for ids in sentence.windows.ids]
    width = max(map(len, windows))
    lengths = np.array([len(sentence) for sentence in sentences])
    mask = np.arange(lengths.max()) < lengths[:, None]  # [B, T]
    attended = np.arange(width) < np.array([len(ids) for ids in windows])[:, None]  # [R, L]
    ids = np.full(attended.shape, pad, dtype=np.int64)
    ids[attended] = np.concatenate(windows)
    labels = np.zeros(mask.shape, dtype=np.int64)
    labels[mask] = np.concatenate([sentence.labels for sentence in sentences])
    first, row = [], 0  # [T] each, and the sentence's first window
    for sentence in sentences:
        of = sentence.windows
        first.append(np.where(of.window == NONE, NONE, (of.window + row) * width + of.column))
        row += len(of.ids)

    def moved(array: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(array).to(device, non_blocking=True)

    return BertBatch(
        ids=moved(ids),
        attended=moved(attended),
        first=moved(np.concatenate(first).astype(np.int64)),
        mask=moved(mask),
        pictures=batch_pictures(sentences, visual, device),
        labels=moved(labels),
    )
