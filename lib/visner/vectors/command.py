"""Make word and character vectors: GloVe, and Flair's contextual ones; fetch encoders that are fine-tuned later.

glove trains GloVe on the training sentences of one or more corpora, or imports ready vectors (`path` in the recipe:
word2vec's text or binary format, GloVe's text, or gensim's *.kv, which runs code as it is read). flair-train trains a
character language model with the flair library, flair-import takes a ready one; both write safetensors. flair-embed
then runs a forward and a backward model over every sentence of a corpus and writes one row a word occurrence, in the
order of the words table. encoder fetches a text encoder of HuggingFace's hub into a folder.

    visner vectors glove --recipe '{"corpora": ["ene"], "dimensions": 100}' --unit character \\
        --sentences results/corpora/ene/sentences.parquet --words results/nouns/ene/words.parquet \\
        --resume results/.resume --output results/vectors/ene/glove_char.safetensors
"""

import argparse
from pathlib import Path

from visner import stages

DIRECTIONS = ("forward", "backward")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verbs and what each of them reads and makes."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    glove = verbs.add_parser("glove", help="train GloVe, or import ready vectors")
    _add_recipe(glove, "Glove")
    glove.add_argument("--unit", required=True, choices=("character", "word"), help="what gets a vector")
    _add_texts(glove, required=False)
    _add_root(glove)
    glove.add_argument("--threads", type=int, default=1, metavar="N", help="on the CPU; the result is the same (1)")
    glove.set_defaults(verb_run=_glove)

    train = verbs.add_parser("flair-train", help="train a character language model with the flair library")
    _add_recipe(train, "Flair")
    _add_direction(train)
    _add_texts(train, required=True)
    stages.add_compute_arguments(train)
    train.set_defaults(verb_run=_flair_train)

    ready = verbs.add_parser("flair-import", help="convert a ready character language model")
    _add_recipe(ready, "Flair")
    _add_direction(ready)
    _add_root(ready)
    ready.set_defaults(verb_run=_flair_import)

    embed = verbs.add_parser("flair-embed", help="a vector of every word occurrence of a corpus")
    for direction in DIRECTIONS:
        embed.add_argument(f"--{direction}", required=True, type=Path, metavar="FILE", help=f"the {direction} model")
    embed.add_argument("--words", required=True, type=Path, metavar="TABLE", help="the corpus' words")
    stages.add_compute_arguments(embed)
    embed.set_defaults(verb_run=_flair_embed)

    encoder = verbs.add_parser("encoder", help="fetch a text encoder of HuggingFace's hub")
    encoder.add_argument("--name", required=True, help="its name there and a commit or tag: NAME@REVISION")
    encoder.add_argument("--output", required=True, type=Path, metavar="FOLDER")
    encoder.set_defaults(verb_run=_encoder)

    for verb in (glove, train):
        verb.add_argument("--resume", type=Path, required=True, metavar="FOLDER", help="where checkpoints are kept")
    for verb in (glove, train, ready, embed):
        verb.add_argument("--output", required=True, type=Path, metavar="FILE")


def run(arguments: argparse.Namespace) -> None:
    """Run one verb, holding the lock of its output."""
    stages.die_with_parent()
    with stages.locked(arguments.output):
        arguments.verb_run(arguments)


def _glove(arguments: argparse.Namespace) -> None:
    import numpy as np

    from visner.checkpoints import checkpoint
    from visner.config import read_recipe
    from visner.errors import VisnerError
    from visner.keyed_vectors import UNSEEN, write_vectors
    from visner.provenance import sha256_file, sha256_files
    from visner.recipes import Glove, below
    from visner.vectors import TRAINING_VERSION, cooccurrence, glove
    from visner.vectors.ready_vectors import import_vectors
    from visner.vectors.texts import training_sentences

    recipe = read_recipe(arguments.recipe, Glove)

    def write(keys: list[str], vectors, data: str) -> None:
        provenance = _provenance(recipe, data, "numpy", "scipy") | {"unit": arguments.unit}
        if recipe.unseen == "mean":
            keys, vectors = [*keys, UNSEEN], np.concatenate([vectors, vectors.mean(0, keepdims=True)])  # [V + 1, D]
        write_vectors(arguments.output, keys, vectors, provenance)
        stages.log.info("%s: %d vectors of %d dimensions", arguments.output, *vectors.shape)

    if recipe.path is not None:
        file = below(arguments.root, recipe.path)
        files = recipe.files(arguments.root)
        write(*import_vectors(file, recipe.dimensions), sha256_file(file) if len(files) == 1 else sha256_files(files))
    else:
        texts = (arguments.sentences, arguments.words, arguments.unit)
        keys = cooccurrence.vocabulary(training_sentences(*texts), recipe.min_count)
        counts = cooccurrence.cooccurrences(training_sentences(*texts), keys, recipe.window)
        stages.log.info("%d %ss, %d pairs in windows of %d", len(keys), arguments.unit, counts.nnz, recipe.window)
        if not counts.nnz:
            raise VisnerError(
                f"no two {arguments.unit}s of the training split stand in one window; name more corpora, or lower "
                "min_count"
            )
        data = sha256_files([*arguments.sentences, *arguments.words])
        content = (arguments.unit, recipe.fingerprint(), data)
        with checkpoint(arguments.resume, "glove", TRAINING_VERSION, *content) as path:
            vectors = glove.train(counts, recipe, arguments.threads, path, _report)
            write(keys, vectors, data)


