"""A study of tweets: the second paper's tables, compared with the scores and files that they show."""

import json
from pathlib import Path

import pytest

from visner.config.base import BERT
from visner.config.experiments import Study
from visner.errors import VisnerError
from visner.evaluation.published import Published
from visner.runtime import tables

from .conftest import bert, markdown_table

SYSTEMS = {
    "text": bert("none", seeds=[1, 2]),
    "fuse": bert("gate", "vokens", seeds=[1, 2]),
    "fuse_own": bert("gate", "attached"),
    "look": bert("attention", "vokens", seeds=[1, 2]),
    "look_own": bert("attention", "attached"),
    "look_grid": bert("attention", "grid"),
    "look_other": bert("attention", "resnet152"),
    "fuse_shuffled": bert("gate", "shuffled"),
}
RECIPE = Study(baseline="text", systems=list(SYSTEMS)[1:], shuffles=200)
FILES = {"train": "aa" * 32, "dev": "bb" * 32, "test": "cc" * 32}
COUNTS = {"sentences": 10, "units": 50, "mentions": 7, "orphans": 0}
STATISTICS = {
    "documents": 30,
    "sentences": 30,
    "splits": {"train": COUNTS, "dev": COUNTS, "test": {**COUNTS, "orphans": 4}},
    "classes": {"City": {"types": 5, "mentions": 21, "train": 7, "dev": 7, "test": 7}},
    "mix": {"types": 0, "mentions": 0, "train": 0, "dev": 0, "test": 0},
    "files_sha256": [{"split": split, "file": f"{split}.txt", "sha256": sha256} for split, sha256 in FILES.items()],
}
VOKENS = {
    "recall": {
        "words": 90,
        "candidates": 40,
        "at": {"1": 5.5, "5": 20.25, "10": 33.0},
        "chance": {"1": 2.5, "5": 12.5, "10": 25.0},
    },
    "search": {"method": "exact", "recall": None, "pictures": 77, "names": 80},
    "exclude_own": True,
    "diversity": {
        "dev": {
            **{"words": 90, "types": 60, "pictures": 12, "vokens": 1.5, "largest": 2.25},
            "repeated": {"vokens": 2.75, "entropy": 0.5},
        }
    },
    "own": {"dev": {"words": 90, "first": 9, "found": 18, "shares": {"first": 10.0, "found": 20.0}}},
    "overlap": {
        "train": {"sentences": 10, "attachments": 10, "usable": 9, "distinct_pictures": 8},
        "dev": {
            **{"sentences": 10, "attachments": 10, "usable": 9, "distinct_pictures": 8},
            **{"names_of_train": 0, "copies_of_train": 3},
        },
    },
}


def published(system, f1, **more):
    entry = {"dataset": "tweets", "variant": "original", "metric": "micro", "f1": f1, "source": f"{system}'s paper"}
    return {"system": system, **entry, **more}


PUBLISHED = {
    "variants": [{"dataset": "tweets", "variant": "original", "sha256": FILES}],
    "scores": [
        published("Loose", 73.41, reading="lenient"),
        published("Unsaid", 74.0),
        published("Weighted", 71.93, metric="weighted"),
        published("Relabelled", 75.3, variant="relabelled"),
        published("Elsewhere", 99.0, dataset="news"),
    ],
}


@pytest.fixture
def tweets(world):
    """Trained and scored systems, some of two seeds, with orphaned I- in the gold standard."""
    for row in world.rows:
        if row["split"] == "test" and row["labels"][0] == "O":
            row["labels"][0] = "I-City"
    tables.write_table(world.sentences, tables.SENTENCES, world.rows, {"sha256": "ab" * 32})
    (world.folder / "corpus.json").write_text(json.dumps(STATISTICS))
    (world.folder / "published.json").write_text(json.dumps(PUBLISHED))
    for place, (name, recipe) in enumerate(SYSTEMS.items()):
        weights = {"name": "IMAGENET1K_V1", "sha256": "ab" * 32} if recipe.grounding else None
        fusion = "gate" if recipe.grounding else "none"
        world.train(name, fusion, {seed: (0.3 - 0.03 * place) / seed for seed in recipe.seeds}, weights)
        world.score(name, recipe.fusion, recipe)
    write_vokens(world)
    return world


