"""What tests of crawls share."""

import pytest
from engine_server import engine_server
from loopback_crawl import WEB


@pytest.fixture
def server(tmp_path):
    with engine_server(tmp_path, **WEB) as web:
        yield web
