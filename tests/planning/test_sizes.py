"""What jobs ask for: more for more input and for another attempt, never less than a floor."""

import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visner.config import load
from visner.planning.sizes import COSTS, LEAST_MB, LEAST_MINUTES, MEMORY, SNAKEMAKE_MB, TIME, Cost, Sizes, expect
from visner.planning.workload import EXACT, Work, Workload
from visner.workflow import Wiring

amounts = st.floats(0, 1e12)


def test_a_plan_knows_when_a_graph_is_searched():
    from visner.vokens import search

    assert search.EXACT == EXACT


works = st.builds(Work, amounts, amounts, st.floats(0, 1e6), amounts, amounts)


@given(st.sampled_from(sorted(COSTS)), works, works, st.integers(1, 64), st.booleans())
def test_more_work_never_takes_less(rule, one, other, threads, gpu):
    both = Work(*(max(pair) for pair in zip(one, other, strict=True)))
    for less in (one, other):
        assert all(
            small <= large
            for small, large in zip(
                expect(COSTS[rule], less, threads, gpu), expect(COSTS[rule], both, threads, gpu), strict=True
            )
        )


def test_every_rule_has_a_cost_and_every_cost_a_rule():
    files = (Path(__file__).resolve().parents[2] / "workflow" / "rules").glob("*.smk")
    pattern = re.compile(r"^(?:rule|checkpoint) (\w+):", re.MULTILINE)
    rules = {name for file in files for name in pattern.findall(file.read_text())}
    assert {name.split(".")[0] for name in COSTS} == rules
    assert {name for name in vars(Workload) if name[0] != "_"} - {"of"} <= rules


def test_a_cost_is_read_as_its_fields_say():
    cost = Cost(start=10, base=100, each=0.5, rate=2, gpu_each=0.1, gpu_rate=20)
    work = Work(items=8, gmac=16, waits=9, loaded=50, made=7)
    assert expect(cost, work, 1, gpu=False) == (10 + 8 * 0.5 + 16 / 2, 150, 7)
    assert expect(cost, work, 4, gpu=False).seconds == 10 + 9  # the network is slower than four threads
    assert expect(cost, work._replace(waits=0), 1, gpu=True).seconds == pytest.approx(10 + 0.8 + 0.8)
    alone = cost._replace(gpu_each=None)  # a stage that uses no GPU
    assert expect(alone, work, 1, gpu=True) == expect(cost, work, 1, gpu=False)


def sizes(place, monkeypatch, characters=40, **more):
    """The sizes of one experiment on a text of so many characters, in its own folder."""
    monkeypatch.chdir(place)
    (place / "a.tsv").write_text("山\tO\n" * characters)
    corpus = {"format": "conll", "units": "characters", "paths": ["a.tsv"], "classes": ["X"], "nouns": {"shards": 4}}
    content = {
        "corpora": {"a": corpus},
        "images": {
            "drawn": {"source": "folder", "folder": "."},
            "web": {"source": "bing", "crawl": {"user_agent": "me@university.example", "host_rate": 0.5}},
        },
        "embeddings": {"densenet121": {"weights": "random"}},
        "vectors": {"a": {"glove_char": {"corpora": ["a"]}, "flair": {"corpora": ["a"]}}},
        "experiments": {"one": {"corpus": "a", "vectors": "a"}},
        **more,
    }
    return Sizes(Wiring(load(content), place))


WILDCARDS = SimpleNamespace(
    corpus="a", source="drawn", shard="0", embedding="densenet121", vectors="a", part="glove_char", experiment="one"
)
GROWING = ("corpora_read", "nouns", "vectors_glove", "vectors_flair_train", "vectors_flair_embed", "ner_train")


