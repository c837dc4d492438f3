"""From a rule to its function: what reaches it, under which names and types."""

import logging
from pathlib import Path

import pytest
from self_terminating import as_job

from visner import jobs
from visner.config.corpora import Nouns
from visner.errors import VisnerError


@pytest.fixture
def root_logger():
    """The root logger, which is as before after the test."""
    logger = logging.getLogger()
    before = logger.level, logger.handlers[:]
    yield logger
    logger.level, logger.handlers[:] = before


@pytest.fixture
def job(tmp_path):
    """A job of a rule `nouns_find`, with an input that has no name, a list, and an empty list."""
    job = as_job(
        "nouns_find",
        tmp_path / "log",
        input={"sentences": "s.parquet", "shards": ["0", "1"], "words": [], "nouns": ["n"], "counts": ["m"]},
        output={"output": str(tmp_path / "made")},
        params={"recipe": Nouns(shards=3).fingerprint(), "version": "7"},
        wildcards={"corpus": "c", "seed": "12", "unused": "x"},
        threads=2,
    )
    job.input.append("only waited for")
    return job


def test_what_a_rule_names_reaches_its_function(job, tmp_path):
    def function(
        *,
        sentences: Path,
        shards: list[Path],
        words: Path | None = None,
        nouns: Path | None,
        counts: list[Path],
        output: Path,
        recipe: Nouns,
        seed: int,
        corpus,
        workers,
        store,
        root,
    ):
        pass

    assert jobs.arguments(function, job, ".") == {
        "sentences": Path("s.parquet"),
        "shards": [Path("0"), Path("1")],
        "words": None,
        "nouns": Path("n"),
        "counts": [Path("m")],
        "output": tmp_path / "made",
        "recipe": Nouns(shards=3),
        "seed": 12,
        "corpus": "c",
        "workers": 2,
        "store": Path("store"),
        "root": Path("."),
    }


def test_a_table_that_the_function_does_not_know_is_an_error(job):
    def function(*, sentences, output):
        pass

    with pytest.raises(TypeError, match="unexpected keyword argument"):
        function(**jobs.arguments(function, job, "."))


@pytest.mark.parametrize(
    "error, last",
    [(VisnerError("a.txt:3: no label"), "nouns_find: a.txt:3: no label"), (OSError("full"), "OSError: full")],
)
def test_a_failure_is_the_logs_last_line(job, monkeypatch, root_logger, error, last):
    def fail(*, output, **_):
        raise error

    monkeypatch.setattr(jobs, "function_of", lambda rule: fail)
    monkeypatch.setattr(jobs.stages, "die_with_parent", lambda: None)
    with pytest.raises(SystemExit) as end:
        jobs.run(job, ".")
    assert end.value.code == 1
    assert Path(job.log[0]).read_text().splitlines()[-1] == last
    assert not Path(job.output[0]).exists()
