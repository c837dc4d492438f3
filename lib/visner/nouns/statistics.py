"""What a corpus' words are: how many, how many distinct, how many are nouns."""

from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc


class Statistics:
    """Counts of words, in all and by split, filled a chunk of sentences at a time.

    Memory grows with the distinct words, not with the text.
    """

    def __init__(self):
        self._splits: dict[str, _Counts] = {}

    def add(self, split_of: pa.StringArray, words: pa.ListArray) -> None:
        """Count the words of some sentences: of each sentence its split, and a list of `tables.WORD`."""
        splits = split_of.unique().to_pylist()
        for split in splits:
            own = words if len(splits) == 1 else words.filter(pc.equal(split_of, split))
            self._splits.setdefault(split, _Counts()).add(own.flatten())

    def queries(self) -> Counter[str]:
        """How often each query occurs."""
        return sum((counts.queries for counts in self._splits.values()), Counter())

    def summary(self) -> dict:
        """The counts, as statistics.json has them."""
        total = _Counts()
        for counts in self._splits.values():
            total.merge(counts)
        known = [split for split in ("train", "dev", "test") if split in self._splits]
        others = sorted(self._splits.keys() - known)
        return {
            **total.summary(),
            "splits": {split: self._splits[split].summary() for split in known + others},
            "parts_of_speech": dict(sorted(total.parts.items(), key=lambda item: (-item[1], item[0]))),
        }


class _Counts:
    def __init__(self):
        self.words = self.nouns = 0
        self.lexicon: set[str] = set()
        self.parts: Counter[str] = Counter()
        self.queries: Counter[str] = Counter()

    def add(self, words: pa.StructArray) -> None:
        surface, pos, _, _, queries = words.flatten()
        self.words += len(words)
        self.nouns += pc.sum(pc.greater(pc.list_value_length(queries), 0)).as_py() or 0
        self.lexicon.update(surface.unique().to_pylist())
        counted = pos.value_counts()
        self.parts.update(dict(zip(*(column.to_pylist() for column in counted.flatten()), strict=True)))
        self.queries.update(queries.flatten().to_pylist())

    def merge(self, other: "_Counts") -> None:
        self.words += other.words
        self.nouns += other.nouns
        self.lexicon |= other.lexicon
        self.parts += other.parts
        self.queries += other.queries

    def summary(self) -> dict:
        return {
            "words": self.words,
            "lexicon": len(self.lexicon),  # distinct surfaces
            "nouns": self.nouns,  # words that have a query
            "coverage": self.nouns / self.words if self.words else 0.0,
            "queries": len(self.queries),
        }
