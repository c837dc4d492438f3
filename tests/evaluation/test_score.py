"""scores.json of an experiment: recounted from the predictions, repeatable, and refused where inputs don't fit."""

import json
import re
import statistics

import numpy as np
import pytest

from visner.errors import VisnerError
from visner.runtime import tables
from visner.runtime.spans import bio_to_spans


def recount(sentences, predictions, split, lenient=False):
    """(gold, predicted, correct) without MIX, as sets of places in plain Python."""
    split_of = {row["sentence_id"]: row["split"] for row in sentences}
    found = {"gold": set(), "predicted": set()}
    for row in predictions:
        if split_of[row["sentence_id"]] == split:
            for kind, places in found.items():
                spans = bio_to_spans(row[kind], lenient)
                places |= {(row["sentence_id"], *span) for span in spans if span.label != "MIX"}
    return len(found["gold"]), len(found["predicted"]), len(found["gold"] & found["predicted"])


@pytest.fixture
def three_seeds(world):
    """An experiment of three seeds, the second the best."""
    world.train("gate", "gate", {3: 0.2, 1: 0.02, 2: 0.3}, {"name": "random", "sha256": "cd" * 32})
    return world


def test_counts_of_every_seed_split_and_reading(three_seeds):
    content = json.loads(three_seeds.score("gate", "gate").read_text())
    assert content["seeds"] == [3, 1, 2]
    for split in ("dev", "test"):
        for reading in ("strict", "lenient"):
            for seed in content["seeds"]:
                rows = tables.read_table(three_seeds.predictions["gate", seed], tables.PREDICTIONS).to_pylist()
                micro = content[split][reading]["seeds"][str(seed)]["micro"]
                expected = recount(three_seeds.rows, rows, split, reading == "lenient")
                assert (micro["gold"], micro["predicted"], micro["correct"]) == expected
                assert micro["recall"] == pytest.approx(100 * expected[2] / expected[0], abs=1e-6)


def test_mean_and_sample_deviation(three_seeds):
    strict = json.loads(three_seeds.score("gate", "gate").read_text())["test"]["strict"]
    for place in (("micro",), ("weighted",), ("classes", "City"), ("seen", "all", "unseen"), ("mix",)):
        values = []
        for one in strict["seeds"].values():
            for key in place:
                one = one[key]
            values.append(one["f1"])
        mean, deviation = strict["mean"], strict["deviation"]
        for key in place:
            mean, deviation = mean[key], deviation[key]
        assert mean["f1"] == pytest.approx(sum(values) / 3, abs=1e-6)
        assert deviation["f1"] == pytest.approx(np.std(values, ddof=1), abs=1e-6)
        assert mean["f1"] == pytest.approx(statistics.fmean(values), abs=1e-6)


def test_one_seed_has_no_deviation(world):
    world.train("baseline", "none", {1: 0.1})
    content = json.loads(world.score("baseline", "none").read_text())
    assert content["test"]["strict"]["deviation"] is None
    assert content["provenance"]["weights"] is None


def test_what_made_it_and_the_best_seed(three_seeds):
    content = json.loads(three_seeds.score("gate", "gate").read_text())
    assert content["best_dev_seed"] == 1
    assert content["micro_includes_mix"] is False
    assert content["provenance"]["data_sha256"] == "ab" * 32
    assert content["provenance"]["weights"] == {"name": "random", "sha256": "cd" * 32}
    assert content["provenance"]["recipe"]["fusion"] == "gate"
    assert content["provenance"]["recipes"]["corpora"] == {"ene": {"format": "ene"}}
    assert "experiments" not in content["provenance"]["recipes"]
    assert "torch" in content["provenance"]["versions"]
    assert content["training"]["2"]["dev_f1"] == [40.0, 50.0, 45.0]


def test_the_same_bytes_again_and_no_paths(three_seeds):
    first = three_seeds.score("gate", "gate").read_bytes()
    assert three_seeds.score("gate", "gate").read_bytes() == first
    assert str(three_seeds.folder) not in first.decode()


def test_a_perfect_system_scores_100(world):
    world.train("oracle", "none", {1: 0.0})
    content = json.loads(world.score("oracle", "none").read_text())
    for reading in ("strict", "lenient"):
        assert content["test"][reading]["mean"]["micro"]["f1"] == 100
        assert content["test"][reading]["mean"]["mix"]["f1"] == 100


def rewrite(path, change):
    """Change the rows of a predictions table in place."""
    rows = tables.read_table(path, tables.PREDICTIONS).to_pylist()
    tables.write_table(path, tables.PREDICTIONS, change(rows))


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda rows: rows[1:], "1 dev and test sentences have no prediction, the first is d02:0"),
        (lambda rows: [*rows, rows[0]], r"row 61 \(sentence d02:0\): it comes twice"),
        (lambda rows: [{**rows[0], "sentence_id": "d00:0"}, *rows[1:]], "it is no dev or test sentence"),
        (lambda rows: [{**rows[0], "predicted": ["O"]}, *rows[1:]], "and 1 predicted labels"),
        (lambda rows: [{**row, "gold": ["O"] * len(row["gold"])} for row in rows], "gold labels are not those of the"),
    ],
)
def test_predictions_of_other_data_are_refused(world, change, message):
    world.train("baseline", "none", {1: 0.1})
    rewrite(world.predictions["baseline", 1], change)
    with pytest.raises(VisnerError, match=message):
        world.score("baseline", "none")
    assert not (world.folder / "baseline" / "scores.json").exists()


def test_a_report_of_another_seed_is_refused(three_seeds):
    folder = three_seeds.folder / "gate"
    (folder / "seed1" / "training.json").write_text((folder / "seed2" / "training.json").read_text())
    with pytest.raises(VisnerError, match=r"seed1/training.json: it is not the training report of seed 1"):
        three_seeds.score("gate", "gate")


def test_seeds_with_different_weights_are_refused(three_seeds):
    path = three_seeds.folder / "gate" / "seed2" / "training.json"
    path.write_text(path.read_text().replace("cdcd", "efef"))
    with pytest.raises(VisnerError, match=re.escape(str(path))):
        three_seeds.score("gate", "gate")


def test_pictures_of_unknown_weights_are_refused(world):
    world.train("gate", "gate", {1: 0.1})
    with pytest.raises(VisnerError, match=r"seed1/training.json: it doesn't say which weights"):
        world.score("gate", "gate")


@pytest.mark.parametrize(
    "change, message",
    [
        ({"sentence_id": "d00:1"}, "sentence ids must be unique"),
        ({"split": "validation"}, "the split is 'validation'; choose from train, dev, test"),
        ({"labels": ["O"]}, "units but 1 labels"),
    ],
)
def test_broken_sentences_are_refused(world, change, message):
    world.train("baseline", "none", {1: 0.1})
    rows = [world.rows[0] | change, *world.rows[1:]]
    tables.write_table(world.sentences, tables.SENTENCES, rows)
    with pytest.raises(VisnerError, match=message):
        world.score("baseline", "none")


def test_a_corpus_without_test_sentences_is_refused(world):
    tables.write_table(world.sentences, tables.SENTENCES, [{**row, "split": "dev"} for row in world.rows])
    world.train("baseline", "none", {1: 0.1})
    with pytest.raises(VisnerError, match="no test sentence"):
        world.score("baseline", "none")
