"""The reader of Stockmark's JSON: pages as documents, spans that fit or don't."""

import json

import pytest

from visner.errors import VisnerError


def _item(page, text, *entities):
    return {"curid": page, "text": text, "entities": [{"name": n, "span": s, "type": t} for n, s, t in entities]}


@pytest.fixture
def stockmark(write, read):
    def stockmark(*items, **recipe):
        write("ner.json", json.dumps(items, indent=1))
        return read(**{"format": "stockmark", "paths": ["ner.json"], "classes": ["人名", "地名"], **recipe})

    return stockmark


def test_spans_count_code_points(stockmark):
    corpus = stockmark(_item("7", "𠮷野家は👩\u200d💻の東京", ("𠮷野家", [0, 3], "人名"), ("東京", [8, 10], "地名")))
    assert corpus.mentions() == [[("𠮷野家", "人名"), ("東京", "地名")]]
    assert corpus.rows[0]["units"] == list("𠮷野家は👩\u200d💻の東京")


def test_sentences_of_a_page_make_a_document(stockmark):
    corpus = stockmark(_item("7", "一"), _item("8", "二"), _item("7", "三"))
    assert [(row["sentence_id"], row["document_id"], row["text"]) for row in corpus.rows] == [
        ("7:1", "7", "一"),
        ("7:2", "7", "三"),
        ("8:1", "8", "二"),
    ]
    assert corpus.statistics["documents"] == 2


@pytest.mark.parametrize(
    "entities, reason",
    [
        ([("東京", [1, 3], "地名")], "the span 1:3 is not 東京"),
        ([("京都", [3, 5], "地名")], "the span 3:5 is empty or leaves the text"),
        ([("", [1, 1], "地名")], "the span 1:1 is empty or leaves the text"),
        ([("都", [-1, 4], "地名")], "the span -1:4 is empty or leaves the text"),
        ([("東京", [0, 2], "地名"), ("京と", [1, 3], "人名")], "the span 1:3 overlaps another"),
        ([("東京", [0, 2], "地名"), ("京と", [1, 3], "別")], "the span 1:3 overlaps another"),
    ],
)
def test_a_sentence_whose_spans_contradict_it_is_left_out_and_listed(stockmark, entities, reason):
    corpus = stockmark(_item("7", "よい"), _item("8", "東京と京", *entities))
    assert [row["text"] for row in corpus.rows] == ["よい"]
    assert corpus.count("sentences_rejected") == 1
    (example,) = corpus.statistics["findings"]["sentences_rejected"]["examples"]
    assert example["text"] == f"{reason}: 東京と京"
    assert example["at"].endswith("ner.json:7")  # the line where the item begins


def test_half_a_surrogate_pair_is_left_out(stockmark):
    corpus = stockmark(_item("7", "よい"), _item("8", "\ud83d"))
    assert len(corpus.rows) == 1
    assert corpus.count("sentences_rejected") == 1


def test_at_most_twenty_examples_are_listed(stockmark):
    items = [_item(str(page), "東京", ("京都", [0, 2], "地名")) for page in range(25)]
    finding = stockmark(*items, _item("x", "東京")).statistics["findings"]["sentences_rejected"]
    assert (finding["count"], len(finding["examples"])) == (25, 20)


def test_unwanted_types_are_plain_text_and_empty_sentences_left_out(stockmark):
    corpus = stockmark(_item("7", "東京と聖", ("東京", [0, 2], "都市"), ("聖", [3, 4], "人名")), _item("8", " "))
    assert corpus.mentions() == [[("聖", "人名")]]
    assert corpus.statistics["other_classes"] == {"都市": 1}
    assert corpus.count("sentences_empty") == 1


@pytest.mark.parametrize(
    "content, line, message",
    [
        ('[\n{"curid": 1,\n "text": x}]', 3, "not JSON: Expecting value"),
        ('{"curid": "1"}', 1, "not a JSON list of sentences"),
        ('[\n{"curid": "1", "text": "a", "entities": []}\n{}]', 3, "not a JSON list of sentences: , or ] is missing"),
        ('[\n{"curid": "1", "text": "a", "entities": []}\n', 2, "not a JSON list of sentences: , or ] is missing"),
        ('[\n{"curid": "1", "text": "a"}]', 2, "a sentence needs curid, text and entities"),
        ('[\n{"curid": "1", "text": 5, "entities": []}]', 2, "curid, text, name and type must be strings"),
        ('[{"curid":"1","text":"a","entities":[{"name":"a","span":["0",1],"type":"x"}]}]', 1, "curid, text, name"),
        ("[]", None, "paths: there is no sentence"),
    ],
)
def test_what_is_no_such_json_stops_with_file_and_line(write, read, content, line, message):
    write("ner.json", content)
    with pytest.raises(VisnerError, match=(rf"ner\.json:{line}: " if line else "") + message):
        read(format="stockmark", paths=["ner.json"])


def test_one_page_in_two_files_stops(write, read):
    for name in "ab":
        write(f"{name}.json", json.dumps([_item("7", "東京")]))
    with pytest.raises(VisnerError, match=r"b\.json:1: the document id 7 is also at .*a\.json:1"):
        read(format="stockmark", paths=["a.json", "b.json"])
