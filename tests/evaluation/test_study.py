"""The study's page, tables and chart, read back and compared with the scores they show."""

import json
import xml.etree.ElementTree as ElementTree

import pytest

from visner.config.experiments import Study
from visner.errors import VisnerError
from visner.runtime import tables

from .conftest import markdown_table

RECIPE = Study(baseline="baseline", systems=["simple", "gate"], seen_class="City", shuffles=500)
RANDOM = {"name": "random", "sha256": "cd" * 32}


@pytest.fixture
def studied(world):
    """Three systems of two seeds, the gate nearly perfect, the baseline bad."""
    for name, fusion, share, weights in (
        ("baseline", "none", 0.25, None),
        ("simple", "simple", 0.24, RANDOM),
        ("gate", "gate", 0.01, RANDOM),
    ):
        world.train(name, fusion, {1: share, 2: share / 2}, weights)
        world.score(name, fusion)
    return world


def test_table_4_shows_the_scores_and_marks_real_differences(studied):
    page = studied.study(RECIPE)
    rows = markdown_table(page.read_text(), "Table 4.")
    table = json.loads((page.parent / "tables" / "systems.json").read_text())["rows"]
    assert [row[0] for row in rows[1:]] == ["baseline", "simple", "gate"]
    for cells, row in zip(rows[1:], table, strict=True):
        scores = json.loads((studied.folder / cells[0] / "scores.json").read_text())["test"]
        for cell, measure in zip(cells[1:4], ("precision", "recall", "f1"), strict=True):
            mean, deviation = (scores["strict"][kind]["micro"][measure] for kind in ("mean", "deviation"))
            assert cell.replace("\\*", "") == f"{mean:.2f} ± {deviation:.2f}"
            assert (row[measure], row[f"{measure}_deviation"]) == (mean, deviation)
            assert row[f"lenient_{measure}"] == scores["lenient"]["mean"]["micro"][measure]
        assert cells[9] == f"{scores['strict']['mean']['weighted']['f1']:.2f} ± " + (
            f"{scores['strict']['deviation']['weighted']['f1']:.2f}"
        )
    baseline, simple, gate = table
    assert (baseline["p"], baseline["mark"], baseline["difference"]) == (None, "", None)
    assert gate["p"] < 0.01
    assert gate["mark"] == "**"
    assert rows[3][3].endswith("\\*\\*")
    assert gate["difference"] == pytest.approx(gate["f1"] - baseline["f1"], abs=1e-5)
    assert simple["p"] > 0.05
    assert simple["mark"] == ""


def test_table_5_and_the_chart_have_every_class_of_every_system(studied):
    page = studied.study(RECIPE)
    rows = markdown_table(page.read_text(), "Table 5.")[1:]
    assert [(row[0], row[1]) for row in rows] == [
        (system, label) for system in ("baseline", "simple", "gate") for label in ("City", "Country", "Province", "MIX")
    ]
    chart = ElementTree.parse(page.parent / "tables" / "f1_by_class.svg")
    titles = {title.text for title in chart.iter("{http://www.w3.org/2000/svg}title")}
    expected = {f"{row[0]}, {row[1]}: {row[5]}" for row in rows if row[1] != "MIX"}
    assert titles == expected
    assert "](tables/f1_by_class.svg)" in page.read_text()
    for system, label, gold, precision, *_ in rows:
        strict = json.loads((studied.folder / system / "scores.json").read_text())["test"]["strict"]["mean"]
        found = strict["mix"] if label == "MIX" else strict["classes"][label]
        assert gold == str(int(found["gold"]))
        assert precision.split(" ")[0] == f"{found['precision']:.2f}"


def test_table_6_of_one_class_and_of_all(studied):
    page = studied.study(RECIPE)
    rows = json.loads((page.parent / "tables" / "seen.json").read_text())["rows"]
    places = [(by, group, name) for by in ("words", "names") for group in ("seen", "unseen") for name in studied.seeds]
    assert [(row["by"], row["mentions"], row["system"]) for row in rows] == places
    scores = json.loads((studied.folder / "gate" / "scores.json").read_text())["test"]["strict"]["mean"]
    for number, key in ((0, "seen_words"), (6, "seen")):
        assert rows[number + 2]["f1"] == scores[key]["City"]["seen"]["f1"]
        assert rows[number + 2]["f1_difference"] == pytest.approx(rows[number + 2]["f1"] - rows[number]["f1"], abs=1e-6)
        cell = markdown_table(page.read_text(), "Table 6.")[number + 3][6]
        assert f"({rows[number + 2]['f1_difference']:+.2f})" in cell
    studied.study(RECIPE.model_copy(update={"seen_class": None}))
    rows = json.loads((page.parent / "tables" / "seen.json").read_text())["rows"]
    assert rows[8]["f1"] == scores["seen"]["all"]["seen"]["f1"]


