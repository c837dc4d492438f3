"""A text whose twelve nouns are in four shards of pictures, and how to see which of them were made again."""

import hashlib
from pathlib import Path

from PIL import Image
from tiny_project import Project, make_project

SHARDS = 4
NOUNS = "犬猫山川花鳥海空雪月星石"
NEW_NOUN = "馬"
TARGETS = [f"results/embeddings/resnet18/mine/tiny/{shard}.parquet" for shard in range(SHARDS)]
TARGETS.append("results/images/mine/tiny/statistics.json")
LISTED = ["results/images/listed/tiny/statistics.json"]
CONFIG = {
    "corpora": {"tiny": {"format": "text", "paths": ["texts"], "nouns": {"shards": SHARDS}}},
    "images": {
        "mine": {"source": "folder", "folder": "pictures", "depth": 2, "side": 32},
        "listed": {"source": "folder", "folder": "pictures", "manifest": "manifest.tsv", "depth": 2, "side": 32},
    },
    "embeddings": {"resnet18": {"backbone": "resnet18", "weights": "random"}},
}


def shard_of(query: str, shards: int = SHARDS) -> int:
    return int(hashlib.sha256(query.encode()).hexdigest()[:16], 16) % shards


def draw(file, number: int) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (32, 32), (number % 256, 40, 200)).save(file)


def make_shards(folder: Path) -> Project:
    """The project, with a picture of each noun and of one that is still to come, by folders and by a manifest."""
    project = make_project(folder)
    (folder / "texts").mkdir()
    (folder / "texts" / "1.txt").write_text("\n".join(f"{noun}だ。" for noun in NOUNS) + "\n")
    for number, noun in enumerate(NOUNS + NEW_NOUN):
        draw(folder / "pictures" / noun / "1.png", number)
    rows = "".join(f"{noun}\t{noun}/1.png\n" for noun in NOUNS)
    (folder / "manifest.tsv").write_text(f"query\tfiles\n{rows}")
    project.configure(CONFIG)
    return project


def times(project) -> dict[str, int]:
    """When each shard of pictures and of vectors was made."""
    results = project.folder / "results"
    files = [file for part in ("images", "embeddings") for file in (results / part).rglob("[0-9]*.parquet")]
    return {str(file.relative_to(results)): file.stat().st_mtime_ns for file in files}


def of_shard(shard: int) -> set[str]:
    return {f"images/mine/tiny/{shard}.parquet", f"embeddings/resnet18/mine/tiny/{shard}.parquet"}
