"""Which sentences of one split have, byte for byte, the units of a sentence of another."""

import hashlib
from array import array
from pathlib import Path

import numpy as np

from visner.corpora.records import Findings, Sentence
from visner.corpora.splits import SPLITS


class Overlap:
    """Counts them, in whatever order the sentences come. Memory: 17 bytes a sentence."""

    def __init__(self):
        self._digests, self._splits = array("Q"), array("B")  # of each sentence: 64 bits of a hash, the split's number
        self._files, self._lines = array("I"), array("I")  # and its place
        self._paths: dict[Path, int] = {}

    def add(self, split: str, path: Path, sentence: Sentence) -> None:
        """One more sentence; labels don't matter."""
        digest = hashlib.blake2b("\t".join(sentence.units).encode(), digest_size=8).digest()
        self._digests.append(int.from_bytes(digest))
        self._splits.append(SPLITS.index(split))
        self._files.append(self._paths.setdefault(path, len(self._paths)))
        self._lines.append(sentence.line)

    def report(self, findings: Findings) -> dict[str, dict[str, int]]:
        """Split -> earlier split -> how many sentences of the first are in the second, too: those are listed."""
        splits = np.frombuffer(self._splits, np.uint8)  # [sentences]
        if len(np.unique(splits)) < 2:  # plain text, of which there may be very much
            return {split: dict.fromkeys(SPLITS[:place], 0) for place, split in enumerate(SPLITS) if place}
        texts = np.unique(np.frombuffer(self._digests, np.uint64), return_inverse=True)[1]  # [sentences], numbered
        firsts = np.full((len(SPLITS), texts.max(initial=-1) + 1), -1)  # the first sentence of a split with a text
        for split in range(len(SPLITS)):
            (members,) = np.nonzero(splits == split)
            firsts[split, texts[members[::-1]]] = members[::-1]
        counted, repeated = {}, np.zeros(len(splits), bool)
        for split in range(1, len(SPLITS)):
            shared = (splits == split) & (firsts[:split, texts] >= 0)  # [earlier splits, sentences]
            counted[SPLITS[split]] = dict(zip(SPLITS, shared.sum(1).tolist(), strict=False))
            repeated |= shared.any(0)
        paths = list(self._paths)
        for sentence in np.nonzero(repeated)[0].tolist():
            split = int(splits[sentence])
            others = ", ".join(
                f"{SPLITS[other]} {paths[self._files[first]].name}:{self._lines[first]}"
                for other, first in enumerate(firsts[:split, texts[sentence]].tolist())
                if first >= 0
            )
            place = paths[self._files[sentence]], self._lines[sentence]
            findings.add("sentences_repeated", *place, f"{SPLITS[split]}; also {others}")
        return counted
