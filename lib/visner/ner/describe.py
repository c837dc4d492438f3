"""Write down what a system consists of, for tagging new text with it."""

from pathlib import Path

from visner.config.images import Crawl
from visner.runtime.tables import write_json


def describe(*, config: dict, root: str, store: str, crawl: Crawl | None = None, system: Path) -> None:
    """Write the recipes of a system, where its files are, and how its source of pictures is to be asked."""
    asked = crawl.model_dump(mode="json") if crawl else {}
    write_json(system, {"config": config, "root": root, "store": store, "crawl": asked})
