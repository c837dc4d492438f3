"""Pictures and weights that the tests of the stage `embeddings` share."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from visner.config.images import Embedding
from visner.embeddings.weights import make_weights, write_weights
from visner.runtime import tables


@pytest.fixture(autouse=True)
def _one_thread():
    """Results depend on the threads in their last bits, and the tests' own processes use one."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def jpeg(seed: int, width: int = 40, height: int = 30) -> bytes:
    """A small picture of coarse noise."""
    cells = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(cells).resize((width, height)).save(file, "JPEG")
    return file.getvalue()


@pytest.fixture(scope="session")
def write_shard():
    """A function that writes an images table of pictures 'seed' -> jpeg(seed), and rejected rows between them."""

    def write(path, seeds, kept=None) -> None:
        rows = []
        for place, seed in enumerate(seeds):
            row = {"query": f"q{place}", "image_id": f"{seed:064x}", "bytes": jpeg(seed), "source_url": str(seed)}
            rows += [{**row, "rank": 0, "width": 40, "height": 30}]
            rows += [{"query": f"q{place}", "rank": 1, "reason": "broken", "source_url": "x"}]
        with tables.table_writer(path, tables.IMAGES, {"kept": kept or {"side": 30}}) as append:
            for start in range(0, len(rows), 32):
                append([dict.fromkeys(tables.IMAGES.names) | row for row in rows[start : start + 32]])

    return write


@pytest.fixture(scope="session")
def recipe() -> Embedding:
    return Embedding(backbone="mobilenet_v3_small", weights="random")


@pytest.fixture(scope="session")
def weights(tmp_path_factory, recipe):
    """A file of the recipe's weights."""
    path = tmp_path_factory.mktemp("weights") / "mobilenet.safetensors"
    write_weights(path, make_weights(recipe, "."))
    return path