def write_vokens(world, variant=None, **changes):
    """Their scores, judged on the sentences that the systems were scored on, or on a `variant` of them."""
    made_by = json.loads((world.folder / "text" / "scores.json").read_text())["provenance"]
    provenance = {key: made_by[key] for key in ("data_sha256", "sentences_sha256")} | (variant or {})
    (world.folder / "vokens.json").write_text(json.dumps({**VOKENS, "provenance": provenance, **changes}))


def make(tweets):
    return tweets.study(
        RECIPE,
        nouns=None,
        matchers=["m"],
        vokens=[tweets.folder / "vokens.json"],
        published=tweets.folder / "published.json",
        published_sentences={"train": 10, "dev": 10, "test": 11},
        gallery=Path("study/gallery.html"),
    )


def rows_of(page, table):
    return json.loads((page.parent / "tables" / f"{table}.json").read_text())["rows"]


def scores_of(tweets, system):
    return json.loads((tweets.folder / system / "scores.json").read_text())["test"]


def test_table_1_counts_splits_and_types_beside_the_published_sentences(tweets):
    page = make(tweets).read_text()
    assert markdown_table(page, "Table 1.") == [
        ["", "types", "train", "dev", "test", "all"],
        ["sentences", "–", "10", "10", "10", "30"],
        ["sentences, published", "–", "10", "10", "11", "31"],
        ["tokens", "–", "50", "50", "50", "150"],
        ["mentions", "–", "7", "7", "7", "21"],
        ["mentions of City", "5", "7", "7", "7", "21"],
        ["I- that continue nothing", "–", "0", "0", "4", "4"],
    ]
    assert "differ from the published counts in test" in page
    assert all(sha256 in page for sha256 in FILES.values())
    assert "words" not in page.split("## Results")[0].split("### Table 1.")[1].split("###")[0]  # no nouns were counted


def test_table_2_has_both_readings_of_every_system_the_baseline_first(tweets):
    page = make(tweets)
    header, *cells = markdown_table(page.read_text(), "Table 2.")
    assert [row[:2] for row in cells] == [[name, reading] for name in SYSTEMS for reading in ("strict", "lenient")]
    for row in cells:
        found = scores_of(tweets, row[0])[row[1]]
        mean, deviation = found["mean"], found["deviation"]
        named = dict(zip(header, row, strict=True))
        for label in ("City", "Country", "Province"):
            assert named[label].split(" ± ")[0] == f"{mean['classes'][label]['f1']:.2f}"
            assert (" ± " in named[label]) == (deviation is not None)
        for heading, key in (("Prec.", "precision"), ("Recall", "recall"), ("F1", "f1")):
            assert named[heading].split(" ± ")[0].rstrip("\\*") == f"{mean['micro'][key]:.2f}"
        assert named["weighted F1"].split(" ± ")[0] == f"{mean['weighted']['f1']:.2f}"
        assert named["gold"] == str(int(mean["micro"]["gold"]))
        assert (named["p"] == "–") == (row[0] == "text" or row[1] == "lenient")
    strict, lenient = (next(row[-1] for row in cells if row[1] == reading) for reading in ("strict", "lenient"))
    assert int(strict) < int(lenient)  # the orphans


def test_table_3_pairs_systems_that_differ_in_their_pictures_only(tweets):
    page = make(tweets)
    rows = rows_of(page, "groundings")
    pairs = [("fuse_own", "fuse"), ("look_own", "look"), ("look_grid", "look")]  # neither a control nor other vectors
    assert [(row["original"], row["vokenized"]) for row in rows] == pairs
    for row in rows:
        first, second = (scores_of(tweets, row[key])["strict"]["mean"]["micro"] for key in ("original", "vokenized"))
        assert row["original_strict_f1"] == first["f1"]
        assert row["difference"] == pytest.approx(second["f1"] - first["f1"], abs=1e-5)
        assert 0 < row["p"] <= 1
    assert [row[0] for row in markdown_table(page.read_text(), "Table 3.")[1:]] == [
        "fuse",
        "visual attention",
        "visual attention, the original by its regions",
    ]


