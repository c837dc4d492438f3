"""The reader of tweets with pictures: tokens byte by byte, ids, what stops it, what is counted."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from visner.config.corpora import ImgidCorpus
from visner.corpora import imgid as reader
from visner.corpora.page import page as write_page
from visner.corpora.records import Findings
from visner.errors import VisnerError
from visner.runtime import tables
from visner.runtime.provenance import sha256_file

SPLIT = {"by": "files", "train": ["train.txt"], "dev": ["valid.txt"], "test": ["test.txt"]}
TRAIN = "IMGID:1\nAda\tB-PER\nLovelace\tI-PER\nin\tO\nParis\tB-LOC\n\nIMGID:17_06_2\nBye\tO\n\n"
VALID = "IMGID:3\nBye\tO\n\nIMGID:4\nLondon\tI-LOC\n"


@pytest.fixture
def tweets(write, read):
    """Writes the three files and reads them; `train` alone may differ from what stands above."""

    def tweets(train=TRAIN, valid=VALID, test="IMGID:5\nBye\tO\n\nIMGID:6\nAda\tB-PER\n\n", **recipe):
        for name, content in (("train", train), ("valid", valid), ("test", test)):
            write(f"{name}.txt", content)
        return read(**{"format": "imgid", "classes": ["PER", "LOC"], "split": SPLIT, **recipe})

    return tweets


def test_a_tweet_is_a_document_with_its_picture(tweets):
    rows = tweets().rows
    assert [(row["sentence_id"], row["document_id"], row["split"], row["attachment"]) for row in rows] == [
        ("1", "1", "train", "1.jpg"),
        ("17_06_2", "17_06_2", "train", "17_06_2.jpg"),
        ("3", "3", "dev", "3.jpg"),
        ("4", "4", "dev", "4.jpg"),
        ("5", "5", "test", "5.jpg"),
        ("6", "6", "test", "6.jpg"),
    ]
    assert rows[0]["units"] == ["Ada", "Lovelace", "in", "Paris"]
    assert rows[0]["text"] == "Ada Lovelace in Paris"
    assert rows[0]["labels"] == ["B-PER", "I-PER", "O", "B-LOC"]
    assert rows[3]["labels"] == ["I-LOC"]  # continues nothing, and stays


TOKEN = st.one_of(
    st.text(st.characters(exclude_characters="\n\r\t\0", exclude_categories=["Cs"]), min_size=1, max_size=4),
    st.sampled_from(["\u00a0", "\ufe0f", "\u200b", "\u2028", "\x85", "\x1c", " ", "\ufeff", "IMGID:7", "#"]),
)
ROW = st.tuples(TOKEN, st.sampled_from(["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]))


@given(st.lists(st.lists(ROW, min_size=1, max_size=5), min_size=1, max_size=4), st.booleans())
def test_any_tweets_come_back_byte_by_byte(tweets, ends_blank):
    blocks = [
        f"IMGID:{number}\n" + "".join(f"{token}\t{label}\n" for token, label in rows)
        for number, rows in enumerate(tweets)
    ]
    content = ("\n".join(blocks) + "\n" * ends_blank).encode()
    recipe = ImgidCorpus(format="imgid", classes=["PER", "LOC"], split=SPLIT)
    for written in (content, content.replace(b"\n", b"\r\n")):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "train.txt"
            path.write_bytes(written)
            read = [
                one for document in reader.read(path, "train.txt", recipe, Findings()) for one in document.sentences
            ]
        assert [list(zip(one.units, one.labels, strict=True)) for one in read] == tweets


def test_orphans_are_counted_by_split_and_are_no_mentions(tweets):
    train = "IMGID:1\na\tI-PER\nb\tI-PER\nc\tB-LOC\nd\tI-PER\ne\tO\nf\tI-LOC\n" + "g\tB-PER\n" * 4
    corpus = tweets(train=train)
    assert {split: counts["orphans"] for split, counts in corpus.statistics["splits"].items()} == {
        "train": 3,
        "dev": 1,
        "test": 0,
    }
    assert corpus.statistics["splits"]["train"]["mentions"] == 5
    examples = corpus.statistics["findings"]["labels_orphaned"]["examples"]
    assert [one["at"].rpartition("/")[2] for one in examples] == [
        "train.txt:2",
        "train.txt:5",
        "train.txt:7",
        "valid.txt:5",
    ]


def test_orphans_survive_cutting_and_every_part_keeps_the_picture(tweets):
    labels = ["O", "I-PER", "I-LOC", "I-LOC", "O", "B-PER", "O"]
    others = "\nIMGID:2\n" + "w\tB-PER\n" * 3
    corpus = tweets(train="IMGID:1\n" + "".join(f"w\t{label}\n" for label in labels) + others, max_units=4)
    parts = [row for row in corpus.rows if row["document_id"] == "1"]
    assert [row["sentence_id"] for row in parts] == ["1.1", "1.2"]
    assert [label for row in parts for label in row["labels"]] == labels
    assert {row["attachment"] for row in parts} == {"1.jpg"}
    assert corpus.count("sentences_long") == 1


def test_case_tweets_in_iob1_are_read_by_their_scheme(tweets):
    train = "IMGID:1\nAda\tI-PER\nLovelace\tI-PER\nTom\tB-PER\nin\tO\nParis\tI-LOC\n"
    with pytest.raises(VisnerError, match=r"corpora\.NAME\.scheme: .*; set `scheme: IOB1`"):
        tweets(train=train)
    corpus = tweets(train=train, scheme="IOB1")
    assert corpus.rows[0]["labels"] == ["B-PER", "I-PER", "B-PER", "O", "B-LOC"]
    assert corpus.statistics["splits"]["train"]["orphans"] == 0


def test_case_comment_lines_among_tweets(tweets):
    train = "# id 17\nIMGID:1\n# made by hand\nAda\tB-PER\n"
    with pytest.raises(VisnerError, match=r'train\.txt:1: .*if it is a comment, set `comment: "#"`'):
        tweets(train=train)
    with pytest.raises(VisnerError, match=r'train\.txt:2: .*if it is a comment, set `comment: "#"`'):
        tweets(train="IMGID:1\n# made by hand\nAda\tB-PER\n")
    corpus = tweets(train=train, comment="#")
    assert corpus.rows[0]["units"] == ["Ada"]
    assert corpus.count("comments") == 2


def test_a_tweet_without_a_token_is_left_out_and_listed(tweets):
    corpus = tweets(train=f"IMGID:9\n\n\n{TRAIN}IMGID:8\n")
    assert corpus.count("tweets_empty") == 2
    assert corpus.statistics["findings"]["tweets_empty"]["examples"][1]["at"].endswith("train.txt:13")
    assert [row["sentence_id"] for row in corpus.rows if row["split"] == "train"] == ["1", "17_06_2"]


def test_the_same_tokens_in_two_splits_are_counted_and_listed(tweets):
    corpus = tweets()
    assert corpus.statistics["overlap"] == {"dev": {"train": 1}, "test": {"train": 1, "dev": 1}}
    assert corpus.count("sentences_repeated") == 2
    last = corpus.statistics["findings"]["sentences_repeated"]["examples"][-1]
    assert last["at"].endswith("test.txt:1")
    assert last["text"] == "test; also train train.txt:7, dev valid.txt:1"


def test_tokens_that_only_look_the_same_together_are_no_overlap(tweets):
    corpus = tweets(train="IMGID:1\na b\tO\n", valid="IMGID:2\na\tO\nb\tO\n", test="IMGID:3\na\tO\n\nIMGID:4\na\tO\n")
    assert [row["text"] for row in corpus.rows[:2]] == ["a b", "a b"]
    assert corpus.statistics["overlap"] == {"dev": {"train": 0}, "test": {"train": 0, "dev": 0}}


@pytest.mark.parametrize(
    "train, line, message",
    [
        ("IMGID:1\na\tO\nb\tB-ORG\n", 3, "the label 'B-ORG' is unknown.*choose from O, B-PER, I-PER, B-LOC, I-LOC"),
        ("IMGID:1\na\tO \n", 2, "the label 'O ' is unknown"),
        ("IMGID:1\na O\n", 2, r"the line has 0 tab\(s\); write a token, one tab and its label"),
        ("IMGID:1\na\tNN\tO\n", 2, r"the line has 2 tab\(s\)"),
        ("IMGID:1\na\tO\n\u00a0\nb\tO\n", 3, r"the line has 0 tab\(s\)"),  # no empty line
        ("IMGID:1\n\tO\n", 2, "the token is empty"),
        ("a\tO\n", 1, "the tweet has no id; begin it with a line IMGID:<id>"),
        ("IMGID:1\na\tO\n\nb\tO\n", 4, "the tweet has no id; .* or take away the empty line before"),
        ("IMGID:1\tO\na\tO\n", 1, "the tweet has no id"),  # a token that looks like one
        ("IMGID:\na\tO\n", 1, "'' is no id"),
        ("IMGID:../1\na\tO\n", 1, "'../1' is no id; it must be the name of a picture"),
        ("IMGID:1\na\tO\nIMGID:2\nb\tO\n", 3, "a tweet begins inside another; put an empty line before it"),
        ("IMGID:1\na\tO\n\nIMGID:1\nb\tO\n", 4, r"the document id 1 is also at .*train\.txt:1; ids must differ"),
        (b"IMGID:1\na\tO\nb\xff\tO\n", 3, r"byte 2 of the line \(0xff\) is not UTF-8"),
    ],
)
def test_what_cannot_be_read_stops_with_file_and_line(tweets, train, line, message):
    with pytest.raises(VisnerError, match=rf"train\.txt:{line}: {message}"):
        tweets(train)


def test_an_id_in_two_splits_stops(tweets):
    with pytest.raises(VisnerError, match=r"valid\.txt:1: the document id 1 is also at .*train\.txt:1"):
        tweets(valid="IMGID:1\nx\tO\n")


def test_the_table_names_each_file_and_its_sha256(tweets, tmp_path):
    corpus = tweets(published={"train": 2})
    sums = tables.read_provenance(corpus.table)["files_sha256"]
    assert sums == corpus.statistics["files_sha256"]
    assert sums == [
        {"split": split, "file": file, "sha256": sha256_file(tmp_path / file)}
        for split, file in (("train", "train.txt"), ("dev", "valid.txt"), ("test", "test.txt"))
    ]
    assert "published" not in tables.read_provenance(corpus.table)["recipe"]


def test_one_label_more_is_another_sha256(tweets):
    before = tables.read_provenance(tweets().table)["sha256"]
    assert tables.read_provenance(tweets(TRAIN.replace("in\tO", "in\tB-LOC")).table)["sha256"] != before


@pytest.fixture
def page(tmp_path):
    def page(published: dict) -> list[str]:
        statistics = tmp_path / "out/statistics.json"
        write_page(statistics=statistics, output=tmp_path / "index.md", published=published)
        return (tmp_path / "index.md").read_text().splitlines()

    return page


def test_the_page_shows_published_counts_overlap_and_files(tweets, page, tmp_path):
    tweets()
    lines = page({"train": 2, "dev": 3, "test": 2})
    for row in (
        f"- dev: `valid.txt`, sha256 `{sha256_file(tmp_path / 'valid.txt')}`",
        "| split | documents | sentences | units | characters | mentions | I- that continue nothing |",
        "| dev | 2 | 2 | 2 | 9 | 0 | 1 |",
        "| PER | 1 | 0 | 1 |",  # Table 3: train, dev, test
        "| train | 2 | 2 |",  # here, published
        "| dev | 2 | 3 |",
        "**They differ in dev.**",
        "| test, also in dev | 1 |",
    ):
        assert row in lines
    assert "| units | 9 |" in lines
    assert not [line for line in lines if "non-empty query" in line or line.startswith("| words")]  # tokens have none
    assert "They agree." in page({"train": 2, "test": 2})
    assert "## Sentences here and published" not in page({})


@pytest.mark.parametrize(
    "recipe, message",
    [
        ({"split": {"by": "hash"}}, "(?s)by"),
        ({"paths": ["train.txt"]}, "give either `paths`"),
        ({"download": {"base": "ftp://x/y", "sha256": {"train.txt": "0" * 64}}}, "(?s)base"),
        ({"download": {"base": "https://x/y", "sha256": {"../train.txt": "0" * 64}}}, "(?s)sha256"),
        ({"download": {"base": "https://x/y", "sha256": {"train.txt": "0" * 63}}}, "(?s)sha256"),
        ({"published": {"valid": 3}}, "(?s)published"),
    ],
)
def test_wrong_keys_are_named(tweets, recipe, message):
    with pytest.raises(ValidationError, match=message):
        tweets(**recipe)
