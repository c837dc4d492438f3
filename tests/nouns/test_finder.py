"""Words are aligned to code points whatever the text, and nouns become queries."""

import sys

import fugashi
import pytest
import unidic_lite
from hypothesis import example, given, settings
from hypothesis import strategies as st

from visner.config.corpora import Nouns
from visner.errors import VisnerError
from visner.nouns.finder import LONGEST, NounFinder

TROUBLE = [
    *" \t\n\r\x1c\x1f\u200b\x0b\x0c\0\1\u3000\u00a0\u0085\u2028",
    "か\u3099",
    "ｶﾞ",
    "☺️",
    "👩\u200d👧",
    '"',
    ",",
    "京都",
    "に",
    "1",
    "a",
]


@pytest.fixture(scope="module")
def finder():
    return NounFinder(Nouns())


def check_alignment(text, words):
    outside = 0
    for word in words:
        assert outside <= word["start"] < word["stop"]
        assert text[word["start"] : word["stop"]] == word["surface"]
        assert not text[outside : word["start"]].strip()
        outside = word["stop"]
    assert not text[outside:].strip()


@given(st.one_of(st.text(), st.lists(st.sampled_from(TROUBLE)).map("".join)))
@example("")
@example("\0")
@example("か\u3099き\0\n\u3000☺️ｶﾞ\t\r\n")
@settings(max_examples=300)
def test_words_are_aligned_to_code_points(finder, text):
    check_alignment(text, finder.words(text))


def test_white_space_is_no_word_and_all_else_is(finder):
    characters = [chr(code) for code in range(0x10000) if not 0xD800 <= code < 0xE000]
    found = finder.words_of_all(characters).to_pylist()
    assert [char for char, words in zip(characters, found, strict=True) if not words] == [
        char for char in characters if char.isspace()
    ]


@pytest.mark.parametrize(
    "text",
    ["b" + " " * 70_000 + "a", "ア" * 9_000, "今日は京都に行く。" * 1_000, "\0" * 5_000],
    ids=["white space beyond MeCab's 16 bits", "no border", "sentences", "NUL"],
)
def test_long_texts_are_aligned(finder, text):
    check_alignment(text, finder.words(text))


def test_a_long_text_has_the_words_of_its_sentences(finder):
    sentence = "今日は京都に行く。"
    surfaces = [word["surface"] for word in finder.words(sentence * 1_000)]
    assert len(sentence) * 1_000 > LONGEST
    assert surfaces == [word["surface"] for word in finder.words(sentence)] * 1_000


def test_words_are_those_of_fugashi(finder):
    text = "富士山の近くで、ロンドン出身のABC社員が12,000円を払った！"
    nodes = fugashi.Tagger(f"-d {unidic_lite.DICDIR}")(text)
    words = finder.words(text)
    assert [word["surface"] for word in words] == [node.surface for node in nodes]
    for word, node in zip(words, nodes, strict=True):
        assert word["pos"] == node.pos.replace(",*", "").replace(",", "-")
        assert word["queries"] == ([node.surface] if node.feature.pos1 == "名詞" else [])


def test_all_texts_at_once_have_the_words_of_each(finder):
    texts = ["京都に行く", "", " \u3000", "私は\0日本"]
    assert finder.words_of_all(texts).to_pylist() == [finder.words(text) for text in texts]
    assert finder.words("") == finder.words(" \u3000") == []
    assert finder.words_of_all([]).to_pylist() == []


def test_queries_are_nfkc(finder):
    queries = [query for word in finder.words("ｶﾞﾗｽと１２") for query in word["queries"]]
    assert queries == ["ガラス", "12"]


def test_parts_of_speech_are_left_out_at_hyphens_only():
    text = "京都で3月の水"
    left_out = NounFinder(Nouns(exclude=["名詞-数詞"])).words(text)
    prefix = NounFinder(Nouns(exclude=["名詞-数"])).words(text)
    assert [(word["surface"], word["queries"]) for word in left_out if word["pos"].startswith("名詞")] == [
        ("京都", ["京都"]),
        ("3", []),
        ("月", ["月"]),
        ("水", ["水"]),
    ]
    assert next(word for word in prefix if word["surface"] == "3")["queries"] == ["3"]
    other = NounFinder(Nouns(pos=["名詞-固有名詞"])).words(text)
    assert [word["surface"] for word in other if word["queries"]] == ["京都"]


@pytest.mark.parametrize(
    "dictionary, message",
    [("nowhere", "choose unidic-lite, unidic, or the folder"), ("unidic", "python -m unidic download")],
)
def test_a_missing_dictionary_names_the_remedy(tmp_path, dictionary, message, monkeypatch):
    monkeypatch.setitem(sys.modules, "unidic", None)  # as if it weren't installed
    with pytest.raises(VisnerError, match=message):
        NounFinder(Nouns(dictionary=dictionary), tmp_path)


def test_a_query_is_the_word_in_nfkc_or_as_it_stands(finder):
    text = "ﾄﾖﾀの車"
    assert [word["queries"] for word in finder.words(text) if word["queries"]] == [["トヨタ"], ["車"]]
    plain = NounFinder(Nouns(normal_form="none"))
    assert [word["queries"] for word in plain.words(text) if word["queries"]] == [["ﾄﾖﾀ"], ["車"]]
