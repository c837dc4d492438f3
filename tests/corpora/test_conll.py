"""The reader of columns: layouts, schemes, units, documents, tokens byte by byte."""

import gzip
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visner.config.corpora import ConllCorpus
from visner.corpora import conll as reader
from visner.corpora.records import Findings
from visner.errors import VisnerError


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


def test_case_bilou_is_read_by_its_scheme(conll):
    corpus = conll("a U-PER\nb B-LOC\nc I-LOC\nd L-LOC\ne O\n", scheme="BILOU")
    assert corpus.rows[0]["labels"] == ["B-PER", "B-LOC", "I-LOC", "I-LOC", "O"]
    assert corpus.count("labels_inconsistent") == 0


CONLL_2003 = """-DOCSTART- -X- -X- O

Oslo NNP I-NP I-LOC
and CC O O
French JJ I-NP I-MISC
Maria NNP I-NP I-PER
Vale NNP I-NP I-PER
Tom NNP I-NP B-PER
"""


def test_case_iob1_is_read_by_its_scheme(conll):
    corpus = conll(CONLL_2003, classes=["PER", "LOC", "MISC"], scheme="IOB1")
    assert corpus.mentions() == [[("Oslo", "LOC"), ("French", "MISC"), ("MariaVale", "PER"), ("Tom", "PER")]]
    assert corpus.statistics["mentions"] == 4
    assert (corpus.count("labels_orphaned"), corpus.count("labels_inconsistent")) == (0, 0)


def test_case_iob1_read_as_bio_stops_with_the_key_and_the_scheme(conll, tmp_path):
    message = r"corpora\.NAME\.scheme: 3 of 4 mentions begin with I-.*; set `scheme: IOB1`"
    with pytest.raises(VisnerError, match=message):
        conll(CONLL_2003, classes=["PER", "LOC", "MISC"])
    assert not (tmp_path / "out" / "sentences.parquet").exists()


@pytest.mark.parametrize(
    "labels, scheme, fitting",
    [
        ("B-PER I-PER O B-LOC B-LOC", "IOB1", "BIO"),
        ("B-PER I-PER O B-LOC B-LOC", "BIOES", "BIO"),
        ("I-PER I-PER O I-LOC B-LOC", "BILOU", "IOB1"),
    ],
)
def test_case_another_scheme_that_loses_nothing_is_a_warning_with_the_key(conll, caplog, labels, scheme, fitting):
    with caplog.at_level("WARNING", logger="visner"):
        corpus = conll("".join(f"w {label}\n" for label in labels.split()), scheme=scheme)
    assert corpus.rows[0]["labels"] == ["B-PER", "I-PER", "O", "B-LOC", "B-LOC"]
    (message,) = [record.getMessage() for record in caplog.records]
    assert message.startswith("corpora.NAME.scheme: ")
    assert message.endswith(f"set `scheme: {fitting}`")


def test_case_one_file_of_iob1_among_many_of_bio_is_a_warning_with_its_name(write, read, caplog):
    write("d/a.txt", "w B-PER\nv O\n" * 9)
    write("d/b.txt", "w I-PER\nv O\n" * 3)
    recipe = {"format": "conll", "paths": ["d"], "classes": ["PER"]}
    with caplog.at_level("WARNING", logger="visner"):
        assert read(**recipe).statistics["mentions"] == 9
        (message,) = [record.getMessage() for record in caplog.records]
        assert "in 1 file(s), such as " in message
        assert "b.txt, 3 of 3 mentions begin with I-" in message
        caplog.clear()
        assert read(**recipe, scheme="IOB1").statistics["mentions"] == 12  # what the warning says helps, and is quiet
        assert not caplog.records


