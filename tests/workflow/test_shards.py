"""Which of several shards of pictures are made again when a corpus or its pictures change: real Snakemake runs.

What was made again is seen by the times of the shards' files.
"""

import json
import shutil

import pytest
from shards_project import LISTED, NEW_NOUN, NOUNS, SHARDS, TARGETS, draw, make_shards, of_shard, shard_of, times
from tweets_project import make_tweets

from visner.runtime import tables


def nouns_of_different_shards() -> list[str]:
    """One noun of each shard, in the shards' order."""
    return [next(noun for noun in NOUNS if shard_of(noun) == shard) for shard in range(SHARDS)]


def run(project, *targets: str) -> None:
    done = project.run(*targets)
    assert done.returncode == 0, done.stdout + done.stderr


def does_nothing(project, *targets: str) -> bool:
    return "Nothing to be done" in project.run(*targets).stderr


def made_again(project, *targets: str) -> set[str]:
    """The shards that a run makes again."""
    before = times(project)
    run(project, *targets)
    after = times(project)
    return {file for file in after if after[file] != before.get(file)}


def queries(project) -> dict[str, int]:
    """How often each query occurs."""
    rows = tables.iterate_rows(project.folder / "results/nouns/tiny/queries.parquet", tables.QUERIES)
    return {row["query"]: row["occurrences"] for row in rows}


@pytest.fixture(scope="module")
def finished_shards(tmp_path_factory):
    """The project after a run."""
    project = make_shards(tmp_path_factory.mktemp("shards") / "project")
    run(project, *TARGETS, *LISTED)
    assert queries(project) == dict.fromkeys(sorted(NOUNS), 1)
    return project


@pytest.fixture
def shards(finished_shards, tmp_path):
    """That project, to change."""
    return finished_shards.copy(tmp_path / "project")


def test_case_a_document_without_a_new_noun_makes_no_shard_again(shards):
    (shards.folder / "texts" / "2.txt").write_text("犬だ。犬だ。\n")
    assert made_again(shards, *TARGETS) == set()
    assert queries(shards)["犬"] == 3
    counted = json.loads((shards.folder / TARGETS[-1]).read_text())
    assert (counted["queries"], counted["occurrences"], counted["occurrences_covered"]) == (12, 14, 14)
    assert does_nothing(shards, *TARGETS)


def test_case_a_document_with_one_new_noun_makes_its_shard_again_and_no_other(shards):
    document, shard = shards.folder / "texts" / "2.txt", shard_of(NEW_NOUN)
    document.write_text(f"{NEW_NOUN}だ。\n")
    assert made_again(shards, *TARGETS) == of_shard(shard)
    rows = tables.iterate_rows(shards.folder / f"results/images/mine/tiny/{shard}.parquet", tables.IMAGES)
    found = {row["query"]: row["source_url"] for row in rows}
    assert found == {noun: f"{noun}/1.png" for noun in NOUNS + NEW_NOUN if shard_of(noun) == shard}
    assert does_nothing(shards, *TARGETS)
    document.unlink()  # so the noun goes
    assert made_again(shards, *TARGETS) == of_shard(shard)


def test_what_else_is_due_is_made_beside_a_new_document(shards):
    """Snakemake plans jobs that wait for the nouns twice: before the nouns are found, and then."""
    (shards.folder / "texts" / "2.txt").write_text("犬だ。\n")
    (shards.folder / TARGETS[2]).unlink()
    draw(shards.folder / "pictures" / nouns_of_different_shards()[0] / "1.png", 99)
    assert made_again(shards, *TARGETS) == of_shard(0) | {TARGETS[2].removeprefix("results/")}


def test_words_and_queries_that_are_deleted_make_no_shard_again(shards):
    """They are made again when something needs them, as all results."""
    shutil.rmtree(shards.folder / "results" / "nouns")
    assert does_nothing(shards, *TARGETS)


def test_a_new_noun_is_seen_without_the_records_of_earlier_runs(shards):
    shutil.rmtree(shards.folder / ".snakemake")
    (shards.folder / "texts" / "2.txt").write_text(f"{NEW_NOUN}だ。\n")
    assert f"images/mine/tiny/{shard_of(NEW_NOUN)}.parquet" in made_again(shards, TARGETS[-1])


def test_case_an_unrelated_file_in_the_folder_makes_no_shard_again(shards):
    folder = shards.folder / "pictures"
    for place in ("beside.png", "nothing/1.png", f"{NEW_NOUN}/2.png", "犬/.hidden.png", "犬/below/1.png"):
        draw(folder / place, 99)
    assert does_nothing(shards, *TARGETS)


def test_case_a_changed_picture_makes_its_shard_again_and_no_other(shards):
    edited, more, fewer, _ = nouns_of_different_shards()
    draw(shards.folder / "pictures" / edited / "1.png", 99)
    draw(shards.folder / "pictures" / more / "2.png", 99)
    (shards.folder / "pictures" / fewer / "1.png").unlink()
    assert made_again(shards, *TARGETS) == of_shard(0) | of_shard(1) | of_shard(2)


def test_case_a_row_of_a_manifest_makes_its_shard_again_and_no_other(shards):
    manifest, picture = shards.folder / "manifest.tsv", shards.folder / "pictures" / "犬" / "2.png"
    shard = {f"images/listed/tiny/{shard_of('犬')}.parquet"}
    manifest.write_text(manifest.read_text() + "nothing\tbeside.png|犬/2.png\n")
    draw(picture, 98)
    assert does_nothing(shards, *LISTED)
    manifest.write_text(manifest.read_text().replace("犬\t犬/1.png\n", "犬\t犬/2.png|犬/1.png\n"))
    assert made_again(shards, *LISTED) == shard
    draw(picture, 99)
    assert made_again(shards, *LISTED) == shard
    assert does_nothing(shards, *LISTED)


def test_a_manifest_that_cannot_be_read_is_told_by_the_job(shards):
    with open(shards.folder / "manifest.tsv", "a") as file:
        file.write("a line without a tab\n")
    done = shards.run(*LISTED)
    assert done.returncode != 0
    assert "manifest.tsv:14: 1 columns, the header has 2" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_shard_of_attached_pictures_is_made_again_by_itself(tmp_path):
    project, target = make_tweets(tmp_path / "project"), "results/images/tweets/tweets/statistics.json"
    run(project, target)
    tweets, pictures = project.folder / "train.txt", project.folder / "pictures"
    tweets.write_text(tweets.read_text().replace("the\tO\n", "a\tO\n", 1))  # other words, the same pictures
    draw(pictures / "of no tweet.jpg", 1)
    assert made_again(project, target) == set()
    edited = next(file for file in sorted(pictures.glob("train*")) if shard_of(file.name, 2) == 1)
    new = next(f"train{number}" for number in range(100, 200) if shard_of(f"train{number}.jpg", 2) == 1)
    tweets.write_text(tweets.read_text() + f"\nIMGID:{new}\nthe\tO\n")
    for name in (edited.name, f"{new}.jpg"):
        draw(pictures / name, 99)
    assert made_again(project, target) == {"images/tweets/tweets/1.parquet"}
    assert does_nothing(project, target)
