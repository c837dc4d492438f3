"""The wiring: what a job reads follows from the configuration alone."""

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from visner import tables
from visner.config import load
from visner.errors import VisnerError
from visner.evaluation.warnings import stand_ins
from visner.workflow import Wiring

ROOT = Path(__file__).resolve().parents[1]


def wiring(place, **images):
    """A configuration of one text, with one source of pictures."""
    (place / "a.txt").write_text("山")
    (place / "pictures").mkdir(exist_ok=True)
    content = {"corpora": {"a": {"format": "text", "paths": ["a.txt"]}}, "images": {"mine": images}}
    return Wiring(load(content), place)


@pytest.fixture
def content_of(tmp_path, monkeypatch):
    """A function that gives the digest of a shard; 山 and 川 are queries of shard 0, 海 is one of shard 1."""
    monkeypatch.chdir(tmp_path)

    def content(shard=0, **images):
        this = wiring(tmp_path, **(images or {"source": "folder", "folder": "pictures"}))
        return this.shard(SimpleNamespace(source="mine", corpus="a", shard=str(shard))).content

    return content


def write_queries(shards, table="nouns/a/queries.parquet"):
    """The table of queries; of each its shard."""
    rows = [{"query": query, "occurrences": 1, "shard": shard} for query, shard in sorted(shards.items())]
    tables.write_table(f"results/{table}", tables.QUERIES, rows)


QUERIES = {"山": 0, "川": 0, "海": 1}


def test_a_shard_is_made_from_its_queries_and_their_pictures(tmp_path, content_of):
    write_queries(QUERIES)
    seen = {content_of()}
    picture = tmp_path / "pictures" / "山" / "1.jpg"
    picture.parent.mkdir()
    for content in (b"one", b"other"):
        picture.write_bytes(content)
        assert content_of() not in seen
        assert content_of() == content_of()
        seen.add(content_of())
    picture.rename(picture.with_name("2.jpg"))
    assert content_of() not in seen
    picture.with_name("2.jpg").unlink()
    assert content_of() in seen
    write_queries(QUERIES | {"空": 0})
    assert content_of() not in seen


def test_what_is_no_picture_of_a_shards_queries_does_not_change_it(tmp_path, content_of):
    write_queries(QUERIES)
    before, other = content_of(0), content_of(1)
    for name in ("海/1.jpg", "beside.jpg", "山/below/1.jpg", "山/.hidden", "空/1.jpg"):
        (tmp_path / "pictures" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "pictures" / name).write_text(name)
    (tmp_path / "pictures" / "山" / "broken.jpg").symlink_to("nothing")
    write_queries(QUERIES | {"空": 2})
    assert content_of(0) == before
    assert content_of(1) != other


def test_a_linked_picture_is_one_and_its_name_need_not_be_text(tmp_path, content_of):
    write_queries(QUERIES)
    (tmp_path / "pictures" / "山").mkdir(parents=True)
    (tmp_path / "elsewhere.jpg").write_text("one")
    (tmp_path / "pictures" / "山" / os.fsdecode(b"\x8eR.jpg")).symlink_to(tmp_path / "elsewhere.jpg")
    before = content_of()
    (tmp_path / "elsewhere.jpg").write_text("another")
    assert before != content_of() != ""


def test_of_a_manifest_and_of_attachments_the_named_files_count(tmp_path, content_of):
    write_queries(QUERIES)
    write_queries({"1.jpg": 0, "2.jpg": 1}, "corpora/a/attachments.parquet")
    manifest = tmp_path / "manifest.tsv"
    listed = {"source": "folder", "folder": "pictures", "manifest": "manifest.tsv"}
    attached = {"source": "attached", "folder": "pictures"}
    manifest.write_text("query\tfiles\n山\t1.jpg\n")
    before = content_of(**listed), content_of(**attached)
    manifest.write_text("query\tfiles\n海\t2.jpg\n山\t1.jpg\n")
    (tmp_path / "pictures" / "2.jpg").write_text("of another shard")
    assert (content_of(**listed), content_of(**attached)) == before
    (tmp_path / "pictures" / "1.jpg").write_text("1")
    after = content_of(**listed), content_of(**attached)
    assert all(one != other for one, other in zip(before, after, strict=True))
    manifest.write_text("query\tfiles\n山\t2.jpg|1.jpg\n")
    assert content_of(**listed) not in (before[0], after[0])


