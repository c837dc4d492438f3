"""A plan of a graph of jobs: the longest chain against all chains, crawls one after the other, what is printed."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visner.cli import main
from visner.plan import Job, as_text, due_jobs, longest


class Part:
    """Something with these attributes; unlike a SimpleNamespace it can be a key."""

    def __init__(self, **attributes):
        self.__dict__ |= attributes

    def get(self, name, default):
        return getattr(self, name, default)


class Graph:
    """A graph of jobs as Snakemake has it: rule, threads and what each waits for; a job reads what those have made."""

    def __init__(self, *jobs, crawls=()):
        self.jobs, self.dependencies = [], {}
        for place, (rule, threads, waits_for) in enumerate(jobs):
            job = Part(
                rule=Part(name=rule, norun=False),
                wildcards={},
                wildcards_dict={},
                threads=threads,
                resources=Part(gpu=0, crawls=int(place in crawls)),
                input=[f"{before}.parquet" for before in waits_for] or [f"{place}.xml"],
                output=[f"{place}.parquet"],
            )
            self.dependencies[job] = {self.jobs[before] for before in waits_for}
            self.jobs.append(job)

    def needrun_jobs(self):
        return self.jobs[::-1]


@st.composite
def graphs(draw):
    """Up to six jobs of three rules; each waits for some of those before it."""
    count = draw(st.integers(1, 6))
    return [
        (
            draw(st.sampled_from(["ner_train", "embeddings_embed", "ner_describe"])),
            1,
            sorted(draw(st.sets(st.integers(0, node - 1)))) if node else [],
        )
        for node in range(count)
    ]


@given(graphs())
def test_the_longest_chain_is_the_longest_of_all_chains(graph):
    minutes = {"ner_train": 30, "embeddings_embed": 30, "ner_describe": 10}
    chains = [
        chain
        for length in range(1, len(graph) + 1)
        for chain in permutations(range(len(graph)), length)
        if all(before in graph[after][2] for before, after in zip(chain, chain[1:], strict=False))
    ]
    found = longest(due_jobs(Graph(*graph)))
    assert sum(job.minutes for job in found) == max(sum(minutes[graph[node][0]] for node in chain) for chain in chains)
    assert [job.name for job in found] in [[graph[node][0] for node in chain] for chain in chains]


def test_crawls_wait_for_each_other_whatever_the_graph_says():
    fetch = [("images_fetch", 2, [])] * 3
    assert len(longest(due_jobs(Graph(*fetch)))) == 1
    assert len(longest(due_jobs(Graph(*fetch, crawls=(0, 2))))) == 2


def test_a_table_that_is_not_there_yet_counts_as_large_as_its_corpus(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    graph = Graph(("corpora_read", 1, []), ("nouns_find", 1, [0]), ("ner_train", 2, [0, 1]))
    before = {job.name: job for job in due_jobs(graph)}
    (tmp_path / "0.xml").write_bytes(bytes(2_000_000))
    after = {job.name: job for job in due_jobs(graph)}
    assert before["ner_train"].minutes == 30
    assert after["ner_train"].minutes == 30 + 120 * 4 / 2
    assert after["nouns_find"].mem_mb == before["nouns_find"].mem_mb + 200
    (tmp_path / "0.parquet").write_bytes(bytes(1_000_000))  # now it is there
    assert due_jobs(graph)[-1].minutes == 30 + 120 * 2 / 2


def test_the_table_adds_up_by_stage_and_shows_the_chain():
    first = Job("nouns_find ene", 10, 0, 36, 1000, ())
    jobs = [
        first,
        Job("ner_train ene_gate 1", 1, 1, 120, 2500, (first,)),
        Job("ner_train ene_gate 2", 1, 1, 60, 500, ()),
    ]
    lines = as_text(jobs).splitlines()
    stages = {line.split()[0]: line.split()[1:] for line in lines if line}
    assert stages["nouns"][:3] == ["1", "6.0", "0.0"]
    assert stages["ner"] == ["2", "3.0", "3.0", "2.0", "h", "2.5", "GB"]
    assert stages["total"][:3] == ["3", "9.0", "3.0"]
    chain = lines.index(next(line for line in lines if line.startswith("longest chain: 2.6 h")))
    assert [line.split(" h  ")[1] for line in lines[chain + 1 :]] == ["nouns_find ene", "ner_train ene_gate 1"]


@pytest.mark.parametrize("arguments", [["--snakefile", "nowhere"], ["--configfile", "nowhere.yaml"]])
def test_a_file_that_is_not_there_is_named(arguments, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Snakefile").touch()
    assert main(["plan", *arguments]) == 1
    said = capsys.readouterr().err
    assert arguments[1] in said
    assert "Traceback" not in said
