"""Write down what a system consists of, for tagging new text with it."""

import json
from pathlib import Path

from visner.recipes import Crawl
from visner.tables import write_json


def describe(*, recipes: str, crawl: Crawl | None, system: Path) -> None:
    """Write the recipes of a system (JSON), and how its source of pictures is to be asked."""
    write_json(system, {**json.loads(recipes), "crawl": crawl.model_dump(mode="json") if crawl else {}})
