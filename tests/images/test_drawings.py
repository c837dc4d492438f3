"""Drawings are deterministic, readable and alike within a kind; the manifest names only what is drawn."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest
from PIL import Image

from visner.images import drawings

SEED = 1
DRAWINGS = 6


@pytest.mark.parametrize("kind", drawings.KINDS)
def test_a_drawing_depends_on_nothing_but_its_kind_number_and_seed(kind: str) -> None:
    first = drawings.draw(kind, 0, SEED)
    assert (first.size, first.mode) == (drawings.SIZE, "RGB")
    assert drawings.draw(kind, 0, SEED).tobytes() == first.tobytes()
    assert drawings.draw(kind, 1, SEED).tobytes() != first.tobytes()
    assert drawings.draw(kind, 0, SEED + 1).tobytes() != first.tobytes()


def test_kinds_are_ascii_identifiers_and_all_have_words() -> None:
    assert all(kind.isascii() and kind.isidentifier() for kind in drawings.KINDS)
    assert set(drawings.WORDS) == set(drawings.KINDS)
    assert all(drawings.WORDS.values())
    assert set(drawings.KINDS) >= drawings.PLACE_KINDS


def test_words_are_normalised_and_stand_once_under_a_kind() -> None:
    for words in drawings.WORDS.values():
        assert len(set(words)) == len(words)
        assert all(word == unicodedata.normalize("NFKC", word) and word.split() == [word] for word in words)


def test_every_word_of_the_manifest_has_drawings_that_can_be_drawn() -> None:
    for pictures in drawings.manifest(SEED, DRAWINGS).values():
        assert pictures
        assert len(set(pictures)) == len(pictures)
        assert all(kind in drawings.KINDS and 0 <= number < DRAWINGS for kind, number in pictures)


def test_some_place_words_and_no_others_are_left_out() -> None:
    words = {word for words in drawings.WORDS.values() for word in words}
    other = {word for kind in drawings.KINDS.keys() - drawings.PLACE_KINDS for word in drawings.WORDS[kind]}
    left_out = words - set(drawings.manifest(SEED))
    assert not left_out & other
    assert len(left_out) == round(drawings.UNPICTURED_SHARE * len(words - other))
    assert {"ワシントン", "アンゴラ", "広島", "千葉", "石川", "山口", "福島"} <= words - left_out


def test_words_of_a_kind_are_ranked_in_their_own_orders() -> None:
    manifest = drawings.manifest(SEED, DRAWINGS)
    only_portraits = [tuple(manifest[word]) for word in ("田中", "佐藤", "渡辺", "小林", "加藤")]
    assert len(set(only_portraits)) > 1
    assert len({frozenset(pictures) for pictures in only_portraits}) == 1
    assert drawings.manifest(SEED + 1, DRAWINGS) != manifest


def test_a_word_of_two_kinds_has_their_pictures_in_turns() -> None:
    kinds = [kind for kind, _ in drawings.manifest(SEED, DRAWINGS)["ワシントン"]]
    assert set(kinds) == {"portrait", "skyline"}
    assert all(one != other for one, other in zip(kinds, kinds[1:], strict=False))


def test_drawings_are_nearest_to_their_own_kind() -> None:
    """Nearest mean over small thumbnails, each drawing left out of the mean of its own kind."""
    kinds = list(drawings.KINDS)
    thumbnails = np.stack([[_thumbnail(kind, number) for number in range(DRAWINGS)] for kind in kinds])
    totals = thumbnails.sum(axis=1)
    right = 0
    for own in range(len(kinds)):
        for thumbnail in thumbnails[own]:
            means = totals / DRAWINGS
            means[own] = (totals[own] - thumbnail) / (DRAWINGS - 1)
            right += int(np.argmin(np.square(means - thumbnail).sum(axis=1))) == own
    assert right / (len(kinds) * DRAWINGS) > 0.6


def _thumbnail(kind: str, number: int) -> np.ndarray:
    image = drawings.draw(kind, number, SEED)
    return np.asarray(image.resize((10, 8), Image.Resampling.BOX), dtype=np.float64).ravel()
