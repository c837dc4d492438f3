"""The stand-in for the open web itself."""

from engine_pages import Web, result_page
from engine_server import engine_server
from engine_sources import get


def test_the_stand_ins_web_is_the_same_on_any_port_and_every_picture_is_its_address_own(tmp_path):
    web = {"pictures_per_query": 40, "fewest": 10, "empty": 0.25, "failing": 0.25}
    seen = []
    for run in ("first", "second"):
        (tmp_path / run).mkdir()
        with engine_server(tmp_path / run, bytes_a_picture=20_000, **web) as running:
            paths = running.web.pictures("犬")
            bodies = {path: get(running.url + path) for path in paths if running.web.failure(path) != "404"}
            seen.append(bodies)
            assert [request.path for request in running.requests()] == list(bodies)
            assert running.requests()[0].time <= running.requests()[-1].time
    assert seen[0] == seen[1]
    whole = [body for path, body in seen[0].items() if Web(**web).failure(path) is None]
    assert len(set(whole)) == len(whole)
    assert all(16_000 < len(body) < 24_000 and body.startswith(b"\xff\xd8") for body in whole)
    many = [f"word {number}" for number in range(400)]
    assert 0.18 < sum(not Web(**web).pictures(query) for query in many) / 400 < 0.32
    failing = [Web(**web).failure(path) for query in many for path in Web(**web).pictures(query)]
    assert 0.23 < 1 - failing.count(None) / len(failing) < 0.27
    assert {"404", "html", "truncated", None} == set(failing)


def test_a_page_that_no_engine_has_is_not_found():
    assert result_page(Web(), "127.0.0.1", "/images/async?first=0") is None
    assert result_page(Web(), "127.0.0.1", "/elsewhere") is None
