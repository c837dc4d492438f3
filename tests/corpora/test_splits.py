"""Splits: by hash, by files, by lists."""

import hashlib
from collections import Counter

import pytest

from visner.corpora.splits import by_hash
from visner.errors import VisnerError


def _documents(count):
    return {f"D{number}": "広島" for number in range(count)}


def _splits(corpus):
    return {row["document_id"]: row["split"] for row in corpus.rows}


def test_by_hash_is_what_it_says():
    for number in range(50):
        place = int(hashlib.sha256(f"7:D{number}".encode()).hexdigest()[:16], 16) / 16**16
        expected = "train" if place < 0.7 else "dev" if place < 0.85 else "test"
        assert by_hash(f"D{number}", (70, 15, 15), 7) == expected


def test_the_ratio_and_the_seed_count():
    splits = [by_hash(f"D{number}", (70, 15, 15), 1) for number in range(4000)]
    shares = Counter(splits)
    # three standard deviations of a binomial of 4,000
    assert shares["train"] == pytest.approx(2800, abs=87)
    assert shares["dev"] == pytest.approx(600, abs=68)
    assert splits != [by_hash(f"D{number}", (70, 15, 15), 2) for number in range(4000)]
    assert splits == [by_hash(f"D{number}", (1.4, 0.3, 0.3), 1) for number in range(4000)]


def test_a_document_more_moves_no_other(ene):
    before = _splits(ene(_documents(40)))
    after = _splits(ene({**_documents(60), "AA": "京都"}))
    assert len(set(before.values())) == 3
    assert {document: after[document] for document in before} == before


def test_all_sentences_of_a_document_share_its_split(ene):
    corpus = ene({f"D{number}": "広島\n京都\n奈良" for number in range(20)})
    assert len({(row["document_id"], row["split"]) for row in corpus.rows}) == 20


def test_by_files(write, read):
    for name in ("train/a", "train/b", "dev", "test"):
        write(f"{name}.txt", f"{name} O\n")
    corpus = read(
        format="conll", classes=[], split={"by": "files", "train": ["train"], "dev": ["dev.txt"], "test": ["test.txt"]}
    )
    assert [(row["text"], row["split"]) for row in corpus.rows] == [
        ("train/a", "train"),
        ("train/b", "train"),
        ("dev", "dev"),
        ("test", "test"),
    ]


def test_a_file_in_two_splits_stops(write, read):
    write("a/x.txt", "x O\n")
    with pytest.raises(VisnerError, match=r"split\.test: .*a/x\.txt is also in split\.train"):
        read(format="conll", classes=[], split={"by": "files", "train": ["a"], "test": ["a/x.txt"]})


@pytest.fixture
def listed(write, ene):
    def listed(train, dev, test):
        for name, ids in (("train", train), ("dev", dev), ("test", test)):
            write(f"{name}.list", ids)
        lists = {name: f"{name}.list" for name in ("train", "dev", "test")}
        return ene({"A": "広", "B": "京", "C": "<rejectedBlock>"}, split={"by": "lists", **lists})

    return listed


def test_by_lists(listed):
    corpus = listed("A \r\n", "\nB\nC\n", "")
    assert _splits(corpus) == {"A": "train", "B": "dev"}
    assert corpus.statistics["files"] == 6  # the lists are read, so they are part of the data
    assert corpus.statistics["splits"]["test"]["documents"] == 0


@pytest.mark.parametrize(
    "lists, message",
    [
        (("A\nB\n", "B\nC\n", ""), r"dev\.list:1: the document B is already listed at .*train\.list:2"),
        (("A\nA\nB\nC", "", ""), r"train\.list:2: the document A is already listed at .*train\.list:1"),
        (("A\nB\nC\n", "\nX\n", ""), r"dev\.list:2: there is no document X"),
        (("A\nC\n", "", ""), r"B\.xml:2: the document B is in no list"),
    ],
)
def test_lists_that_do_not_fit_stop_with_file_and_line(listed, lists, message):
    with pytest.raises(VisnerError, match=message):
        listed(*lists)


def test_case_sentences_of_two_splits_are_counted_in_every_order(ene):
    """Documents of all splits in turn, as a hash spreads them, against every pair of sentences."""
    texts = {f"D{number}": "\n".join(f"広島{n % 7}" for n in range(number, number + 3)) for number in range(40)}
    corpus = ene(texts)
    rows = [(row["split"], row["text"]) for row in corpus.rows]
    assert len({split for split, _ in rows}) == 3
    assert corpus.statistics["overlap"] == {
        split: {other: sum(one == split and (other, text) in rows for one, text in rows) for other in others}
        for split, others in {"dev": ["train"], "test": ["train", "dev"]}.items()
    }
    earlier = {"train": (), "dev": ("train",), "test": ("train", "dev")}
    expected = sum(any((other, text) in rows for other in earlier[split]) for split, text in rows)
    assert corpus.count("sentences_repeated") == expected > 0
