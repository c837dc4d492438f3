"""`visner store` on real stores: what it prints, what it forgets, what it mends."""

import csv
import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from visner.cli import main
from visner.config.images import EngineImages
from visner.images.crawling.buckets import Bucket, Outcome, PageRead, bucket_of, folder_of, store_folder
from visner.images.prepare import Picture

LIBRARY = Path(__file__).resolve().parents[2] / "lib"
RECIPE = EngineImages(source="bing", crawl={"user_agent": "test (+mailto:me@example.org)"})


def picture(number):
    kept = hashlib.shake_256(str(number).encode()).digest(2000)
    return Picture(hashlib.sha256(b"original" + kept).hexdigest(), kept, 400, 300)


def url(query, rank):
    return f"http://h/{query}/{rank}.jpg"


@pytest.fixture
def store(tmp_path):
    """富士山: 5 addresses, 2 pictures, 2 failures. 京都: 3, all failed. 京: none. 茶: the pictures of 富士山."""
    folder = store_folder(tmp_path / "store", RECIPE)
    mountain = [url("富士山", rank) for rank in range(5)]
    tea = [url("茶", rank) for rank in range(2)]
    contents = {
        "富士山": (
            mountain,
            [
                Outcome(mountain[0], None, picture(0)),
                Outcome(mountain[1], "http-404", None),
                Outcome(mountain[2], None, picture(1)),
                Outcome(mountain[3], "broken", None),
            ],
        ),
        "京都": (
            [url("京都", rank) for rank in range(3)],
            [Outcome(url("京都", r), "http-404", None) for r in range(3)],
        ),
        "京": ([], []),
        "茶": (tea, [Outcome(tea[rank], None, picture(rank)) for rank in range(2)]),
    }
    for query, (urls, outcomes) in contents.items():
        with Bucket(folder, bucket_of(query)) as bucket:
            bucket.commit([PageRead(query, 0, urls, True)], outcomes)
    return tmp_path / "store"


def visner(store, verb, *arguments):
    return main(["store", verb, "--recipe", RECIPE.model_dump_json(), "--store", str(store), *arguments])


def numbers(text):
    """The lines of a table: name -> number."""
    found = {}
    for line in text.splitlines():
        name, _, rest = line.strip().partition("  ")
        if rest and rest.split()[0].replace(",", "").isdigit():
            found[name] = int(rest.split()[0].replace(",", ""))
    return found


def test_show_counts_what_there_is(store, capsys):
    assert visner(store, "show", "--queries") == 0
    text = capsys.readouterr().out
    assert numbers(text.partition("  addresses   pictures")[0]) == {
        "queries asked": 4,
        "with pictures": 2,
        "no picture yet": 1,
        "empty": 1,
        "addresses": 10,
        "with a picture": 4,
        "failed": 5,
        "not requested": 1,
        "pictures, distinct": 2 if bucket_of("茶") == bucket_of("富士山") else 4,
        "files": len({bucket_of(query) for query in ("富士山", "京都", "京", "茶")}),
        "http-404": 4,
        "broken": 1,
    }
    assert "the server answered Not Found" in text
    assert "truncated, or its decoder failed" in text
    listed = [line.split() for line in text.splitlines() if line.endswith(("富士山", "京都", "京", "茶"))]
    assert {line[-1]: line[:3] for line in listed} == {
        "富士山": ["5", "2", "2"],
        "京都": ["3", "0", "3"],
        "京": ["0", "0", "0"],
        "茶": ["2", "2", "0"],
    }
    assert time.strftime("%Y-%m-", time.gmtime()) in text


def test_show_says_what_is_asked_again(store, capsys):
    with Bucket(folder_of(store, RECIPE), bucket_of("京")) as bucket:
        urls = [url("京", rank) for rank in range(2)]
        outcomes = [Outcome(urls[0], "throttled", None), Outcome(urls[1], "http-410", None)]
        bucket.commit([PageRead("京", 1, urls, True)], outcomes)
    assert visner(store, "show") == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line.strip()}
    assert lines["throttled"].endswith("asked again by the next run")
    assert lines["http-410"].endswith("the server answered Gone")


def test_show_works_while_a_crawl_writes(store, capsys):
    with Bucket(folder_of(store, RECIPE), bucket_of("京")) as bucket:
        bucket.commit([PageRead("京", 1, [url("京", 0)], True)], [])
        assert visner(store, "show") == 0
        assert numbers(capsys.readouterr().out)["addresses"] == 11