def _report(epoch: int, loss: float) -> None:
    stages.log.info("GloVe epoch %d: mean loss %.5f", epoch, loss)


def _flair_train(arguments: argparse.Namespace) -> None:
    from visner import device
    from visner.checkpoints import checkpoint
    from visner.config import read_recipe
    from visner.provenance import sha256_files
    from visner.recipes import Flair
    from visner.vectors import TRAINING_VERSION, flair_models
    from visner.vectors.texts import training_sentences

    recipe = read_recipe(arguments.recipe, Flair)
    sentences = training_sentences(arguments.sentences, arguments.words, "word")
    data = sha256_files([*arguments.sentences, *arguments.words])
    where = device.select(arguments.gpu, arguments.threads)
    content = (arguments.direction, recipe.fingerprint(), data, device.kind(where))
    with checkpoint(arguments.resume, "flair", TRAINING_VERSION, *content) as path:
        model = flair_models.train(sentences, recipe, arguments.direction, where, path)
        model.save(arguments.output, _provenance(recipe, data, "flair", "torch"))


def _flair_import(arguments: argparse.Namespace) -> None:
    import shutil

    from visner import tables
    from visner.config import read_recipe
    from visner.errors import VisnerError
    from visner.keyed_vectors import is_safetensors
    from visner.provenance import sha256_file
    from visner.recipes import Flair, below
    from visner.vectors.language_model import CharacterLanguageModel

    recipe = read_recipe(arguments.recipe, Flair)
    source = getattr(recipe, arguments.direction)
    if source is None:
        raise VisnerError(f"the recipe names no ready {arguments.direction} model; train one with flair-train")
    file = below(arguments.root, source)
    if file.is_file() and is_safetensors(file):
        CharacterLanguageModel.load(file, arguments.direction)
        with tables.atomic_path(arguments.output) as temporary:
            shutil.copyfile(file, temporary)
        return
    from visner.vectors import flair_models

    model = flair_models.load(source, arguments.root, arguments.direction)
    data = sha256_file(file) if file.is_file() else None
    model.save(arguments.output, _provenance(recipe, data, "flair", "torch") | {"source": source})


def _flair_embed(arguments: argparse.Namespace) -> None:
    from visner import device
    from visner.vectors.embed import embed_words
    from visner.vectors.encoder import FlairEncoder

    where = device.select(arguments.gpu, arguments.threads)
    encoder = FlairEncoder(arguments.forward, arguments.backward, where)
    total = embed_words(arguments.words, encoder, arguments.output)
    stages.log.info("%s: %d words, %d dimensions", arguments.output, total, encoder.dimensions)


def _encoder(arguments: argparse.Namespace) -> None:
    from visner.vectors.hub_encoder import fetch_encoder

    fetch_encoder(arguments.name, arguments.output)


def _provenance(recipe, data: str | None, *packages: str) -> dict:
    from visner.provenance import versions
    from visner.vectors import TRAINING_VERSION, VERSION

    stage = f"{VERSION}.{TRAINING_VERSION}"
    return {"recipe": recipe.model_dump(mode="json"), "data": data, "stage": stage, "versions": versions(*packages)}


def _add_recipe(parser: argparse.ArgumentParser, kind: str) -> None:
    described = f"as visner.recipes.{kind} describes it: JSON, or FILE.yaml:vectors.NAME.PART"
    parser.add_argument("--recipe", required=True, help=described)


def _add_direction(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--direction", required=True, choices=DIRECTIONS, help="which way the model reads")


def _add_texts(parser: argparse.ArgumentParser, required: bool) -> None:
    for name in ("sentences", "words"):
        parser.add_argument(
            f"--{name}",
            nargs="+" if required else "*",
            type=Path,
            default=[],
            required=required,
            metavar="TABLE",
            help=f"the {name} of each corpus to train on, in the same order",
        )


def _add_root(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--root", type=Path, default=Path(), metavar="DIR", help="what relative paths in the recipe are relative to"
    )
