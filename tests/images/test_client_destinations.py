"""Where a client goes and where it must not: redirects, names, certificates, addresses as written, proxies."""

import os
import shutil
import subprocess
import sys

import pytest
from client_calls import FAST, LIMIT, failure, get, reason
from hostile_bodies import picture
from hostile_server import HostileServer

from visner.config.images import Crawl
from visner.errors import VisnerError
from visner.images.crawling.client import Client, request_url

pytestmark = pytest.mark.usefixtures("plain_environment")


def test_redirects_are_followed_as_far_as_allowed(hostile):
    assert get(f"{hostile.url}/redirect/5") == picture(1)
    assert get(f"{hostile.url}/redirect?to={hostile.url}/picture/2.jpg") == picture(2)
    assert get(f"{hostile.url}/redirect?to=//127.0.0.1:{hostile.port}/picture/2.jpg") == picture(2)
    assert reason(f"{hostile.url}/redirect/6") == "too-many-redirects"
    assert reason(f"{hostile.url}/redirect/1", redirects=0) == "too-many-redirects"


def test_no_connection_reaches_an_address_that_is_not_allowed(hostile):
    port = hostile.port
    secret = f"{hostile.forbidden_url}/secret"
    assert reason(secret) == "refused-address"
    assert reason(f"{hostile.url}/redirect?to={secret}") == "refused-address"
    assert reason(f"{hostile.url}/redirect?to={secret}", robots=True) == "refused-address"
    assert reason(f"{hostile.url}/secret", allow_hosts=[]) == "refused-address"
    assert reason(f"http://localhost:{port}/secret", allow_hosts=[]) == "refused-address"
    assert hostile.forbidden_connections == []
    assert "/secret" not in hostile.paths()
    # The same with what is let through, so that the above refuses and does not just fail.
    assert get(secret, allow_hosts=["127.0.0.0/8"]) == b"secret"
    assert get(f"{hostile.url}/redirect?to={secret}", allow_hosts=["127.0.0.1", "127.0.0.2"]) == b"secret"
    assert len(hostile.forbidden_connections) == 2


def test_a_name_is_refused_for_what_it_resolves_to(hostile):
    """The first hop is allowed, the name that it leads to is this machine's."""
    local = f"http://localhost:{hostile.port}/secret"
    assert reason(f"{hostile.forbidden_url}/redirect?to={local}", allow_hosts=["127.0.0.2"]) == "refused-address"
    assert "/secret" not in hostile.paths()
    assert get(f"{hostile.forbidden_url}/redirect?to={local}", allow_hosts=["127.0.0.0/8"]) == b"secret"


def test_an_allowed_name_does_not_allow_its_address(hostile):
    assert get(f"http://LOCALHOST:{hostile.port}/secret", allow_hosts=["localhost"]) == b"secret"
    assert reason(f"{hostile.url}/secret", allow_hosts=["localhost"]) == "refused-address"
    assert hostile.paths() == ["/secret"]


def test_names_that_do_not_resolve_and_ports_that_nobody_listens_on(hostile):
    found = failure("http://no-such-host.invalid/1.jpg")
    assert (found.reason, found.transient) == ("unresolved", True)
    with HostileServer() as gone:
        pass
    found = failure(f"{gone.url}/picture/1.jpg")
    assert (found.reason, found.transient) == ("unreachable", True)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl command makes the certificate")
