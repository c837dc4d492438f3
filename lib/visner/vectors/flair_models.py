"""The one module that imports flair: training its language models, reading ready ones, converting both.

What flair saves is a pickle; it never leaves this module. Training is flair's own LanguageModelTrainer, a split of the
text at a time; its text files and what it saves live in a temporary folder. Its own checkpoints are not used: they hold
neither the random state nor the annealing's, so that a resumed training would end elsewhere.
"""

import logging
import math
import pickle
import shutil
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch

from visner.config.base import below
from visner.config.vectors import Flair
from visner.errors import VisnerError
from visner.runtime import checkpoints
from visner.runtime.stages import log
from visner.runtime.termination import STATUS, Terminated, Termination
from visner.vectors.language_model import CharacterLanguageModel, Direction

HELD_OUT = 20  # every twentieth sentence of the training text tells the trainer how well the model reads:
HELD_OUT_CHARACTERS = 500_000  # at most, for all are read after each split
SPLIT_CHARACTERS = 2_000_000  # of a file of training text: what an interruption costs, and what is in memory
ANNEAL = 0.25  # what the learning rate is multiplied by after an epoch of splits without a better model (flair's)


def import_flair():
    """The flair library; VisnerError where it isn't installed. Importing it takes about ten seconds."""
    try:
        import flair
    except ImportError:
        raise VisnerError(
            "the flair library is not installed; `pip install visner[flair]`, or leave flair out of the recipe"
        ) from None
    logger = logging.getLogger("flair")  # which writes to standard output
    logger.handlers = [_ToOurLog()]
    return flair


@dataclass
class Text:
    """The files of training text: how many characters they have."""

    training: int = 0
    held_out: int = 0


@dataclass
class Progress:
    """Where a training is, beside the parameters of its model."""

    splits: int  # of the text that are learnt from; again those of a later epoch
    learning_rate: float  # of the next one
    loss: float = math.inf  # of the best model, on the held-out sentences
    worse: int = 0  # splits since it was found, or since the learning rate was lowered
    best: dict[str, torch.Tensor] = field(default_factory=dict)  # its parameters, as ours


