"""Words as the sub-tokens of an encoder's vocabulary, in windows that its positions hold."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from tokenizers import Tokenizer

from visner.errors import VisnerError

NONE = -1  # the window of a word without sub-tokens


@dataclass
class Windows:
    """One sentence; a window is what the encoder reads at once, special tokens included."""

    ids: list[np.ndarray]  # [L] int32 each
    window: np.ndarray  # [T] the window in which each word's first sub-token stands; NONE: the word has none
    column: np.ndarray  # [T] and its place there
    stop: np.ndarray  # [T] the place behind its last sub-token there


class Subtokens:
    """A HuggingFace tokenizer that is given words; `longest` is how many sub-tokens a window holds at most."""

    def __init__(self, tokenizer: Tokenizer, longest: int):
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._tokenizer, self.longest = tokenizer, longest
        probe = tokenizer.encode(["a"], is_pretokenized=True)
        inside = np.flatnonzero(np.array(probe.special_tokens_mask) == 0)
        if not len(inside):
            raise VisnerError("encoder: its tokenizer has no sub-tokens for the word 'a'; choose another encoder")
        self._before, self._after = probe.ids[: inside[0]], probe.ids[inside[-1] + 1 :]
        self._room = longest - len(self._before) - len(self._after)
        if self._room < 1:
            raise VisnerError(f"max_subtokens: {longest} leaves no room between the encoder's special tokens")

    def describe(self) -> dict:
        """What `build` needs."""
        return {"tokenizer": self._tokenizer.to_str(), "longest": self.longest}

    @classmethod
    def build(cls, description: dict) -> "Subtokens":
        """What `describe` described."""
        return cls(Tokenizer.from_str(description["tokenizer"]), description["longest"])

    def windows(self, sentences: Sequence[Sequence[str]]) -> list[Windows]:
        """The sub-tokens of sentences, given as their words."""
        words = [list(sentence) for sentence in sentences]
        encoded = self._tokenizer.encode_batch(words, is_pretokenized=True, add_special_tokens=False)
        return [self._cut(one.ids, one.word_ids, len(sentence)) for one, sentence in zip(encoded, words, strict=True)]

    def _cut(self, ids: list[int], word_ids: list[int], length: int) -> Windows:
        """Windows of whole words; only a word longer than a window is cut itself."""
        numbers, starts = np.unique(np.array(word_ids, dtype=np.int64), return_index=True)
        cuts = [0]
        while cuts[-1] + self._room < len(ids):
            end = cuts[-1] + self._room
            inside = starts[(starts > cuts[-1]) & (starts <= end)]
            cuts.append(int(inside[-1]) if len(inside) else end)
        pieces = [ids[start:stop] for start, stop in zip(cuts, [*cuts[1:], len(ids)], strict=True)]
        window, column = np.full(length, NONE, dtype=np.int32), np.zeros(length, dtype=np.int32)
        window[numbers] = np.searchsorted(cuts, starts, side="right") - 1
        column[numbers] = starts - np.array(cuts)[window[numbers]] + len(self._before)
        # A word's sub-tokens go on to the next word's, or to the end of the window.
        stops = np.minimum([*starts[1:], len(ids)], np.array([*cuts[1:], len(ids)])[window[numbers]])
        stop = np.zeros(length, dtype=np.int32)
        stop[numbers] = column[numbers] + stops - starts
        whole = [np.array([*self._before, *piece, *self._after], dtype=np.int32) for piece in pieces]
        return Windows(whole, window, column, stop)
