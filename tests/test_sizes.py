"""What jobs ask for: more for more input and for another attempt, and enough for what was measured."""

import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visner import sizes

ROOT = Path(__file__).resolve().parents[1]
FILES = ["results/corpora/a/sentences.parquet", "results/images/x/a/0.parquet", "results/vectors/a/flair.npy"]
RULES = [*sizes.RULES, "corpora_read", "evaluation_study"]


def asked(rule, megabytes, threads=1, attempt=1, gpu=0):
    """(minutes, MB) for files of so many MB."""
    files, size = list(megabytes), megabytes.get
    return sizes.runtime(None, files, rule, threads, attempt, gpu, size), sizes.mem_mb(None, files, rule, attempt, size)


@given(st.sampled_from(RULES), *[st.lists(st.floats(0, 1e5), min_size=3, max_size=3)] * 2, st.integers(1, 64))
def test_more_input_never_asks_for_less(rule, one, other, threads):
    both = dict(zip(FILES, map(max, one, other), strict=True))
    for less in (one, other):
        few = dict(zip(FILES, less, strict=True))
        assert all(a <= b for a, b in zip(asked(rule, few, threads), asked(rule, both, threads), strict=True))


@pytest.mark.parametrize("rule", RULES)
def test_another_attempt_asks_for_more_and_more_threads_for_no_more(rule):
    files = dict.fromkeys(FILES, 50.0)
    minutes, megabytes = zip(*(asked(rule, files, 1, attempt) for attempt in (1, 2, 3)), strict=True)
    assert minutes[0] < minutes[1] < minutes[2]
    assert megabytes[0] < megabytes[1] < megabytes[2]
    assert asked(rule, files, 8)[0] <= minutes[0]
    assert asked(rule, files, 8, gpu=1)[0] <= asked(rule, files, 8)[0]


# Measured on two cores of an Intel Xeon; MB of the files that a job reads, its peak memory, its minutes on one core.
MEASURED = {
    "corpora_read": ({"data/gsd-ene/ene.txt": 1.2}, 194, 0.1),
    "nouns_find": ({"results/corpora/gsd/sentences.parquet": 1.2}, 943, 0.1),
    "vectors_glove": ({"results/nouns/gsd/words.parquet": 1.4}, 235, 0.3),
    "vectors_flair_train": ({"results/nouns/gsd/words.parquet": 1.4}, 1024, 6.0),
    "embeddings_embed": ({"results/images/pool/gsd/1.parquet": 5.2}, 1016, 1.0),
    "ner_train": ({"results/corpora/gsd/sentences.parquet": 1.2, "results/vectors/gsd/gsd/flair.npy": 186}, 1238, 8.6),
    "ner_predict": ({"results/corpora/gsd/sentences.parquet": 1.2, "results/vectors/gsd/gsd/flair.npy": 186}, 978, 0.1),
}


@pytest.mark.parametrize("rule", MEASURED)
def test_the_first_attempt_asks_for_enough_of_what_was_measured(rule):
    files, megabytes, minutes = MEASURED[rule]
    snakemake = 350  # in a job of SLURM's it runs twice
    given_minutes, given_megabytes = asked(rule, files)
    assert given_megabytes >= megabytes + snakemake
    assert given_minutes >= 2 * minutes


def test_a_file_is_as_large_as_it_is_and_nothing_where_it_is_not_there_yet(tmp_path):
    file = tmp_path / "a.parquet"
    file.write_bytes(bytes(3_000_000))
    assert sizes.megabytes(str(file)) == 3.0
    assert sizes.megabytes(str(tmp_path / "b.parquet")) == 0.0
    assert sizes.mem_mb(None, [str(file)], "grounding", 1) == 1000 + 3 * sizes.TEXT


def test_every_rule_that_asks_for_more_is_a_rule():
    text = "".join(file.read_text() for file in (ROOT / "workflow" / "rules").glob("*.smk"))
    rules = set(re.findall(r"^(?:rule|checkpoint) (\w+):|^use rule \w+ as (\w+) with:", text, re.MULTILINE))
    assert set(sizes.RULES) <= {name for names in rules for name in names}


def test_this_machine_lets_its_jobs_use_four_fifths_of_its_memory(monkeypatch):
    parse_args = pytest.importorskip("snakemake.cli").parse_args
    resources = parse_args(["--snakefile", str(ROOT / "Snakefile")])[1].resources
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e6
    assert int(re.search(r"mem_mb\D+(\d+)", str(resources))[1]) == pytest.approx(0.8 * memory, abs=1)
