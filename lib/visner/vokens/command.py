"""Find every word its pictures: train a matcher, and search a pool with it.

`states` runs every sentence through a frozen text encoder once. `train` fits the matcher, two perceptrons that bring
words and pictures into one space, on the training split's pairs of a word and the picture of its sentence; interrupted,
it goes on from its checkpoint. `pool` brings the pictures that are searched into that space, and `search` gives every
word of every split those with the largest inner product: its vokens. `judge` says how good they are: recall on dev,
diversity, own pictures, overlap of splits. `states` and `search` can each be spread over jobs by --shard and --shards.

    visner vokens states --encoder models/mine --words first \\
        --sentences results/corpora/twitter2017/sentences.parquet --output states.npy --statistics states.json
    visner vokens train --recipe config/twitter2017.yaml:matchers.twitter2017 --sentences ... --states states.npy \\
        --images SHARDS --embeddings SHARDS --resume results/.resume --output matcher.safetensors \\
        --history training.json
"""

import argparse
from pathlib import Path

from visner import stages
from visner.errors import VisnerError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verbs `states`, `train`, `pool`, `search` and `judge`."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    states = verbs.add_parser("states", help="the words' states in the frozen text encoder")
    states.add_argument("--encoder", type=Path, required=True, metavar="FOLDER", help="a HuggingFace encoder")
    states.add_argument("--words", choices=("first", "mean"), default="first", help="of a word's sub-tokens")
    states.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    states.add_argument("--output", type=Path, required=True, metavar="NPY", help="made: a row a word")
    states.add_argument("--statistics", type=Path, required=True, metavar="JSON", help="made: what was cut or empty")

    train = verbs.add_parser("train", help="fit the matcher")
    train.add_argument("--resume", type=Path, required=True, metavar="FOLDER", help="where checkpoints are kept")
    train.add_argument("--output", type=Path, required=True, metavar="SAFETENSORS", help="made: the matcher")
    train.add_argument("--history", type=Path, required=True, metavar="JSON", help="made: losses and recall on dev")

    pool = verbs.add_parser("pool", help="the pictures that are searched")
    pool.add_argument("--output", type=Path, required=True, metavar="PARQUET", help="made: the pool")
    pool.add_argument("--graph", type=Path, required=True, metavar="NPY", help="made: FAISS's graph, past a million")

    search = verbs.add_parser("search", help="the vokens of all words")
    search.add_argument("--states", type=Path, required=True, metavar="NPY", help="of the same shard")
    search.add_argument("--pool", type=Path, required=True, metavar="PARQUET", help="what `pool` made")
    search.add_argument("--graph", type=Path, required=True, metavar="NPY", help="the same")
    search.add_argument("--output", type=Path, required=True, metavar="PARQUET", help="made: the vokens")

    judge = verbs.add_parser("judge", help="recall, diversity, own pictures, overlap of splits")
    judge.add_argument("--name", required=True, help="of the matcher, for the page")
    judge.add_argument(
        "--vokens", type=Path, required=True, nargs="+", metavar="PARQUET", help="what `search` made, in order"
    )
    judge.add_argument(
        "--states-statistics", type=Path, required=True, nargs="+", metavar="JSON", help="what `states` counted"
    )
    judge.add_argument("--output", type=Path, required=True, metavar="JSON", help="made: the scores")
    judge.add_argument("--page", type=Path, required=True, metavar="FILE", help="made: the same as Markdown")

    for verb in (states, train, pool, search, judge):
        verb.add_argument("--sentences", type=Path, required=True, metavar="PARQUET")
        stages.add_compute_arguments(verb)
    for verb in (states, search):
        verb.add_argument("--shard", type=int, default=0, help="of the sentences, from 0 (default: 0)")
        verb.add_argument("--shards", type=int, default=1, help="that there are (default: 1)")
    for verb, whose in ((train, "the attachments'"), (pool, "the pool's"), (judge, "the attachments'")):
        verb.add_argument("--states", type=Path, required=True, nargs="+", metavar="NPY", help="all shards, in order")
        verb.add_argument("--images", type=Path, required=True, nargs="+", metavar="PARQUET", help=f"{whose} shards")
        verb.add_argument("--embeddings", type=Path, required=True, nargs="+", metavar="PARQUET", help="their vectors")
    for verb in (train, pool, search):
        verb.add_argument("--recipe", required=True, help="the matcher: JSON, or FILE.yaml:matchers.NAME")
    for verb in (pool, search, judge):
        verb.add_argument("--matcher", type=Path, required=True, metavar="SAFETENSORS", help="what `train` made")


