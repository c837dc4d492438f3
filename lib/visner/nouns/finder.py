"""A text's words, aligned to its code points, and the queries of its nouns."""

import csv
import itertools
import os
import re
from collections import defaultdict
from collections.abc import Iterable
from unicodedata import normalize

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from visner import tables
from visner.nouns.dictionary import open_tagger
from visner.recipes import Nouns

# MeCab keeps in 16 bits how many bytes a word has with the white space before it; past that it loses text and says
# nothing. So a longer text goes in pieces, each up to white space or the end of a sentence where it has one.
LONGEST = 4096
PIECES = re.compile(rf"(?s).{{1,{LONGEST - 1}}}[\s。！？]|.{{1,{LONGEST}}}")
# MeCab's answer: a word and its features a line. The first four features, CSV, are the part of speech in UniDic and
# in IPADIC; the rest of the line is skipped.
FIELD = r'(?:"(?:[^"\n]|"")*+"|[^,\n]*+)'
ANSWER = re.compile(rf"([^\t\n]++)\t({FIELD}(?:,{FIELD}){{0,3}}+)[^\n]*+\n")


class NounFinder:
    """MeCab with a recipe: which words a text has, and which of them are looked up.

    `recipe.dictionary` names MeCab's dictionary; a relative folder starts from `root`. Raises VisnerError where
    the dictionary is missing.
    """

    def __init__(self, recipe: Nouns, root: str | os.PathLike = "."):
        self._recipe = recipe
        self._tagger = open_tagger(recipe.dictionary, root)

    def words(self, text: str) -> list[dict]:
        """The words of one text, as rows of `tables.WORD`; see `words_of_all`."""
        return self.words_of_all([text])[0].as_py()

    def words_of_all(self, texts: Iterable[str]) -> pa.ListArray:
        """For each text the list of its words (`tables.WORD`), in order, `start` and `stop` in code points.

        `text[start:stop]` is a word's surface, words are disjoint, and what lies outside them is white space.
        Any text will do: what the dictionary does not know is a word too.
        """
        # MeCab takes 2 microseconds a word. So only what must be done a word is done here; the rest is done a column.
        surfaces, starts, codes = [], [], []
        code_of = defaultdict(itertools.count().__next__)  # first features -> 0, 1, ...: a few dozen
        offsets = [0]  # text -> its first word
        for text in texts:
            readable = _readable(text)
            stop = 0
            for piece in [readable] if len(readable) <= LONGEST else PIECES.findall(readable):
                for surface, first_features in ANSWER.findall(self._tagger.parse(piece) + "\n"):
                    # Between words lies white space that MeCab begins no word with: the next match is the place.
                    start = readable.index(surface, stop)
                    stop = start + len(surface)
                    if not surface.isspace():  # UniDic has U+3000 as a word
                        surfaces.append(text[start:stop])
                        starts.append(start)
                        codes.append(code_of[first_features])
            offsets.append(len(surfaces))
        surface = pa.array(surfaces, pa.string())
        start = pa.array(starts, pa.int32())
        parts = [_part_of_speech(features) for features in code_of]
        pos = pa.array(parts, pa.string()).take(pa.array(codes, pa.int32()))
        is_noun = np.array([self._is_looked_up(part) for part in parts], dtype=bool)[np.array(codes, dtype=int)]
        columns = [surface, pos, start, pc.add(start, pc.utf8_length(surface)), _queries(surface, is_noun)]
        words = pa.StructArray.from_arrays(columns, fields=list(tables.WORD))
        return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), words)

    def _is_looked_up(self, pos: str) -> bool:
        left_out = any(lies_under(pos, one) for one in self._recipe.exclude)
        return lies_under(pos, self._recipe.pos) and not left_out


def lies_under(pos: str, ancestor: str) -> bool:
    """Whether a part of speech is `ancestor`, or below it: 名詞-数詞 lies under 名詞, but not under 名詞-数."""
    return pos == ancestor or pos.startswith(f"{ancestor}-")


def _part_of_speech(features: str) -> str:
    """名詞,数詞,*,* as 名詞-数詞."""
    row = next(csv.reader([features]), [])
    return "-".join(field for field in row if field not in ("*", ""))


def _readable(text: str) -> str:
    """A text of the same length that MeCab reads whole, and whose answer has one line a word."""
    # A NUL would end its C string; \1 is a symbol to it. Tabs and newlines, white space as well, would cut the answer.
    return text.replace("\0", "\1").replace("\t", " ").replace("\n", " ")


def _queries(surface: pa.StringArray, is_noun: np.ndarray) -> pa.ListArray:
    """A list a word: of a noun its surface in NFKC, unless that is blank; of another word nothing."""
    encoded = surface.dictionary_encode()
    normal = [normalize("NFKC", one) for one in encoded.dictionary.to_pylist()]
    is_visible = np.array([bool(one.strip()) for one in normal], dtype=bool)
    indices = encoded.indices.to_numpy()
    has_query = is_noun & is_visible[indices]
    queries = pa.array(normal, pa.string()).take(pa.array(indices[has_query]))
    offsets = np.concatenate([[0], np.cumsum(has_query)])
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), queries)
