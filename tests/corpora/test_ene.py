"""The ENE reader: tags, what the licensed corpus holds beyond them, and what it refuses."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visner.config.corpora import EneCorpus
from visner.corpora import ene as reader
from visner.corpora.records import Findings
from visner.errors import VisnerError
from visner.runtime.spans import bio_to_spans


def test_a_line_is_a_sentence_and_a_tag_a_mention(ene):
    corpus = ene({"A": "<Province>宮城県</Province><City>石巻市</City>に\n行った。"})
    assert [row["text"] for row in corpus.rows] == ["宮城県石巻市に", "行った。"]
    assert corpus.mentions() == [[("宮城県", "Province"), ("石巻市", "City")], []]
    assert corpus.rows[0]["labels"] == ["B-Province", *["I-Province"] * 2, "B-City", *["I-City"] * 2, "O"]
    assert [row["sentence_id"] for row in corpus.rows] == ["A:5", "A:6"]  # the lines of the file


def test_units_are_code_points(ene):
    text = "か\u3099𠮷👩\u200d💻\u3000\ufe0f\u2028\u0085x"  # combining, astral, joined, and what str.splitlines cuts at
    corpus = ene({"A": text})
    assert len(corpus.rows) == 1
    assert corpus.rows[0]["units"] == list(text)


@pytest.mark.parametrize(
    "source, mentions",
    [
        ("<City>広島<Country>国</Country>市</City>", [("広島国市", "City")]),  # the outermost counts
        ("<Facility><City>広島</City>駅</Facility>", [("広島", "City")]),  # of the wanted ones
        ("<City><Facility><Country>独</Country></Facility></City>", [("独", "MIX")]),  # identical borders
        ("<City><Country><Province>独</Province></Country></City>", [("独", "MIX")]),
        ("<City><City>独</City></City>", [("独", "City")]),  # one class twice is one class
        ("<Person><City>独</City></Person>", [("独", "City")]),
        ("<MIX>仏独</MIX>", [("仏独", "MIX")]),
        ("<MIX><Country>仏</Country><Country>独</Country></MIX>", [("仏独", "MIX")]),
        ("<City><MIX>独</MIX></City>", [("独", "MIX")]),
        ("<City id=\"3\" note='a>b'>広島</City >", [("広島", "City")]),
        ("<City></City><Country/>広島", []),
    ],
)
def test_tags(ene, source, mentions):
    assert ene({"A": f"前{source}後"}).mentions() == [mentions]


def test_what_tags_become_is_counted(ene):
    corpus = ene(
        {
            "A": "<City>a<Country>b</Country></City><City><Country><County>c</County></Country></City>\n"
            "<City></City><MIX>d</MIX><Person>e</Person><Person>f<Date>g</Date></Person>"
        }
    )
    assert [corpus.count(f"mentions_{kind}") for kind in ("nested", "mixed", "empty")] == [1, 1, 1]
    assert corpus.statistics["findings"]["mentions_empty"]["examples"] == [
        {"at": str(corpus.table.parents[1] / "ene/A.xml:6"), "text": "<City></City>"}
    ]
    assert corpus.statistics["other_classes"] == {"Date": 1, "Person": 2}
    assert corpus.statistics["classes"]["City"]["mentions"] == 1
    assert corpus.statistics["mix"] == {"types": 2, "mentions": 2, **_by_split(corpus, 2)}
    assert corpus.statistics["mentions"] == 1  # no total counts MIX


def _by_split(corpus, count):
    return {split: count if split == corpus.rows[0]["split"] else 0 for split in ("train", "dev", "test")}


def test_other_classes_by_configuration(ene):
    corpus = ene({"A": "<Person>聖</Person>と<地名>東京</地名>と<City>京都</City>"}, classes=["地名", "Person"])
    assert corpus.mentions() == [[("聖", "Person"), ("東京", "地名")]]
    assert corpus.statistics["other_classes"] == {"City": 1}


def test_a_mention_over_line_breaks_joins_them(ene):
    corpus = ene(
        {"A": "前\n<City>広\n\n島</City>へ\n<City>New\nYork</City>\n<City>\n津\n</City>\n<Person>長\n嶋</Person>"}
    )
    assert [row["text"] for row in corpus.rows] == ["前", "広島へ", "New York", "津", "長", "嶋"]
    assert corpus.mentions() == [[], [("広島", "City")], [("New York", "City")], [("津", "City")], [], []]
    assert [row["sentence_id"] for row in corpus.rows] == ["A:5", "A:6", "A:9", "A:12", "A:14", "A:15"]
    assert corpus.count("lines_joined") == 2
    assert corpus.count("sentences_empty") == 2  # around 津


@pytest.mark.parametrize("block", ["<rejectedBlock>x</rejectedBlock>", '<rejectedBlock id="1"/>', "<rejectedBlock>"])
def test_a_document_with_a_rejected_block_is_left_out(ene, block):
    corpus = ene({"A": f"<City>広島\n{block}", "B": "広島"})
    assert {row["document_id"] for row in corpus.rows} == {"B"}
    assert corpus.count("documents_rejected") == 1
    assert corpus.statistics["findings"]["documents_rejected"]["examples"][0]["text"] == "A"
    assert corpus.statistics["documents"] == 1


def test_entities_and_stray_markup(ene):
    corpus = ene(
        {"A": "A&amp;B&lt;City&gt;&quot;&#24195;&#x5cf6; AT&T 3<5 <笑> <http://a/?b&c> &nbsp; &#10; &#xD800; (^_<)"}
    )
    assert corpus.rows[0]["text"] == 'A&B<City>"広島 AT&T 3<5 <笑> <http://a/?b&c> &nbsp; &#10; &#xD800; (^_<)'
    assert corpus.mentions() == [[]]
    assert corpus.count("markup_stray") == 9


@pytest.mark.parametrize(
    "text, line, message",
    [
        ("広\n<City>島\nです", 6, "<City> is never closed"),
        ("広\n島</City>", 6, "</City> closes nothing"),
        ("<City>広\n島</Country>", 6, "</Country> where <City> of line 5 is open"),
        ("<Person>広\n<City>島</Person></City>", 6, "</Person> where <City> of line 6 is open"),
        ("<br>広", 5, "<br> is never closed"),  # also of a class that nobody wants
    ],
)
def test_tags_that_do_not_nest_stop_with_file_and_line(ene, text, line, message):
    with pytest.raises(VisnerError, match=rf"ene/A\.xml:{line}: {message}"):
        ene({"A": text})


@pytest.mark.parametrize(
    "content, line, message",
    [
        ("<DOC>\n<ID>A</ID>\n<TEXT>\n広島\n", 4, "the file ends where </TEXT> must stand"),
        ("<DOC>\n<TEXT>\n広島\n</TEXT>\n</DOC>\n", 2, "<TEXT> stands where <ID> must"),
        ("<DOC>\n<ID> </ID>\n<TEXT>\n広島\n</TEXT>\n</DOC>\n", 2, "the <ID> of the document is empty"),
        ("", 1, "the file ends where <DOC> must stand"),
    ],
)
def test_a_broken_frame_stops_with_file_and_line(write, read, content, line, message):
    write("a.xml", content)
    with pytest.raises(VisnerError, match=rf"a\.xml:{line}: {message}"):
        read(format="ene", paths=["a.xml"])


def test_several_documents_a_file_crlf_and_a_byte_order_mark(write, read):
    one = "<DOC>\r\n<ID>{0}</ID>\r\n<TEXT>\r\n<City>{0}市</City>\r\n</TEXT>\r\n</DOC>\r\n"
    write("a.xml", b"\xef\xbb\xbf" + (one.format("甲") + one.format("乙")).encode())
    corpus = read(format="ene", paths=["a.xml"])
    assert [(row["sentence_id"], row["text"]) for row in corpus.rows] == [("甲:4", "甲市"), ("乙:10", "乙市")]


def test_empty_lines_are_counted(ene):
    corpus = ene({"A": "広\n\n \u3000\n島", "B": ""})
    assert [row["text"] for row in corpus.rows] == ["広", "島"]
    assert corpus.count("sentences_empty") == 3
    assert corpus.statistics["documents"] == 1


def test_invalid_utf8_stops_with_file_line_and_byte(write, read):
    write("a.xml", b"<DOC>\n<ID>A</ID>\n<TEXT>\nab\x93\xfa\n</TEXT>\n</DOC>\n")
    with pytest.raises(VisnerError, match=r"a\.xml:4: byte 3 of the line \(0x93\) is not UTF-8"):
        read(format="ene", paths=["a.xml"])


def test_one_id_twice_stops_with_both_files(write, read):
    for folder in ("one", "two"):
        write(f"{folder}/A.xml", "<DOC>\n<ID>A</ID>\n<TEXT>\n広島\n</TEXT>\n</DOC>\n")
    with pytest.raises(VisnerError, match=r"two/A\.xml:1: the document id A is also at .*one/A\.xml:1"):
        read(format="ene", paths=["one", "two"])


CLASSES = ["City", "Country", "地名"]
TAGS = [*CLASSES, "Person", "MIX"]
TEXT = st.text(st.sampled_from("広島 京都aB1&<>\"'\u3000か\u3099𠮷。;#"), max_size=5)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


# A node is text, or a class with its nodes; a line is a list of nodes.
NODES = st.lists(
    st.recursive(TEXT, lambda nodes: st.tuples(st.sampled_from(TAGS), st.lists(nodes, max_size=3)), max_leaves=8),
    max_size=5,
)


def _rendered(nodes: list) -> tuple[str, str]:
    """The source of the nodes, and their text."""
    source, text = "", ""
    for node in nodes:
        if isinstance(node, str):
            source, text = source + _escaped(node), text + node
        else:
            inner_source, inner_text = _rendered(node[1])
            source, text = f"{source}<{node[0]}>{inner_source}</{node[0]}>", text + inner_text
    return source, text


def _expected(nodes: list, start: int = 0) -> list[tuple[int, int, str]]:
    """The mentions by their definition, found top-down on the tree (the reader works on a flat list)."""
    found = []
    for node in nodes:
        text = node if isinstance(node, str) else _rendered(node[1])[1]
        if not isinstance(node, str) and text:
            if node[0] in (*CLASSES, "MIX"):
                classes = {node[0], *_classes_of_all(node[1], text)}
                found.append((start, start + len(text), node[0] if len(classes) == 1 else "MIX"))
            else:
                found += _expected(node[1], start)
        start += len(text)
    return found


def _classes_of_all(nodes: list, text: str) -> set[str]:
    """The wanted classes of the elements that hold all of `text`."""
    found = set()
    for node in nodes:
        if not isinstance(node, str) and _rendered(node[1])[1] == text:
            found |= {node[0]} & {*CLASSES, "MIX"} | _classes_of_all(node[1], text)
    return found


@given(st.lists(NODES, min_size=1, max_size=4))
def test_what_is_rendered_is_read(lines):
    rendered = [_rendered(nodes) for nodes in lines]
    content = "<DOC>\n<ID>A</ID>\n<TEXT>\n" + "\n".join(source for source, _ in rendered) + "\n</TEXT>\n</DOC>\n"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "A.xml"
        path.write_bytes(content.encode())
        recipe = EneCorpus(format="ene", paths=["A.xml"], classes=CLASSES)
        (document,) = reader.read(path, "A.xml", recipe, Findings())
        sentences = list(document.sentences)
    kept = [(number, nodes) for number, nodes in enumerate(lines, 4) if _rendered(nodes)[1].strip()]
    assert [sentence.line for sentence in sentences] == [number for number, _ in kept]
    for sentence, (_, nodes) in zip(sentences, kept, strict=True):
        assert "".join(sentence.units) == _rendered(nodes)[1]
        assert [tuple(span) for span in bio_to_spans(sentence.labels)] == _expected(nodes)