def run(arguments: argparse.Namespace) -> None:
    """Run a verb."""
    from visner import device

    stages.die_with_parent()
    on = device.select(arguments.gpu, arguments.threads)
    with stages.locked(arguments.output):
        VERBS[arguments.verb](arguments, on)


def _rows(arguments: argparse.Namespace) -> range:
    """The rows of the shard's sentences."""
    from visner.tables import shard_rows

    if not 0 <= arguments.shard < arguments.shards:
        raise VisnerError(f"--shard {arguments.shard}: shards are counted from 0 to {arguments.shards - 1}")
    return shard_rows(arguments.sentences, arguments.shard, arguments.shards)


def _states(arguments: argparse.Namespace, on) -> None:
    from visner import tables
    from visner.vokens.encoding import load_encoder, write_states

    rows, encoder = _rows(arguments), load_encoder(arguments.encoder, on, arguments.precision)
    counts = write_states(arguments.sentences, rows, encoder, arguments.words, arguments.output)
    tables.write_json(arguments.statistics, counts)
    stages.log.info(
        "%(words)d words; %(without_subtokens)d without sub-tokens, %(truncated_words)d beyond the encoder's positions "
        "in %(truncated_sentences)d sentences",
        counts,
    )


def _train(arguments: argparse.Namespace, on) -> None:
    from visner.config import read_recipe
    from visner.recipes import Matcher
    from visner.vokens.train import train

    train(
        read_recipe(arguments.recipe, Matcher),
        *(arguments.sentences, arguments.states, arguments.images, arguments.embeddings),
        *(arguments.resume, arguments.output, arguments.history, on),
    )


def _pool(arguments: argparse.Namespace, on) -> None:
    from visner.config import read_recipe
    from visner.recipes import Matcher
    from visner.vokens.pool import write_pool

    search = write_pool(
        read_recipe(arguments.recipe, Matcher),
        *(arguments.sentences, arguments.states, arguments.matcher, arguments.images, arguments.embeddings),
        *(arguments.output, arguments.graph, on),
    )
    stages.log.info("%(pictures)d pictures of %(names)d names; %(method)s search", search)


def _search(arguments: argparse.Namespace, on) -> None:
    from visner.config import read_recipe
    from visner.recipes import Matcher
    from visner.vokens.vokenize import vokenize

    vokenize(
        read_recipe(arguments.recipe, Matcher),
        *(arguments.sentences, _rows(arguments), arguments.states, arguments.matcher),
        *(arguments.pool, arguments.graph, arguments.output, on),
    )


def _judge(arguments: argparse.Namespace, on) -> None:
    from visner import tables
    from visner.vokens.judging import judge
    from visner.vokens.page import page

    scores = judge(
        *(arguments.sentences, arguments.states, arguments.states_statistics, arguments.matcher),
        *(arguments.images, arguments.embeddings, arguments.vokens, on),
    )
    tables.write_json(arguments.output, scores)
    tables.write_text(arguments.page, page(arguments.name, scores))
    stages.log.info("dev: recall@1 %s, @5 %s, @10 %s", *scores["recall"]["at"].values())


VERBS = {"states": _states, "train": _train, "pool": _pool, "search": _search, "judge": _judge}
