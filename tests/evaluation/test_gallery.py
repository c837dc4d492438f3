"""The gallery, read back by an HTML parser: each word's pictures by their bytes, gates, verdicts, hostile text."""

import base64
import hashlib
import io
from html.parser import HTMLParser

import pytest
from PIL import Image

from visner.errors import VisnerError
from visner.evaluation.gallery import gallery as make_gallery
from visner.evaluation.gallery_page import visible
from visner.runtime import tables
from visner.runtime.pictures import first_pictures

VOID = {"meta", "img", "br", "link", "input"}
HOSTILE = '<script>alert("x")</script>'
TWEETS = {  # id -> units and labels; all of test but the first
    "train1": (["a"], ["O"]),
    "both_right": (["Tom", "ran"], ["B-PER", "O"]),
    "differ": ([HOSTILE, "Tom", "\ufe0f", "🗻&\u0007"], ["O", "B-PER", "O", "B-LOC"]),
    "both_wrong": (["Kyoto", "広島"], ["B-LOC", "B-LOC"]),
}
BASELINE = {"both_right": ["B-PER", "O"], "differ": ["B-LOC", "O", "O", "B-LOC"], "both_wrong": ["O", "O"]}
SYSTEM = {"both_right": ["B-PER", "O"], "differ": ["O", "B-PER", "O", "O"], "both_wrong": ["O", "O"]}
GATES = {"both_right": [0.25, float("nan")], "differ": [0.125, 0.5, float("nan"), 1.0], "both_wrong": [0.75, 0.0]}
COLOURS = {"red": (220, 10, 10), "green": (10, 220, 10), "blue": (10, 10, 220), "grey": (120, 120, 120)}
IDS = {name: hashlib.sha256(name.encode()).hexdigest() for name in COLOURS}