def test_inconsistent_labels_are_counted_and_listed(conll):
    corpus = conll("a B-PER\nb O\nc E-LOC\nd I-LOC\ne S-PER\n", scheme="BIOES")
    assert corpus.rows[0]["labels"] == ["B-PER", "O", "B-LOC", "B-LOC", "B-PER"]
    assert corpus.statistics["mentions"] == 4
    finding = corpus.statistics["findings"]["labels_inconsistent"]
    assert [(one["at"].rpartition(":")[2], one["text"]) for one in finding["examples"]] == [
        ("1", "a B-PER"),
        ("3", "c E-LOC"),
        ("4", "d I-LOC"),
    ]


def test_case_a_line_with_other_columns_than_most_is_counted_and_listed(conll):
    corpus = conll("I O\nsaw O\nNew York B-LOC\n\nin O\nLos Angeles county B-LOC\n")
    assert corpus.rows[0]["units"] == ["I", "saw", "New"]  # as it is read today, and now said
    finding = corpus.statistics["findings"]["columns_differing"]
    assert finding["count"] == 2
    assert [(one["at"].rpartition(":")[2], one["text"]) for one in finding["examples"]] == [
        ("3", "3, not 2: New York B-LOC"),
        ("6", "4, not 2: Los Angeles county B-LOC"),
    ]


def test_case_a_corpus_with_10_and_12_columns_is_read(conll):
    words = ["\t".join(["w", *"_" * (columns - 2), "O"]) for columns in [10, 12, 12] * 30]
    corpus = conll("\n".join(words), separator="tab")
    assert corpus.statistics["units"] == 90
    assert corpus.count("columns_differing") == 30
    lines = [one["at"].rpartition(":")[2] for one in corpus.statistics["findings"]["columns_differing"]["examples"]]
    assert lines == [str(1 + 3 * number) for number in range(20)]


def test_case_comment_lines_are_left_out_by_the_key(conll):
    content = "# id 17\nAda B-PER\n# http://example.org/a\nLovelace I-PER\n\n#S-ID:950101003\nBye O\n#\n"
    corpus = conll(content, comment="#")
    assert [row["units"] for row in corpus.rows] == [["Ada", "Lovelace"], ["Bye"]]
    assert corpus.rows[0]["labels"] == ["B-PER", "I-PER"]
    assert corpus.count("comments") == 4
    first = corpus.statistics["findings"]["comments"]["examples"][0]
    assert (first["at"].rpartition(":")[2], first["text"]) == ("1", "# id 17")


@pytest.mark.parametrize("line", ["# id 17", "# S-ID:950101003-001", "#", "# http://example.org/a?b=c", "#id"])
def test_case_a_comment_line_without_the_key_names_the_key(conll, line):
    with pytest.raises(VisnerError, match=r'a\.txt:1: .*if it is a comment, set `comment: "#"`'):
        conll(f"{line}\nAda B-PER\n")


def test_a_comment_that_opens_a_document_does_so_with_the_key_too(conll):
    corpus = conll("# newdoc id = X\n# id 1\na O\n\n# text = b\nb O\n", comment="#")
    assert [row["document_id"] for row in corpus.rows] == ["X", "X"]


def test_tokens_that_begin_like_comments_stay_where_the_key_has_a_space(conll):
    corpus = conll("# id 17\n#ada B-PER\n", comment="# ")
    assert corpus.rows[0]["units"] == ["#ada"]


@pytest.mark.parametrize(
    "content, line, message",
    [
        (b"a O\rb O\r", 1, "byte 4 of the line is a carriage return without a line feed; end lines with LF"),
        (b"a O\r\nb O\r\r\n", 2, "a carriage return"),
        (b"a O\nb\0 O\n", 2, "byte 2 of the line is NUL; is the file UTF-16"),
        ("a O\n".encode("utf-16-le"), 1, "NUL; is the file UTF-16"),
    ],
)
def test_case_a_text_with_a_lone_cr_or_nul_stops_with_file_and_line(conll, content, line, message):
    with pytest.raises(VisnerError, match=rf"a\.txt:{line}: .*{message}"):
        conll(content)