def test_data_tables_show_the_statistics(studied):
    page = studied.study(RECIPE).read_text()
    assert markdown_table(page, "Table 1.")[1:] == [
        ["words", "345"],
        ["lexicon", "67"],
        ["documents", "40"],
        ["sentences", "120"],
    ]
    assert markdown_table(page, "Table 2.")[1:] == [["City", "5", "31"], ["Country", "2", "30"], ["MIX", "1", "3"]]
    assert markdown_table(page, "Table 3.")[1:] == [
        ["City", "16", "8", "7"],
        ["Country", "10", "11", "9"],
        ["MIX", "2", "0", "1"],
    ]


def test_pictures_are_shown_for_each_source(studied):
    page = studied.study(RECIPE).read_text()
    rows = markdown_table(page, "Pictures of each source")
    assert rows[1] == ["pool", "50", "20", "75.00", "123", "5"]
    assert "2 pictures of `pool` are given for very many each (at most 31)" in page


def test_statistics_that_lack_a_number_are_refused(studied):
    (studied.folder / "nouns.json").write_text('{"words": 3}')
    with pytest.raises(VisnerError, match="nouns.json: it has no lexicon"):
        studied.study(RECIPE)


def test_every_table_is_on_the_page_in_index_json_and_as_tsv(studied):
    page = studied.study(RECIPE)
    index = json.loads((page.parent / "index.json").read_text())
    assert list(index["tables"]) == [
        "data",
        "classes",
        "splits",
        "pictures",
        "systems",
        "by_class",
        "seen",
        "gates",
        "recipes",
    ]
    for name, table in index["tables"].items():
        assert json.loads((page.parent / "tables" / f"{name}.json").read_text()) == table
        assert f"### {table['title']}" in page.read_text()
        lines = (page.parent / "tables" / f"{name}.tsv").read_text().splitlines()
        assert len(lines) == len(table["rows"]) + 1
        for line, row in zip(lines[1:], table["rows"], strict=True):
            cells = dict(zip(lines[0].split("\t"), line.split("\t"), strict=True))
            assert cells == {key: "" if value is None else str(value) for key, value in row.items()}


def test_gates_only_of_the_system_that_has_one(studied):
    page = studied.study(RECIPE)
    rows = json.loads((page.parent / "tables" / "gates.json").read_text())["rows"]
    assert {row["system"] for row in rows} == {"gate"}
    assert [row["place"] for row in rows] == ["City", "Country", "MIX", "Province", "outside"]
    of_test = [len(row["units"]) for row in studied.rows if row["split"] == "test"]
    assert sum(row["units"] for row in rows) == 2 * sum(of_test)  # two seeds


def test_random_weights_are_called_stand_in_at_the_head(studied, world):
    head = studied.study(RECIPE).read_text().split("## ")[0]
    assert "Random weights: stand-in numbers" in head
    assert "simple, gate" in head


def test_trained_weights_carry_no_warning(world):
    weights = {"name": "IMAGENET1K_V1", "sha256": "ab" * 32}
    for name, fusion in (("baseline", "none"), ("gate", "gate")):
        world.train(name, fusion, {1: 0.1}, weights if fusion == "gate" else None)
        world.score(name, fusion)
    page = world.study(Study(baseline="baseline", systems=["gate"], shuffles=50))
    assert "stand-in" not in page.read_text()
    assert json.loads(page.with_suffix(".json").read_text())["warnings"] == []
    assert "±" not in markdown_table(page.read_text(), "Table 4.")[1][1]  # one seed


def test_the_same_bytes_again(studied):
    page = studied.study(RECIPE)
    first = {path.name: path.read_bytes() for path in page.parent.rglob("*") if path.is_file()}
    studied.study(RECIPE)
    assert {path.name: path.read_bytes() for path in page.parent.rglob("*") if path.is_file()} == first


def test_systems_of_different_data_are_never_in_one_table(studied):
    rows = [{**row, "split": "dev"} if index == 9 else row for index, row in enumerate(studied.rows)]
    assert studied.rows[9]["split"] == "test"
    tables.write_table(studied.sentences, tables.SENTENCES, rows, {"sha256": "ab" * 32})  # the same files, split anew
    studied.score("gate", "gate")
    with pytest.raises(VisnerError, match=r"baseline was trained and scored on another variant of the data"):
        studied.study(RECIPE)


