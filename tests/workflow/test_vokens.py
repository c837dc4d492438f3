"""Tweets with pictures, from text files and a folder to vokens and groundings: real Snakemake runs."""

import shutil

import numpy as np
import pytest
from PIL import Image
from tweets_project import COUNTS, TARGETS, make_tweets

from visner.runtime import tables


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The tweets after a run."""
    project = make_tweets(tmp_path_factory.mktemp("tweets") / "project")
    done = project.run(*TARGETS)
    assert done.returncode == 0, done.stdout + done.stderr
    return project


@pytest.fixture
def project(made, tmp_path):
    """A finished project to change."""
    return made.copy(tmp_path / "project")


def test_text_files_and_a_folder_of_pictures_become_vokens_and_groundings(made):
    results = made.folder / "results"
    scores = tables.read_json(results / "vokens/tiny/scores.json")
    assert scores["recall"]["candidates"] == 7
    assert scores["search"] == {"method": "exact", "recall": None, "pictures": 24, "names": 24}
    assert scores["states"]["without_subtokens"] == sum(COUNTS.values())
    coverage = tables.read_json(results / "images/tweets/tweets/statistics.json")
    assert coverage["rejected"]["missing"]["examples"] == [{"query": "dev1.jpg", "source_url": "dev1.jpg"}]
    sentences = list(tables.iterate_rows(results / "corpora/tweets/sentences.parquet", tables.SENTENCES))
    pool = tables.read_table(results / "vokens/tiny/pool.parquet", tables.POOL).to_pylist()
    held_out = {row["attachment"] for row in sentences if row["split"] != "train"}
    assert not held_out & {name for row in pool for name in row["names"]}
    sizes = {"found": 2, "attached": 49, "shuffled": 49}
    vectors = {name: np.load(results / f"grounding/{name}/tweets/vectors.npy") for name in sizes}
    for name, size in sizes.items():
        rows = list(tables.iterate_rows(results / f"grounding/{name}/tweets/grounding.parquet", tables.GROUNDING))
        assert [row["sentence_id"] for row in rows] == [row["sentence_id"] for row in sentences]
        for row, sentence in zip(rows, sentences, strict=True):
            if name == "found":
                assert [len(unit) for unit in row["rows"]] == [2, 2, 0]
            else:
                lost = sentence["attachment"] == "dev1.jpg"
                assert [len(unit) for unit in row["rows"]] == [0 if lost else size] * 3
    assert vectors["attached"].shape == vectors["shuffled"].shape == (39 * 49, 512)
    assert not np.array_equal(vectors["attached"], vectors["shuffled"])


def test_each_key_reruns_what_it_changes_and_no_more(project):
    config = project.config()
    config["groundings"]["found"]["k"] = 1
    project.configure(config)
    assert project.rules_run("-n", *TARGETS) == ["grounding_ground"]
    config["matchers"]["tiny"]["top"] = 2
    searched = ["vokens_search", "vokens_search"]  # of both shards
    project.configure(config)
    assert project.rules_run("-n", *TARGETS) == ["grounding_ground", "vokens_judge", *searched]
    config["matchers"]["tiny"]["margin"] = 0.2
    project.configure(config)
    assert project.rules_run("-n", *TARGETS) == [
        "grounding_ground",
        "vokens_judge",
        "vokens_pool",
        *searched,
        "vokens_train",
    ]


def test_any_source_of_pictures_can_be_the_pool(project):
    (project.folder / "things.txt").write_text("red thing\nblue thing\nno such thing\n")
    for number, colour in enumerate(("red", "red", "blue")):
        folder = project.folder / "photographs" / f"{colour} thing"
        folder.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (32, 32 + number), colour).save(folder / f"{number}.jpg")
    config = project.config()
    config["corpora"]["things"] = {"format": "text", "paths": ["things.txt"], "nouns": {"queries": "sentences"}}
    config["images"]["photographs"] = {"source": "folder", "folder": "photographs", "side": 32}
    config["matchers"]["tiny"] |= {"pool": "photographs", "pool_corpus": "things"}
    project.configure(config)
    found = [f"results/vokens/tiny/vokens/{shard}.parquet" for shard in range(2)]
    done = project.run(*found)
    assert done.returncode == 0, done.stdout + done.stderr
    pool = project.folder / "results/vokens/tiny/pool.parquet"
    names = tables.read_table(pool, tables.POOL)["names"].to_pylist()
    assert sorted(names) == [["blue thing"], ["red thing"], ["red thing"]]
    rows = list(tables.iterate_rows([project.folder / file for file in found], tables.VOKENS))
    assert len(rows) == sum(COUNTS.values())
    assert {len(one) for row in rows for one in row["image_ids"][:2]} == {3}


def test_a_deleted_folder_of_results_comes_back_the_same(project):
    names = [
        "states/1.npy",
        "matcher.safetensors",
        "vokens/1.parquet",
        "pool.parquet",
        "pool.faiss",
        "scores.json",
        "index.md",
    ]
    vokens = project.folder / "results" / "vokens" / "tiny"
    before = [(vokens / name).read_bytes() for name in names]
    shutil.rmtree(project.folder / "results" / "vokens")
    done = project.run(*TARGETS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [(vokens / name).read_bytes() for name in names] == before
