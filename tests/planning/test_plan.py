"""The longest chain against all chains, and what the command says."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visner.cli import main
from visner.planning.plan import Job, Plan, longest_chain
from visner.planning.plan_command import as_text


@st.composite
def graphs(draw):
    """Up to six jobs with their seconds; each waits for some of those before it."""
    seconds = draw(st.lists(st.integers(0, 100), min_size=1, max_size=6))
    waits_for = {
        node: draw(st.sets(st.integers(0, node - 1), max_size=node)) if node else set() for node in range(len(seconds))
    }
    return dict(enumerate(seconds)), waits_for


@given(graphs())
def test_the_longest_chain_is_the_longest_of_all_chains(graph):
    seconds, waits_for = graph
    chains = [
        chain
        for length in range(1, len(seconds) + 1)
        for chain in permutations(seconds, length)
        if all(before in waits_for[after] for before, after in zip(chain, chain[1:], strict=False))
    ]
    found = longest_chain(seconds, waits_for)
    assert tuple(found) in chains
    assert sum(seconds[node] for node in found) == max(sum(seconds[node] for node in chain) for chain in chains)


def test_a_chain_may_be_longer_than_pythons_stack():
    length = 5_000
    chain = longest_chain(dict.fromkeys(range(length), 1.0), {n: [n - 1] for n in range(1, length)})
    assert chain == list(range(length))
    assert longest_chain({}, {}) == []


def job(rule, seconds, *waits_for, threads=1, gpu=0, crawls=0, disk=0.0):
    return Job(rule, {}, threads, gpu, crawls, 10, 500, seconds, disk, "", waits_for)


def test_the_table_adds_up_by_stage_and_shows_the_chain():
    jobs = [job("nouns", 36, threads=10), job("ner_train", 7200, 0, gpu=1, disk=1500), job("ner_train", 3600, 0, gpu=1)]
    lines = as_text(Plan(jobs, ["ene"])).splitlines()
    stages = {line.split()[0]: line.split() for line in lines if line}
    assert stages["nouns"][1:4] == ["1", "0.100", "-"]
    assert stages["ner"][1:6] == ["2", "3.0", "3.0", "1.5", "GB"]
    assert stages["total"][1:4] == ["3", "3.1", "3.0"]
    chain = lines.index(next(line for line in lines if line.startswith("longest chain: 2 h 01 min")))
    assert [line.split()[-1] for line in lines[chain + 1 : chain + 3]] == ["nouns", "ner_train"]
    assert lines[-1].endswith(": ene")
    assert as_text(Plan([], [])).startswith("Nothing remains to be done")


def test_crawls_are_summed_for_they_run_one_at_a_time():
    jobs = [job("images_fetch", 3600, crawls=1), job("images_fetch", 5400, crawls=1), job("images_fetch", 60)]
    assert "2 h 30 min together" in as_text(Plan(jobs, []))
    assert "together" not in as_text(Plan(jobs[2:], []))


@pytest.mark.parametrize("arguments", [["--snakefile", "nowhere"], ["--configfile", "nowhere.yaml"]])
def test_a_file_that_is_not_there_is_named(arguments, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Snakefile").touch()
    assert main(["plan", *arguments]) == 1
    said = capsys.readouterr().err
    assert arguments[1] in said
    assert "Traceback" not in said
