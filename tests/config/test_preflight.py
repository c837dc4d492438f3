"""What stops before the first job: every key that names a path, and what can be seen of its file at once."""

import copy
import os
import subprocess
import sys
from pathlib import Path
from typing import get_args, get_type_hints

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import unidic_lite
import yaml
from gensim.models import KeyedVectors
from safetensors.numpy import save_file
from torchvision import models

from visner import corpora
from visner.config import encoders, load, preflight
from visner.config.base import Place, Recipe, below
from visner.config.images import AttachedImages, CustomImages, Embedding, FolderImages
from visner.config.vectors import Flair, Glove
from visner.embeddings import published
from visner.embeddings.weights import make_weights
from visner.errors import VisnerError
from visner.images.crawling.engines import open_engine
from visner.images.sources import open_source
from visner.nouns.dictionary import find_folder
from visner.runtime import pretrained
from visner.vectors.flair_import import flair_import
from visner.vectors.glove import glove

ROOT = Path(__file__).resolve().parents[2]
SPLITS = ("train", "dev", "test")
# Every key that takes a path, and what `project` has there.
PATHS = {
    "corpora.ene.paths": "corpus",
    "corpora.ene.corrections": "corrections.tsv",
    "corpora.ene.nouns.dictionary": "./dictionary",
    **{f"corpora.ene.split.{split}": f"{split}.ids" for split in SPLITS},
    **{f"corpora.tweets.split.{split}": f"{split}.txt" for split in SPLITS},
    "images.folder.folder": "pictures",
    "images.folder.manifest": "manifest.tsv",
    "images.attached.folder": "pictures",
    "images.custom.file": "source.py",
    "embeddings.own.weights": "weights.safetensors",
    "vectors.ready.glove_char.path": "glove.txt",
    "vectors.ready.glove_word.path": "word2vec.txt",
    "vectors.ready.flair.forward": "flair.safetensors",
    "vectors.ready.flair.backward": "flair.safetensors",
    "matchers.m.encoder": "models/tiny",
    "experiments.bert.encoder": "models/tiny",
    "studies.tweets.published": "published.json",
}
# Texts that name no path; a new key must be added here, or be declared as one.
NO_PATHS = {"comment", 
    "query_column", "files_column", "note", "pos", "exclude", "classes", "placeholders", "base", "sha256",
    "user_agent", "allow_hosts", "engine", "language", "region", "options", "backbone", "encoder", "corpora", "corpus",
    "images", "embedding", "vectors", "matcher", "grounding", "pool", "pool_corpus", "baseline", "systems", "system",
    "seen_class", "scratch", "suffixes",
}  # fmt: skip


@pytest.fixture
def place(tmp_path, encoder, monkeypatch):
    """A folder with a file or folder for each key of PATHS, where we are not."""
    folder = tmp_path / "place"
    for name in ("corpus", "pictures", "models"):
        (folder / name).mkdir(parents=True)
    (folder / "corpus" / "a.xml").write_text("<TEXT>a</TEXT>")
    (folder / "pictures" / "a.jpg").touch()
    (folder / "dictionary").symlink_to(unidic_lite.DICDIR)
    (folder / "models" / "tiny").symlink_to(encoder)
    (folder / "manifest.tsv").write_text("query\tfiles\n山\ta.jpg\n")
    (folder / "glove.txt").write_text("the 1 2 3\n")
    (folder / "word2vec.txt").write_text("1 3\nthe 1 2 3\n")
    (folder / "published.json").write_text('{"variants": [], "scores": []}')
    (folder / "source.py").write_text(
        "class Source:\n    def pages(self, query): return []\n    def addresses(self, page): return []\n"
    )
    save_file({"x": np.zeros(1, np.float32)}, folder / "weights.safetensors")
    save_file({"x": np.zeros(1, np.float32)}, folder / "flair.safetensors")
    for name in ("corrections.tsv", *(f"{split}.{end}" for split in SPLITS for end in ("ids", "txt"))):
        (folder / name).touch()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return folder