def test_one_corpus_read_from_other_files_is_another_variant(studied):
    tables.write_table(studied.sentences, tables.SENTENCES, studied.rows, {"sha256": "ef" * 32})
    with pytest.raises(VisnerError, match="data_sha256 is abab"):
        studied.study(RECIPE)


def test_scores_of_older_predictions_are_refused(studied):
    path = studied.predictions["gate", 2]
    path.write_bytes(studied.predictions["baseline", 1].read_bytes())
    with pytest.raises(VisnerError, match=r"seed2/predictions.parquet: the scores of gate are of other predictions"):
        studied.study(RECIPE)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"systems": ["gate", "simple"]}, "simple/scores.json: these are scores of simple, not of gate"),
        ({"seen_class": "MIX"}, "no mention is of 'MIX'; choose from City, Country, Province"),
        ({"seen_class": "Town"}, r"studies.places.seen_class: no mention is of 'Town'; choose from City"),
    ],
)
def test_a_recipe_that_does_not_fit_is_refused(studied, change, message):
    with pytest.raises(VisnerError, match=message):
        studied.study(RECIPE.model_copy(update=change))


def test_a_missing_seed_is_refused(studied):
    del studied.predictions["gate", 2]
    with pytest.raises(VisnerError, match="5 files of predictions for 6 systems and seeds"):
        studied.study(RECIPE)


def test_what_is_known_of_pictures_stands_at_the_head_and_beside_the_results(world):
    note = "drawn by a machine"
    for name, fusion in (("baseline", "none"), ("gate", "gate")):
        world.train(name, fusion, {1: 0.1}, {"name": "IMAGENET1K_V1", "sha256": "ab" * 32})
        world.score(name, fusion, note=note)
    page = world.study(Study(baseline="baseline", systems=["gate"], shuffles=50))
    head, *rest = page.read_text().split("## ")
    assert f"> **Pictures pool:** {note} (gate)" in head
    systems = json.loads((page.parent / "tables" / "systems.json").read_text())
    assert any("Stand-in numbers" in one for one in systems["notes"])


def report(world, name, seed, **changed):
    path = world.folder / name / f"seed{seed}" / "training.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))


def doubts_of(page):
    """The warnings that are owed to trainings and seeds, by their first words."""
    lines = [line[2:] for line in page.read_text().splitlines() if line.startswith("> **")]
    return {line.split("**")[1]: line for line in lines if "stand-in" not in line}


def test_a_system_that_predicts_nothing_is_warned_of(world):
    for name, fusion, errors in (("baseline", "none", {1: 0.0, 2: 0.1}), ("gate", "gate", {1: 0.0, 2: 0.1})):
        world.train(name, fusion, errors, RANDOM if fusion == "gate" else None)
    silent = world.predictions["baseline", 2]
    rows = [row | {"predicted": ["O"] * len(row["gold"])} for row in tables.iterate_rows(silent, tables.PREDICTIONS)]
    tables.write_table(silent, tables.PREDICTIONS, rows)
    for name, fusion in (("baseline", "none"), ("gate", "gate")):
        world.score(name, fusion)
    recipe = Study(baseline="baseline", systems=["gate"], shuffles=100)
    warnings = doubts_of(world.study(recipe))
    assert "baseline (seed 2) found no mention" in warnings["Nothing predicted:"]
    assert "gate" not in warnings["Nothing predicted:"]
    assert "Still improving:" not in warnings
    # The baseline's seeds lie 100 points apart, the effect is about half of that.
    assert "gate (difference +" in warnings["Seeds differ by more than the effect:"]
    content = json.loads((world.folder / "study" / "index.json").read_text())
    assert any("Nothing predicted" in warning for warning in content["warnings"])


def test_a_system_that_was_still_improving_is_warned_of(studied):
    for name in ("baseline", "simple", "gate"):
        for seed in (1, 2):
            still = (name, seed) == ("simple", 2)
            report(studied, name, seed, best_epoch=3 if still else 2, dev_f1=[40.0, 50.0, 60.0 if still else 50.0])
        studied.score(name, "none" if name == "baseline" else name)
    warnings = doubts_of(studied.study(RECIPE))
    assert "the best epoch of simple (seed 2) was the last one" in warnings["Still improving:"]


def test_seeds_that_agree_are_not_warned_of(world):
    for name, fusion, share in (("baseline", "none", 0.3), ("gate", "gate", 0.0)):
        world.train(name, fusion, {1: share}, RANDOM if fusion == "gate" else None)
        world.score(name, fusion)
    assert doubts_of(world.study(Study(baseline="baseline", systems=["gate"], shuffles=100))) == {}
