"""The validated configuration, and the wiring that follows from it."""

import os
import re
import shlex

from snakemake.exceptions import WorkflowError

import visner.config
import visner.studies
import visner.workflow
from visner.errors import VisnerError
from visner.planning.sizes import Sizes

visner.workflow.use_this_python()
try:
    CONFIG = visner.config.load(dict(config))
    WIRING = visner.workflow.Wiring(CONFIG, workflow.basedir)
    STUDIES = visner.studies.Studies(WIRING)
    SIZES = Sizes(WIRING)
except VisnerError as error:
    named = ", ".join(os.path.relpath(file) for file in workflow.configfiles) or "--config"
    raise WorkflowError(str(error).replace("configuration:", f"{named}:"))

# Resources, not params: where a project lies, and where copies are read, changes no result.
ROOT = str(WIRING.root)
SCRATCH = f"--scratch {shlex.quote(CONFIG.scratch)}" if CONFIG.scratch else ""
# What every job that computes with torch says of itself.
TORCH = {
    "mem_mb": SIZES.mem_mb,
    "runtime": SIZES.runtime,
    "gpu": CONFIG.gpu,
    "torch_threads": CONFIG.training_threads,
}


def one_of(names):
    """A regular expression for these names and no others (for none at all, too)."""
    return "|".join(map(re.escape, names)) or "(?!)"


wildcard_constraints:
    corpus=one_of(CONFIG.corpora),
    source=one_of(CONFIG.images),
    embedding=one_of(CONFIG.embeddings),
    vectors=one_of(CONFIG.vectors),
    matcher=one_of(CONFIG.matchers),
    experiment=one_of(CONFIG.experiments),
    study=one_of(CONFIG.studies),
    shard=r"\d+",
    seed=r"\d+",
    direction="forward|backward",


onstart:
    # The SLURM plugin (2.8.0) drops jobs of a job array while not all that are ready may be submitted, and waits for them.
    arrays = getattr(workflow.executor_settings, "array_jobs", None)
    jobs = len(list(workflow.dag.needrun_jobs()))
    if arrays and arrays != "none" and workflow.nodes < jobs:
        raise WorkflowError(
            f"--jobs {workflow.nodes} is less than the {jobs} jobs of this run: snakemake could wait for ever for those"
            f" of {arrays}, which are a job array. Raise it, or add --slurm-array-jobs none"
        )