@pytest.fixture
def content():
    """A configuration that names every path of PATHS, relative to `place`."""
    bert = {"corpus": "tweets", "model": "bert_crf"}
    found = {
        "corpora": {
            "ene": {"format": "ene", "split": {"by": "lists"}, "nouns": {}},
            "tweets": {"format": "imgid", "classes": ["PER"], "split": {"by": "files"}},
        },
        "images": {
            "folder": {"source": "folder"},
            "attached": {"source": "attached"},
            "custom": {"source": "custom", "crawl": {"user_agent": "me (+mailto:me@university.example)"}},
        },
        "embeddings": {"own": {"backbone": "resnet18"}},
        "vectors": {"ready": {part: {"dimensions": 3} for part in ("glove_char", "glove_word")} | {"flair": {}}},
        "matchers": {"m": {"corpus": "tweets", "images": "attached", "embedding": "own"}},
        "experiments": {"bert": bert, "other": {**bert, "encoder": "bert-base-uncased@v1"}},
        "studies": {"tweets": {"baseline": "bert", "systems": ["other"]}},
    }
    for key, path in PATHS.items():
        set_path(found, key, path)
    return found


def set_path(content, key, path):
    """Let a key of a configuration name one path."""
    *parents, last = key.split(".")
    for parent in parents:
        content = content[parent]
    content[last] = [path] if key == "corpora.ene.paths" or key.startswith("corpora.tweets.split.") else path


def look(content, place):
    """What a run looks at before its first job: the files of each corpus."""
    config, root = load(content), Path(os.path.relpath(place))
    preflight.check(config, root)
    return preflight.corpus_files(config, root)


def lines(content, place):
    """What is said of a configuration whose relative paths start at `place`; nothing where it is right."""
    try:
        look(content, place)
    except VisnerError as error:
        return str(error).splitlines()
    return []


def held(annotation):
    """All that an annotation is made of: types, and what is said about them."""
    yield annotation
    for part in get_args(annotation):
        yield from held(part)


def test_every_key_that_takes_text_is_declared_as_a_path_or_known_to_take_none():
    texts, declared, recipes = set(), set(), [Recipe]
    for recipe in recipes:
        recipes += recipe.__subclasses__()
        hints = get_type_hints(recipe, include_extras=True)
        for key in recipe.model_fields:
            parts = list(held(hints[key]))
            if any(isinstance(part, Place) for part in parts):
                declared.add(key)
            elif str in parts and not any(isinstance(part, type) and issubclass(part, Recipe) for part in parts):
                texts.add(key)
    assert texts <= NO_PATHS
    assert declared == {key.split(".")[-1] for key in PATHS} - {"encoder"} | {"store"}


def test_the_configuration_of_these_tests_is_right_and_names_every_path(content, place):
    assert lines(content, place) == []
    named = {key for key, _, _ in load(content).places()} | set(load(content).encoders())
    assert named - {"store", "experiments.other.encoder"} == set(PATHS)


@pytest.mark.parametrize("key", PATHS)
def test_case_a_path_that_is_not_there_stops_before_any_job_naming_its_key(content, place, key):
    set_path(content, key, "no/such/file")
    (said,) = lines(content, place)
    assert said.startswith(f"configuration: {key}: ")
    assert "no/such/file" in said


