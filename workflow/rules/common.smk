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


def has_words(corpus):
    """Whether a corpus is cut into words: of tokens, which are words already, it isn't."""
    return getattr(CONFIG.corpora[corpus], "units", "characters") == "characters"


def nouns_statistics(corpus):
    """What was counted of a corpus' nouns, where it has any."""
    return [f"results/nouns/{corpus}/statistics.json"] if has_words(corpus) else []


def part_of(w):
    """The recipe of GloVe vectors: the key `part` of a vectors recipe."""
    return getattr(CONFIG.vectors[w.vectors], w.part)


def training_texts(table, recipe):
    """A table of each corpus that vectors are trained on."""
    return [f"results/{table.format(corpus)}" for corpus in recipe.corpora]


def by(grounding):
    """How a grounding's units come by their pictures: query, voken or attachment."""
    return CONFIG.groundings[grounding].by


def pictures_of(w):
    """The images recipe whose pictures the units of a corpus see, and the corpus whose queries it was asked."""
    return CONFIG.pictures_of(CONFIG.groundings[w.grounding], w.corpus)


def image_shards(images, corpus):
    """All shards of the pictures of a corpus' queries."""
    return expand("results/images/{}/{}/{{shard}}.parquet".format(images, corpus), shard=shards_of(corpus))


def embedding_shards(embedding, images, corpus):
    """All shards of their vectors."""
    place = "results/embeddings/{}/{}/{}/{{shard}}.parquet".format(embedding, images, corpus)
    return expand(place, shard=shards_of(corpus))


def of(w):
    """The experiment of a job."""
    return CONFIG.experiments[w.experiment]


def text_vectors(part, *files):
    """An input function: files of a bilstm_crf's text vectors, if its recipe `vectors` has that part."""

    def inputs(w):
        if of(w).model != "bilstm_crf" or not getattr(CONFIG.vectors[of(w).vectors], part):
            return []
        paths = [f"results/vectors/{of(w).vectors}/{file.format(corpus=of(w).corpus)}" for file in files]
        return paths if len(paths) > 1 else paths[0]

    return inputs


def pictures(file):
    """An input function: a file of the pictures that a system sees, if it sees any."""
    return lambda w: f"results/grounding/{of(w).grounding}/{of(w).corpus}/{file}" if of(w).grounding else []


def shards_of(corpus):
    """The numbers of the shards of a corpus' pictures."""
    return range(CONFIG.corpora[corpus].nouns.shards)


def vokens_of(matcher):
    """All shards of the vokens that a matcher found."""
    place = "results/vokens/{}/vokens/{{shard}}.parquet".format(matcher)
    return expand(place, shard=range(CONFIG.matchers[matcher].shards))


def is_attached(source):
    """Whether a source is asked for a corpus' attachments; the others are asked for its nouns."""
    return CONFIG.images[source].source == "attached"


def queries_of(w):
    """The path stem of a corpus' query tables: STEM.parquet has all queries, STEM/N.parquet those of shard N."""
    return f"results/corpora/{w.corpus}/attachments" if is_attached(w.source) else f"results/nouns/{w.corpus}/queries"


def queries_of_shard(w):
    """A shard's own queries, of which Snakemake compares the checksum, since a checkpoint makes them."""
    (checkpoints.corpora_attachments if is_attached(w.source) else checkpoints.nouns_find).get(corpus=w.corpus)
    return f"{queries_of(w)}/{w.shard}.parquet"


def images_of_shard(w):
    """A shard's pictures. Without the checkpoint, Snakemake would embed shards again that turn out unchanged."""
    queries_of_shard(w)
    return f"results/images/{w.source}/{w.corpus}/{w.shard}.parquet"


def words_of(corpus):
    """The words of a corpus that is cut into words."""
    return f"results/nouns/{corpus}/words.parquet" if has_words(corpus) else []


def seed_files(experiments, file):
    """A file of each seed of some experiments."""
    return [f"results/{one}/seed{seed}/{file}" for one in experiments for seed in CONFIG.experiments[one].seeds]


def members(study):
    """A study's experiments, the baseline first."""
    return [CONFIG.studies[study].baseline, *CONFIG.studies[study].systems]


def corpus_of(study):
    """The one corpus of a study's experiments."""
    return CONFIG.experiments[CONFIG.studies[study].baseline].corpus


def groundings_of(study):
    """The recipes of what a study's systems see."""
    names = dict.fromkeys(CONFIG.experiments[one].grounding for one in CONFIG.studies[study].systems)
    return [CONFIG.groundings[name] for name in names if name]


def matchers_of(study):
    """The matchers whose vokens a study's systems see."""
    return list(dict.fromkeys(one.matcher for one in groundings_of(study) if one.by == "voken"))


def sources_of(study):
    """The sources of pictures that a study's systems see, or their matchers learnt from, each with its corpus."""
    learnt = [(CONFIG.matchers[one].images, corpus_of(study)) for one in matchers_of(study)]
    return list(dict.fromkeys([*learnt, *(CONFIG.pictures_of(one, corpus_of(study)) for one in groundings_of(study))]))


def shown(study):
    """The system whose pictures a study's gallery shows; None where there is none."""
    return CONFIG.studies[study].gallery.system or next(iter(CONFIG.shown_systems(study)), None)


def shown_grounding(w):
    """The grounding of that system."""
    return CONFIG.groundings[CONFIG.experiments[shown(w.study)].grounding]


def matcher_of(w):
    """The matcher's recipe."""
    return CONFIG.matchers[w.matcher]


def matched_sentences(w):
    """The sentences whose words a matcher finds pictures."""
    return f"results/corpora/{matcher_of(w).corpus}/sentences.parquet"


def attachments_of(w):
    """The images recipe of the sentences' own pictures, and their corpus."""
    return matcher_of(w).images, matcher_of(w).corpus


def pool_of(w):
    """The images recipe whose pictures are searched, and the corpus that it was asked for."""
    recipe = matcher_of(w)
    return recipe.pool or recipe.images, recipe.pool_corpus or recipe.corpus


def all_states(suffix):
    """An input function: all shards of what vokens_states makes, .npy or .json."""
    return lambda w: expand(
        "results/vokens/{matcher}/states/{shard}{suffix}",
        matcher=w.matcher,
        shard=range(matcher_of(w).shards),
        suffix=suffix,
    )


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