@pytest.mark.parametrize("rule", GROWING)
def test_a_larger_corpus_asks_for_more_and_so_does_another_attempt(rule, tmp_path, monkeypatch):
    small = sizes(tmp_path, monkeypatch)
    seconds, memory, _ = small.expected(rule, WILDCARDS, 1)
    asked = [(small.mem_mb(WILDCARDS, rule, n), small.runtime(WILDCARDS, rule, 1, n)) for n in (1, 2, 3)]
    assert asked == sorted(asked)
    assert all(later[0] > first[0] and later[1] > first[1] for first, later in zip(asked, asked[1:], strict=False))
    assert asked[0][0] >= LEAST_MB
    assert asked[0][1] >= LEAST_MINUTES
    large = sizes(tmp_path, monkeypatch, characters=3_000_000)
    assert large.expected(rule, WILDCARDS, 1).memory > memory
    assert large.mem_mb(WILDCARDS, rule, 1) >= asked[0][0]
    assert large.runtime(WILDCARDS, rule, 1, 1) >= asked[0][1]
    assert large.expected(rule, WILDCARDS, 1).seconds > seconds


def test_what_is_asked_for_is_a_factor_of_what_is_expected(tmp_path, monkeypatch):
    large = sizes(tmp_path, monkeypatch, characters=3_000_000)
    expected = large.expected("ner_train", WILDCARDS, 1)
    assert large.mem_mb(WILDCARDS, "ner_train", 1) == pytest.approx(SNAKEMAKE_MB + MEMORY * expected.memory, abs=100)
    assert large.runtime(WILDCARDS, "ner_train", 1, 1) == pytest.approx(TIME * expected.seconds / 60, abs=5)


def test_a_count_takes_the_place_of_its_estimate(tmp_path, monkeypatch):
    small = sizes(tmp_path, monkeypatch)
    estimated = small.counts.text("a")
    assert not estimated.counted
    folder = tmp_path / "results" / "corpora" / "a"
    folder.mkdir(parents=True)
    split = {"train": {"units": 800_000}, "dev": {"units": 100_000}, "test": {"units": 100_000}}
    content = {"sentences": 20_000, "units": 1_000_000, "splits": split}
    (folder / "statistics.json").write_text(json.dumps(content))
    text = small.counts.text("a")
    assert (text.units, text.sentences, text.share["train"]) == (1_000_000, 20_000, 0.8)
    assert not text.counted  # its nouns aren't
    found = tmp_path / "results" / "nouns" / "a"
    found.mkdir(parents=True)
    (found / "statistics.json").write_text('{"words": 600000, "nouns": 200000, "queries": 33000}')
    text = small.counts.text("a")
    assert (text.counted, text.words, text.queries) == (True, 600_000, 33_000)
    (found / "statistics.json").write_text("half a file")
    assert small.counts.text("a").queries != 33_000


def test_a_crawl_takes_as_long_as_its_politeness_asks(tmp_path, monkeypatch):
    one = sizes(tmp_path, monkeypatch, characters=100_000)
    web = SimpleNamespace(**{**vars(WILDCARDS), "source": "web"})
    pages = one.counts.text("a").queries / 4
    assert one.expected("images_fetch", web, 2).seconds == pytest.approx(pages / 0.5, abs=10)


def test_bert_base_is_estimated_as_it_is():
    from transformers import BertConfig, BertModel

    from visner.planning.counts import BERT

    model = BertModel(BertConfig())
    layers = sum(weight.numel() for name, weight in model.encoder.named_parameters() if weight.dim() == 2)
    assert BERT[0] == pytest.approx(layers, rel=0.01)
    assert BERT[1] == pytest.approx(sum(weight.numel() for weight in model.parameters()), rel=0.01)
    assert BERT[2] == BertConfig().hidden_size


@pytest.mark.parametrize("name", ["resnet18", "densenet121"])
def test_backbones_have_the_numbers_that_torchvision_gives(name):
    from torchvision.models import get_model_weights

    from visner.planning.counts import BACKBONES

    meta = get_model_weights(name).DEFAULT.meta
    assert BACKBONES[name].gmac == pytest.approx(meta["_ops"], rel=0.02)
    assert BACKBONES[name].megabytes == pytest.approx(4 * meta["num_params"] / 2**20, rel=0.05)
