"""Processes that decode pictures, and what becomes of a crawl when they end: killed, or by a picture."""

import contextlib
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
from hostile_bodies import picture, slow_jpeg
from hostile_server import HostileServer
from local_shard import counts_of, fetched
from loopback_crawl import FAST, bing, crawl, custom, expected, outcomes

from visner.config.images import FolderImages
from visner.errors import VisnerError
from visner.images.decoding import Decoders
from visner.images.prepare import Picture

PYTHON = sys.executable
LARGEST = 346_000  # kB of address space that a process needs for a plain picture of 40 megapixels, max_pixels
MEMORY_HOG = 660_000  # and for the hostile server's


@pytest.fixture
def limit_decoders(tmp_path, monkeypatch):
    """A function that limits the address space, in kB, of the processes that decode and are started from then on."""

    def limit(kilobytes: int) -> None:
        shell = tmp_path / "limited"
        shell.write_text(f'#!/bin/sh\nulimit -v {kilobytes}\nOMP_NUM_THREADS=1 exec {PYTHON} "$@"\n')
        shell.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(shell))

    return limit


def test_a_killed_decoder_changes_nothing(tmp_path, server, caplog):
    def kill_a_decoder():
        end = time.monotonic() + 60
        while time.monotonic() < end:
            for one in psutil.Process().children():
                with contextlib.suppress(psutil.Error):  # it has ended meanwhile
                    if "images.decoder" in str(one.cmdline()):
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


def test_a_machine_out_of_memory_stops_with_one_line_and_no_picture_is_blamed(tmp_path, limit_decoders, monkeypatch):
    paths = [*PATHS, "/large-grey"]
    paths.remove("/memory-hog")
    with HostileServer() as server:
        recipe = custom(tmp_path, server, paths, "/page")
        limit_decoders(LARGEST * 3 // 4)
        with pytest.raises(VisnerError, match=r"^the processes that decode .* lower max_pixels, and run again$"):
            crawl(tmp_path, recipe, ["京都"], root=tmp_path)
        monkeypatch.setattr(sys, "executable", PYTHON)
        rows = crawl(tmp_path, recipe, ["京都"], root=tmp_path)
        reasons = {row["source_url"].removeprefix(server.url): row["reason"] for row in rows}
        assert reasons == dict.fromkeys(paths) | {"/truncated.jpg": "broken"}


SLOW = slow_jpeg(3000, 90)  # seconds of a decoder's time, within SCANS


def test_case_a_picture_that_decodes_for_long_ends_its_process_and_nothing_else():
    ordinary = [picture(number) for number in range(20)]
    patient = FolderImages(source="folder", folder=".", side=32)
    with Decoders(patient, 2) as decoders:
        before = processor_time()
        slow = decoders.prepare(SLOW)  # it is a picture, if one lets it take its time
        took = processor_time() - before
        kept = [decoders.prepare(content) for content in ordinary]
    assert isinstance(slow, Picture)
    assert took > 0.3
    with Decoders(patient.model_copy(update={"max_seconds": 0.2}), 2) as decoders, ThreadPoolExecutor(4) as threads:
        found = list(threads.map(decoders.prepare, [*ordinary[:10], SLOW, SLOW, *ordinary[10:], SLOW]))
    assert found == [*kept[:10], "too-slow", "too-slow", *kept[10:], "too-slow"]


def processor_time() -> float:
    """The seconds of processor time of the processes that this one has started and that are alive."""
    return sum(sum(process.cpu_times()[:2]) for process in psutil.Process().children())


def test_a_deadline_counts_the_processors_time_and_not_the_walls():
    """A process that is held up for longer than its deadline, as on a busy machine, still does its task."""
    before = psutil.Process().children()  # other tests' servers
    with Decoders(FolderImages(source="folder", folder=".", side=32, max_seconds=0.5), 1) as decoders:
        decoders.prepare(picture(1))
        (process,) = set(psutil.Process().children()) - set(before)
        process.suspend()
        with ThreadPoolExecutor(1) as thread:
            coming = thread.submit(decoders.prepare, picture(2))
            time.sleep(1.0)
            process.resume()
            assert isinstance(coming.result(), Picture)


def test_case_a_slow_picture_of_a_folder_is_a_row_and_the_next_takes_its_turn(tmp_path):
    (tmp_path / "pool" / "色").mkdir(parents=True)
    for name, content in {"0": slow_jpeg(300, 200), "1": SLOW, "2": picture(1), "3": picture(2)}.items():
        (tmp_path / "pool" / "色" / f"{name}.jpg").write_bytes(content)
    recipe = FolderImages(source="folder", folder="pool", depth=2, max_seconds=0.2)
    fetched(tmp_path, recipe, ["色"], workers=2)
    counts = counts_of(tmp_path)
    assert counts["rejected"] == {"too-many-scans": 1, "too-slow": 1}
    assert counts["pictures"] == 2


def test_case_a_slow_picture_of_the_web_is_a_row_and_the_next_takes_its_turn(tmp_path):
    with HostileServer() as server:
        paths = ["/picture/1.jpg", "/many-scans.jpg", "/slow.jpg", "/picture/2.jpg"]
        recipe = custom(tmp_path, server, paths, "/page", max_seconds=0.2)
        rows = crawl(tmp_path, recipe, ["京都"], root=tmp_path)
    assert [row["reason"] for row in rows] == [None, "too-many-scans", "too-slow", None]


def test_a_script_without_a_main_guard_can_decode(tmp_path):
    """What decodes must not run the caller's script again, as multiprocessing's own processes do."""
    script = tmp_path / "script.py"
    script.write_text(
        "from visner.images.decoding import Decoders\n"
        "from visner.config.images import FolderImages\n"
        "with Decoders(FolderImages(source='folder', folder='.'), 1) as decoders:\n"
        "    print(decoders.prepare(b'no picture'))\n"
    )
    done = subprocess.run([PYTHON, script], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("not-a-picture\n", "")
