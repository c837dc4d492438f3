"""Words as sub-tokens, against transformers' own tokenizer; windows against what they must hold."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

from visner.errors import VisnerError
from visner.runtime.subtokens import NONE, Subtokens


def tokenizer(folder):
    return AutoTokenizer.from_pretrained(folder).backend_tokenizer


def first_subtoken(windows, t):
    return windows.ids[windows.window[t]][windows.column[t]]


def test_each_words_first_subtoken_is_where_transformers_has_it(encoder):
    sentences = [["tom", "likes", "jaguars", "in", "Kyoto"], ["abc", "\ufe0f", "\u00a0", "fast", "\u200b"], ["\ufe0f"]]
    judge = AutoTokenizer.from_pretrained(encoder)
    for words, found in zip(sentences, Subtokens(tokenizer(encoder), 16).windows(sentences), strict=True):
        expected = judge(words, is_split_into_words=True)
        assert [ids.tolist() for ids in found.ids] == [expected["input_ids"]]
        places = expected.word_ids()
        assert found.window.tolist() == [0 if t in places else NONE for t in range(len(words))]
        assert [found.column[t] for t in range(len(words)) if t in places] == [
            places.index(t) for t in range(len(words)) if t in places
        ]


@settings(max_examples=60)
@given(words=st.lists(st.text("abcdefghijk", min_size=1, max_size=9), min_size=1, max_size=30))
def test_windows_hold_all_subtokens_in_order_and_cut_between_words(encoder, words):
    subtokens = Subtokens(tokenizer(encoder), 8)  # room for six between [CLS] and [SEP]
    (found,) = subtokens.windows([words])
    (whole,) = Subtokens(tokenizer(encoder), 512).windows([words])
    assert max(map(len, found.ids)) <= 8
    assert all(ids[0] == 2 and ids[-1] == 3 for ids in found.ids)
    assert np.concatenate([ids[1:-1] for ids in found.ids]).tolist() == whole.ids[0][1:-1].tolist()
    for t in range(len(words)):
        assert first_subtoken(found, t) == first_subtoken(whole, t)
    ends = np.cumsum([len(word) for word in words])  # a letter is a sub-token
    for cut in np.cumsum([len(ids) - 2 for ids in found.ids])[:-1]:
        cut_word = int(np.searchsorted(ends, cut, side="right"))
        start = ends[cut_word] - len(words[cut_word])
        assert cut == start or len(words[cut_word]) > 6  # only a word that no window holds is cut itself


def test_a_model_without_room_is_refused(encoder):
    with pytest.raises(VisnerError, match="max_subtokens: 2 leaves no room"):
        Subtokens(tokenizer(encoder), 2)


def test_what_is_described_cuts_the_same(encoder):
    subtokens = Subtokens(tokenizer(encoder), 8)
    again = Subtokens.build(subtokens.describe())
    words = [["tom", "abcdefgh", "\ufe0f", "kyoto"]]
    one, other = subtokens.windows(words)[0], again.windows(words)[0]
    assert [ids.tolist() for ids in one.ids] == [ids.tolist() for ids in other.ids]
    assert (one.window == other.window).all()
    assert (one.column == other.column).all()
