"""Our BiLSTM-CRF against flair's SequenceTagger: seconds an epoch, and F1 after the same epochs.

Both read the same sentences and the same frozen vectors (cached on both sides), and have the same dimensions,
dropout, optimiser, learning rate, batch size, clipping and threads; flair's tagger reads the concatenation of the
vectors, which is what `fusion: none` and `simple` do. The two take turns, seed by seed, in one run. Each side's best
epoch on dev is scored on test (strict, micro, without MIX). Exit status 1 where ours is not at least three times as
fast an epoch, or where its mean F1 is below the other's by more than the seeds' deviation.

    snakemake --cores all results/studies/gsd-ene/index.md --configfile config/gsd-ene.yaml
    python benchmarks/ner.py --experiment gsd-ene_simple
"""

import argparse
import json
import math
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import torch
from machine.quiet import TOLERANCE, Rounds

from visner.config.experiments import BiLSTMExperiment
from visner.ner import bilstm_data, systems
from visner.ner.batches import Data as Indexed
from visner.ner.batches import decode_all, shuffled_batches
from visner.ner.bilstm_crf import BiLSTMCRF, BiLSTMCRFConfig
from visner.ner.bilstm_data import Sentence, Tables
from visner.ner.inputs import Files, corpus_labels
from visner.runtime import stages
from visner.runtime.spans import bio_to_spans, micro_f1, spans_to_bio
from visner.runtime.training import fit


@dataclass
class Run:
    """What one side has done: seconds, dev F1 and test F1 of each epoch."""

    seconds: list[float] = field(default_factory=list)
    dev: list[float] = field(default_factory=list)
    test: list[float] = field(default_factory=list)

    @property
    def score(self) -> float:
        """Test F1 at the best epoch on dev."""
        return self.test[self.dev.index(max(self.dev))]


@dataclass
class Data:
    """Sentences of the three splits with their labels and the tables that they point into."""

    splits: dict[str, list[Sentence]]
    labels: list[str]
    tables: Tables

    def gold(self, split: str) -> list[list[str]]:
        return [[self.labels[i] for i in sentence.labels] for sentence in self.splits[split]]


def read(results: Path, name: str) -> tuple[BiLSTMExperiment, Data]:
    """An experiment's recipe and data, from the tables of a finished run."""
    recipe = BiLSTMExperiment.model_validate(
        json.loads((results / name / "system.json").read_text())["config"]["experiments"][name]
    )
    vectors = results / "vectors" / recipe.vectors
    pictured = recipe.fusion != "none"
    files = Files(
        sentences=results / "corpora" / recipe.corpus / "sentences.parquet",
        words=results / "nouns" / recipe.corpus / "words.parquet",
        glove_char=vectors / "glove_char.safetensors",
        glove_word=vectors / "glove_word.safetensors",
        flair=vectors / recipe.corpus / "flair.npy",
        grounding=results / "grounding" / name / "grounding.parquet" if pictured else None,
        visual=results / "grounding" / name / "vectors.npy" if pictured else None,
    )
    labels = corpus_labels(files.sentences)
    tables, indexed = bilstm_data.read(files, ["train", "dev", "test"], labels, recipe, torch.device("cpu"))
    return recipe, Data(indexed.splits, labels, tables)


def train_ours(recipe: BiLSTMExperiment, data: Data, seed: int, epochs: int, folder: Path) -> Run:
    """Our model through the fit loop of the pipeline."""
    torch.manual_seed(seed)
    scale = data.tables.visual_scale(data.splits["train"])
    known = {"labels": data.labels, "visual_scale": scale, **data.tables.widths}
    model = BiLSTMCRF(systems.model_config(BiLSTMCRFConfig, recipe, **known))
    indexed = Indexed(data.splits, partial(data.tables.batch, device=torch.device("cpu")))
    run = Run()
    began = 0.0

    def batches(generator, start):
        nonlocal began
        began = time.perf_counter()
        for batch in shuffled_batches(data.splits["train"], recipe.training.batch, generator, start=start):
            yield indexed.batch(batch)

    def evaluate() -> tuple[float, float]:
        run.seconds.append(time.perf_counter() - began)
        for split, into in (("dev", run.dev), ("test", run.test)):
            tags = [one for one, *_ in decode_all(model, indexed, data.splits[split])]
            into.append(micro_f1(data.gold(split), tags))
        return run.dev[-1], 0.0  # of equal epochs the first, as for the peer

    count = math.ceil(len(data.splits["train"]) / recipe.training.batch)
    training = recipe.training.model_copy(update={"epochs": epochs, "patience": epochs})
    fit(model, systems.optimizer(model, training), batches, count, evaluate, training, seed, folder / f"ours{seed}")
    return run