class Page(HTMLParser):
    """A strict reader: tags must nest; keeps sections, their words, and their tables."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.sections, self.cells = [], set(), [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.add(tag)
        assert not any(key.startswith("on") for key in attributes)
        if tag == "section":
            self.sections.append({"title": "", "own": [], "none": [], "words": [], "cells": []})
        if tag == "li":
            self.sections[-1]["words"].append(
                {"text": "", "pictures": [], "none": [], "scores": [], "gate": "", "class": ""}
            )
        if tag == "img":
            place = self.sections[-1]["words"][-1]["pictures"] if "li" in self._tags() else self.sections[-1]["own"]
            place.append(attributes)
        if tag == "td" and self.sections and "section" in self._tags():
            self.sections[-1]["cells"].append("")
        elif tag == "td":
            self.cells.append("")
        if tag not in VOID:
            self.open.append((tag, attributes.get("class")))

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def _tags(self):
        return [tag for tag, _ in self.open]

    def handle_data(self, data):
        classes = [name for _, name in self.open]
        if "td" in self._tags():
            (self.sections[-1]["cells"] if "section" in self._tags() else self.cells)[-1] += data
        elif "h2" in self._tags():
            self.sections[-1]["title"] += data
        elif "li" in self._tags():
            word = self.sections[-1]["words"][-1]
            for name, key in (("word", "text"), ("gate", "gate"), ("class", "class")):
                word[key] += data if name in classes else ""
            if "none" in classes:
                word["none"].append(data)
            if "figcaption" in self._tags():
                word["scores"].append(data)
        elif "none" in classes:
            self.sections[-1]["none"].append(data)


def picture_row(query, rank, name, reason=None):
    row = {"query": query, "rank": rank, "image_id": None, "reason": reason, "bytes": None}
    if name:
        buffer = io.BytesIO()
        Image.new("RGB", (90, 120), COLOURS[name]).save(buffer, "PNG" if name == "grey" else "JPEG")
        row |= {"image_id": IDS[name], "bytes": buffer.getvalue()}
    return row | {"width": 90, "height": 120, "source_url": f"{query}<b>"}


def same_picture(image, shards):
    """Whether an <img> shows the kept form that the shards have under its id, no larger than 64 pixels."""
    kept = next(row["bytes"] for row in shards if row["image_id"] == image["data-image"])
    kind, _, data = image["src"].partition(",")
    assert kind == "data:image/jpeg;base64"
    shown = Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")
    assert max(shown.size) == 64
    whole = Image.open(io.BytesIO(kept)).convert("RGB").resize(shown.size)
    return all(abs(a - b) < 12 for a, b in zip(shown.getpixel((20, 20)), whole.getpixel((20, 20)), strict=True))


@pytest.fixture
def gallery(tmp_path):
    """Makes the page of a grounding: `(by, k and fusion, rows of images, most sentences, tables) -> Page`."""
    sentences = [
        {
            **{"sentence_id": name, "document_id": name, "split": "train" if name == "train1" else "test"},
            **{"text": " ".join(units), "units": units, "labels": labels, "attachment": f"{name}.jpg"},
        }
        for name, (units, labels) in TWEETS.items()
    ]
    tables.write_table(tmp_path / "sentences.parquet", tables.SENTENCES, sentences)
    for name, found, gates in (("text", BASELINE, {}), ("fuse", SYSTEM, GATES)):
        rows = [
            {"sentence_id": one, "gold": TWEETS[one][1], "predicted": labels, "gate": gates.get(one)}
            for one, labels in found.items()
        ]
        tables.write_table(tmp_path / f"{name}.parquet", tables.PREDICTIONS, rows)
        provenance = {"recipes": {"embeddings": {"resnet18": {"weights": "random"}} if gates else {}}}
        content = {"experiment": name, "best_dev_seed": 2, "seeds": [1, 2], "provenance": provenance}
        tables.write_json(tmp_path / f"{name}.json", content)

    def make(recipe, images, count=40, **files):
        half = len(images) // 2
        shards = tmp_path / "0.parquet", tmp_path / "1.parquet"
        for shard, rows in zip(shards, (images[:half], images[half:]), strict=True):
            tables.write_table(shard, tables.IMAGES, rows)
        make_gallery(
            study="s",
            **recipe,
            most=count,
            sentences=tmp_path / "sentences.parquet",
            images=shards,
            scores=[tmp_path / f"{name}.json" for name in ("text", "fuse")],
            predictions=[tmp_path / f"{file}.parquet" for file in ("other", "text", "other", "fuse")],  # seeds 1 and 2
            page=tmp_path / "gallery.html",
            **files,
        )
        return Page((tmp_path / "gallery.html").read_text())

    return make


@pytest.fixture
def vokens(tmp_path):
    """Vokens of every unit by turns, of the third none."""
    names = list(COLOURS)
    rows = []
    for tweet, (units, _) in TWEETS.items():
        found = [[IDS[names[(place + step) % 4]] for step in range(4)] for place in range(len(units))]
        found = [[] if place == 2 else ids for place, ids in enumerate(found)]
        scores = [[0.5 - step / 8 for step in range(len(ids))] for ids in found]
        rows.append({"sentence_id": tweet, "image_ids": found, "scores": scores})
    tables.write_table(tmp_path / "vokens.parquet", tables.VOKENS, rows)
    return tmp_path / "vokens.parquet"


VOKENS = {"by": "voken", "k": 1, "fusion": "gate"}
POOL = [picture_row(f"{name}.jpg", 0, name) for name in COLOURS]


@pytest.mark.parametrize("k, shown", [(2, 2), (4, 3)])
def test_each_word_has_the_bytes_of_its_vokens_their_scores_and_its_gate(gallery, vokens, k, shown):
    page = gallery({**VOKENS, "k": k}, POOL, vokens=[vokens])
    by_id = {row["sentence_id"]: row["image_ids"] for row in tables.iterate_rows(vokens, tables.VOKENS)}
    for section, name in zip(page.sections, ("differ", "both_wrong", "both_right"), strict=True):
        assert section["title"].startswith(f"{name}: ")
        for place, word in enumerate(section["words"]):
            assert [image["data-image"] for image in word["pictures"]] == by_id[name][place][:shown]
            assert all(same_picture(image, POOL) for image in word["pictures"])
            assert word["scores"] == [f"{0.5 - step / 8:.3f}" for step in range(len(word["pictures"]))]
            assert word["none"] == ([] if word["pictures"] else ["no voken"])
            gate = GATES[name][place]
            assert word["gate"] == ("" if gate != gate else f"λ {gate:.3f}")  # NaN: no picture was seen


@pytest.mark.parametrize("fusion, sees", [("gate", "sees its vokens"), ("attention", "all words of its sentence")])
def test_the_page_says_whose_vokens_a_word_sees(gallery, vokens, tmp_path, fusion, sees):
    gallery({**VOKENS, "fusion": fusion}, POOL, vokens=[vokens])
    assert sees in (tmp_path / "gallery.html").read_text()


def test_text_is_shown_and_never_markup(gallery, vokens, tmp_path):
    page = gallery(VOKENS, POOL, vokens=[vokens])
    assert [word["text"] for word in page.sections[0]["words"]] == [HOSTILE, "Tom", "U+FE0F", "🗻&U+0007"]
    assert "script" not in page.tags
    text = (tmp_path / "gallery.html").read_text()
    assert text.startswith("<!DOCTYPE html>")
    assert "http" not in text  # nothing is fetched: the file is whole by itself
    assert "\x07" not in text


def test_mentions_right_wrong_and_missed_and_the_counts_of_all_test_sentences(gallery, vokens):
    page = gallery(VOKENS, POOL, count=1, vokens=[vokens])
    assert len(page.sections) == 1  # the one that they differ in
    assert page.sections[0]["title"] == "differ: text wrong, fuse wrong"
    assert page.sections[0]["cells"] == [
        *(HOSTILE, "LOC", "–", "wrong", "–"),
        *("Tom", "PER", "yes", "missed", "right"),
        *("🗻&U+0007", "LOC", "yes", "right", "missed"),
    ]
    assert [word["class"] for word in page.sections[0]["words"]] == ["", "PER", "", "LOC"]
    assert page.cells == ["test sentences", "1", "0", "0", "2"]


def test_attached_pictures_and_why_some_are_missing(gallery):
    images = [picture_row("both_right.jpg", 0, "blue"), picture_row("differ.jpg", 0, None, "truncated")]
    page = gallery({"by": "attachment", "k": None, "fusion": "attention"}, images)
    shown = {section["title"].split(":")[0]: section for section in page.sections}
    (own,) = shown["both_right"]["own"]
    assert own["data-image"] == IDS["blue"]
    assert same_picture(own, images)
    assert shown["differ"]["none"] == ["differ.jpg: truncated"]
    assert shown["both_wrong"]["none"] == ["both_wrong.jpg: no picture"]
    assert all(word["pictures"] == [] for section in page.sections for word in section["words"])


def test_nouns_have_the_pictures_of_their_first_query_that_has_any(gallery, tmp_path):
    rows = []
    for name, (units, _) in TWEETS.items():
        words = [
            {"surface": unit, "pos": "名詞", "start": place, "stop": place + 1, "queries": [unit, "Tom"]}
            for place, unit in enumerate(units)
            if unit in ("Tom", "Kyoto")
        ]
        if name == "both_wrong":
            words.append({"surface": "広島", "pos": "名詞", "start": 1, "stop": 2, "queries": ["広島"]})
        rows.append({"sentence_id": name, "words": words})
    tables.write_table(tmp_path / "words.parquet", tables.WORDS, rows)
    images = [picture_row("Tom", 2, "red"), picture_row("Tom", 0, None, "missing"), picture_row("Tom", 1, "grey")]
    page = gallery({"by": "query", "k": 1, "fusion": "gate"}, images, words=tmp_path / "words.parquet")
    assert first_pictures([tmp_path / "0.parquet", tmp_path / "1.parquet"], 1) == {"Tom": [IDS["grey"]]}
    shown = {section["title"].split(":")[0]: section["words"] for section in page.sections}
    assert [[one["data-image"] for one in word["pictures"]] for word in shown["differ"]] == [[], [IDS["grey"]], []]
    assert shown["differ"][2]["text"] == "\ufe0f🗻&U+0007"  # between nouns: one stretch
    assert shown["differ"][2]["gate"] == "λ 1.000"  # the mean of what is known
    kyoto, hiroshima = shown["both_wrong"]
    assert same_picture(kyoto["pictures"][0], images)
    assert hiroshima["none"] == ["no picture of 広島"]
    assert hiroshima["text"] == "広島"


def test_stand_in_weights_are_announced(gallery, vokens, tmp_path):
    gallery(VOKENS, POOL, vokens=[vokens])
    assert "Random weights: stand-in numbers." in (tmp_path / "gallery.html").read_text()


def test_what_does_not_belong_together_is_refused(gallery, vokens):
    with pytest.raises(VisnerError, match="reads the table vokens: give it"):
        gallery(VOKENS, POOL)
    with pytest.raises(VisnerError, match="1 pictures are in no shard"):
        gallery({**VOKENS, "k": 3}, POOL[:3], vokens=[vokens])


@pytest.mark.parametrize(
    "text, html",
    [
        ("a<b & \"c'", "a&lt;b &amp; &quot;c&#x27;"),
        ("\u200b", "U+200B"),
        ("\xa0", "U+00A0"),
        ("👨\u200d👩", "👨\u200d👩"),
        ("a\x00b\ufffe", "aU+0000bU+FFFE"),
        ("", "(empty)"),
    ],
)
def test_what_cannot_be_seen_is_written_as_code_points(text, html):
    assert visible(text) == html
