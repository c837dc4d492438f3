"""A text's words, aligned to its code points, and the queries of its nouns."""

import csv
import itertools
import os
import re
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple
from unicodedata import normalize

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from visner.config.corpora import Nouns
from visner.nouns.dictionary import open_tagger
from visner.runtime import tables

# MeCab keeps in 16 bits how many bytes a word has with the white space before it; past that it loses text and says
# nothing. So a longer text goes in pieces, each up to white space or the end of a sentence where it has one.
LONGEST = 4096
PIECES = re.compile(rf"(?s).{{1,{LONGEST - 1}}}[\s。！？]|.{{1,{LONGEST}}}")
# A line that MeCab prints: a word with the white space before it, and its features as CSV. The first four are the part
# of speech in UniDic and in IPADIC; the rest of the line is skipped.
# Python before 3.11.5 matches some possessive quantifiers (*+) wrongly: none here.
FIELD = r'(?:"(?:[^"\n]|"")*"|[^,\n]*)'
LINES = re.compile(rf"([^\t\n]+)\t({FIELD}(?:,{FIELD}){{0,3}})[^\n]*\n")


class _Answer(NamedTuple):
    words: list[str]  # each with the white space before it; without that behind a piece's last word
    codes: list[int]  # of each word, which of `features` it has
    features: list[str]  # the distinct ones, a few dozen
    counts: list[int]  # of each piece its words,
    texts: list[int]  # ... its text,
    offsets: list[int]  # ... its place in that


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

    def words_of_all(self, texts: Sequence[str]) -> pa.ListArray:
        """For each text the list of its words (`tables.WORD`), in order, `start` and `stop` in code points.

        `text[start:stop]` is a word's surface, words are disjoint, and what lies outside them is white space.
        Any text will do: what the dictionary does not know is a word too.
        """
        answer = self._ask(texts)
        with_space = pa.array(answer.words, pa.string())
        surface = pc.utf8_ltrim_whitespace(with_space)
        lengths = pc.utf8_length(surface).to_numpy()
        is_word = lengths > 0  # UniDic has U+3000 as a word

        counts = np.array(answer.counts, dtype=int)
        piece = np.repeat(np.arange(len(counts)), counts)  # of each word
        ends = np.cumsum(pc.utf8_length(with_space).to_numpy())  # counted from the first piece on
        before = np.concatenate([[0], ends])[np.cumsum(counts) - counts]  # where each piece begins, counted so
        stop = ends + (np.array(answer.offsets, dtype=int) - before)[piece]

        parts = [_part_of_speech(features) for features in answer.features]
        looked_up = np.array([self._is_looked_up(part) for part in parts], dtype=bool)
        code = np.array(answer.codes, dtype=np.int32)[is_word]
        surface = surface.filter(pa.array(is_word))
        columns = [
            surface,
            pa.array(parts, pa.string()).take(pa.array(code)),
            pa.array((stop - lengths)[is_word], pa.int32()),
            pa.array(stop[is_word], pa.int32()),
            _queries(surface, looked_up[code], self._recipe),
        ]
        words_a_text = np.bincount(np.array(answer.texts, dtype=int)[piece[is_word]], minlength=len(texts))
        text_ends = np.concatenate([[0], np.cumsum(words_a_text)])
        words = pa.StructArray.from_arrays(columns, fields=list(tables.WORD))
        return pa.ListArray.from_arrays(pa.array(text_ends, pa.int32()), words)

    def _ask(self, texts: Sequence[str]) -> "_Answer":
        """What MeCab says of the texts, piece by piece.

        It takes 2 microseconds a word: only what must be is done word by word, the rest column by column.
        """
        answer = _Answer([], [], [], [], [], [])
        code_of = defaultdict(itertools.count().__next__)  # features -> 0, 1, ...
        for number, text in enumerate(texts):
            offset = 0
            for piece in [text] if len(text) <= LONGEST else PIECES.findall(text):
                lines = LINES.findall(self._tagger.parse(_readable(piece)) + "\n")
                words = [word for word, _ in lines]
                answer.words.extend(_cut(piece, words) if "\0" in piece else words)
                answer.codes.extend([code_of[features] for _, features in lines])
                answer.counts.append(len(lines))
                answer.texts.append(number)
                answer.offsets.append(offset)
                offset += len(piece)
        answer.features.extend(code_of)
        return answer

    def _is_looked_up(self, pos: str) -> bool:
        left_out = any(lies_under(pos, one) for one in self._recipe.exclude)
        return any(lies_under(pos, one) for one in self._recipe.pos) and not left_out


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


def _cut(text: str, words: list[str]) -> list[str]:
    """A text cut into words of these lengths."""
    ends = itertools.accumulate(map(len, words))
    return [text[end - len(word) : end] for word, end in zip(words, ends, strict=True)]


def query_of(surface: str, recipe: Nouns) -> str:
    """What a word, or a whole sentence, is looked up by."""
    return normalize("NFKC", surface) if recipe.normal_form == "NFKC" else surface


def _queries(surface: pa.StringArray, is_noun: np.ndarray, recipe: Nouns) -> pa.ListArray:
    """A list a word: of a noun its query, unless that is blank; of another word nothing."""
    nouns = surface.filter(pa.array(is_noun)).dictionary_encode()
    normal = [query_of(noun, recipe) for noun in nouns.dictionary.to_pylist()]
    queries = pa.array(normal, pa.string()).take(nouns.indices)
    is_visible = np.array([bool(query.strip()) for query in normal], dtype=bool)[nouns.indices.to_numpy()]
    has_query = is_noun.copy()
    has_query[is_noun] = is_visible
    offsets = np.concatenate([[0], np.cumsum(has_query)])
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), queries.filter(pa.array(is_visible)))
