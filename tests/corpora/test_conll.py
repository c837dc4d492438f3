"""The reader of columns: layouts, schemes, units, documents, tokens byte by byte."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visner.corpora import conll as reader
from visner.corpora.records import Findings
from visner.errors import VisnerError
from visner.recipes import ConllCorpus


@pytest.fixture
def conll(write, read):
    def conll(content, **recipe):
        write("a.txt", content)
        return read(**{"format": "conll", "paths": ["a.txt"], "classes": ["PER", "LOC"], **recipe})

    return conll


def test_a_line_is_a_token_and_an_empty_line_ends_a_sentence(conll):
    corpus = conll("Ada B-PER\nLovelace I-PER\nin O\nParis B-LOC\n\n\nBye O")
    assert [row["units"] for row in corpus.rows] == [["Ada", "Lovelace", "in", "Paris"], ["Bye"]]
    assert corpus.rows[0]["labels"] == ["B-PER", "I-PER", "O", "B-LOC"]
    assert corpus.rows[0]["text"] == "Ada Lovelace in Paris"
    assert corpus.statistics["units"] == 5
    assert corpus.statistics["characters"] == len("Ada Lovelace in Paris" + "Bye")
    assert corpus.statistics["classes"]["PER"] == {"types": 1, "mentions": 1} | {
        split: int(split == corpus.rows[0]["split"]) for split in ("train", "dev", "test")
    }


@pytest.mark.parametrize(
    "line, recipe",
    [
        ("Ada\tNN\tB-PER", {"separator": "tab"}),
        ("B-PER Ada", {"token_column": 1, "label_column": 0}),
        ("1  Ada\t NN B-PER _", {"token_column": 1, "label_column": -2}),
        ("\tAda\t\tB-PER", {"separator": "tab", "token_column": 1, "label_column": 3}),
    ],
)
def test_column_layouts(conll, line, recipe):
    (row,) = conll(line + "\n", **recipe).rows
    assert (row["units"], row["labels"]) == (["Ada"], ["B-PER"])


def test_bioes(conll):
    corpus = conll("a S-PER\nb B-LOC\nc I-LOC\nd E-LOC\ne O\n", scheme="BIOES")
    assert corpus.rows[0]["labels"] == ["B-PER", "B-LOC", "I-LOC", "I-LOC", "O"]


def test_characters_as_units(conll):
    corpus = conll("東京 B-LOC\n都内 I-LOC\nへ行く O\n", units="characters")
    (row,) = corpus.rows
    assert row["text"] == "東京都内へ行く"
    assert row["units"] == list("東京都内へ行く")
    assert row["labels"] == ["B-LOC", "I-LOC", "I-LOC", "I-LOC", "O", "O", "O"]


def test_invisible_tokens_stay(conll):
    tokens = ["\u00a0", "\ufe0f", "\u200b", "\u3000", "a\u00a0b", "\u2028", "\x85", "\x1c", "#"]
    corpus = conll("".join(f"{token}\tO\n" for token in tokens), separator="tab")
    assert corpus.rows[0]["units"] == tokens
    assert conll("".join(f"{token} O\n" for token in tokens)).rows[0]["units"] == tokens


TOKENS = st.text(st.characters(exclude_characters="\n\r\t ", exclude_categories=["Cs"]), min_size=1, max_size=4)


@given(st.lists(st.lists(TOKENS, min_size=1, max_size=4), min_size=1, max_size=4), st.sampled_from(["\n", "\r\n"]))
def test_any_token_comes_back(sentences, end):
    content = end.join("".join(f"{token} B-PER{end}" for token in tokens) for tokens in sentences)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.txt"
        path.write_bytes(f"x B-PER{end}{content}".encode())  # first, so that no byte order mark begins the file
        recipe = ConllCorpus(format="conll", paths=["a.txt"], classes=["PER"])
        documents = reader.read(path, "a", recipe, Findings())
        read = [sentence.units for document in documents for sentence in document.sentences]
    assert read == [["x", *sentences[0]], *sentences[1:]]


def test_a_byte_order_mark_is_no_text(conll):
    assert conll(b"\xef\xbb\xbfa O\n").rows[0]["units"] == ["a"]


def test_docstart_begins_a_document(conll):
    corpus = conll("-DOCSTART- -X- O\n\na O\n\nb O\n\n-DOCSTART- -X- O\n\nc O\n")
    assert [(row["document_id"], row["sentence_id"]) for row in corpus.rows] == [
        ("a.txt:1", "a.txt:1:3"),
        ("a.txt:1", "a.txt:1:5"),
        ("a.txt:7", "a.txt:7:9"),
    ]


def test_newdoc_comments_begin_a_document(conll):
    corpus = conll("z O\n\n# newdoc id = Ω 1\n# text = a #b\na O\n#b O\n\n# O\nc O\n\n#newdoc=1 O\n\n# newdoc\nd O\n")
    assert [(row["document_id"], row["units"]) for row in corpus.rows] == [
        ("a.txt:1", ["z"]),
        ("Ω 1", ["a", "#b"]),
        ("Ω 1", ["#", "c"]),
        ("Ω 1", ["#newdoc=1"]),
        ("a.txt:13", ["d"]),
    ]


def test_without_marks_each_sentence_is_a_document(conll):
    corpus = conll("a O\n\nb O\n\nc O\n")
    assert [(row["document_id"], row["sentence_id"]) for row in corpus.rows] == [
        (f"a.txt:{line}", f"a.txt:{line}") for line in (1, 3, 5)
    ]
    assert corpus.statistics["documents"] == 3


def test_one_document_id_twice_stops(conll):
    with pytest.raises(VisnerError, match=r"a\.txt:4: the document id X is also at .*a\.txt:1"):
        conll("# newdoc id = X\na O\n\n# newdoc id = X\nb O\n")


def test_orphaned_labels_stay_and_are_counted(conll):
    corpus = conll("a I-PER\nb I-PER\nc B-LOC\nd I-PER\ne O\nf I-LOC\n")
    assert corpus.rows[0]["labels"] == ["I-PER", "I-PER", "B-LOC", "I-PER", "O", "I-LOC"]
    assert corpus.count("labels_orphaned") == 3
    examples = corpus.statistics["findings"]["labels_orphaned"]["examples"]
    assert [example["at"].rpartition(":")[2] for example in examples] == ["1", "4", "6"]
    assert corpus.statistics["mentions"] == 1


@pytest.mark.parametrize(
    "content, recipe, line, message",
    [
        ("a O\nb B-ORG\n", {}, 2, r"the label 'B-ORG' is unknown.*choose from O, B-PER, I-PER, B-LOC, I-LOC"),
        ("a S-PER\n", {}, 1, "the label 'S-PER' is unknown"),
        ("a O\nb\n", {}, 2, r"the line has 1 column\(s\)"),
        ("a O\n\u00a0\nb O\n", {}, 2, r"the line has 1 column\(s\)"),  # no empty line
        ("IMGID:7\na O\n", {}, 1, r"the line has 1 column\(s\)"),
        ("a O\n", {"label_column": 3}, 1, r"the line has 2 column\(s\)"),
        ("a O\n", {"separator": "tab"}, 1, r"the line has 1 column\(s\), separated by tab"),
        ("a\tO\n\tO\n", {"separator": "tab"}, 2, "the token is empty"),
    ],
)
def test_what_cannot_be_read_stops_with_file_and_line(conll, content, recipe, line, message):
    with pytest.raises(VisnerError, match=rf"a\.txt:{line}: {message}"):
        conll(content, **recipe)


def test_invalid_utf8_stops_with_file_line_and_byte(write, read):
    write("a.txt", b"a O\nb\xff O\n")
    with pytest.raises(VisnerError, match=r"a\.txt:2: byte 2 of the line \(0xff\) is not UTF-8"):
        read(format="conll", paths=["a.txt"], classes=[])


def test_files_of_one_name_in_several_folders_keep_their_ids_apart(write, read):
    split = {"by": "files"}
    for name in ("train", "dev", "test"):
        write(f"{name}/data.conll", f"Ada{name} B-PER\n")
        split[name] = [name]
    corpus = read(format="conll", classes=["PER"], split=split)
    assert [row["document_id"] for row in corpus.rows] == [
        "train/data.conll:1",
        "dev/data.conll:1",
        "test/data.conll:1",
    ]
    assert [row["split"] for row in corpus.rows] == ["train", "dev", "test"]
