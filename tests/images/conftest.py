"""What tests of crawls share."""

import os

import pytest
from engine_server import engine_server
from hostile_server import HostileServer
from loopback_crawl import WEB


@pytest.fixture
def server(tmp_path):
    """An engine and its pictures, on loopback."""
    with engine_server(tmp_path, **WEB) as web:
        yield web


@pytest.fixture
def hostile():
    """A server that misbehaves."""
    with HostileServer() as web:
        yield web


@pytest.fixture
def plain_environment(monkeypatch):
    """No proxy, and retries without delay."""
    from visner.images.crawling import client

    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setattr(client, "FIRST_DELAY", 0.02)


@pytest.fixture
def flickr_key(monkeypatch) -> str:
    """A key of flickr's, in the environment."""
    monkeypatch.setenv("FLICKR_APIKEY", "0123456789abcdef")
    return "0123456789abcdef"
