"""The sources of the engines, as tests make them."""

import urllib.request
from pathlib import Path

from visner.config.images import EngineImages
from visner.images.crawling.engines import open_engine

ENGINES = ["bing", "google", "baidu", "flickr"]


def source(name: str, **keys):
    return open_engine(EngineImages(source=name, **keys), Path())


def get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as response:
        return response.read()
