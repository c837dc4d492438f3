"""What is refused before a run begins, and what isn't."""

import pytest

from visner import submission
from visner.errors import VisnerError
from visner.submission import Due

ARRAYS = "embeddings_embed, vokens_states"
SHARDS = [Due("embeddings_embed", {"gpu": 1, "mem_mb": 500, "crawls": 0})] * 12
OTHERS = [Due("ner_train", {"gpu": 1, "mem_mb": 900}), Due("images_fetch", {"gpu": 0, "crawls": 1})]
PLENTY = {"--jobs": 2000, "--max-jobs-per-timespan": 2000}


@pytest.mark.parametrize(
    "at_once, limits, named",
    [
        ({"--jobs": 13}, {}, "--jobs 13 is less than the 14 jobs of this run: .* those of embeddings_embed, which"),
        ({"--jobs": 99, "--max-jobs-per-timespan": 5}, {}, "--max-jobs-per-timespan 5 is less"),
        (PLENTY, {"gpu": 4}, "--resources gpu=4 is less than the 13 that the jobs of this run ask for"),
        (PLENTY, {"crawls": 1, "mem_mb": 6000}, "--resources mem_mb=6000 is less than the 6900"),
    ],
)
def test_limits_by_which_the_plugin_would_lose_jobs_of_an_array(at_once, limits, named):
    with pytest.raises(VisnerError, match=f"{named}.*--slurm-array-jobs none"):
        submission.check([*SHARDS, *OTHERS], ARRAYS, at_once, limits)
    for arrays in ("none", "", "vokens_search"):
        submission.check([*SHARDS, *OTHERS], arrays, at_once, limits)
    alone = [*SHARDS[:1], Due("vokens_states", {"gpu": 1}), *OTHERS]  # arrays of one are jobs as any
    submission.check(alone, ARRAYS, at_once | {"--jobs": 1}, limits | {"gpu": 1})


def test_limits_that_no_array_meets():
    submission.check([*SHARDS, *OTHERS], ARRAYS, PLENTY, {"crawls": 1, "gpu": 13})
    submission.check(OTHERS * 60, ARRAYS, {"--jobs": 9}, {"gpu": 1})


def test_a_job_of_several_gpus_is_refused_before_it_waits_for_them():
    with pytest.raises(VisnerError, match="ner_train: a job of it asks for 2 GPUs and would use one"):
        submission.check([Due("ner_train", {"gpu": 2})], "none", {}, {})
