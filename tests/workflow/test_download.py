"""A corpus that is downloaded: real Snakemake runs against a server on this machine."""

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from visner.runtime.provenance import sha256_file

TARGET = "results/corpora/tweets/index.md"
FILES = {"train": "IMGID:1\nAda\tB-PER\n", "dev": "IMGID:2\nParis\tB-LOC\n", "test": "IMGID:3\nBye\tO\n"}


class Handler(SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture
def served(tmp_path, monkeypatch):
    """A folder with the files, and its address."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    folder = tmp_path / "served"
    folder.mkdir()
    for name, content in FILES.items():
        (folder / f"{name}.txt").write_text(content)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def configure(project, folder, address):
    files = {name: [f"resources/corpora/tweets/{name}.txt"] for name in FILES}
    sums = {f"{name}.txt": sha256_file(folder / f"{name}.txt") for name in FILES}
    corpus = {
        "format": "imgid",
        "classes": ["PER", "LOC"],
        "split": {"by": "files", **files},
        "download": {"base": address, "sha256": sums},
        "published": {"train": 1, "dev": 1, "test": 2},
    }
    project.configure({"corpora": {"tweets": corpus}})


def test_from_addresses_to_the_page(unfinished, served):
    folder, address = served
    configure(unfinished, folder, address)
    assert unfinished.rules_run(TARGET) == ["corpora_download"] * 3 + ["corpora_page", "corpora_read"]
    assert "**They differ in test.**" in (unfinished.folder / TARGET).read_text()
    configure(unfinished, folder, f"{address}/")  # another address of the same files changes nothing
    done = unfinished.run(TARGET)
    assert done.returncode == 0
    assert "Nothing to be done" in done.stdout + done.stderr


def test_another_variant_stops(unfinished, served):
    folder, address = served
    configure(unfinished, folder, address)
    (folder / "dev.txt").write_text(FILES["dev"].replace("LOC", "PER"))
    done = unfinished.run("--keep-going", TARGET)
    assert done.returncode != 0
    assert f"{address}/dev.txt: the sha256 is" in done.stdout + done.stderr
    resources = unfinished.folder / "resources/corpora/tweets"
    assert sorted(path.name for path in resources.glob("[!.]*")) == ["test.txt", "train.txt"]
