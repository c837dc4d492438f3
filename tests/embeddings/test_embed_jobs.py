"""Jobs of the stage `embeddings` as processes: side by side, killed, stopped, and their memory."""

import io
import json
import signal
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from embedding_tables import stored, vectors_of
from PIL import Image

from visner.runtime import tables

EMBED = """
import json, os, sys
from pathlib import Path
import torch
from visner.config.images import Embedding
from visner.embeddings import embed as module
from visner.embeddings.store import Store
torch.set_num_threads(1)
weights, images, store, output, *signals = sys.argv[1:]
module.PART = 16
if signals:  # SIGNAL COUNT: it sends itself that signal when it has put so many parts into the store
    sent, left = map(int, signals)
    put = Store.put
    def counted(*given):
        global left
        put(*given)
        left -= 1
        if not left:
            os.kill(os.getpid(), sent)
    Store.put = counted
recipe = Embedding(backbone="mobilenet_v3_small", weights="random")
files = map(Path, (weights, images, output))
print(json.dumps(module.embed(*files, recipe=recipe, store=Path(store), device=torch.device("cpu"))))
"""


def start(*arguments, **options) -> subprocess.Popen:
    command = [sys.executable, "-c", EMBED, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options)


def test_two_jobs_at_once_make_some_vectors_twice_and_agree(write_shard, weights, tmp_path):
    """Shards that overlap in 40 of 60 pictures, of 80 distinct ones."""
    write_shard(tmp_path / "a.parquet", range(60))
    write_shard(tmp_path / "b.parquet", range(79, 19, -1))
    jobs = [
        start(weights, tmp_path / f"{name}.parquet", tmp_path / "store", tmp_path / f"out-{name}.parquet")
        for name in "ab"
    ]
    counts = [json.loads(job.communicate(timeout=120)[0]) for job in jobs]
    assert [job.returncode for job in jobs] == [0, 0]
    assert [one["pictures"] for one in counts] == [60, 60]
    assert 80 <= sum(one["embedded"] for one in counts) <= 120
    a, b = (vectors_of(tmp_path / f"out-{name}.parquet") for name in "ab")
    assert len(a.keys() & b.keys()) == 40
    for image_id in a.keys() & b.keys():
        np.testing.assert_array_equal(a[image_id], b[image_id])


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_job_goes_on_where_it_was(write_shard, weights, tmp_path, sent):
    """Killed after a part of sixteen, twice: nothing is embedded twice and the table has the same bytes."""
    images = tmp_path / "images.parquet"
    write_shard(images, range(70))
    whole, again = tmp_path / "whole.parquet", tmp_path / "again.parquet"
    job = start(weights, images, tmp_path / "store-whole", whole)
    job.communicate(timeout=120)
    for kept in (16, 32):
        job = start(weights, images, tmp_path / "store", again, int(sent), 1)
        job.communicate(timeout=120)
        assert job.returncode == -sent
        assert stored(tmp_path / "store") == kept
        assert not again.exists()
    job = start(weights, images, tmp_path / "store", again)
    assert json.loads(job.communicate(timeout=120)[0]) == {"pictures": 70, "embedded": 38}
    assert again.read_bytes() == whole.read_bytes()


def test_memory_does_not_grow_with_the_number_of_pictures(weights, tmp_path):
    """The peaks of 100 and of 400 pictures, 150 kB each, in processes of their own."""
    report = "\nimport resource\nprint(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    rng = np.random.default_rng(1)
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(file, "JPEG")
    peaks, sizes = [], []
    for count in (100, 400):
        images = tmp_path / f"{count}.parquet"
        with tables.table_writer(images, tables.IMAGES) as append:
            for start_at in range(0, count, 50):
                names = [f"{place:064x}" for place in range(start_at, start_at + 50)]
                content = [file.getvalue() + rng.bytes(150_000) for _ in names]  # what follows a JPEG is not read
                columns = dict.fromkeys(tables.IMAGES.names, [None] * 50) | {"image_id": names, "bytes": content}
                append(pa.table(columns, schema=tables.IMAGES))
        call = [
            sys.executable,
            "-c",
            EMBED + report,
            weights,
            images,
            tmp_path / "store" / str(count),
            tmp_path / "out",
        ]
        done = subprocess.run([*map(str, call)], check=True, capture_output=True, text=True)
        peaks.append(float(done.stdout.splitlines()[-1]))
        sizes.append(images.stat().st_size / 2**20)
    assert sizes[1] - sizes[0] > 40
    assert peaks[1] - peaks[0] < (sizes[1] - sizes[0]) / 3