@pytest.mark.parametrize(
    "content, message",
    [
        ("a O\n".encode("utf-16"), r"a\.txt: UTF-16, not UTF-8; convert it \(iconv -f UTF-16 -t UTF-8\)"),
        (gzip.compress(b"a O\n", mtime=0), r"a\.txt: compressed with gzip; decompress it"),
    ],
)
def test_case_what_is_no_utf8_text_gets_a_remedy_that_works(conll, content, message):
    with pytest.raises(VisnerError, match=message):
        conll(content)


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


TOKENS = st.text(st.characters(exclude_characters="\n\r\t \0", exclude_categories=["Cs"]), min_size=1, max_size=4)


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
    corpus = conll("a I-PER\nb I-PER\nc B-LOC\nd I-PER\ne O\nf I-LOC\n\n" + "g B-PER\nh O\n" * 3)
    assert corpus.rows[0]["labels"] == ["I-PER", "I-PER", "B-LOC", "I-PER", "O", "I-LOC"]
    assert corpus.count("labels_orphaned") == 3
    examples = corpus.statistics["findings"]["labels_orphaned"]["examples"]
    assert [example["at"].rpartition(":")[2] for example in examples] == ["1", "4", "6"]
    assert corpus.statistics["mentions"] == 4


@pytest.mark.parametrize(
    "content, recipe, line, message",
    [
        ("a O\nb B-ORG\n", {}, 2, r"the label 'B-ORG' is unknown.*choose from O, B-PER, I-PER, B-LOC, I-LOC"),
        ("a S-ORG\n", {}, 1, "the label 'S-ORG' is unknown"),
        ("a S-PER\n", {}, 1, r"the scheme BIO \(corpora.NAME.scheme\) has no label 'S-PER'; set `scheme: BIOES`"),
        ("a L-PER\n", {"scheme": "BIOES"}, 1, "the scheme BIOES .* has no label 'L-PER'; set `scheme: BILOU`"),
        ("a E-PER\n", {"scheme": "IOB1"}, 1, "the scheme IOB1 .* has no label 'E-PER'; set `scheme: BIOES`"),
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


def test_case_two_roots_with_the_same_names_are_read(write, read):
    for root in ("a", "b"):
        write(f"{root}/news/1.conll", f"Ada{root} B-PER\n")
    write("b/news/2.conll", "x O\n")
    corpus = read(format="conll", paths=["a", "b"], classes=["PER"])
    assert [row["document_id"] for row in corpus.rows] == ["a/news/1.conll:1", "b/news/1.conll:1", "news/2.conll:1"]


def test_ids_are_as_long_as_needed_to_differ(write, read):
    for name in ("1/x/corpus/news/a.conll", "2/x/corpus/news/a.conll", "2/y/a.conll"):
        write(name, "x O\n")
    corpus = read(format="conll", paths=["1/x/corpus", "2/x/corpus", "2/y"], classes=[])
    assert [row["document_id"] for row in corpus.rows] == [
        "1/x/corpus/news/a.conll:1",
        "2/x/corpus/news/a.conll:1",
        "a.conll:1",
    ]


def test_case_sentences_of_two_splits_are_counted_in_columns(write, read):
    for split, content in (("train", "a O\n\nb O\n"), ("dev", "b B-PER\n\nc O\n"), ("test", "c O\n\nb O\n\nb O\n")):
        write(f"{split}.txt", content)
    files = {"by": "files", "train": ["train.txt"], "dev": ["dev.txt"], "test": ["test.txt"]}
    corpus = read(format="conll", classes=["PER"], split=files)
    assert corpus.statistics["overlap"] == {"dev": {"train": 1}, "test": {"train": 2, "dev": 3}}
    finding = corpus.statistics["findings"]["sentences_repeated"]
    assert finding["count"] == 4
    assert [one["text"] for one in finding["examples"]] == [
        "dev; also train train.txt:3",
        "test; also dev dev.txt:3",
        "test; also train train.txt:3, dev dev.txt:1",
        "test; also train train.txt:3, dev dev.txt:1",
    ]
