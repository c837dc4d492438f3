"""Processes that decode pictures, and what becomes of a crawl when they end: killed, or by a picture."""

import contextlib
import multiprocessing
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
from hostile_server import HostileServer
from loopback_crawl import FAST, bing, crawl, custom, expected, outcomes

from visner.errors import VisnerError

LARGEST = 308_000  # kB of address space that a process needs for a plain picture of 40 megapixels, max_pixels
MEMORY_HOG = 626_000  # and for the hostile server's


@pytest.fixture
def limit_decoders(tmp_path):
    """A function that limits the address space, in kB, of the processes that multiprocessing starts from then on."""

    def limit(kilobytes: int) -> None:
        shell = tmp_path / "limited"
        shell.write_text(f'#!/bin/sh\nulimit -v {kilobytes}\nOMP_NUM_THREADS=1 exec {sys.executable} "$@"\n')
        shell.chmod(0o755)
        multiprocessing.set_executable(str(shell))

    yield limit
    multiprocessing.set_executable(sys.executable)


def test_a_killed_decoder_changes_nothing(tmp_path, server, caplog):
    def kill_a_decoder():
        end = time.monotonic() + 60
        while time.monotonic() < end:
            for one in psutil.Process().children():
                with contextlib.suppress(psutil.Error):  # it has ended meanwhile
                    if "spawn_main" in str(one.cmdline()):
                        return one.kill()
            time.sleep(0.01)
        raise AssertionError("no decoder within a minute")

    with ThreadPoolExecutor(1) as killer:
        killed = killer.submit(kill_a_decoder)
        rows = crawl(tmp_path, bing(server, FAST.model_copy(update={"host_rate": 20})))  # some seconds
        killed.result()
    assert "was killed" in caplog.text
    assert outcomes(rows) == expected(server, 4, 8)


PATHS = [*(f"/picture/{number}.jpg" for number in range(6)), "/memory-hog", "/picture/6.jpg", "/truncated.jpg"]


def test_a_picture_that_ends_its_decoder_is_a_row_with_its_reason(tmp_path, limit_decoders):
    limit_decoders((LARGEST + MEMORY_HOG) // 2)
    with HostileServer() as server:
        rows = crawl(tmp_path, custom(tmp_path, server, PATHS, "/page"), ["京都"], root=tmp_path)
        reasons = {row["source_url"].removeprefix(server.url): row["reason"] for row in rows}
        assert reasons == dict.fromkeys(PATHS) | {"/memory-hog": "crashes-decoder", "/truncated.jpg": "broken"}
        assert crawl(tmp_path, custom(tmp_path, server, PATHS, "/page"), ["京都"], root=tmp_path) == rows
        assert server.paths().count("/memory-hog") == 1


def test_a_machine_out_of_memory_stops_with_one_line_and_no_picture_is_blamed(tmp_path, limit_decoders):
    with HostileServer() as server:
        recipe = custom(tmp_path, server, PATHS, "/page")
        limit_decoders(LARGEST * 3 // 4)
        with pytest.raises(VisnerError, match=r"^the processes that decode .* lower max_pixels, and run again$"):
            crawl(tmp_path, recipe, ["京都"], root=tmp_path)
        multiprocessing.set_executable(sys.executable)
        rows = crawl(tmp_path, recipe, ["京都"], root=tmp_path)
        reasons = {row["source_url"].removeprefix(server.url): row["reason"] for row in rows}
        assert reasons == dict.fromkeys(PATHS) | {"/truncated.jpg": "broken"}