def train_flair(recipe: BiLSTMExperiment, data: Data, seed: int, epochs: int, folder: Path) -> Run:
    """The same with flair's tagger and trainer."""
    import flair
    from flair.data import Corpus
    from flair.embeddings import TokenEmbeddings
    from flair.models import SequenceTagger
    from flair.trainers import ModelTrainer
    from flair.trainers.plugins.base import TrainerPlugin

    flair.set_seed(seed)
    scale = data.tables.visual_scale(data.splits["train"])
    width = sum(w for name, w in data.tables.widths.items() if recipe.fusion != "none" or name != "visual")

    class Cached(TokenEmbeddings):
        """Vectors that the tokens already carry."""

        name, static_embeddings = "cached", True

        @property
        def embedding_length(self) -> int:
            return width

        @property
        def embedding_type(self) -> str:
            return "word-level"

        def _add_embeddings_internal(self, sentences) -> None:
            for sentence in sentences:
                for token, vector in zip(sentence, sentence.vectors, strict=True):
                    token.set_embedding(self.name, vector)

    splits = {split: [_flair_sentence(s, data, recipe, scale) for s in found] for split, found in data.splits.items()}
    corpus = Corpus(train=splits["train"], dev=splits["dev"], test=splits["test"], sample_missing_splits=False)
    model = SequenceTagger(
        embeddings=Cached(),
        tag_dictionary=corpus.make_label_dictionary("ner", add_unk=False),
        tag_type="ner",
        tag_format="BIO",
        hidden_size=recipe.hidden,
        rnn_layers=1,
        reproject_embeddings=False,
        use_crf=True,
        dropout=recipe.dropout_input,
        word_dropout=0.0,
        locked_dropout=0.0,
    )
    run = Run()

    class Clock(TrainerPlugin):
        @TrainerPlugin.hook
        def before_training_epoch(self, **_):
            self.began = time.perf_counter()

        @TrainerPlugin.hook
        def after_training_epoch(self, **_):
            run.seconds.append(time.perf_counter() - self.began)

    class Scores(TrainerPlugin):
        @TrainerPlugin.hook
        def after_training_epoch(self, **_):
            model.eval()
            for split, into in (("dev", run.dev), ("test", run.test)):
                model.predict(splits[split], mini_batch_size=64, label_name="found", embedding_storage_mode="cpu")
                predicted = [_predicted(sentence) for sentence in splits[split]]
                into.append(micro_f1(data.gold(split), predicted))
            model.train()

    ModelTrainer(model, Corpus(train=splits["train"], dev=splits["dev"][:1], sample_missing_splits=False)).train_custom(
        folder / f"flair{seed}",
        optimizer=torch.optim.Adam,
        learning_rate=recipe.training.learning_rate,
        mini_batch_size=recipe.training.batch,
        max_grad_norm=recipe.training.clip,
        max_epochs=epochs,
        embeddings_storage_mode="cpu",
        save_final_model=False,
        use_final_model_for_eval=True,
        write_weights=False,
        create_file_logs=False,
        create_loss_file=False,
        plugins=[Clock(), Scores()],
    )
    return run


def _flair_sentence(sentence: Sentence, data: Data, recipe: BiLSTMExperiment, scale: float):
    from flair.data import Sentence as FlairSentence

    made = FlairSentence([f"u{unit}" for unit in sentence.units])  # its texts don't matter: the vectors are given
    ready = data.tables.batch([sentence], torch.device("cpu"))
    parts = [ready.chars, ready.words[ready.segments], ready.contextual[ready.segments]]
    if recipe.fusion != "none":
        owners, vectors = ready.pictures.owners(), ready.pictures.vectors
        visual = torch.zeros(len(ready.words), vectors.shape[1])
        visual[owners] = scale * vectors[ready.pictures.own[owners]]  # as our model scales them
        parts.append(visual[ready.segments])
    made.vectors = torch.cat(parts, dim=1)
    for token, vector in zip(made, made.vectors, strict=True):
        token.set_embedding("cached", vector)
    for start, stop, label in bio_to_spans([data.labels[i] for i in sentence.labels]):
        made[start:stop].add_label("ner", label)
    return made


def _predicted(sentence) -> list[str]:
    spans = [(s[0].idx - 1, s[-1].idx, s.get_label("found").value) for s in sentence.get_spans("found")]
    return spans_to_bio(spans, len(sentence))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("--experiment", default="gsd-ene_simple", help="with fusion none or simple")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    if not (arguments.results / arguments.experiment / "scores.json").exists():
        print(f"skipped: {arguments.results} has no {arguments.experiment}; make it first, as --help says")
        return 0
    torch.set_num_threads(arguments.threads)
    stages.start_log(None)
    recipe, data = read(arguments.results, arguments.experiment)
    if recipe.fusion not in ("none", "simple"):
        parser.error(f"flair's tagger has no {recipe.fusion}: choose an experiment with fusion none or simple")
    units = sum(map(len, data.splits["train"]))
    ours, peer, rounds = [], [], Rounds({"visner": [], "flair": []}, TOLERANCE)
    with rounds.busy:
        for seed in arguments.seeds:
            with tempfile.TemporaryDirectory() as folder:
                ours.append(train_ours(recipe, data, seed, arguments.epochs, Path(folder)))
                peer.append(train_flair(recipe, data, seed, arguments.epochs, Path(folder)))
            for name, run in (("visner", ours[-1]), ("flair", peer[-1])):
                rounds.seconds[name].append(statistics.median(run.seconds))
                said = f"seconds {np.round(run.seconds, 1)}, dev F1 {np.round(run.dev, 3)}"
                print(f"seed {seed}, {name}: {said}", flush=True)
            rounds.look()
    for name, runs in (("visner", ours), ("flair SequenceTagger", peer)):
        seconds = statistics.median(s for run in runs for s in run.seconds)
        scores = [100 * run.score for run in runs]
        spread = f" ± {statistics.stdev(scores):.2f}" if len(scores) > 1 else ""
        print(
            f"{name}: {seconds:.1f} s an epoch ({units / seconds:,.0f} units/s), test F1 {np.mean(scores):.2f}{spread}"
        )
    ratio = statistics.median(s for r in peer for s in r.seconds) / statistics.median(
        s for r in ours for s in r.seconds
    )
    print(f"ratio of the medians: {ratio:.2f} (claimed: at least 3)")
    print(f"a seed is a round; {rounds}")
    means = [statistics.mean(100 * run.score for run in runs) for runs in (ours, peer)]
    spread = statistics.stdev(100 * run.score for run in peer) if len(peer) > 1 else 0.0
    return int(ratio < 3 or means[0] < means[1] - spread)


if __name__ == "__main__":
    raise SystemExit(main())