class _ToOurLog(logging.Handler):
    """Of what flair reports, the lines about batches (`| split 1/1 | ... | ppl 35.3`)."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage().startswith("| split"):
            log.info("%s", record.getMessage())


def train(
    sentences: Iterable[list[str]], recipe: Flair, direction: Direction, device: torch.device, checkpoint: Path
) -> CharacterLanguageModel:
    """Train a language model on sentences, given as words, and convert it.

    The text is the words joined by single spaces, as the encoder reads them (flair's `tokenized_lm`). The best model
    by the held-out sentences is kept. `checkpoint` has the state after each split of the text, from which an
    interrupted training goes on, to the same bits: all randomness of a split follows from the seed and its number.
    SIGTERM, which costs the split under way, ends the process at once (SystemExit with status 143).
    """
    try:
        with Termination() as termination, termination.leaving():
            return _train(sentences, recipe, direction, device, checkpoint)
    except Terminated:
        log.warning("stopped by SIGTERM; run again to go on after the last split of the text that is done")
        raise SystemExit(STATUS) from None


def _train(
    sentences: Iterable[list[str]], recipe: Flair, direction: Direction, device: torch.device, checkpoint: Path
) -> CharacterLanguageModel:
    flair = import_flair()
    from flair.models import LanguageModel
    from flair.trainers.language_model_trainer import TextCorpus

    flair.device = device
    flair.set_seed(recipe.seed)
    with tempfile.TemporaryDirectory(prefix="visner-flair-") as name:
        folder = Path(name)
        dictionary = flair.data.Dictionary()
        text = _write_text(sentences, folder, dictionary)
        _check_size(text, recipe)
        with open(folder / "valid.txt", encoding="utf-8") as valid:  # flair wants a test, too; nothing is chosen by it
            (folder / "test.txt").write_text(valid.read(4 * recipe.batch), encoding="utf-8")
        forward = direction == "forward"
        model = LanguageModel(dictionary, forward, recipe.hidden, nlayers=1)
        # without case flips, which would make characters that the dictionary lacks
        corpus = TextCorpus(folder, dictionary, forward, character_level=True, random_case_flip=False)
        files = corpus.train.files
        progress = _resume(checkpoint, model, recipe)
        while progress.splits < recipe.epochs * len(files):
            epoch, place = divmod(progress.splits, len(files))
            order = np.random.default_rng([recipe.seed, epoch]).permutation(len(files)) if epoch else range(len(files))
            corpus.train.files = [files[order[place]]]
            flair.set_seed((recipe.seed * 100_003 + progress.splits) % 2**32)
            loss = _train_split(model, corpus, recipe, progress, folder / "split")
            log.info(
                "epoch %d, split %d of %d: held-out perplexity %.4f, learning rate %g",
                *(epoch + 1, place + 1, len(files), math.exp(min(loss, 700)), progress.learning_rate),
            )
            if loss < progress.loss:
                best = convert(LanguageModel.load_language_model(folder / "split" / "best-lm.pt"))
                progress.loss, progress.best, progress.worse = loss, best.state_dict(), 0
            else:
                progress.worse += 1
            if progress.worse == len(files):
                progress.learning_rate, progress.worse = progress.learning_rate * ANNEAL, 0
            progress.splits += 1
            shutil.rmtree(folder / "split")
            _keep(checkpoint, model, progress)
    if not progress.best:
        raise VisnerError("flair: the held-out loss was never finite; lower learning_rate")
    converted = convert(model)
    converted.load_state_dict(progress.best)
    return converted


def _train_split(model, corpus, recipe: Flair, progress: Progress, folder: Path) -> float:
    """The held-out loss after the split of text that is in `corpus`; the model is in `folder` if it is the best."""
    from flair.trainers import language_model_trainer

    losses = []

    class Trainer(language_model_trainer.LanguageModelTrainer):
        def evaluate(self, *arguments) -> float:
            losses.append(super().evaluate(*arguments))
            return losses[-1]

    if next(model.parameters()).device.type == "cpu":  # where it refuses to train if there is a GPU
        language_model_trainer.cuda = SimpleNamespace(is_available=lambda: False)
    try:
        Trainer(model, corpus, loss=progress.loss).train(
            folder,
            sequence_length=recipe.sequence_length,
            learning_rate=progress.learning_rate,
            mini_batch_size=recipe.batch,
            max_epochs=1,
            num_workers=0,  # its data loader shuffles lines by the global random state: here, in this process
        )
    except OverflowError:  # the perplexity that it prints
        raise VisnerError("flair: the training diverged; lower learning_rate") from None
    if "| end of split" not in (folder / "loss.txt").read_text():
        raise KeyboardInterrupt  # which the trainer swallows, to go on as if it had finished
    return losses[0] if math.isfinite(losses[0]) else math.inf


def _keep(checkpoint: Path, model, progress: Progress) -> None:
    said = {name: repr(getattr(progress, name)) for name in ("splits", "learning_rate", "loss", "worse")}
    checkpoints.save(checkpoint, {"model": model.state_dict(), "best": progress.best}, said)


def _resume(checkpoint: Path, model, recipe: Flair) -> Progress:
    """Where the checkpoint is, or the beginning; the model's parameters are set."""
    if not checkpoint.exists():
        return Progress(0, recipe.learning_rate)
    with checkpoints.opened(checkpoint) as (groups, said):
        model.load_state_dict(groups["model"])
        rate, loss = float(said["learning_rate"]), float(said["loss"])
        progress = Progress(int(said["splits"]), rate, loss, int(said["worse"]), groups["best"])
    log.info("resuming after %d splits from %s", progress.splits, checkpoint)
    return progress


def _check_size(text: Text, recipe: Flair) -> None:
    smallest = min(text.training, text.held_out)
    if smallest < 2 * recipe.batch:  # flair needs two characters for each row of a batch
        raise VisnerError(
            f"flair: {text.training} characters of text and {text.held_out} held out are too few for batch: "
            f"{recipe.batch}; set it to at most {smallest // 2}, or name more corpora"
        )
    steps = -(-text.training // (recipe.batch * recipe.sequence_length))
    log.info("%d characters of text, %d held out: %d steps an epoch", text.training, text.held_out, steps)


def _write_text(sentences: Iterable[list[str]], folder: Path, dictionary) -> Text:
    """The text as the files that flair reads, its characters in the dictionary."""
    (folder / "train").mkdir()
    text, files = Text(), 0
    with open(folder / "valid.txt", "w", encoding="utf-8") as valid, ExitStack() as stack:
        for number, words in enumerate(sentences):
            line = " ".join(words) + "\n"
            if number % HELD_OUT == HELD_OUT - 1 and text.held_out < HELD_OUT_CHARACTERS:
                text.held_out += valid.write(line)
                continue
            if text.training >= SPLIT_CHARACTERS * files:
                train = stack.enter_context(open(folder / "train" / f"{files:06d}", "w", encoding="utf-8"))
                files += 1
            text.training += train.write(line)
            for character in line:
                dictionary.add_item(character)
    return text


def load(source: str, root: Path, direction: Direction) -> CharacterLanguageModel:
    """A ready model of flair's by its file (below `root`), or by the library's name for it, which downloads it.

    Reading flair's files runs what is pickled in them. VisnerError where there is no such model, where it reads in
    the other direction, or where it is of a kind that visner's encoder doesn't have.
    """
    import_flair()
    from flair.embeddings import FlairEmbeddings
    from flair.models import LanguageModel

    file = below(root, source)
    lowercase = False
    try:
        if file.exists():
            log.warning("%s: a pickle, which is code that runs now: only for files that you trust", file)
            model = LanguageModel.load_language_model(file, has_decoder=False)
        elif file.suffix or "/" in source:
            raise VisnerError(f"{file}: no such file")
        else:
            log.warning("%s: fetched by the flair library; it is a pickle, which is code that runs now", source)
            embeddings = FlairEmbeddings(source)
            model, lowercase = embeddings.lm, embeddings.is_lower
    except (pickle.UnpicklingError, KeyError, RuntimeError, EOFError, TypeError, AttributeError) as error:
        raise VisnerError(f"{source}: not a language model that flair saved ({error})") from None
    except (OSError, ValueError) as error:  # no network, or no such name
        raise VisnerError(f"{source}: the flair library has no such model, or can't fetch it ({error})") from None
    converted = convert(model, lowercase)
    if converted.direction != direction:
        raise VisnerError(f"{source}: a {converted.direction} model, where a {direction} one is needed; swap the two")
    return converted


def convert(model, lowercase: bool = False) -> CharacterLanguageModel:
    """A flair LanguageModel as ours: the same tensors, without the decoder."""
    if model.recurrent_type.lower() != "lstm" or model.nout is not None:
        raise VisnerError(
            f"flair: a language model with {model.recurrent_type} and an output projection of {model.nout}; only plain "
            "LSTM models can be read"
        )
    converted = CharacterLanguageModel(
        "forward" if model.is_forward_lm else "backward",
        model.dictionary.get_items(),
        model.embedding_size,
        model.hidden_size,
        model.nlayers,
        model.document_delimiter,
        lowercase,
    )
    tensors = {name: tensor for name, tensor in model.state_dict().items() if name.startswith(("encoder.", "rnn."))}
    converted.load_state_dict(tensors)
    return converted.eval().requires_grad_(False)
