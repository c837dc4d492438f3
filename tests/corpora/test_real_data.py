"""The public corpora that stand beside the repository: the counts that their READMEs give."""

import time
from pathlib import Path

import pytest

from visner.config import load
from visner.errors import VisnerError
from visner.runtime.provenance import sha256_file

ROOT = Path(__file__).resolve().parents[2]


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


TWEETS = {  # split -> tweets, tokens, orphans; class -> mentions of each split
    "twitter2015": (
        {"train": (4000, 64_439, 186), "dev": (1000, 16_178, 53), "test": (3257, 52_822, 135)},
        {"PER": (2217, 552, 1816), "LOC": (2091, 522, 1697), "ORG": (927, 247, 839), "OTHER": (931, 220, 720)},
    ),
    "twitter2017": (
        {"train": (3373, 53_007, 0), "dev": (723, 11_309, 0), "test": (723, 11_330, 0)},
        {"PER": (2943, 626, 621), "LOC": (731, 173, 178), "ORG": (1674, 375, 395), "MISC": (701, 150, 157)},
    ),
}
FILES = {"train": "train.txt", "dev": "valid.txt", "test": "test.txt"}


@pytest.mark.parametrize("name", TWEETS)
def test_tweets(shared_data, read, name):
    """By the shipped configuration, from a folder of one's own: the counts of the data's README, and every byte."""
    recipe = load(ROOT / "config" / f"{name}.yaml").corpora[name]
    for split, file in FILES.items():
        pinned = recipe.download.sha256[file]
        assert getattr(recipe.split, split) == [f"resources/corpora/{name}/{file}"]
        assert sha256_file(shared_data / name / file) == pinned
    local = {"by": "files", **{split: [f"{name}/{file}"] for split, file in FILES.items()}}
    corpus = read(shared_data, format="imgid", classes=recipe.classes, split=local)
    splits, classes = TWEETS[name]
    counted = corpus.statistics["splits"]
    assert {split: (one["sentences"], one["units"], one["orphans"]) for split, one in counted.items()} == splits
    assert {split: one["sentences"] for split, one in counted.items()} == recipe.published
    assert {
        label: tuple(one[split] for split in FILES) for label, one in corpus.statistics["classes"].items()
    } == classes
    assert corpus.count("labels_orphaned") == sum(orphans for _, _, orphans in splits.values())
    assert {finding for finding, one in corpus.statistics["findings"].items() if one["count"]} <= {
        "labels_orphaned",
        "sentences_repeated",
    }
    assert corpus.statistics["overlap"] == _overlap(shared_data / name)
    for split, file in FILES.items():
        tweets = [
            f"IMGID:{row['attachment'].removesuffix('.jpg')}\n"
            + "".join(f"{token}\t{label}\n" for token, label in zip(row["units"], row["labels"], strict=True))
            for row in corpus.rows
            if row["split"] == split
        ]
        end = {"twitter2015": "", "twitter2017": "\n"}[name]  # an empty line after the last tweet, or none
        assert ("\n".join(tweets) + end).encode() == (shared_data / name / file).read_bytes()


@pytest.mark.parametrize("scheme", ["IOB1", "BIOES", "BILOU"])
def test_case_tweets_in_every_scheme_have_the_same_mentions(shared_data, write, read, caplog, scheme):
    """The dev set, whose labels are whole BIO, written in the other schemes by their definitions."""
    content = (shared_data / "twitter2017" / "valid.txt").read_text(encoding="utf-8")
    rows = [line.split("\t") if "\t" in line else [line, "O"] for line in content.split("\n")]
    written = []
    around = zip([["", "O"], *rows], rows, [*rows[1:], ["", "O"]], content.split("\n"), strict=False)
    for (_, before), (token, label), (_, after), line in around:
        first, last, name = label[0] == "B", after != f"I-{label[2:]}", label[2:]
        prefix = {
            "IOB1": "B" if first and before[2:] == name else "I",
            "BIOES": "S" if first and last else "B" if first else "E" if last else "I",
            "BILOU": "U" if first and last else "B" if first else "L" if last else "I",
        }[scheme]
        written.append(f"{token}\t{prefix}-{name}" if name else line)
    write("bio.txt", content)
    write("other.txt", "\n".join(written))
    recipe = {"format": "imgid", "classes": ["PER", "LOC", "ORG", "MISC"]}
    expected = read(**recipe, split={"by": "files", "train": ["bio.txt"]})
    with caplog.at_level("WARNING", logger="visner"):
        found = read(**recipe, split={"by": "files", "train": ["other.txt"]}, scheme=scheme)
    assert found.rows == expected.rows
    assert not caplog.records
    assert found.count("labels_inconsistent") == 0
    if scheme == "IOB1":
        with pytest.raises(VisnerError, match="set `scheme: IOB1`"):
            read(**recipe, split={"by": "files", "train": ["other.txt"]})


def _overlap(folder):
    """Counted from the bytes: of each split's tweets how many have the tokens of a tweet of an earlier split."""
    tokens = {
        split: [
            tuple(line.split(b"\t")[0] for line in tweet.split(b"\n")[1:] if line)
            for tweet in (folder / file).read_bytes().split(b"\n\n")
            if tweet
        ]
        for split, file in FILES.items()
    }
    return {
        split: {other: sum(tweet in tokens[other] for tweet in tokens[split]) for other in others}
        for split, others in {"dev": ["train"], "test": ["train", "dev"]}.items()
    }


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
