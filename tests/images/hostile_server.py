"""A real HTTP server on loopback that answers as the open web does at its worst; each path is one misbehaviour.

with HostileServer() as server:
    server.url + "/picture/1.jpg"      # a proper picture, another for each number
    server.log                         # [(time.monotonic(), path)] of all requests
    server.forbidden_url               # the same on 127.0.0.2, for who may go to 127.0.0.1 only
    server.forbidden_connections       # [time] of each connection that came there
    server.https_url(tmp_path)         # the same with a certificate that it signed itself
"""

import gzip
import socket
import ssl
import struct
import subprocess
import threading
import time
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from hostile_bodies import BODIES, gzip_bomb, picture

DRIP = 0.05  # seconds between two bytes of a drip
PATIENCE = 5.0  # seconds that a hanging answer hangs, unless the server ends first


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # headers and bodies are written one by one

    def log_message(self, *_):
        pass

    def do_GET(self):
        owner = self.server.owner
        owner.log.append((time.monotonic(), self.path))
        owner.headers.append(dict(self.headers))
        parts = urlsplit(self.path)
        self.query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        name, _, self.rest = parts.path.lstrip("/").partition("/")
        known = getattr(self, "get_" + name.partition(".")[0].replace("-", "_"), None)
        try:
            if parts.path in BODIES:
                kind, body = BODIES[parts.path]
                self.send(body(), kind=kind)
            else:
                known() if known else self.send(b"not here", status=404, kind="text/plain")
        except OSError:  # the client has had enough
            self.close_connection = True

    def send(self, body: bytes, *, status: int = 200, kind: str = "image/jpeg", length: int | None = None, **headers):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for key, value in headers.items():
            self.send_header(key.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def start_unbounded(self, end: bytes = b"\r\n\r\n"):
        self.close_connection = True
        self.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: image/jpeg" + end)

    # What is as it should be
    def get_picture(self):
        self.send(picture(int(self.rest.partition(".")[0])))

    def get_robots(self):
        status, text = self.server.owner.robots
        self.send(text.encode(), status=status, kind="text/plain")

    def get_no_length(self):
        self.close_connection = True
        self.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Type: image/jpeg\r\n\r\n" + picture(1))

    def get_compressed(self):
        """/compressed/gzip, deflate, bare (deflate without its header), truncated, garbage, br."""
        body, deflate = picture(1), zlib.compressobj(wbits=-15)
        bodies = {
            "gzip": gzip.compress(body),
            "deflate": zlib.compress(body),
            "bare": deflate.compress(body) + deflate.flush(),
            "truncated": gzip.compress(body)[:-20],
        }
        encoding = {"bare": "deflate", "deflate": "deflate", "br": "br"}.get(self.rest, "gzip")
        self.send(bodies.get(self.rest, b"\xffgarbage"), Content_Encoding=encoding)

    def get_entity(self):
        """An SVG that wants two more files of us: an external entity and a picture."""
        secret = f"{self.server.owner.url}/secret"
        entity = f'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY e SYSTEM "{secret}">]>'
        drawing = f'<svg xmlns="http://www.w3.org/2000/svg"><text>&e;</text><image href="{secret}"/></svg>'
        self.send((entity + drawing).encode(), kind="image/svg+xml")

    # What goes on for ever, or ends early
    def drip(self, content: bytes):
        for byte in content:
            self.wfile.write(bytes([byte]))
            self.server.owner.ended.wait(DRIP)

    def get_drip_headers(self):
        self.close_connection = True
        self.drip(b"HTTP/1.1 200 OK\r\nX-Drip: " + b"x" * 1000)

    def get_drip_body(self):
        self.start_unbounded()
        self.drip(picture(1))

    def get_hang(self):
        """/hang says nothing after its headers, /hang/at-once nothing at all."""
        self.close_connection = True
        if self.rest != "at-once":
            self.start_unbounded()
        self.server.owner.ended.wait(PATIENCE)

    def get_endless(self):
        """/endless is a body without end, /endless/header a header."""
        self.start_unbounded(b"" if self.rest == "header" else b"\r\n\r\n")
        while not self.server.owner.ended.is_set():
            self.wfile.write(b"x" * 65536)

    def get_reset(self):
        """/reset breaks in the body, /reset/at-once before the answer."""
        self.close_connection = True
        if self.rest != "at-once":
            self.send(picture(1)[:100], length=len(picture(1)))
        self.wfile.flush()
        # Closed with SO_LINGER 0, a connection is reset.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.rfile.close()
        self.connection.close()

    def get_announced(self):
        """/announced/N: a picture with a Content-Length of N, or with N bytes more or less than it has (+N, -N)."""
        self.close_connection = True
        size = len(picture(1)) if self.rest[0] in "+-" else 0
        self.send(picture(1), length=size + int(self.rest))

    def get_gzip_bomb(self):
        self.send(gzip_bomb(), Content_Encoding="gzip")

    def get_not_http(self):
        self.close_connection = True
        self.wfile.write(b"220 mail.example.org ESMTP\r\n")

    # Where else, and not now
    def get_redirect_loop(self):
        self.send(b"", status=302, Location="/redirect-loop")

    def get_redirect(self):
        """/redirect?to=URL, or /redirect/N: N times and then a picture (relative, as many servers send it)."""
        count = int(self.rest or 0)
        further = f"/redirect/{count - 1}" if count > 1 else "/picture/1.jpg"
        self.send(b"", status=302, Location=self.query.get("to", further))

    def get_status(self):
        self.send(b"", status=int(self.rest))

    def get_tagged(self):
        """/tagged/N.jpg?tag=...&tag=...: a picture with these X-Robots-Tag headers."""
        body = picture(int(self.rest.partition(".")[0]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        for tag in parse_qs(urlsplit(self.path).query).get("tag", []):
            self.send_header("X-Robots-Tag", tag)
        self.end_headers()
        self.wfile.write(body)

    def get_late(self):
        """/late/TIMES/N.jpg: so often it hangs, then it is a picture."""
        times, name = self.rest.split("/")
        if self.server.owner.paths().count(self.path) > int(times):
            self.send(picture(int(name.partition(".")[0])))
        else:
            self.rest = "at-once"
            self.get_hang()

    def get_flaky(self):
        """/flaky/STATUS/TIMES/NAME?after=VALUE: so often this status (with this Retry-After), then a picture."""
        status, times, _ = self.rest.split("/")
        after = {"Retry_After": unquote(self.query["after"])} if "after" in self.query else {}
        if self.server.owner.paths().count(self.path) <= int(times):
            self.send(b"", status=int(status), **after)
        else:
            self.send(picture(1))


class Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, owner: "HostileServer", address: str, connections: list, tls: ssl.SSLContext | None = None):
        super().__init__((address, 0), Handler)
        self.owner, self.connections, self.tls = owner, connections, tls
        self.url = f"http{'s' if tls else ''}://{address}:{self.server_port}"
        threading.Thread(target=self.serve_forever, args=(0.005,), daemon=True).start()

    def get_request(self):
        connection, address = super().get_request()
        self.connections.append(time.monotonic())
        return connection, address

    def finish_request(self, request, client_address):
        if self.tls:  # in the connection's own thread: a client that won't shake hands holds up no one
            request = self.tls.wrap_socket(request, server_side=True)
        super().finish_request(request, client_address)

    def handle_error(self, *_):
        pass


class HostileServer:
    """See the module's docstring. `robots` is what /robots.txt answers: (status, text); `headers` each request's."""

    def __init__(self):
        self.robots = (404, "")
        self.log: list[tuple[float, str]] = []
        self.headers: list[dict] = []
        self.ended = threading.Event()
        self.forbidden_connections: list[float] = []

    def __enter__(self) -> "HostileServer":
        self._listeners = [Listener(self, "127.0.0.1", []), Listener(self, "127.0.0.2", self.forbidden_connections)]
        self.url, self.forbidden_url = (listener.url for listener in self._listeners)
        return self

    def __exit__(self, *_):
        self.ended.set()
        for listener in self._listeners:
            listener.shutdown()
            listener.server_close()

    @property
    def port(self) -> int:
        return self._listeners[0].server_port

    def paths(self) -> list[str]:
        return [path for _, path in self.log]

    def https_url(self, folder: Path) -> str:
        """Start an https listener; its certificate is left in the folder as certificate.pem (made by `openssl`)."""
        key, certificate = folder / "key.pem", folder / "certificate.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
             "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
            check=True, capture_output=True,
        )  # fmt: skip
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._listeners.append(Listener(self, "127.0.0.1", [], context))
        return self._listeners[-1].url
