"""The public corpora that stand beside the repository: the counts that their READMEs give."""

import time

import pytest


def test_gsd_ene(shared_data, read):
    start = time.process_time()
    corpus = read(shared_data, format="ene", paths=["gsd-ene/bccwj/xml"])
    seconds = time.process_time() - start
    statistics = corpus.statistics
    assert [statistics[key] for key in ("documents", "sentences", "characters")] == [378, 7557, 297_946]
    counted = {label: (counts["mentions"], counts["types"]) for label, counts in statistics["classes"].items()}
    assert counted == {
        "Country": (519, 158),
        "Province": (223, 128),
        "County": (20, 20),
        "City": (559, 416),
        "GPE_Other": (188, 151),
    }
    assert (statistics["mix"]["mentions"], statistics["mix"]["types"]) == (2, 2)
    assert sum(statistics["other_classes"].values()) == 10_284
    assert not any(finding["count"] for finding in statistics["findings"].values())
    assert seconds < 3  # of the processor, about 1


def test_stockmark(shared_data, read):
    corpus = read(shared_data, format="stockmark", paths=["stockmark"])
    statistics = corpus.statistics
    assert [statistics[key] for key in ("sentences", "characters", "mentions")] == [5343, 308_374, 13_185]
    assert {label: (counts["mentions"], counts["types"]) for label, counts in statistics["classes"].items()} == {
        "人名": (2980, 2775),
        "法人名": (2485, 2081),
        "政治的組織名": (1180, 824),
        "その他の組織名": (1051, 856),
        "地名": (2157, 1154),
        "施設名": (1108, 1063),
        "製品名": (1215, 1168),
        "イベント名": (1009, 871),
    }
    assert sum("B-" not in "".join(row["labels"]) for row in corpus.rows) == 484


@pytest.mark.parametrize(
    "name, other, sentences, tokens, mentions",
    [("twitter2015", "OTHER", 8257, 133_439, 11_779 + 1_000), ("twitter2017", "MISC", 4819, 75_646, 8724)],
)
def test_tweets_without_their_picture_lines(shared_data, write, read, name, other, sentences, tokens, mentions):
    for split in ("train", "valid", "test"):
        lines = (shared_data / name / f"{split}.txt").read_text(encoding="utf-8").split("\n")
        write(f"{split}.txt", "\n".join(line for line in lines if not line.startswith("IMGID:")))
    files = {"by": "files", "train": ["train.txt"], "dev": ["valid.txt"], "test": ["test.txt"]}
    corpus = read(format="conll", classes=["PER", "LOC", "ORG", other], separator="tab", split=files)
    statistics = corpus.statistics
    assert [statistics[key] for key in ("sentences", "units", "mentions")] == [sentences, tokens, mentions]
    assert corpus.count("labels_orphaned") == {"twitter2015": 374, "twitter2017": 0}[name]
