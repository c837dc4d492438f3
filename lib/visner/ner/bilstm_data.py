"""Sentences of a BiLSTM-CRF: index arrays into tables of frozen vectors, then batches."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch

from visner.config.experiments import BiLSTMExperiment
from visner.errors import VisnerError
from visner.ner.batches import Data
from visner.ner.bilstm_crf import BiLSTMBatch
from visner.ner.inputs import SENTENCE, Files
from visner.ner.vectors import NONE, NOTHING, batch_pictures, gather, mean_norm, pictures_of, read_indexed, read_mapped
from visner.runtime.aligned import aligned_rows
from visner.runtime.keyed_vectors import UNSEEN
from visner.runtime.tables import GROUNDING, WORDS


@dataclass
class Sentence:
    """One sentence of T units, S segments (see `BiLSTMBatch`) and P pictures; NONE stands for a zero vector."""

    sentence_id: str
    units: np.ndarray  # [T] rows of the character vectors
    segments: np.ndarray  # [T] unit -> segment
    words: np.ndarray  # [S] rows of the word vectors
    occurrences: np.ndarray  # [S] rows of the contextual vectors, one a word occurrence
    pictures: np.ndarray  # [P, N] see `pictures_of`
    own: np.ndarray  # [S] segment -> its picture
    labels: np.ndarray | None = None  # [T] label ids

    def __len__(self) -> int:
        return len(self.units)


@dataclass
class Tables:
    """The frozen vectors that sentences point into, and the keys of their rows; of width 0: not used."""

    chars: np.ndarray = field(default_factory=lambda: NOTHING)  # [V, C] character GloVe
    words: np.ndarray = field(default_factory=lambda: NOTHING)  # [W, G] word GloVe
    contextual: np.ndarray = field(default_factory=lambda: NOTHING)  # [occurrences, F] Flair, usually mapped from disk
    visual: np.ndarray = field(default_factory=lambda: NOTHING)  # [P, V] pictures
    char_index: dict[str, int] = field(default_factory=dict)
    word_index: dict[str, int] = field(default_factory=dict)

    @property
    def widths(self) -> dict[str, int]:
        """The dimensions of each, as the model's configuration names them."""
        return {name: getattr(self, name).shape[1] for name in ("chars", "words", "contextual", "visual")}

    def sentence(
        self,
        sentence_id: str,
        units: Sequence[str],
        words: Sequence[dict],
        first_occurrence: int,
        rows: Sequence[Sequence[int]] | None = None,
        labels: np.ndarray | None = None,
        series: bool = False,
        distinct: bool = True,
    ) -> Sentence:
        """A sentence from its units, its words (tables.WORD) and its units' rows of pictures."""
        unit_words = np.full(len(units), NONE, dtype=np.int32)
        for number, word in enumerate(words):
            unit_words[word["start"] : word["stop"]] = number
        segments = np.zeros(len(units), dtype=np.int32)
        runs: list[tuple[int, tuple[int, ...]]] = []  # the word and the rows of each segment
        for t, number in enumerate(unit_words.tolist()):
            run = (number, tuple(rows[t]) if rows is not None else ())
            if not runs or runs[-1] != run:
                runs.append(run)
            segments[t] = len(runs) - 1
        surfaces = [words[number]["surface"] if number >= 0 else None for number, _ in runs]  # None: between words
        pictures, own = pictures_of([seen for _, seen in runs], series, distinct)
        char_unseen, word_unseen = self.char_index.get(UNSEEN, NONE), self.word_index.get(UNSEEN, NONE)
        return Sentence(
            sentence_id,
            np.array([self.char_index.get(unit, char_unseen) for unit in units], dtype=np.int32),
            segments,
            np.array([NONE if s is None else self.word_index.get(s, word_unseen) for s in surfaces], dtype=np.int32),
            np.array([NONE if n < 0 else first_occurrence + n for n, _ in runs], dtype=np.int32),
            pictures,
            own,
            labels,
        )

    def batch(self, sentences: Sequence[Sentence], device: torch.device) -> BiLSTMBatch:
        """Sentences with their vectors; on the device only what their units use."""
        lengths = np.array([len(sentence) for sentence in sentences])
        mask = np.arange(lengths.max()) < lengths[:, None]  # [B, T]
        starts = np.cumsum([0, *(len(sentence.words) for sentence in sentences)])[:-1]
        segments = [sentence.segments + start for sentence, start in zip(sentences, starts, strict=True)]
        labels = None
        if sentences[0].labels is not None:
            labels = np.zeros(mask.shape, dtype=np.int64)
            labels[mask] = np.concatenate([sentence.labels for sentence in sentences])

        def moved(array: np.ndarray) -> torch.Tensor:
            return torch.from_numpy(array).to(device, non_blocking=True)

        return BiLSTMBatch(
            chars=gather(self.chars, np.concatenate([sentence.units for sentence in sentences]), device),
            mask=moved(mask),
            segments=moved(np.concatenate(segments)),
            words=gather(self.words, np.concatenate([sentence.words for sentence in sentences]), device),
            contextual=gather(self.contextual, np.concatenate([one.occurrences for one in sentences]), device),
            pictures=batch_pictures(sentences, self.visual, device),
            labels=None if labels is None else moved(labels),
        )

    def visual_scale(self, sentences: Sequence[Sentence]) -> float:
        """What brings the mean norm of the pictures in (training) sentences to that of the longest text vectors there.

        CNN features are some ten times longer than Flair's, and would shut the sigmoid of the gate in the first
        steps. The paper is silent; one constant leaves the functions that eq. 5 can be as they are.
        """
        text = max(
            mean_norm(self.chars, [sentence.units for sentence in sentences]),
            mean_norm(self.words, [sentence.words for sentence in sentences]),
            mean_norm(self.contextual, [sentence.occurrences for sentence in sentences]),
        )
        pictures = mean_norm(self.visual, [sentence.pictures for sentence in sentences])
        return text / pictures if text and pictures else 1.0


def read(
    files: Files, splits: Sequence[str], labels: Sequence[str], recipe: BiLSTMExperiment, device: torch.device
) -> tuple[Tables, Data]:
    """The frozen vectors, and the sentences of some splits; `labels` in the order of their ids."""
    if files.words is None:
        raise VisnerError("words: a bilstm_crf reads its corpus' words; give results/nouns/CORPUS/words.parquet")
    char_index, chars = read_indexed(files.glove_char)
    word_index, words = read_indexed(files.glove_word)
    contextual, visual = read_mapped(files.flair, files.scratch), read_mapped(files.visual, files.scratch)
    tables = Tables(chars, words, contextual, visual, char_index, word_index)
    others = [(files.words, WORDS, WORDS.names)]
    if files.grounding:
        others.append((files.grounding, GROUNDING, ["sentence_id", "rows"]))
    label_index = {label: number for number, label in enumerate(labels)}
    sentences: dict[str, list[Sentence]] = {split: [] for split in splits}
    first_occurrence = 0
    for row, of_words, *grounding in aligned_rows(files.sentences, SENTENCE, others):
        if row["split"] in sentences:
            ids = np.array([label_index[label] for label in row["labels"]], dtype=np.int64)
            rows = grounding[0]["rows"] if grounding else None
            sentences[row["split"]].append(
                tables.sentence(
                    row["sentence_id"], row["units"], of_words["words"], first_occurrence, rows, ids,
                    recipe.series, recipe.distinct,
                )
            )  # fmt: skip
        first_occurrence += len(of_words["words"])
    return tables, Data(sentences, partial(tables.batch, device=device))
