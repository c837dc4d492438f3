"""Encoders of the hub as folders: what is asked for, and that it is what transformers reads from it again."""

import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import unquote

import pytest
import torch
from transformers import AutoTokenizer, BertModel

from visner.config.encoders import FETCHED
from visner.runtime.pretrained import load

COMMIT = "5" * 40
REVISIONS = {"v1.0": COMMIT, COMMIT: COMMIT}  # a tag, and the commit itself


class Hub(http.server.BaseHTTPRequestHandler):
    """As much of HuggingFace's hub as a download asks for: what a revision has, and its files."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        parts = unquote(self.path).strip("/").split("/")
        if parts[:2] == ["api", "models"] and parts[4] in ("revision", "tree"):
            folder, revision = self.server.folder / parts[2] / parts[3], parts[5].partition("?")[0]
            if not folder.is_dir() or revision not in REVISIONS:
                return self.answer(404, b"{}", {"X-Error-Code": "RevisionNotFound"})
            files = sorted(folder.iterdir())
            content = [{"type": "file", "path": f.name, "size": f.stat().st_size, "oid": "0" * 40} for f in files]
            if parts[4] == "revision":
                names = [{"rfilename": file.name} for file in files]
                content = {"id": "/".join(parts[2:4]), "sha": REVISIONS[revision], "siblings": names}
            return self.answer(200, json.dumps(content).encode(), {"Content-Type": "application/json"})
        if parts[2:3] == ["resolve"] and parts[3] in REVISIONS:
            file = self.server.folder / parts[0] / parts[1] / parts[4]
            if file.is_file():
                self.server.asked.add(file.name)
                return self.answer(200, file.read_bytes(), {"X-Repo-Commit": COMMIT, "ETag": f'"{file.name}"'})
        return self.answer(404, b"", {"X-Error-Code": "EntryNotFound"})

    do_HEAD = do_GET

    def answer(self, status, body, headers):
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def hub(tmp_path):
    """A hub on this machine: `url`, the `folder` that it serves, and the files that were `asked` for."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.folder, server.asked, server.url = tmp_path / "hub", set(), f"http://127.0.0.1:{server.server_port}"
    (server.folder / "some").mkdir(parents=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


SCRIPT = """
import sys
from pathlib import Path
from visner.config import encoders
from visner.runtime import stages
from visner.errors import VisnerError
from visner.vectors.hub_encoder import hub_encoder
stages.start_log(None)
for encoder, output in zip(sys.argv[1::2], sys.argv[2::2]):
    status = 0
    try:
        hub_encoder(files=[Path(output) / name for name in encoders.FETCHED], name=encoder)
    except VisnerError as error:
        status = 1
        print("visner vectors:", error, file=sys.stderr)
    print("status", status, file=sys.stderr)
"""


def fetch(hub, place, *encoders):
    """The status and messages for each encoder, which it writes to `place`/{encoder}.

    In a process of its own: the library reads its environment when it is imported, which takes seconds.
    """
    library = Path(__file__).resolve().parents[2] / "lib"
    environment = {key: value for key, value in os.environ.items() if not key.startswith("HF_")}
    path = os.pathsep.join([str(library), environment.get("PYTHONPATH", "")])
    environment |= {"HF_ENDPOINT": hub.url, "HF_HOME": str(place / "cache"), "PYTHONPATH": path}
    environment |= {"NO_PROXY": "127.0.0.1"}
    outputs = [str(place / encoder.replace("/", "--")) for encoder in encoders]
    command = [sys.executable, "-c", SCRIPT, *(one for pair in zip(encoders, outputs, strict=True) for one in pair)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    parts = re.split(r"^status (\d)\n", done.stderr, flags=re.MULTILINE)
    return list(zip(map(int, parts[1::2]), parts[::2], strict=False))


def test_case_the_hub_is_asked_for_a_pinned_revision_and_safetensors_only(hub, encoder, tmp_path):
    published = shutil.copytree(encoder, hub.folder / "some" / "bert")
    BertModel.from_pretrained(encoder).half().save_pretrained(published)  # it comes as float32 all the same
    for name in ("pytorch_model.bin", "tf_model.h5", "flax_model.msgpack", "model.fp16.safetensors", "README.md"):
        (published / name).write_bytes(b"not to be fetched")
    for status, said in fetch(hub, tmp_path, *(f"some/bert@{revision}" for revision in REVISIONS)):
        assert status == 0, said
        assert f"commit {COMMIT}" in said
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= hub.asked
    assert not {name for name in hub.asked if name.endswith((".bin", ".h5", ".msgpack", ".md", "fp16.safetensors"))}
    words, expected = ["tom", "likes", "jaguars"], BertModel.from_pretrained(encoder).half().float().eval()
    encoded = AutoTokenizer.from_pretrained(encoder)(words, is_split_into_words=True, return_tensors="pt")
    for revision in REVISIONS:
        output = tmp_path / f"some--bert@{revision}"
        assert sorted(path.name for path in output.iterdir()) == sorted(FETCHED)
        assert json.loads((output / "config.json").read_text())["hub"] == {"name": "some/bert", "commit": COMMIT}
        fetched, tokenizer = load(output)
        assert fetched.dtype == torch.float32
        found = tokenizer(words, is_split_into_words=True, return_tensors="pt")
        assert torch.equal(found["input_ids"], encoded["input_ids"])
        with torch.no_grad():
            one, other = fetched.eval()(**found).last_hidden_state, expected(**encoded).last_hidden_state
        assert torch.equal(one, other)


def test_what_can_t_be_fetched_is_one_line(hub, encoder, tmp_path):
    shutil.copytree(encoder, hub.folder / "some" / "bert")
    pickled = shutil.copytree(encoder, hub.folder / "some" / "pickled")
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    expected = {
        "some/other@v1.0": "some/other@v1.0 can't be fetched",
        "some/bert@v2.0": "some/bert@v2.0 can't be fetched",
        "some/pickled@v1.0": "has no model.safetensors, and pickled weights are not read",
        "some/bert": "a name of the hub needs a revision, a commit or a tag: write some/bert@REVISION",
    }
    found = fetch(hub, tmp_path, *expected)
    for encoder, (status, said) in zip(expected, found, strict=True):
        assert status == 1
        assert "Traceback" not in said
        (line,) = [line for line in said.splitlines() if "visner vectors" in line]
        assert expected[encoder] in line
        assert not list((tmp_path / encoder.replace("/", "--")).glob("*.json"))
    assert "pytorch_model.bin" not in hub.asked