def test_all_is_looked_at_without_importing_torch(content, place):
    """Snakemake starts often, and torch takes seconds."""
    (place / "config.yaml").write_text(yaml.safe_dump(content))
    code = (
        "import sys; from pathlib import Path; from visner import jobs; from visner.config import load; "
        "from visner.config.preflight import check, corpus_files; "
        f"config, place = load({str(place / 'config.yaml')!r}), Path({str(place)!r}); "
        "check(config, place); corpus_files(config, place); "
        "print(*[name for name in ('torch', 'torchvision', 'transformers', 'gensim') if name in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "lib")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


def test_a_job_on_a_node_need_not_see_what_only_other_jobs_read(content, place):
    for key in ("embeddings.own.weights", "vectors.ready.flair.forward", "studies.tweets.published"):
        set_path(content, key, "/on/the/login/node/only")
    assert len(lines(content, place)) == 3
    assert set(preflight.corpus_files(load(content), place)) == set(content["corpora"])


def test_all_that_is_missing_is_said_at_once(content, place):
    for key in PATHS:
        set_path(content, key, "no/such/file")
    said = lines(content, place)
    declared = [key for key in PATHS if not key.endswith("encoder")]
    assert sorted(line.split(": ")[1] for line in said) == sorted(declared)


@pytest.mark.parametrize(
    "key, path", [("images.folder.folder", "manifest.tsv"), ("vectors.ready.glove_char.path", "pictures")]
)
def test_a_file_is_no_folder_and_a_folder_no_file(content, place, key, path):
    set_path(content, key, path)
    kind = key.rpartition(".")[2].replace("path", "file")
    assert lines(content, place) == [f"configuration: {key}: there is no {kind} {os.path.relpath(place / path)}"]


@pytest.mark.parametrize("before", ["$PLACE/", "${PLACE}/", "$OUTER/place/", "~/"])
def test_case_variables_and_the_home_folder_are_put_into_every_path(content, place, before, monkeypatch):
    monkeypatch.setenv("PLACE", str(place))
    monkeypatch.setenv("OUTER", str(place.parent))
    monkeypatch.setenv("HOME", str(place))
    plain = look(content, place)
    for key, path in PATHS.items():
        set_path(content, key, before + path)
    content["store"] = before + "store"
    wiring = look(content, place.parent / "elsewhere")
    assert below(place, load(content).store) == place / "store"
    for corpus in ("ene", "tweets"):
        files = wiring[corpus]
        assert [file.resolve() for file in files] == [file.resolve() for file in plain[corpus]]
    # nothing of it is recorded: what a result is made by is the same on another machine
    assert str(place) not in str(load(content).system("bert")) + load(content).model_dump_json()


@pytest.mark.parametrize("key", [*PATHS, "store"])
def test_case_a_variable_that_is_not_set_stops_with_its_key(content, place, key, monkeypatch):
    monkeypatch.delenv("SCRATCHDIR", raising=False)
    for text, fault in (
        ("$SCRATCHDIR/x", "the environment variable $SCRATCHDIR isn't set; set it, or write out the path"),
        ("~nobody-of-this-name/x", "there is no user nobody-of-this-name; if it is a file's name, write ./~nobody"),
    ):
        set_path(content, key, text)
        (said,) = lines(content, place)
        assert said.startswith(f"configuration: {key}: {text}: {fault}")
    monkeypatch.setenv("SCRATCHDIR", "")  # would be the root of the disk
    set_path(content, key, "$SCRATCHDIR/x")
    assert "the environment variable $SCRATCHDIR isn't set" in lines(content, place)[0]


def folder_of_pictures(place):
    source = open_source(FolderImages(source="folder", folder="$PLACE/pictures", manifest="~/manifest.tsv"), "root")
    return [candidate.open().name for candidate in source.candidates("山")] == [str(place / "pictures" / "a.jpg")]


def attached_pictures(place):
    source = open_source(AttachedImages(source="attached", folder="$PLACE/pictures"), "root")
    return next(source.candidates("a.jpg")).open().name == str(place / "pictures" / "a.jpg")


def ready_word_vectors(place):
    recipe, output = Glove(path="$PLACE/glove.txt", dimensions=3), place / "made.safetensors"
    root = Path("root")
    glove(sentences=[], words=[], output=output, recipe=recipe, unit="word", root=root, resume=Path("x"))
    return output.stat().st_size > 0


def corpus_files(place):
    recipe = load({"corpora": {"a": {"format": "ene", "paths": ["$PLACE/corpus"]}}}).corpora["a"]
    return corpora.files(recipe, "root") == [place / "corpus" / "a.xml"]


JOBS = {
    "corpus": corpus_files,
    "dictionary": lambda place: find_folder("$PLACE/dictionary", "root") == place / "dictionary",
    "folder": folder_of_pictures,
    "attached": attached_pictures,
    "custom": lambda place: open_engine(CustomImages(source="custom", file="~/source.py"), "root"),
    "glove": ready_word_vectors,
    "encoder": lambda place: encoders.folder("$PLACE/models/tiny", Path("root")) == str(place / "models" / "tiny"),
}


@pytest.mark.parametrize("job", JOBS)
def test_a_job_puts_them_into_the_path_that_it_opens(place, job, monkeypatch):
    monkeypatch.setenv("PLACE", str(place))
    monkeypatch.setenv("HOME", str(place))
    assert JOBS[job](place)


def test_a_job_that_converts_weights_or_a_language_model_opens_that_path_too(place, monkeypatch):
    """Seen by what it says of a file that is none of the kind."""
    monkeypatch.setenv("PLACE", str(place))
    with pytest.raises(VisnerError, match="weights: \\$PLACE/weights.safetensors is no resnet18: it lacks"):
        make_weights(Embedding(backbone="resnet18", weights="$PLACE/weights.safetensors"), "root")
    recipe = Flair(forward="$PLACE/flair.safetensors", backward="$PLACE/flair.safetensors")
    with pytest.raises(VisnerError, match=str(place / "flair.safetensors")):
        flair_import(output=place / "made", recipe=recipe, direction="forward", root=Path("root"))


def test_a_store_may_be_made_but_not_in_a_file(content, place):
    for store in ("not/there/yet", "pictures", str(place / "not/there")):
        assert lines(content | {"store": store}, place) == []
    (place / "disk").symlink_to("/not/mounted/here")
    for store, there in (("glove.txt/store", "glove.txt"), ("disk", "disk"), ("disk/store", "disk")):
        said = f"configuration: store: {os.path.relpath(place / there)} is no folder, and nothing can be made in it"
        assert lines(content | {"store": store}, place) == [said]


@pytest.mark.parametrize(
    "changes, expected",
    [
        ({}, "images.folder.manifest: {place}/manifest.tsv:1: there is no column 'query' (query_column); the columns "),
        ({"query_column": "noun"}, "images.folder.manifest: {place}/manifest.tsv:1: there is no column 'files' (files"),
        ({"query_column": "noun", "files_column": "pictures"}, None),
    ],
)
@pytest.mark.parametrize("ending", ["tsv", "parquet"])
def test_case_a_manifest_without_its_columns_stops_before_any_job(content, place, changes, expected, ending):
    rows = {"noun": ["山"] * 3, "pictures": ["a.jpg"] * 3}
    pq.write_table(pa.table(rows), place / "manifest.parquet")
    (place / "manifest.tsv").write_text("noun\tpictures\n山\ta.jpg\n")
    content["images"]["folder"] |= {"manifest": f"manifest.{ending}"} | changes
    said = lines(content, place)
    if expected is None:
        assert said == []
    else:
        expected = expected.format(place=os.path.relpath(place))
        if ending == "parquet":
            expected = expected.replace(".tsv:1:", ".parquet:")
        assert [line.startswith(f"configuration: {expected}") for line in said] == [True]


def test_the_backbones_are_those_of_torchvision():
    names = models.list_models(module=models)
    assert len(names) > 50
    assert published.backbones() == {name: list(models.get_model_weights(name).__members__) for name in names}


@pytest.mark.parametrize(
    "embedding, expected",
    [
        ({"backbone": "densnet121"}, "backbone: torchvision has no 'densnet121'; did you mean densenet121? choose "),
        ({"backbone": "ResNet18"}, "backbone: torchvision has no 'ResNet18'; did you mean resnet18? choose from "),
        ({"backbone": "resnet18", "weights": "IMAGENET1K_V2"}, "weights: torchvision has no 'IMAGENET1K_V2' of "
         "resnet18; did you mean IMAGENET1K_V1? choose from IMAGENET1K_V1, DEFAULT, random; a path has a dot or"),
        ({"backbone": "resnet18", "weights": "Random"}, "weights: torchvision has no 'Random' of resnet18; did you "
         "mean random?"),
        ({"backbone": "resnet152", "weights": "IMAGENET1K_V2"}, None),
        ({"backbone": "vit_b_16", "weights": "DEFAULT"}, None),
        ({"backbone": "resnet18", "weights": "random"}, None),
    ],
)  # fmt: skip
def test_case_a_backbone_or_weights_that_do_not_exist_stop_before_any_job(content, place, embedding, expected):
    content["embeddings"]["own"] = embedding
    said = lines(content, place)
    assert bool(said) == bool(expected)
    assert all(line.startswith(f"configuration: embeddings.own.{expected}") for line in said)


@pytest.mark.parametrize("kind", ["word2vec", "binary", "glove", "own"])
def test_case_ready_vectors_of_other_dimensions_stop_before_any_job(content, place, kind):
    vectors = KeyedVectors(5)
    vectors.add_vectors(["京", "都"], np.ones((2, 5), np.float32))
    if kind == "own":
        save_file({"vectors": vectors.vectors}, place / "vectors")
    else:
        vectors.save_word2vec_format(place / "vectors", binary=kind == "binary", write_header=kind != "glove")
    glove = content["vectors"]["ready"]["glove_word"]
    glove["path"] = "vectors"
    for right in (True, False):
        glove["dimensions"] = 5 if right else 300
        said = (
            f"configuration: vectors.ready.glove_word.dimensions: {os.path.relpath(place / 'vectors')}: its vectors "
            "have 5 dimensions; set `dimensions: 5` (it is 300)"
        )
        assert lines(content, place) == ([] if right else [said])


@pytest.mark.parametrize(
    "start", [b"", b"\n", b"\x80\x04\x95", b"PK\x03\x04", b"\x1f\x8b\x08", b"a b c 1 2\n", b"the\n"]
)
def test_a_file_whose_dimensions_are_not_to_be_seen_is_left_to_its_job(content, place, start):
    (place / "glove.txt").write_bytes(start)
    assert lines(content, place) == []


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors", "tokenizer.json"])
@pytest.mark.parametrize("key", ["matchers.m.encoder", "experiments.bert.encoder"])
def test_case_an_encoder_without_one_of_its_files_stops_before_any_job(content, place, encoder, key, missing):
    folder = place / "models" / "partial"
    folder.mkdir()
    for file in encoder.iterdir():
        if file.name not in (missing, "vocab.txt"):  # of which a tokenizer could be made
            (folder / file.name).symlink_to(file)
    set_path(content, key, "models/partial")
    said = f"{key}: the folder {os.path.relpath(folder)} has no {missing}; write it with transformers' save_pretrained"
    assert lines(content, place) == [f"configuration: {said}"]
    with pytest.raises((VisnerError, TypeError)):  # TypeError: what transformers makes of a folder without a tokenizer
        pretrained.load(folder)


def test_an_encoder_as_transformers_reads_it_is_one(content, place, encoder):
    """Nothing is refused that a job can read: a vocabulary in place of tokenizer.json, weights in several files."""
    import transformers

    folder = place / "models" / "other"
    transformers.AutoModel.from_pretrained(encoder).save_pretrained(folder, max_shard_size="20KB")
    (folder / "vocab.txt").symlink_to(encoder / "vocab.txt")
    assert not (folder / "model.safetensors").exists()
    set_path(content, "experiments.bert.encoder", "models/other")
    assert lines(content, place) == []
    assert pretrained.load(folder)[1].is_fast


@pytest.mark.parametrize("name", ["models/his/it", "models/tinny", ".tiny", "../tiny", "his model"])
def test_an_encoder_that_is_no_folder_and_no_name_of_the_hub_is_named(content, place, name):
    set_path(content, "experiments.bert.encoder", name)
    (said,) = lines(content, place)
    there = os.path.relpath(place)
    assert said.startswith(
        f"configuration: experiments.bert.encoder: there is no folder {there}/{name}, and it can't be"
    )


def test_published_scores_are_looked_at_before_the_first_job_and_not_after_the_last(content, place):
    (place / "published.json").write_text('{"variants": []}')
    assert lines(content, place) == [
        f"configuration: studies.tweets.published: {os.path.relpath(place / 'published.json')}: scores: Field required"
    ]


def test_a_dictionary_of_a_corpus_without_nouns_is_not_looked_at(content, place):
    tweets = copy.deepcopy(content)
    tweets["corpora"]["tweets"]["nouns"] = {"dictionary": "unidic"}
    assert lines(tweets, place) == []
    content["corpora"]["ene"]["nouns"]["dictionary"] = "unidik"
    (said,) = lines(content, place)
    assert said.startswith("configuration: corpora.ene.nouns.dictionary: ")
    assert said.endswith("choose unidic-lite, unidic, or the folder of a compiled MeCab dictionary")


def test_case_a_gpu_is_seen_by_its_device_file_or_by_nvidias_program(tmp_path, monkeypatch):
    devices = tmp_path / "dev"
    devices.mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (devices / "nvidiactl").touch()  # a driver, of no GPU
    assert not preflight.sees_gpu(devices)
    (devices / "nvidia3").touch()
    assert preflight.sees_gpu(devices)
    (devices / "nvidia3").unlink()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "nvidia-smi").touch(mode=0o755)
    assert preflight.sees_gpu(devices)
