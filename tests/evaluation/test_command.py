"""Arguments that can't be right are refused before anything is read."""

import argparse

import pytest

from visner.errors import VisnerError
from visner.evaluation import command

SCORES = "scores --recipe {} --name x --system y --sentences s --output OUT/x.json"
STUDY = (
    "study --recipe {} --name x --corpus-statistics c --nouns-statistics n --sentences s --tables t --output OUT/x.md"
)


@pytest.mark.parametrize(
    "line, message",
    [
        (f"{SCORES} --seeds 1 1 --predictions a b --training a b", "--seeds: a seed comes twice"),
        (f"{SCORES} --seeds 1 2 --predictions a --training a b", "--predictions: 1 files for 2 seeds"),
        (f"{SCORES} --seeds 1 --predictions a --training a b", "--training: 2 files for 1 seeds"),
        (f"{SCORES} --seeds 1 --predictions a --training b", "--recipe: "),
        (f"{STUDY} --scores a.json --predictions x:1=b", "--scores: a.json: write NAME=FILE"),
        (f"{STUDY} --scores x=a --predictions x=b", "--predictions: x=b: write EXPERIMENT:SEED=FILE"),
        (f"{STUDY} --scores x=a --predictions x:1=b x:1=c", "--predictions: x:1 comes twice"),
    ],
)
def test_wrong_arguments_are_named(tmp_path, line, message):
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    arguments = parser.parse_args(line.replace("OUT", str(tmp_path)).split())
    with pytest.raises(VisnerError, match=message):
        command.run(arguments)