def test_table_4_has_published_systems_of_the_same_data_and_others_apart(tweets):
    page = make(tweets)
    cells = {row[0]: row[1:] for row in markdown_table(page.read_text(), "Table 4.")[1:]}
    assert list(cells) == [*(name for name in SYSTEMS if name != "fuse_shuffled"), "Loose", "Unsaid", "Weighted"]
    assert cells["Loose"][:4] == ["–", "73.41", "–", "lenient"]
    assert cells["Unsaid"][:4] == ["74.00", "–", "–", "not said"]
    assert cells["Weighted"] == ["–", "–", "71.93", "not said", "Weighted's paper"]
    assert cells["text"][1].split(" ± ")[0] == f"{scores_of(tweets, 'text')['lenient']['mean']['micro']['f1']:.2f}"
    apart = markdown_table(page.read_text(), "Published on other labels")[1:]
    assert [row[0] for row in apart] == ["Relabelled"]
    assert "Elsewhere" not in page.read_text()


def test_published_scores_on_other_files_are_left_out_with_the_reason(tweets):
    other = {**PUBLISHED, "variants": [{**PUBLISHED["variants"][0], "sha256": {**FILES, "test": "dd" * 32}}]}
    (tweets.folder / "published.json").write_text(json.dumps(other))
    page = make(tweets)
    assert rows_of(page, "published") == []
    assert "None is shown" in page.read_text()
    assert "73.41" not in page.read_text()


def test_files_beside_those_of_a_variant_make_it_another():
    known = Published.model_validate(PUBLISHED)
    assert known.variant_of(STATISTICS).variant == "original"
    more = {"split": "train", "file": "more.txt", "sha256": "ee" * 32}
    for files in ([more, *STATISTICS["files_sha256"]], [*STATISTICS["files_sha256"], more]):
        assert known.variant_of({"files_sha256": files}) is None


def test_a_mistake_in_published_scores_is_named(tweets):
    wrong = {**PUBLISHED, "scores": [published("Mine", 3.0, metric="macro")]}
    (tweets.folder / "published.json").write_text(json.dumps(wrong))
    with pytest.raises(VisnerError, match=r"published.json: scores.0.metric: "):
        make(tweets)


def test_vokens_and_attachments_are_shown(tweets):
    page = make(tweets).read_text()
    assert markdown_table(page, "Recall of the matchers")[1] == [
        *("m", "90", "40", "5.50 (2.50)", "20.25 (12.50)", "33.00 (25.00)", "77", "exact")
    ]
    assert markdown_table(page, "Diversity of vokens")[1] == [
        *("m", "dev", "90", "60", "12", "1.50", "2.25", "2.75", "0.50", "10.00", "20.00")
    ]
    assert markdown_table(page, "Attachments of the splits")[1:] == [
        ["m", "train", "10", "10", "9", "8", "–", "–"],
        ["m", "dev", "10", "10", "9", "8", "0", "3"],
    ]
    assert "Rejected of `pool`: truncated 3, missing 2." in page


def test_an_approximate_search_shows_its_measured_recall(tweets):
    write_vokens(tweets, search={"method": "hnsw", "recall": 0.9752, "pictures": 1_200_000, "names": 1_200_000})
    assert markdown_table(make(tweets).read_text(), "Recall of the matchers")[1][-2:] == [
        "1,200,000",
        "hnsw, recall 97.52",
    ]


@pytest.mark.parametrize("key", ["data_sha256", "sentences_sha256"])
def test_vokens_of_another_variant_of_the_data_are_refused(tweets, key):
    write_vokens(tweets, {key: "ee" * 32})
    with pytest.raises(VisnerError, match=f"vokens.json: m found its vokens on another variant of the data .{key} is"):
        make(tweets)


def test_every_table_is_on_the_page_and_the_gallery_is_linked(tweets):
    page = make(tweets)
    names = ["data", "pictures", "vokens", "diversity", "overlap", "measures", "groundings", "published"]
    names += ["by_class", "seen", "gates", "published_elsewhere", "recipes"]
    index = json.loads(page.with_suffix(".json").read_text())
    assert list(index["tables"]) == names
    titles = [line[4:] for line in page.read_text().splitlines() if line.startswith("### ")]
    assert titles == [table["title"] for table in index["tables"].values()]
    assert "[The gallery](" in page.read_text()
    recipes = {row["system"]: row for row in rows_of(page, "recipes")}
    assert (recipes["look"]["grounding"], recipes["look"]["by"]) == ("vokens", "voken")
    assert recipes["text"]["encoder"] == BERT
