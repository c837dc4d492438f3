"""The wiring: what a job reads follows from the configuration alone."""

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from self_terminating import as_job

from visner.config import encoders, load
from visner.config.preflight import check, corpus_files
from visner.errors import VisnerError
from visner.evaluation.warnings import stand_ins
from visner.jobs import untracked

ROOT = Path(__file__).resolve().parents[1]


def wiring(place, **images):
    """A configuration of one text, with one source of pictures."""
    (place / "a.txt").write_text("山")
    (place / "pictures").mkdir(exist_ok=True)
    content = {"corpora": {"a": {"format": "text", "paths": ["a.txt"]}}, "images": {"mine": images}}
    return load(content)


def test_a_folder_of_pictures_that_is_not_there_is_named(tmp_path):
    with pytest.raises(VisnerError, match="images.mine.folder: there is no folder"):
        check(wiring(tmp_path, source="folder", folder="pictuers"), tmp_path)


def downloading(place, **sums):
    """A configuration of tweets that are downloaded, of which train.txt may be there."""
    files = {"by": "files", "train": ["resources/corpora/a/train.txt"], "dev": ["resources/corpora/a/dev.txt"]}
    download = {"base": "https://data.example/a/", "sha256": {f"{name}.txt": digest for name, digest in sums.items()}}
    corpus = {"format": "imgid", "classes": ["PER"], "split": files, "download": download}
    return looked_at({"corpora": {"a": corpus}}, place)


def looked_at(content, place):
    """A configuration that was looked at before a run, and the files of its corpora."""
    config, root = load(content), Path(os.path.relpath(place))
    check(config, root)
    return config, corpus_files(config, root)


def test_files_that_a_rule_downloads_need_not_be_there_but_must_be_the_right_ones(tmp_path):
    sums = {"train": hashlib.sha256(b"right").hexdigest(), "dev": "0" * 64}
    folder = tmp_path / "resources/corpora/a"
    expected = [Path(os.path.relpath(folder / name)) for name in ("dev.txt", "train.txt")]
    config, files = downloading(tmp_path, **sums)
    assert files["a"] == expected
    job = as_job("corpora_download", "log", wildcards={"corpus": "a", "file": "dev.txt"}, config=config.model_dump())
    assert untracked(job, ".")["url"]() == "https://data.example/a/dev.txt"
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
    system = load(ROOT / "config.yaml").system("ene_gate")
    assert [section for section, recipes in system.items() if not recipes] == ["matchers"]
    assert load(system).system("ene_gate") == system  # it is whole by itself


def test_a_system_of_vokens_names_what_its_matcher_was_made_by_and_searches():
    content = load(ROOT / "config" / "twitter2017.yaml").model_dump()
    content["images"]["twitter2017"]["folder"] = "data"
    content["images"]["other"] = {"source": "attached", "folder": "data", "note": "clip art"}
    content["embeddings"]["untrained"] = {"backbone": "resnet18", "weights": "random"}
    content["matchers"]["twitter2017"] |= {"pool": "other", "embedding": "untrained"}
    recipes = load(content).system("twitter2017_fuse")
    assert list(recipes["images"]) == ["other", "twitter2017"]
    assert list(recipes["embeddings"]) == ["resnet152", "untrained"]
    heads = [one.split("**")[1] for one in stand_ins({"fuse": {"provenance": {"recipes": recipes}}})]
    assert heads == ["Random weights: stand-in numbers.", "Pictures other:"]
    own = load(content).system("twitter2017_fuse_attached")
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
    return looked_at({"corpora": {"a": corpus}, "experiments": {"one": experiment}}, place)[0]


def test_an_encoder_is_a_folder_as_it_is_or_is_fetched(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = "vinai/bertweet-base@v1.0"
    assert tweets(tmp_path, name).system("one")["experiments"]["one"]["encoder"] == name
    assert encoders.of_hub(name, Path())
    assert "resources/encoders/vinai--bertweet-base@v1.0/model.safetensors" in encoders.files(name, Path())
    with pytest.raises(VisnerError, match="encoder: .*a revision, .*: write vinai/bertweet-base@REVISION"):
        tweets(tmp_path, "vinai/bertweet-base")
    make_encoder(tmp_path / "models" / "mine")
    tweets(tmp_path, "models/mine")
    assert not encoders.of_hub("models/mine", Path())
    assert encoders.files("models/mine", Path()) == [f"models/mine/{name}" for name in ENCODER_FILES]


def test_an_encoder_in_an_installed_package_is_taken_from_there(tmp_path, monkeypatch):
    folder = tmp_path / "site" / "carrier" / "model"
    make_encoder(folder)
    (folder.parent / "__init__.py").write_text("raise RuntimeError('it need not be imported')")
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.chdir(tmp_path)
    name = "package:carrier/model"
    packed = tweets(tmp_path, name)
    assert not encoders.of_hub(name, Path())
    assert encoders.files(name, Path()) == [f"site/carrier/model/{name}" for name in ENCODER_FILES]
    assert packed.system("one")["experiments"]["one"]["encoder"] == name  # results tell no place of this machine
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


def test_a_study_without_pictures_and_nouns_has_neither_gallery_nor_coverage(tmp_path):
    (tmp_path / "Snakefile").symlink_to(ROOT / "Snakefile")
    (tmp_path / "workflow").symlink_to(ROOT / "workflow")
    (tmp_path / "config.yaml").write_text(json.dumps(study_of(tmp_path)))
    command = [sys.executable, "-m", "snakemake", "-n", "results/studies/s/index.md"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    rules = set(re.findall(r"^(\w+) +\d+$", done.stdout, re.MULTILINE)) - {"total"}
    assert rules == {"corpora_read", "ner_train", "ner_predict", "ner_describe", "evaluation_score", "evaluation_study"}