def test_a_certificate_that_proves_nothing(hostile, tmp_path):
    url = hostile.https_url(tmp_path)
    found = failure(f"{url}/picture/1.jpg")
    assert (found.reason, found.transient) == ("bad-certificate", False)
    assert reason(url.replace("https", "http") + "/picture/1.jpg") in ("unreachable", "bad-answer", "incomplete")
    assert reason(hostile.url.replace("http", "https") + "/picture/1.jpg") == "bad-answer"
    assert hostile.log == [] or "/picture/1.jpg" not in hostile.paths()
    # Who trusts the certificate is answered: nothing else is wrong.
    code = (
        "import asyncio, sys\n"
        "from visner.images.crawling.client import Client, Crawl\n"
        "async def run():\n"
        "    crawl = Crawl(user_agent='x (a@b.example)', robots=False, allow_hosts=['127.0.0.1'])\n"
        "    async with Client(crawl, 100_000) as client:\n"
        "        print(len(await client.get(sys.argv[1])))\n"
        "asyncio.run(run())"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    environment["SSL_CERT_FILE"] = str(tmp_path / "certificate.pem")
    command = [sys.executable, "-c", code, f"{url}/picture/1.jpg"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.stdout.strip() == str(len(picture(1))), done.stderr


@pytest.mark.parametrize(
    "written, sent",
    [
        ("/picture/1.jpg?q=猫", "/picture/1.jpg?q=%E7%8C%AB"),
        ("/picture/1.jpg?a b&c=%20%E7", "/picture/1.jpg?a%20b&c=%20%E7"),
        ("/picture/1.jpg?100%&x=%zz", "/picture/1.jpg?100%25&x=%25zz"),
        ("/picture/1.jpg?%7euser+x#part", "/picture/1.jpg?%7euser+x"),
        (" /picture/1.jpg\n".strip(), "/picture/1.jpg"),
        ("/picture/1.jpg?u=http://x/;a|b{c}", "/picture/1.jpg?u=http://x/;a%7Cb%7Bc%7D"),
    ],
)
def test_addresses_as_pages_have_them(hostile, written, sent):
    assert get(hostile.url + written) == picture(1)
    assert hostile.paths() == [sent]


def test_hosts_in_any_script_and_no_credentials(hostile):
    assert str(request_url("http://bücher.example/ü")) == "http://xn--bcher-kva.example/%C3%BC"
    assert str(request_url("HTTPS://例え.テスト:8443")) == "https://xn--r8jz45g.xn--zckzah:8443/"
    assert get(f"http://user:password@127.0.0.1:{hostile.port}/picture/1.jpg") == picture(1)
    assert "Authorization" not in hostile.headers[0]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "picture.jpg",
        "//host/x",
        "file:///etc/passwd",
        "data:image/png;base64,AA",
        "ftp://host/x",
        "http://",
        "http://[",
    ]
    + ["http://host:99999/", "http://host:port/", "http://a b/", "http://a\\b/", "http://host/\ud800", "javascript:0"],
)
def test_what_is_no_url_of_the_web(url):
    assert reason(url) == "refused-scheme"


@pytest.mark.parametrize("host", ["a" * 70 + ".example", "a..example", ".example", "%31"])
def test_names_that_cannot_be_are_failures_too(host):
    assert reason(f"http://{host}/") in ("refused-scheme", "unresolved")


def test_a_proxy_is_used_and_what_is_behind_it_guarded(hostile, monkeypatch):
    """The server stands for a proxy: it is sent whole URLs. It is local and not allowed, as proxies are."""
    with HostileServer() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.replace("//", "//user:word@"))
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        behind = "http://no-such-host.invalid/picture/1.jpg"
        assert get(behind, allow_hosts=[]) == picture(1)  # the proxy's answer
        assert proxy.paths() == [behind]
        assert proxy.headers[0]["Proxy-Authorization"].startswith("Basic ")
        for local in (
            hostile.forbidden_url,
            "http://localhost:80",
            "http://10.0.0.1",
            "http://2130706434",
            "http://[::1]",
        ):
            assert reason(f"{local}/x", allow_hosts=[]) in ("refused-address", "refused-scheme")
        assert proxy.paths() == [behind]
        assert reason(f"{hostile.forbidden_url}/x", allow_hosts=["127.0.0.2"]) == "http-404"
        assert proxy.paths() == [behind, f"{hostile.forbidden_url}/x"]
        assert get(f"{hostile.url}/picture/1.jpg") == picture(1)  # no_proxy
        assert len(proxy.log) == 2
    assert reason(behind) == "proxy"  # it is gone
    monkeypatch.setenv("http_proxy", "socks5://127.0.0.1:1")
    with pytest.raises(VisnerError, match="proxies"):
        Client(Crawl(**FAST), LIMIT)


def test_a_proxy_that_will_not_connect(hostile, monkeypatch):
    monkeypatch.setenv("https_proxy", hostile.url)
    found = failure("https://no-such-host.invalid/")
    assert (found.reason, found.transient) == ("proxy", True)  # 501: the server knows no CONNECT
