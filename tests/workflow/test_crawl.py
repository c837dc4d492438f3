"""The main job with `bing` as source against a loopback engine; and killed five times while it crawls."""

import collections
import contextlib
import os
import random
import signal
import subprocess
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from engine_server import engine_server

import visner
from visner.runtime import tables

KILLS = 5
SHARD = "results/images/bing/tiny/0.parquet"
CONCURRENCY = 4
WEB = {"latency": 0.1, "bytes_a_picture": 3000, "pictures_per_query": 10, "fewest": 0, "empty": 0.1, "failing": 0.2}


def use_bing(project, server) -> None:
    """The project's experiment with pictures of the loopback engine, politely slow."""
    content = project.config()
    content["images"]["bing"] = {
        "source": "bing",
        "engine": server.url,
        "depth": 3,
        "candidates": 6,
        "side": 32,
        "crawl": {
            "user_agent": "tests (+mailto:tests@visner.example)",
            "allow_hosts": ["127.0.0.1"],
            "concurrency": CONCURRENCY,
            "host_concurrency": CONCURRENCY,
            "host_rate": 60,
        },
    }
    content["groundings"]["pictures"]["images"] = "bing"
    project.configure(content)


def pictures(project) -> list[dict]:
    """The images table."""
    return tables.read_table(project.folder / SHARD, tables.IMAGES).to_pylist()


def repeats(server) -> int:
    """Requests for what had been requested before; robots.txt is asked by every run."""
    paths = [request.path for request in server.requests() if not request.path.startswith("/robots.txt")]
    return sum(count - 1 for count in collections.Counter(paths).values())


@pytest.fixture(scope="module")
def crawled(finished, tmp_path_factory):
    """A project that crawled undisturbed, to its scores, and the engine's port, which is in its provenance."""
    folder = tmp_path_factory.mktemp("crawled")
    project = finished.copy(folder / "project")
    with engine_server(folder, **WEB) as server:
        use_bing(project, server)
        done = project.run()
        assert done.returncode == 0, done.stdout + done.stderr
        assert repeats(server) == 0
    return project, int(server.url.rpartition(":")[2])


def test_the_main_job_crawls(crawled):
    project, _ = crawled
    scores = tables.read_json(project.folder / "results/tiny_gate/scores.json")
    assert scores["experiment"] == "tiny_gate"
    rows = pictures(project)
    assert {row["reason"] for row in rows} >= {None, "http-404", "not-a-picture", "broken"}
    assert "user_agent" not in (project.folder / SHARD).read_bytes().decode("latin-1")


def test_how_a_crawl_behaves_makes_nothing_again(crawled, tmp_path):
    project = crawled[0].copy(tmp_path / "project")
    content = project.config()
    content["images"]["bing"]["crawl"]["concurrency"] = 5
    project.configure(content)
    assert project.rules_run() == []
    assert "user_agent" not in (project.folder / "results/tiny_gate/scores.json").read_text()


def test_case_a_crawl_of_four_shards_asks_for_a_new_noun_and_nothing_else(unfinished, tmp_path):
    target = "results/images/bing/tiny/statistics.json"
    texts = unfinished.folder / "texts"
    texts.mkdir()
    (texts / "1.txt").write_text("犬だ。\n猫だ。\n山だ。\n川だ。\n海だ。\n雪だ。\n")
    with engine_server(tmp_path, latency=0, bytes_a_picture=3000, pictures_per_query=3) as server:
        use_bing(unfinished, server)
        content = unfinished.config()
        content["corpora"] = {"tiny": {"format": "text", "paths": ["texts"], "nouns": {"shards": 4}}}
        unfinished.configure({name: content[name] for name in ("corpora", "images")})
        assert unfinished.rules_run(target).count("images_fetch") == 4
        asked = len(server.requests())
        (texts / "2.txt").write_text("犬だ。犬だ。\n")
        assert unfinished.rules_run(target) == ["corpora_read", "images_coverage", "nouns_find"]
        assert len(server.requests()) == asked
        (texts / "2.txt").write_text("馬だ。\n")
        assert unfinished.rules_run(target) == ["corpora_read", "images_coverage", "images_fetch", "nouns_find"]
        assert repeats(server) == 0
        pages = [request.path for request in server.requests()[asked:] if request.path.startswith("/images/async")]
        assert pages
        assert all(parse_qs(urlsplit(path).query)["q"] == ["馬"] for path in pages)


def test_a_tagger_asks_the_source_as_the_crawl_did(crawled, tmp_path):
    project = crawled[0].copy(tmp_path / "project")
    with engine_server(tmp_path, port=crawled[1], **WEB) as server:
        tagger = visner.load(project.folder / "results/tiny_gate", fetch=True)
        tagger.tag(["議論をする。", "牛が走る。", "雪が白い。"])
        assert server.requests()
    # a host that may not be local gives none, and without a user_agent nothing is asked
    assert tagger.lookups.found


def test_kills_end_with_the_tables_of_the_undisturbed_run(crawled, finished, tmp_path):
    undisturbed, port = crawled
    project = finished.copy(tmp_path / "project")
    generator = random.Random(2)
    with engine_server(tmp_path, port=port, **WEB) as server:
        use_bing(project, server)
        for number in range(KILLS):
            crawling = len(server.requests())
            process = subprocess.Popen(
                project.command(SHARD),
                cwd=project.folder,
                env=project.environment(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            while len(server.requests()) <= crawling and process.poll() is None:
                time.sleep(0.02)
            time.sleep(generator.uniform(0, 0.4))
            assert process.poll() is None, f"the crawl ended before kill {number}"
            if number % 2:
                os.kill(process.pid, signal.SIGKILL)  # Snakemake alone: its job must die by itself
                process.wait()
                with contextlib.suppress(ProcessLookupError):
                    time.sleep(0.5)
                    os.killpg(process.pid, signal.SIGKILL)
            else:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            project.run("--unlock")
        done = project.run()
        assert done.returncode == 0, done.stdout + done.stderr
        assert repeats(server) <= KILLS * CONCURRENCY
    assert pictures(project) == pictures(undisturbed)
    target = "results/tiny_gate/scores.json"
    assert (project.folder / target).read_bytes() == (undisturbed.folder / target).read_bytes()
