"""Downloads from a server on this machine: real HTTP, right and wrong."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from visner.corpora.download import download
from visner.errors import VisnerError

CONTENT = b"IMGID:1\nAda\tB-PER\n\n" * 20_000  # several chunks
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.asked.append(self.path)
        self.close_connection = True
        name = self.path.rpartition("/")[2]
        if name == "moved.txt":
            self.send_response(302)
            self.send_header("Location", "/train.txt")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif name == "missing.txt":
            self.send_error(404)
        else:
            self.send_response(200)
            chunked = name.startswith("chunked")
            self.send_header(*(("Transfer-Encoding", "chunked") if chunked else ("Content-Length", str(len(CONTENT)))))
            self.end_headers()
            sent = CONTENT[: len(CONTENT) // 2] if "truncated" in name else CONTENT
            if chunked:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(sent), sent))
                self.wfile.write(b"" if "truncated" in name else b"0\r\n\r\n")
            else:
                self.wfile.write(sent)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.asked = []
        server.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def fetched(server, tmp_path):
    def fetched(name: str, sha256: str = SHA256) -> bytes:
        download(url=f"{server.address}/{name}", sha256=sha256, output=tmp_path / "train.txt")
        return (tmp_path / "train.txt").read_bytes()

    return fetched


@pytest.mark.parametrize("name", ["train.txt", "moved.txt", "chunked.txt"])
def test_a_file_comes_whole(fetched, name):
    assert fetched(name) == CONTENT


@pytest.mark.parametrize(
    "name, sha256, message",
    [
        ("missing.txt", SHA256, r"/missing\.txt: HTTP Error 404"),
        ("truncated.txt", SHA256, r"the answer broke off after 190,000 of 380,000 bytes; try again"),
        ("chunked-truncated.txt", SHA256, r"/chunked-truncated\.txt: IncompleteRead.*try again"),
        ("train.txt", "0" * 64, rf"the sha256 is {SHA256}, not 0{{64}}: another variant of the data"),
    ],
)
def test_what_went_wrong_is_said_and_nothing_changes(fetched, tmp_path, name, sha256, message):
    (tmp_path / "train.txt").write_bytes(b"before")
    with pytest.raises(VisnerError, match=message):
        fetched(name, sha256)
    assert (tmp_path / "train.txt").read_bytes() == b"before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["train.txt"]


def test_no_server(tmp_path):
    with pytest.raises(VisnerError, match="http://127.0.0.1:9/x: .*refused"):
        download(url="http://127.0.0.1:9/x", sha256=SHA256, output=tmp_path / "x")
    with pytest.raises(VisnerError, match="an address must begin with http"):
        download(url="file:///etc/hostname", sha256=SHA256, output=tmp_path / "x")


def test_the_proxy_of_the_environment_is_asked(server, tmp_path, monkeypatch):
    monkeypatch.setenv("http_proxy", server.address)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    download(url="http://data.example/train.txt", sha256=SHA256, output=tmp_path / "t")
    assert server.asked == ["http://data.example/train.txt"]
    assert (tmp_path / "t").read_bytes() == CONTENT