def test_of_a_source_of_ones_own_its_file_counts(tmp_path, content_of):
    write_queries(QUERIES)
    custom = {"source": "custom", "file": "mine.py", "crawl": {"user_agent": "me@visner.example"}}
    (tmp_path / "mine.py").write_text("one")
    before = content_of(**custom)
    (tmp_path / "mine.py").write_text("other")
    assert before != content_of(**custom) != ""
    web = {"source": "bing", "crawl": {"user_agent": "me@visner.example"}}
    assert content_of(0, **web) != content_of(1, **web)
    assert content_of(0, **web) == content_of(0, **web)


def test_where_the_queries_were_deleted_a_shard_knows_its_own(tmp_path, content_of):
    write_queries(QUERIES)
    before = content_of()
    tables.write_table("results/images/mine/a/0.parquet", tables.IMAGES, [], {"queries": ["山", "川"]})
    (tmp_path / "results/nouns/a/queries.parquet").unlink()
    assert content_of() == before
    (tmp_path / "pictures" / "山").mkdir()
    (tmp_path / "pictures" / "山" / "1.jpg").write_text("one")
    assert content_of() != before
    (tmp_path / "results/images/mine/a/0.parquet").write_text("damaged")
    assert content_of() == ""


def test_a_shard_is_current_while_the_table_has_the_queries_that_it_was_made_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    this = wiring(tmp_path, source="folder", folder="pictures")

    def current(shard):
        return this.shard(SimpleNamespace(source="mine", corpus="a", shard=str(shard))).is_current

    assert current(0)  # neither is there: it is due in any case
    write_queries(QUERIES)
    assert current(0)
    for shard, asked in enumerate((["山", "川"], ["海"])):
        tables.write_table(f"results/images/mine/a/{shard}.parquet", tables.IMAGES, [], {"queries": sorted(asked)})
    tables.write_table("results/images/mine/a/2.parquet", tables.IMAGES, [], {})  # of an earlier version
    assert [current(shard) for shard in range(3)] == [True, True, False]
    write_queries(QUERIES | {"空": 1})
    assert [current(shard) for shard in range(3)] == [True, False, False]


def test_before_the_queries_are_known_a_shard_has_no_content(tmp_path, content_of):
    assert content_of() == ""
    write_queries(QUERIES)
    assert content_of() != content_of(1) != ""


def test_case_a_picture_edited_in_a_linked_folder_changes_its_shard(tmp_path, content_of):
    write_queries(QUERIES)
    elsewhere, folder = tmp_path / "elsewhere", tmp_path / "pictures"
    (elsewhere / "山").mkdir(parents=True)
    (elsewhere / "山" / "1.jpg").write_text("one")
    folder.mkdir()
    (folder / "山").symlink_to(elsewhere / "山")
    (elsewhere / "山" / "back").symlink_to(folder)  # a loop
    before, other = content_of(0), content_of(1)
    assert content_of(0) == before
    (elsewhere / "山" / "1.jpg").write_text("another")
    edited = content_of(0)
    (elsewhere / "山" / "2.jpg").write_text("more")
    assert len({before, edited, content_of(0)}) == 3
    assert content_of(1) == other


def test_a_folder_of_pictures_that_is_not_there_is_named(tmp_path):
    with pytest.raises(VisnerError, match="images.mine.folder: there is no folder"):
        wiring(tmp_path, source="folder", folder="pictuers")


