"""The validated configuration, and what several stages need of it."""

import json
import os
import re
from pathlib import Path

from snakemake.exceptions import WorkflowError

import visner.config
from visner.errors import VisnerError


def load_config():
    """The configuration, typed; a mistake stops the workflow before any job, in one line each."""
    try:
        return visner.config.load(dict(config))
    except VisnerError as error:
        named = ", ".join(os.path.relpath(file) for file in workflow.configfiles) or "--config"
        raise WorkflowError(str(error).replace("configuration:", f"{named}:"))


CONFIG = load_config()
# Relative paths of the configuration start here; said from the working directory, so that a moved project
# doesn't look like a changed one.
ROOT = os.path.relpath(workflow.basedir)
STORE = os.path.relpath(Path(workflow.basedir) / CONFIG.store)


def one_of(names):
    """A regular expression for these names and no others (for none at all, too)."""
    return "|".join(map(re.escape, names)) or "(?!)"


def experiment(wildcards):
    """The experiment that a job's wildcards name."""
    return CONFIG.experiments[wildcards.experiment]


def shards(kind, wildcards):
    """All shards (`kind`: images or embeddings) that an experiment's grounding reads."""
    this = experiment(wildcards)
    names = [this.embedding, this.images] if kind == "embeddings" else [this.images]
    folder = "/".join(["results", kind, *names, this.corpus])
    return [f"{folder}/{shard}.parquet" for shard in range(CONFIG.corpora[this.corpus].nouns.shards)]


wildcard_constraints:
    corpus=one_of(CONFIG.corpora),
    source=one_of(CONFIG.images),
    embedding=one_of(CONFIG.embeddings),
    vectors=one_of(CONFIG.vectors),
    experiment=one_of(CONFIG.experiments),
    study=one_of(CONFIG.studies),
    shard=r"\d+",
    seed=r"\d+",
    direction="forward|backward",
