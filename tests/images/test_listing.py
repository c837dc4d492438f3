"""Which changes of a folder, and of a shard's queries, make a shard of pictures again."""

import os

import pytest
from local_shard import write_shard

from visner.config.images import AttachedImages, EngineImages, FolderImages
from visner.images.listing import Listings

FOLDER = FolderImages(source="folder", folder="pictures")
QUERIES = {0: ["山", "川"], 1: ["海"]}


@pytest.fixture
def digest(tmp_path):
    """A function that gives the digest of a shard, as a new run of Snakemake sees it."""
    (tmp_path / "pictures").mkdir()
    for shard, queries in QUERIES.items():
        write_shard(tmp_path / f"{shard}.parquet", queries)
    return lambda shard=0, recipe=FOLDER: Listings(recipe, tmp_path).digest(tmp_path / f"{shard}.parquet")


def test_a_shard_is_made_from_its_queries_and_their_pictures(tmp_path, digest):
    seen = {digest()}
    picture = tmp_path / "pictures" / "山" / "1.jpg"
    picture.parent.mkdir()
    for content in (b"one", b"other"):
        picture.write_bytes(content)
        assert digest() not in seen
        assert digest() == digest()
        seen.add(digest())
    picture.rename(picture.with_name("2.jpg"))
    assert digest() not in seen
    picture.with_name("2.jpg").unlink()
    assert digest() in seen
    write_shard(tmp_path / "0.parquet", [*QUERIES[0], "空"])
    assert digest() not in seen


def test_what_is_no_picture_of_a_shards_queries_does_not_change_it(tmp_path, digest):
    before, other = digest(0), digest(1)
    for name in ("海/1.jpg", "beside.jpg", "山/below/1.jpg", "山/.hidden", "空/1.jpg"):
        (tmp_path / "pictures" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "pictures" / name).write_text(name)
    (tmp_path / "pictures" / "山" / "broken.jpg").symlink_to("nothing")
    assert digest(0) == before
    assert digest(1) != other


def test_a_linked_picture_is_one_and_its_name_need_not_be_text(tmp_path, digest):
    (tmp_path / "pictures" / "山").mkdir()
    (tmp_path / "elsewhere.jpg").write_text("one")
    nothing = digest()
    (tmp_path / "pictures" / "山" / os.fsdecode(b"\x8eR.jpg")).symlink_to(tmp_path / "elsewhere.jpg")
    before = digest()
    (tmp_path / "elsewhere.jpg").write_text("another")
    assert len({nothing, before, digest(), ""}) == 4


def test_case_a_picture_edited_in_a_linked_folder_changes_its_shard(tmp_path, digest):
    elsewhere = tmp_path / "elsewhere" / "山"
    elsewhere.mkdir(parents=True)
    (elsewhere / "1.jpg").write_text("one")
    (tmp_path / "pictures" / "山").symlink_to(elsewhere)
    (elsewhere / "back").symlink_to(tmp_path / "pictures")  # a loop
    before, other = digest(0), digest(1)
    (elsewhere / "1.jpg").write_text("another")
    edited = digest()
    (elsewhere / "2.jpg").write_text("more")
    assert len({before, edited, digest()}) == 3
    assert digest(1) == other


def test_of_a_manifest_and_of_attachments_the_named_files_count(tmp_path, digest):
    write_shard(tmp_path / "2.parquet", ["1.jpg"])
    manifest = tmp_path / "manifest.tsv"
    listed = FolderImages(source="folder", folder="pictures", manifest="manifest.tsv")
    attached = AttachedImages(source="attached", folder="pictures")
    manifest.write_text("query\tfiles\n山\t1.jpg\n")
    before = digest(0, listed), digest(2, attached)
    manifest.write_text("query\tfiles\n海\t2.jpg\n山\t1.jpg\n")
    (tmp_path / "pictures" / "2.jpg").write_text("of another shard")
    assert (digest(0, listed), digest(2, attached)) == before
    (tmp_path / "pictures" / "1.jpg").write_text("1")
    after = digest(0, listed), digest(2, attached)
    assert all(one != other for one, other in zip(before, after, strict=True))
    manifest.write_text("query\tfiles\n山\t2.jpg|1.jpg\n")
    assert digest(0, listed) not in (before[0], after[0])


def test_what_lists_nothing_or_cannot_be_read_has_no_digest(tmp_path, digest):
    assert digest(7) == ""  # before the queries are known
    assert digest(0, EngineImages(source="bing")) == ""
    assert digest(0, FolderImages(source="folder", folder="pictures", manifest="damaged.tsv")) == ""
    (tmp_path / "0.parquet").write_text("damaged")
    assert digest() == ""


def test_a_run_lists_each_shard_once_and_again_when_its_queries_are_written_anew(tmp_path, digest):
    listings = Listings(FOLDER, tmp_path)
    before = listings.digest(tmp_path / "0.parquet")
    (tmp_path / "pictures" / "山").mkdir()
    (tmp_path / "pictures" / "山" / "1.jpg").write_text("one")
    assert listings.digest(tmp_path / "0.parquet") == before  # a run sees what was there when it began
    write_shard(tmp_path / "0.parquet", [*QUERIES[0], "空"])
    assert listings.digest(tmp_path / "0.parquet") != before