def downloading(place, **sums):
    """A configuration of tweets that are downloaded, of which train.txt may be there."""
    files = {"by": "files", "train": ["resources/corpora/a/train.txt"], "dev": ["resources/corpora/a/dev.txt"]}
    download = {"base": "https://data.example/a/", "sha256": {f"{name}.txt": digest for name, digest in sums.items()}}
    corpus = {"format": "imgid", "classes": ["PER"], "split": files, "download": download}
    return Wiring(load({"corpora": {"a": corpus}}), place)


def test_files_that_a_rule_downloads_need_not_be_there_but_must_be_the_right_ones(tmp_path):
    sums = {"train": hashlib.sha256(b"right").hexdigest(), "dev": "0" * 64}
    folder = tmp_path / "resources/corpora/a"
    expected = [Path(os.path.relpath(folder / name)) for name in ("dev.txt", "train.txt")]
    assert downloading(tmp_path, **sums).corpus_files(SimpleNamespace(corpus="a")) == expected
    wildcards = SimpleNamespace(corpus="a", file="dev.txt")
    assert downloading(tmp_path, **sums).download_address(wildcards) == "https://data.example/a/dev.txt"
    folder.mkdir(parents=True)
    (folder / "train.txt").write_bytes(b"right")
    downloading(tmp_path, **sums)
    (folder / "train.txt").write_bytes(b"relabelled")
    with pytest.raises(VisnerError, match=r"corpora\.a\.download: .*train\.txt: the sha256 is .*another variant"):
        downloading(tmp_path, **sums)


def test_a_download_that_no_split_reads_is_named(tmp_path):
    """As where `split` was pointed to a folder of one's own: what is read would not be what is checked."""
    with pytest.raises(VisnerError, match=r"corpora\.a\.download: no split reads .*test\.txt: name it there"):
        downloading(tmp_path, train="0" * 64, dev="0" * 64, test="0" * 64)


def test_files_that_nothing_makes_are_named(tmp_path):
    with pytest.raises(VisnerError, match=r"corpora\.a\.split\.dev: there is no file .*dev\.txt"):
        downloading(tmp_path, train="0" * 64)


def test_a_system_names_every_recipe_that_it_is_made_by():
    content = load(ROOT / "config.yaml")
    system = Wiring(content, ROOT).system(SimpleNamespace(experiment="ene_gate"))
    for section in ("corpora", "vectors", "images", "embeddings", "experiments"):
        assert f'"{section}": {{"' in system


def test_a_system_of_vokens_names_what_its_matcher_was_made_by_and_searches():
    content = load(ROOT / "config" / "twitter2017.yaml").model_dump()
    content["images"]["twitter2017"]["folder"] = "data"
    content["images"]["other"] = {"source": "attached", "folder": "data", "note": "clip art"}
    content["embeddings"]["untrained"] = {"backbone": "resnet18", "weights": "random"}
    content["matchers"]["twitter2017"] |= {"pool": "other", "embedding": "untrained"}
    wiring = Wiring(load(content), ROOT)
    recipes = json.loads(wiring.system(SimpleNamespace(experiment="twitter2017_fuse")))["config"]
    assert list(recipes["images"]) == ["other", "twitter2017"]
    assert list(recipes["embeddings"]) == ["resnet152", "untrained"]
    heads = [one.split("**")[1] for one in stand_ins({"fuse": {"provenance": {"recipes": recipes}}})]
    assert heads == ["Random weights: stand-in numbers.", "Pictures other:"]
    own = json.loads(wiring.system(SimpleNamespace(experiment="twitter2017_fuse_attached")))["config"]
    assert list(own["images"]) == ["twitter2017"]


ENCODER_FILES = ("config.json", "model.safetensors", "tokenizer.json")


