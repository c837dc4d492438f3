"""The validated configuration, and what the rules ask it."""

import os
import re
from functools import partial
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger
from snakemake.shell import shell

import visner.config
import visner.config.files
import visner.config.encoders
import visner.config.preflight
import visner.sizes
import visner.submission
from visner.errors import VisnerError
from visner.config.base import below

DEFAULT = os.path.join(workflow.basedir, "config.yaml")
CONFIG_FILES = [os.path.relpath(file) for file in workflow.configfiles or [DEFAULT]]


# The Snakefile's folder as the working directory names it, so that a moved project doesn't look like a changed one.
ROOT = os.path.relpath(workflow.basedir)


def as_snakemakes(error):
    """Our error as Snakemake's own, which it prints without a traceback."""
    return WorkflowError(str(error).replace("configuration:", f"{', '.join(CONFIG_FILES)}:"))


try:
    visner.config.files.check(CONFIG_FILES)
except VisnerError as error:
    raise as_snakemakes(error)

# A configuration is whole by itself: the default file is read only where no other one was named.
if not workflow.configfiles:

    configfile: DEFAULT


try:
    CONFIG = visner.config.load(dict(config))
    # A cluster's job needn't see every file: its run has looked already, where it was started.
    if workflow.is_main_process:
        visner.config.preflight.check(CONFIG, Path(ROOT))
    CORPUS_FILES = visner.config.preflight.corpus_files(CONFIG, Path(ROOT))
except VisnerError as error:
    raise as_snakemakes(error)

if CONFIG.gpu and workflow.is_main_process and not visner.config.preflight.sees_gpu():
    logger.warning(
        f"{', '.join(CONFIG_FILES)}: gpu: {CONFIG.gpu}: this machine seems to have no GPU (no /dev/nvidia*, no"
        " nvidia-smi): jobs that compute here will stop; those on a cluster's nodes with GPUs won't"
    )

# What every job asks for, and what one asks for that computes with torch.
PLAIN = {"mem_mb": visner.sizes.mem_mb, "runtime": visner.sizes.runtime, "gpu": 0}
ON_GPU = PLAIN | {"runtime": partial(visner.sizes.runtime, gpu=CONFIG.gpu), "gpu": CONFIG.gpu}
# Corpora of which a rule downloads files.
DOWNLOADS = {name: recipe.download for name, recipe in CONFIG.corpora.items() if getattr(recipe, "download", None)}
# Encoders that are fetched: the name of each one's folder, and its own.
HUB_ENCODERS = {
    os.path.basename(visner.config.encoders.folder(name, ROOT)): name
    for name in sorted(CONFIG.encoders().values())
    if visner.config.encoders.of_hub(name, ROOT)
}


# A job's process takes the place of the shell that starts it: so it is Snakemake's child, and ends with it.
shell.prefix("exec ")


def one_of(names):
    """A regular expression for these names and no others (for none at all, too)."""
    return "|".join(map(re.escape, names)) or "(?!)"


def of(w):
    """The experiment of a job."""
    return CONFIG.experiments[w.experiment]


def grounding_of(w):
    """The grounding of a job."""
    return CONFIG.groundings[w.grounding]


def matcher_of(w):
    """The matcher of a job."""
    return CONFIG.matchers[w.matcher]


def glove_of(w):
    """The recipe of a job's GloVe vectors."""
    return getattr(CONFIG.vectors[w.vectors], w.part)


def shown_grounding(w):
    """The grounding of the system whose pictures a study's gallery shows."""
    return CONFIG.groundings[CONFIG.experiments[CONFIG.shown(w.study)].grounding]


def nouns(corpus, file):
    """A file of a corpus' nouns, if it has any: a corpus of tokens has none."""
    return [] if CONFIG.corpora[corpus].of_tokens else f"results/nouns/{corpus}/{file}"


def text_vectors(part, *files):
    """An input function: files of a bilstm_crf's text vectors, if its recipe `vectors` has that part."""

    def inputs(w):
        if of(w).model != "bilstm_crf" or not getattr(CONFIG.vectors[of(w).vectors], part):
            return []
        paths = [f"results/vectors/{of(w).vectors}/{file.format(corpus=of(w).corpus)}" for file in files]
        return paths if len(paths) > 1 else paths[0]

    return inputs


def grounding_file(file):
    """An input function: a file of the pictures that a system sees, if it sees any."""
    return lambda w: f"results/grounding/{of(w).grounding}/{of(w).corpus}/{file}" if of(w).grounding else []


def image_shards(images, corpus):
    """All shards of the pictures of a corpus' queries."""
    shards = range(CONFIG.corpora[corpus].nouns.shards)
    return expand("results/images/{}/{}/{{shard}}.parquet".format(images, corpus), shard=shards)


def embedding_shards(embedding, images, corpus):
    """All shards of their vectors."""
    return [one.replace("images", f"embeddings/{embedding}", 1) for one in image_shards(images, corpus)]


def matcher_shards(matcher, file):
    """All shards of what a matcher's jobs make for its sentences: states, or vokens."""
    return expand(f"results/vokens/{matcher}/{file}", shard=range(CONFIG.matchers[matcher].shards))


def queries_of(w):
    """The path stem of a corpus' query tables: STEM.parquet has all queries, STEM/N.parquet those of shard N."""
    if CONFIG.images[w.source].source == "attached":
        return f"results/corpora/{w.corpus}/attachments"
    return f"results/nouns/{w.corpus}/queries"


def queries_of_shard(w):
    """A shard's own queries, of which Snakemake compares the checksum, since a checkpoint makes them."""
    attached = CONFIG.images[w.source].source == "attached"
    (checkpoints.corpora_attachments if attached else checkpoints.nouns_find).get(corpus=w.corpus)
    return f"{queries_of(w)}/{w.shard}.parquet"


def images_of_shard(w):
    """A shard's pictures. Without the checkpoint, Snakemake would embed shards again that turn out unchanged."""
    queries_of_shard(w)
    return f"results/images/{w.source}/{w.corpus}/{w.shard}.parquet"


def seed_files(experiments, file):
    """A file of each seed of some experiments."""
    return [f"results/{one}/seed{seed}/{file}" for one in experiments for seed in CONFIG.experiments[one].seeds]


wildcard_constraints:
    corpus=one_of(CONFIG.corpora),
    source=one_of(CONFIG.images),
    embedding=one_of(CONFIG.embeddings),
    vectors=one_of(CONFIG.vectors),
    matcher=one_of(CONFIG.matchers),
    grounding=one_of(CONFIG.groundings),
    experiment=one_of(CONFIG.experiments),
    study=one_of(CONFIG.studies),
    shard=r"\d+",
    seed=r"\d+",
    direction="forward|backward",


onstart:
    try:
        visner.submission.check_run(workflow)
    except VisnerError as error:
        raise as_snakemakes(error)
