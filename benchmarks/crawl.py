"""Pictures a second of a crawl, beside icrawler's own Bing crawler on the same server in the same run.

The server (tests/images/engine_server.py) is a process of its own on loopback: every answer takes 50 ms, a picture has
20 kB, every query has 45 of them, and the first 15 are wanted. icrawler's BingImageCrawler asks one query after another
as its interface has it; only its feeder's address is changed. Of its default threads and a generous setting (16
downloaders) the faster on the first queries is held against ours, and every file that it writes counts. Ours runs with
its limits off and all that it does for good: robots.txt, the guard, decoding and shrinking each picture, the store.
Then the finished store is exported to a table. Ours is repeated until two rounds agree.

    python benchmarks/crawl.py --queries 200
    python benchmarks/crawl.py --queries 3334 --only-ours     # memory at 50,000 pictures

Exit status 1 where ours is not five times as fast and 250 pictures a second, the export slower than 2,000 pictures a
second, or its processes together larger than 500 MB.
"""

import argparse
import contextlib
import logging
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import quote_plus

import psutil
from icrawler.builtin import BingImageCrawler
from icrawler.builtin.bing import BingFeeder
from machine.quiet import Busy, until_two_agree

from visner.runtime import tables

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests" / "images"))
from engine_server import engine_server

WANTED = 15  # pictures a query
SETTINGS = {
    "default threads": {},
    "16 downloaders": {"feeder_threads": 1, "parser_threads": 2, "downloader_threads": 16},
}


class LoopbackFeeder(BingFeeder):
    """icrawler's feeder of Bing, at another address."""

    def __init__(self, thread_num, signal, session, server):
        super().__init__(thread_num, signal, session)
        self._server = server

    def feed(self, keyword, offset, max_num, filters=None):
        """As the original's, without filters."""
        for first in range(offset, offset + max_num, 20):
            self.out_queue.put(f"{self._server}/images/async?q={quote_plus(keyword)}&first={first}")


def icrawlers(server: str, queries: list[str], folder: Path, threads: dict[str, int]) -> tuple[int, float]:
    """The pictures that icrawler writes for the queries, and the seconds it takes."""
    started = time.perf_counter()
    for number, query in enumerate(queries):
        BingImageCrawler(
            feeder_cls=LoopbackFeeder,
            extra_feeder_args={"server": server},
            storage={"root_dir": str(folder / str(number))},
            log_level=logging.CRITICAL,
            **threads,
        ).crawl(query, max_num=WANTED)
    seconds = time.perf_counter() - started
    return sum(1 for file in folder.rglob("*") if file.is_file()), seconds


FETCH = """
import sys, time
from pathlib import Path
from visner.runtime import stages, tables
from visner.images.crawling.shard import crawled
from visner.images.fetch import look_up
from visner.config.images import Crawl, EngineImages
engine, folder, workers = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
limits = Crawl(user_agent="benchmark (+mailto:benchmark@visner.example)", allow_hosts=["127.0.0.1"],
               host_rate=None, host_concurrency=1000, concurrency=64)
recipe = EngineImages(source="bing", engine=engine, crawl=limits)
stages.start_log(None)
queries = [row["query"] for row in tables.iterate_rows(folder / "queries.parquet", tables.QUERIES)]
began = time.perf_counter()
with crawled(recipe, folder, folder / "store", queries, workers, "crawl"):
    crawl = time.perf_counter() - began
began = time.perf_counter()
counts = look_up(queries, folder / "0.parquet", recipe, folder, folder / "store", workers)
export = time.perf_counter() - began
print(counts["pictures"], crawl, export)
"""


def ours(server: str, folder: Path, workers: int) -> tuple[int, float, float, float]:
    """The pictures, the seconds of the crawl, those of the finished store's export, the processes' size in MB."""
    command = [sys.executable, "-c", FETCH, server, str(folder), str(workers)]
    process, most = psutil.Popen(command, stdout=subprocess.PIPE, text=True), 0
    while process.poll() is None:
        with contextlib.suppress(psutil.NoSuchProcess):
            most = max(most, sum(one.memory_info().rss for one in [process, *process.children()]))
        time.sleep(0.2)
    pictures, *seconds = process.stdout.read().split()
    return int(pictures), *map(float, seconds), most / 2**20


def main() -> int:
    """Run the crawls and print their speeds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--trial", type=int, default=8, help="queries that choose icrawler's setting (default: 8)")
    parser.add_argument("--latency", type=float, default=0.05, help="of the server, in seconds (default: 0.05)")
    parser.add_argument("--workers", type=int, default=2, help="processes that decode (default: 2)")
    parser.add_argument("--only-ours", action="store_true", help="leave icrawler out, which takes minutes")
    arguments = parser.parse_args()
    queries = [f"word {number}" for number in range(arguments.queries)]

    with (
        tempfile.TemporaryDirectory() as folder,
        engine_server(folder, latency=arguments.latency, bytes_a_picture=20_000, pictures_per_query=45) as server,
    ):
        folder = Path(folder)
        rows = [{"query": query, "occurrences": 1, "shard": 0} for query in queries]
        runs = []

        def crawl() -> float:
            place = folder / f"ours-{len(runs)}"
            place.mkdir()
            tables.write_table(place / "queries.parquet", tables.QUERIES, rows)
            runs.append(ours(server.url, place, arguments.workers))
            pictures, seconds, export_seconds, megabytes = runs[-1]
            said = f"{pictures} pictures in {seconds:.1f} s, {pictures / seconds:.0f}/s, {megabytes:.0f} MB"
            exported = f"{export_seconds:.2f} s, {pictures / export_seconds:,.0f}/s"
            print(f"visner: {said}; the store's export: {exported}", flush=True)
            return seconds

        rounds = until_two_agree({"crawl": crawl}, most=1 if arguments.only_ours else 4)
        exports = [export_seconds for _, _, export_seconds, _ in runs]
        pictures, megabytes = runs[0][0], max(size for *_, size in runs)
        speed, export = pictures / rounds.typical("crawl"), pictures / statistics.median(exports)
        print(f"visner: {speed:.0f} pictures/s, export {export:,.0f}/s; {rounds}")
        good = speed >= 250 and export >= 2000 and megabytes < 500
        if arguments.only_ours:
            return int(not good)

        trials = {}
        for name, threads in SETTINGS.items():
            pictures, seconds = icrawlers(server.url, queries[: arguments.trial], folder / name, threads)
            trials[name] = pictures / seconds
            print(f"icrawler, {name}, {arguments.trial} queries: {trials[name]:.1f} pictures/s", flush=True)
        best = max(trials, key=trials.__getitem__)
        with Busy() as busy:
            pictures, seconds = icrawlers(server.url, queries, folder / "icrawler", SETTINGS[best])
        theirs = pictures / seconds
        print(f"icrawler, {best}: {pictures} pictures in {seconds:.1f} s, {theirs:.1f}/s; {busy}", flush=True)
        print(f"ratio: {speed / theirs:.1f} (claimed: at least 5)")
    return int(not good or speed < 5 * theirs)


if __name__ == "__main__":
    sys.exit(main())