def make_encoder(folder):
    """A folder with the files of an encoder, empty as they are: nobody reads them here."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ENCODER_FILES:
        (folder / name).touch()


def tweets(place, encoder, **more):
    """A configuration with one fine-tuned encoder."""
    (place / "a.tsv").write_text("Tom\tB-X\n")
    corpus = {"format": "conll", "paths": ["a.tsv"], "classes": ["X"]}
    experiment = {"corpus": "a", "model": "bert_crf", "encoder": encoder, **more}
    return Wiring(load({"corpora": {"a": corpus}, "experiments": {"one": experiment}}), place)


def test_an_encoder_is_a_folder_as_it_is_or_is_fetched(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    one = SimpleNamespace(experiment="one")
    hub = tweets(tmp_path, "vinai/bertweet-base@v1.0")
    assert hub.hub_encoders() == {"vinai--bertweet-base@v1.0": "vinai/bertweet-base@v1.0"}
    folder = "resources/encoders/vinai--bertweet-base@v1.0"
    assert f"{folder}/model.safetensors" in hub.encoder_files("vinai/bertweet-base@v1.0")
    assert '"encoder": "vinai/bertweet-base@v1.0"' in hub.system(one)
    with pytest.raises(VisnerError, match="encoder: .*a revision, .*: write vinai/bertweet-base@REVISION"):
        tweets(tmp_path, "vinai/bertweet-base")
    make_encoder(tmp_path / "models" / "mine")
    own = tweets(tmp_path, "models/mine")
    assert own.hub_encoders() == {}
    assert own.encoder_files("models/mine") == [f"models/mine/{name}" for name in ENCODER_FILES]


def test_an_encoder_in_an_installed_package_is_taken_from_there(tmp_path, monkeypatch):
    folder = tmp_path / "site" / "carrier" / "model"
    make_encoder(folder)
    (folder.parent / "__init__.py").write_text("raise RuntimeError('it need not be imported')")
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.chdir(tmp_path)
    one = SimpleNamespace(experiment="one")
    packed = tweets(tmp_path, "package:carrier/model")
    assert packed.hub_encoders() == {}
    assert packed.encoder_files("package:carrier/model") == [f"site/carrier/model/{name}" for name in ENCODER_FILES]
    assert '"encoder": "package:carrier/model"' in packed.system(one)  # results tell no place of this machine
    with pytest.raises(VisnerError, match="experiments.one.encoder: the Python package carrier has no folder modle"):
        tweets(tmp_path, "package:carrier/modle")
    for name in ("no_such_package/model", "os/path", "../etc"):
        with pytest.raises(VisnerError, match="experiments.one.encoder: there is no Python package .*; install it"):
            tweets(tmp_path, f"package:{name}")


def study_of(place, **more):
    """The configuration of a study of one text-only system beside another, on tokens."""
    (place / "a.tsv").write_text("Tom\tB-X\n")
    corpus = {"format": "conll", "paths": ["a.tsv"], "classes": ["X"]}
    make_encoder(place / "models" / "mine")
    system = {"corpus": "a", "model": "bert_crf", "encoder": "models/mine"}
    study = {"baseline": "one", "systems": ["two"], **more}
    return {"corpora": {"a": corpus}, "experiments": {"one": system, "two": system}, "studies": {"s": study}}


def test_a_file_of_published_scores_must_be_there(tmp_path):
    with pytest.raises(VisnerError, match=r"studies\.s\.published: there is no file .*scores\.json"):
        Wiring(load(study_of(tmp_path, published="scores.json")), tmp_path)


def test_a_study_without_pictures_and_nouns_has_neither_gallery_nor_coverage(tmp_path):
    (tmp_path / "Snakefile").symlink_to(ROOT / "Snakefile")
    (tmp_path / "workflow").symlink_to(ROOT / "workflow")
    (tmp_path / "config.yaml").write_text(json.dumps(study_of(tmp_path)))
    command = [sys.executable, "-m", "snakemake", "-n", "results/studies/s/index.md"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    rules = set(re.findall(r"^(\w+) +\d+$", done.stdout, re.MULTILINE)) - {"total"}
    assert rules == {"corpora_read", "ner_train", "ner_predict", "ner_describe", "evaluation_score", "evaluation_study"}