def test_export_writes_pictures_by_rank_and_all_addresses(store, tmp_path, capsys):
    assert visner(store, "export", "富士山", str(tmp_path / "fuji")) == 0
    assert "2 pictures of 5 addresses" in capsys.readouterr().out
    files = {file.name: file.read_bytes() for file in (tmp_path / "fuji").glob("*.jpg")}
    assert files == {"00.jpg": picture(0).kept, "02.jpg": picture(1).kept}
    with open(tmp_path / "fuji" / "addresses.tsv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, dialect="excel-tab"))
    assert [row["source_url"] for row in rows] == [url("富士山", rank) for rank in range(5)]
    assert [row["reason"] for row in rows] == ["", "http-404", "", "broken", "not requested"]
    assert [row["file"] for row in rows] == ["00.jpg", "", "02.jpg", "", ""]
    assert rows[0]["image_id"] == picture(0).image_id
    assert visner(store, "export", "富士山", str(tmp_path / "fuji")) == 1  # the folder isn't empty
    assert visner(store, "export", "火山", str(tmp_path / "new")) == 1
    assert not (tmp_path / "new").exists()


def failures(store, query):
    folder = folder_of(store, RECIPE)
    with Bucket(folder, bucket_of(query), read_only=True) as bucket:
        known = bucket.outcomes(bucket.query(query).addresses)
    return sorted(filter(None, known.values()))


def test_retry_forgets_failures_by_reason_and_by_query(store, capsys):
    assert visner(store, "retry", "--reason", "http-404", "--query", "富士山", "--query", "火山") == 0
    assert capsys.readouterr().out.startswith("1 failed addresses")
    assert failures(store, "富士山") == ["broken"]
    assert len(failures(store, "京都")) == 3
    assert visner(store, "retry", "--reason", "http-404", "--reason", "timed-out") == 0
    assert capsys.readouterr().out.startswith("3 failed addresses")
    assert visner(store, "retry") == 0
    assert capsys.readouterr().out.startswith("1 failed addresses")
    assert failures(store, "富士山") == failures(store, "京都") == []
    assert visner(store, "show") == 0
    assert numbers(capsys.readouterr().out)["with a picture"] == 4


def test_forget_forgets_queries_and_names_those_that_were_never_asked(store, capfd):
    assert visner(store, "forget", "富士山", "京", "火山") == 0
    said = capfd.readouterr()
    assert said.out.startswith("2 queries are forgotten")
    assert "never asked: 火山" in said.err
    assert visner(store, "show") == 0
    counted = numbers(capfd.readouterr().out)
    assert (counted["queries asked"], counted["addresses"], counted["with a picture"]) == (2, 5, 2)


def test_forget_empty_forgets_the_queries_without_an_address_and_no_others(store, capfd):
    visner(store, "show")
    before = numbers(capfd.readouterr().out)
    assert visner(store, "forget", "--empty") == 0
    assert capfd.readouterr().out.startswith(f"{before['empty']:.0f} queries are forgotten")
    visner(store, "show")
    after = numbers(capfd.readouterr().out)
    assert before["empty"] > 0
    assert (after["empty"], after["queries asked"]) == (0, before["queries asked"] - before["empty"])
    assert after["addresses"] == before["addresses"]
    assert visner(store, "forget") == 1


def test_verify_names_damage_and_repairs_it_on_request(store, capfd):
    assert visner(store, "verify") == 0
    assert "every picture is as it was kept" in capfd.readouterr().out
    file = folder_of(store, RECIPE) / f"{bucket_of('富士山'):02d}.sqlite"
    content = file.read_bytes()
    at = content.index(picture(1).kept[500:600])
    file.write_bytes(content[:at] + b"?" + content[at + 1 :])
    assert visner(store, "verify") == 1
    said = capfd.readouterr().err
    assert f"{file}: 1 pictures are not what their checksums say" in said
    assert "verify --repair" in said
    assert visner(store, "verify", "--repair") == 0
    said = capfd.readouterr()
    assert "they are asked again" in said.err
    assert "1 repaired" in said.out
    assert visner(store, "verify") == 0
    with Bucket(file.parent, bucket_of("富士山")) as bucket:
        assert set(bucket.outcomes([url("富士山", rank) for rank in range(5)])) == {
            url("富士山", rank) for rank in (0, 1, 3)
        }


def test_a_store_is_found_by_the_configuration_from_the_current_folder(store, tmp_path):
    (tmp_path / "config.yaml").write_text(
        "corpora: {}\nimages:\n  bing:\n    source: bing\n    crawl: {user_agent: 'me (+mailto:me@example.org)'}\n"
        "  bong: {source: bing, language: ja, crawl: {user_agent: 'me (+mailto:me@example.org)'}}\n"
        "  drawn: {source: folder, folder: .}\n"
    )
    command = [sys.executable, "-m", "visner", "store", "show", "--recipe"]
    options = {"cwd": tmp_path, "env": {**os.environ, "PYTHONPATH": str(LIBRARY)}}
    for name, status, said in (
        ("bing", 0, "queries asked"),
        ("bong", 1, "nothing was crawled with this recipe"),
        ("drawn", 1, "not crawled"),
    ):
        done = subprocess.run([*command, f"config.yaml:images.{name}"], **options, capture_output=True, text=True)
        assert done.returncode == status, done.stderr
        assert said in done.stdout + done.stderr
        assert "Traceback" not in done.stderr
    assert len(list((tmp_path / "store" / "crawl").iterdir())) == 1  # looking makes no folder


def test_the_store_of_a_configuration_may_be_named_by_a_variable(store, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("DISK_OF_THIS_MACHINE", str(tmp_path))
    corpora = {"a": {"format": "text", "paths": ["a.txt"]}}
    content = {"corpora": corpora, "images": {"mine": RECIPE.model_dump()}, "store": "$DISK_OF_THIS_MACHINE/store"}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(content))
    command = ["store", "show", "--recipe", f"{tmp_path}/mine.yaml:images.mine"]
    assert main(command) == 0
    told = capsys.readouterr().out
    assert main([*command, "--store", str(store)]) == 0
    assert capsys.readouterr().out == told
