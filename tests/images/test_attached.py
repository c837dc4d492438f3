"""The source `attached`: one file an attachment; missing, broken and placeholder ones are rows with reasons."""

import hashlib
import os
import unicodedata

import pytest
from local_shard import covered, fetched
from PIL import Image

from visner.config.images import AttachedImages
from visner.corpora.attachments import attachments as write_attachments
from visner.errors import VisnerError
from visner.images.coverage import SHARED
from visner.runtime import tables


def write_sentences(path, attachments):
    blank = {"document_id": "d", "split": "train", "text": "", "units": [], "labels": []}
    rows = [{**blank, "sentence_id": str(i), "attachment": name} for i, name in enumerate(attachments)]
    tables.write_table(path, tables.SENTENCES, rows)


def attachments(folder, names, shards=1):
    """The table of attachments, as the stage makes it."""
    write_sentences(folder / "sentences.parquet", names)
    output, files = folder / "attachments.parquet", folder / "attachments"
    sentences = folder / "sentences.parquet"
    write_attachments(sentences=sentences, queries=output, shards=files, number_of_shards=shards)
    return output


def test_attachments_are_counted_once_and_sharded_by_name(tmp_path):
    names = [f"{number}.jpg" for number in range(40)]
    output = attachments(tmp_path, [*names, None, "3.jpg", None], shards=4)
    rows = tables.read_table(output, tables.QUERIES).to_pylist()
    assert [row["query"] for row in rows] == sorted(names)
    assert {row["query"]: row["occurrences"] for row in rows if row["occurrences"] > 1} == {"3.jpg": 2}
    for row in rows:
        digest = hashlib.sha256(row["query"].encode()).digest()
        assert row["shard"] == int.from_bytes(digest[:8], "big") % 4
    before = output.read_bytes()
    assert attachments(tmp_path, [*names, None, "3.jpg", None], shards=4).read_bytes() == before


def test_a_corpus_without_attachments_has_an_empty_table(tmp_path):
    assert tables.read_table(attachments(tmp_path, [None, None]), tables.QUERIES).num_rows == 0


@pytest.fixture
def folder(tmp_path):
    """a.jpg; lost.jpg and gone.jpg, which are one placeholder; half.jpg, which is cut off; ../out.jpg."""
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for name, colour in (("a.jpg", "red"), ("lost.jpg", "white"), ("../out.jpg", "blue"), ("half.jpg", "green")):
        Image.effect_noise((60, 40), 50).convert("RGB").save(pictures / name) if name == "half.jpg" else Image.new(
            "RGB", (60, 40), colour
        ).save(pictures / name)
    (pictures / "gone.jpg").write_bytes((pictures / "lost.jpg").read_bytes())
    (pictures / "half.jpg").write_bytes((pictures / "half.jpg").read_bytes()[:700])
    return tmp_path


def look_up(folder, names, **recipe):
    """What became of the pictures of some attachments, and the statistics."""
    images = AttachedImages(source="attached", folder="pictures", **recipe)
    rows = fetched(folder, images, sorted(names))
    found = {row["query"]: row["reason"] or row["image_id"] for row in rows}
    return found, covered(folder, dict.fromkeys(names, 1))


def test_what_is_no_picture_is_a_row_with_its_reason_and_counted(folder):
    lost = hashlib.sha256((folder / "pictures" / "lost.jpg").read_bytes()).hexdigest()
    names = ["a.jpg", "lost.jpg", "gone.jpg", "half.jpg", "none.jpg", "../out.jpg"]
    found, counted = look_up(folder, names, placeholders=[lost])
    assert found == {
        "a.jpg": hashlib.sha256((folder / "pictures" / "a.jpg").read_bytes()).hexdigest(),
        "lost.jpg": "placeholder",
        "gone.jpg": "placeholder",
        "half.jpg": "broken",
        "none.jpg": "missing",
        "../out.jpg": "missing",  # a name cannot leave the folder
    }
    assert {reason: one["pictures"] for reason, one in counted["rejected"].items()} == {
        "broken": 1,
        "missing": 2,
        "placeholder": 2,
    }
    assert [one["query"] for one in counted["rejected"]["placeholder"]["examples"]] == ["gone.jpg", "lost.jpg"]
    assert counted["queries_covered"] == 1


@pytest.mark.parametrize("named, on_disk", [("NFC", "NFD"), ("NFD", "NFC")])
def test_case_an_attachment_in_nfc_or_nfd_is_found_in_the_other_form(folder, named, on_disk):
    content = (folder / "pictures" / "a.jpg").read_bytes()
    (folder / "pictures" / unicodedata.normalize(on_disk, "ポスター.jpg")).write_bytes(content)
    (folder / "pictures" / os.fsdecode("山.jpg".encode("shift_jis"))).write_bytes(content)  # which no text can name
    name = unicodedata.normalize(named, "ポスター.jpg")
    found, _ = look_up(folder, [name, "山.jpg"])
    assert found == {name: hashlib.sha256(content).hexdigest(), "山.jpg": "missing"}


def test_every_one_that_is_missing_is_listed(folder):
    names = [f"none{number}.jpg" for number in range(30)]
    _, counted = look_up(folder, ["a.jpg", *names])
    assert counted["rejected"]["missing"]["pictures"] == 30 > len(counted["rejected"]["missing"]["examples"])
    _, *listed = (folder / "rejected.tsv").read_text().splitlines()
    assert sorted(listed) == sorted(f"{name}\t0\tmissing\t{name}" for name in names)


def test_a_picture_of_very_many_attachments_is_reported(folder):
    content = (folder / "pictures" / "a.jpg").read_bytes()
    names = [f"copy{number}.jpg" for number in range(SHARED)]
    for name in names:
        (folder / "pictures" / name).write_bytes(content)
    assert look_up(folder, names)[1]["shared"] == []
    _, counted = look_up(folder, [*names, "a.jpg", "lost.jpg"])
    assert counted["shared"] == [{"image_id": hashlib.sha256(content).hexdigest(), "queries": SHARED + 1}]


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(VisnerError, match="there is no folder"):
        look_up(tmp_path, ["a.jpg"])
