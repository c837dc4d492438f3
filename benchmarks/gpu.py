"""All that is asked of a GPU, in one command of less than eight minutes that leaves one JSON.

First the tests marked `gpu`, then the speeds, each beside a goal or a named peer in the same process. A part runs in a
process of its own and within its seconds: one that hangs, runs out of memory or spoils the GPU's context costs the
others nothing. The file is written anew after each part, so that an interrupted run keeps what it has. Nothing needs
to be installed but torch, torchvision, transformers, pyarrow, safetensors, numpy, pydantic, pytorch-crf, faiss-cpu and
pytest (timm for resnet152's peer); all data are made up here, all weights random.

    python benchmarks/gpu.py --output gpu.json

Exit status 1 where a test or a part fails; figures below their goals fail nothing. Without a GPU the exit status is
77, which `make bench` takes for skipped; `--device cpu --quick` then tries the program out on tiny sizes.
"""

import argparse
import itertools
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "lib"))  # it needn't be installed

import numpy as np  # noqa: E402
import torch  # noqa: E402
from machine.quiet import until_two_agree  # noqa: E402
from torch import nn  # noqa: E402

from visner.runtime.provenance import versions  # noqa: E402

SECONDS = 460  # of all parts
SKIPPED = 77
ROUNDS = 4  # at most
Figure = dict[str, Any]


class Sizes:
    """What is measured: the papers' dimensions, or tiny ones."""

    def __init__(self, quick: bool):
        self.quick = quick
        self.wide, self.hidden, self.visual = (8, 8, 8) if quick else (300, 256, 1024)
        self.flair = 8 if quick else 512  # a direction
        self.sentences, self.batch = (20, 5) if quick else (600, 20)
        self.tweets, self.tweet_batch = (24, 8) if quick else (5000, 32)
        self.side, self.pictures = (64, 2) if quick else (224, 128)
        self.pools = (500,) if quick else (1_000_000, 10_000_000)
        small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
        self.bert = small if quick else {}  # of BertConfig: BERT-base


def compared(
    what: str,
    unit: str,
    ways: dict[str, tuple[Callable[[], object], float]],
    on: torch.device,
    until: float,
    goal: float | None = None,
) -> Figure:
    """A figure from steps and the items that each of them does: the first way is ours, any other one a peer."""

    def wait() -> None:
        if on.type == "cuda":
            torch.cuda.synchronize()

    for step, _ in ways.values():  # what is set up once
        step()
        wait()
    window = max(0.02, (until - time.perf_counter()) / ROUNDS / len(ways) / 1.2)

    def seconds_an_item(step: Callable[[], object], items: float) -> float:
        began, done = time.perf_counter(), 0.0
        while time.perf_counter() - began < window:
            step()
            wait()
            done += items
        return (time.perf_counter() - began) / done

    rounds = until_two_agree({name: partial(seconds_an_item, *way) for name, way in ways.items()}, ROUNDS)
    ours, *peers = (1 / rounds.typical(name) for name in ways)
    figure: Figure = {"what": what, "unit": unit, "value": round(ours, 1)}
    if goal:
        figure |= {"goal": goal, "of_goal": round(ours / goal, 3)}
    for name, speed in zip(list(ways)[1:], peers, strict=True):
        figure |= {"peer": name, "peer_value": round(speed, 1), "of_peer": round(ours / speed, 3)}
    return figure | {"rounds": str(rounds)}


def learn(model: nn.Module, optimizer: torch.optim.Optimizer, loss: torch.Tensor) -> None:
    """One step."""
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()


def names_of(labels: int) -> list[str]:
    """So many BIO labels: O, and two for each class."""
    return ["O", *(f"{prefix}-{number}" for number in range(labels // 2) for prefix in "BI")]


def bilstm_crf(on: torch.device, sizes: Sizes, until: float) -> Iterator[Figure]:
    """Characters a second of training, batches prepared from tables as the stage does."""
    import torchcrf

    from visner.ner.batches import shuffled_batches
    from visner.ner.bilstm_crf import BiLSTMBatch, BiLSTMCRF, BiLSTMCRFConfig
    from visner.ner.bilstm_data import Tables

    rng, labels, first, sentences = np.random.default_rng(1), 13, 0, []
    alphabet = [chr(0x4E00 + i) for i in range(3000)]
    index = {"char_index": {c: i for i, c in enumerate(alphabet)}, "word_index": {str(i): i for i in range(5000)}}
    keys = Tables(**index)
    for number in range(sizes.sentences):
        length = int(rng.integers(20, 100))
        cuts = [*range(0, length, 2), length]
        found = [
            {"surface": str(rng.integers(0, 5000)), "start": a, "stop": b} for a, b in zip(cuts, cuts[1:], strict=False)
        ]
        pictures = [[int(rng.integers(0, 2000))] if rng.random() < 0.6 else [] for _ in found]
        rows = [pictures[place // 2] for place in range(length)]
        units = [alphabet[i] for i in rng.integers(0, len(alphabet), length)]
        gold = rng.integers(0, labels, length)
        sentences.append(keys.sentence(str(number), units, found, first, rows, gold))
        first += len(found)
    rows = {"chars": 3000, "words": 5000, "contextual": first, "visual": 2000}
    widths = {"chars": sizes.wide, "words": sizes.wide, "contextual": 2 * sizes.flair, "visual": sizes.visual}
    tables = Tables(*(rng.standard_normal((rows[name], width), dtype=np.float32) for name, width in widths.items()))
    config = BiLSTMCRFConfig(labels=names_of(labels), hidden=sizes.hidden, fusion="gate", **widths)
    model = BiLSTMCRF(config).to(on).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)

    class Concatenated(nn.Module):
        """x_t in one piece (simple fusion), torch's LSTM, pytorch-crf."""

        def __init__(self):
            super().__init__()
            self.lstm = nn.LSTM(sum(widths.values()), sizes.hidden, bidirectional=True, batch_first=True)
            self.emit, self.dropout = nn.Linear(2 * sizes.hidden, labels), nn.Dropout(0.5)
            self.crf = torchcrf.CRF(labels, batch_first=True)

        def loss(self, batch: BiLSTMBatch) -> torch.Tensor:
            mask, segments = batch.mask, batch.segments  # [B, T], [N]
            visual = batch.words.new_zeros(len(batch.words), sizes.visual)
            owners = batch.pictures.owners()
            visual[owners] = batch.pictures.vectors[batch.pictures.own[owners]]
            parts = [batch.chars, batch.words[segments], batch.contextual[segments], visual[segments]]
            padded = batch.chars.new_zeros(*mask.shape, sum(widths.values()))  # [B, T, D]
            padded[mask] = torch.cat(parts, dim=1)
            states, _ = self.lstm(self.dropout(padded))
            return -self.crf(self.emit(self.dropout(states)), batch.labels, mask, reduction="mean")

    peer = Concatenated().to(on).train()
    of_peer = torch.optim.Adam(peer.parameters(), lr=1e-3, fused=True)
    generator = torch.Generator().manual_seed(1)
    endless = itertools.chain.from_iterable(
        shuffled_batches(sentences, sizes.batch, generator) for _ in itertools.count()
    )

    def step(some: nn.Module, its: torch.optim.Optimizer) -> None:
        learn(some, its, some.loss(tables.batch(next(endless), on)))

    items = sizes.batch * sum(map(len, sentences)) / len(sentences)
    yield compared(
        f"BiLSTM-CRF with a gate, training, batches of {sizes.batch}, {sum(widths.values())} input dimensions",
        "characters/s",
        {
            "ours": (partial(step, model, optimizer), items),
            "concatenated inputs, torch.nn.LSTM, pytorch-crf": (partial(step, peer, of_peer), items),
        },
        on,
        until,
        100_000,
    )


def tokenizer():
    """A WordPiece tokenizer (of the library `tokenizers`) of 3,000 pieces, and the words that it knows."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = ["a", *(f"w{i}" for i in range(1500))]
    vocabulary = {piece: i for i, piece in enumerate([*special, *words, *(f"##{word}" for word in words)])}
    made = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    ends = [("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])]
    made.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    return made, words


def made_up_tweets(count: int, words: list[str]) -> list[list[str]]:
    """Tweets of 3 to 42 words, every third word of two sub-tokens."""
    rng = np.random.default_rng(2)
    lengths = np.clip(rng.normal(16, 7, count).round().astype(int), 3, 42)
    return [
        [words[a] + (words[b] if b % 3 == 0 else "") for a, b in rng.integers(0, len(words), (length, 2)).tolist()]
        for length in lengths
    ]


def bert_crf(on: torch.device, sizes: Sizes, until: float) -> Iterator[Figure]:
    """Tweets a second of fine-tuning BERT-base with a CRF, batches prepared as the stage does."""
    from transformers import BertConfig, BertForTokenClassification, BertModel

    from visner.config.experiments import FineTuning
    from visner.ner import bert_data
    from visner.ner.batches import shuffled_batches
    from visner.ner.bert_crf import BertBatch, BertCRF, BertCRFConfig, encoder_config
    from visner.ner.systems import optimizer as adamw
    from visner.ner.vectors import NOTHING, pictures_of
    from visner.runtime.device import autocast
    from visner.runtime.subtokens import Subtokens

    made, words = tokenizer()
    rng, labels, subtokens = np.random.default_rng(3), 9, Subtokens(made, 128)
    texts = made_up_tweets(max(sizes.tweet_batch * 50, 200) if not sizes.quick else sizes.tweets, words)
    sentences = [
        bert_data.EncodedSentence("", windows, *pictures_of([[]] * len(one), False), rng.integers(0, labels, len(one)))
        for one, windows in zip(texts, subtokens.windows(texts), strict=True)
    ]
    config = BertConfig(vocab_size=made.get_vocab_size(), num_labels=labels, **sizes.bert)
    generator = torch.Generator().manual_seed(1)
    endless = itertools.chain.from_iterable(
        shuffled_batches(sentences, sizes.tweet_batch, generator, lambda one: one.subtokens) for _ in itertools.count()
    )

    class Plain(nn.Module):
        """transformers' own model for token classification, of every sub-token."""

        def __init__(self):
            super().__init__()
            self.model = BertForTokenClassification(config)

        def loss(self, batch: BertBatch) -> torch.Tensor:
            with autocast(on, "bfloat16"):
                gold = torch.zeros_like(batch.ids)
                return self.model(input_ids=batch.ids, attention_mask=batch.attended.long(), labels=gold).loss

    def trainer(model: nn.Module, optimizer: torch.optim.Optimizer) -> Callable[[], None]:
        model.to(on).train()
        return lambda: learn(model, optimizer, model.loss(bert_data.batch(next(endless), NOTHING, 0, on)))

    steps = {}
    for precision in ("bfloat16", "float32"):
        encoder = BertModel(config)
        known = {"encoder": encoder_config(encoder), "labels": names_of(labels)}
        model = BertCRF(BertCRFConfig(precision=precision, **known), encoder).to(on)
        steps[precision] = trainer(model, adamw(model, FineTuning()))
    plain = Plain().to(on)
    steps["plain"] = trainer(plain, torch.optim.AdamW(plain.parameters(), lr=5e-5, fused=True))
    half = (until + time.perf_counter()) / 2
    count = sizes.tweet_batch
    peer = {"BertForTokenClassification, bfloat16, no CRF": (steps["plain"], count)}
    name = f"BERT-CRF ({config.num_hidden_layers} layers of {config.hidden_size}), training, batches of {count}"
    yield compared(f"{name}, bfloat16", "tweets/s", {"ours": (steps["bfloat16"], count)} | peer, on, half, 1500)
    yield compared(f"{name}, float32", "tweets/s", {"ours": (steps["float32"], count)} | peer, on, until)


def pictures_of(
    name: str, goals: tuple[float | None, float | None], on, sizes: Sizes, until: float
) -> Iterator[Figure]:
    """Pictures a second of a backbone in bfloat16, from decoded tensors on the device and from JPEGs."""
    from embed import draw
    from torchvision import models

    from visner.embeddings.backbone import Backbone
    from visner.embeddings.embed import embed_pictures
    from visner.embeddings.preprocess import Preprocessing
    from visner.runtime.device import autocast

    name = "resnet18" if sizes.quick else name
    torch.manual_seed(1)
    backbone, preprocessing = Backbone(name).fold().to(on), Preprocessing(sizes.side * 8 // 7, sizes.side)
    pixels = torch.randint(0, 256, (sizes.pictures, sizes.side, sizes.side, 3), dtype=torch.uint8, device=on)
    plain, peer = models.get_model(name, weights=None), "torchvision's model, bfloat16"
    try:
        import timm

        plain, peer = timm.create_model(name, num_classes=0), "timm's model, bfloat16, channels-last"
    except (ImportError, RuntimeError):
        pass
    plain = plain.eval().to(on, memory_format=torch.channels_last)

    @torch.inference_mode()
    def ours() -> torch.Tensor:
        with autocast(on, "bfloat16"):
            return backbone(preprocessing.normalise(pixels)).cpu()

    @torch.inference_mode()
    def theirs() -> torch.Tensor:
        with autocast(on, "bfloat16"):
            return plain(preprocessing.normalise(pixels)).float().cpu()

    half = (until + time.perf_counter()) / 2
    ways = {"ours": (ours, len(pixels)), peer: (theirs, len(pixels))}
    yield compared(
        f"{name}, decoded pictures to vectors, batches of {len(pixels)}", "pictures/s", ways, on, half, goals[0]
    )
    drawn = [draw(number) for number in range(min(sizes.pictures, 32))]
    jpegs = [(f"{place:064x}", drawn[place % len(drawn)]) for place in range(4 * sizes.pictures)]
    workers = os.cpu_count() or 1

    def from_jpegs() -> None:
        for _ in embed_pictures(backbone, preprocessing, jpegs, "bfloat16", sizes.pictures, workers):
            pass

    ways = {"ours": (from_jpegs, len(jpegs))}
    yield compared(f"{name}, JPEGs to vectors, {workers} threads decode", "pictures/s", ways, on, until, goals[1])


def vokens(on: torch.device, sizes: Sizes, until: float) -> Iterator[Figure]:
    """Tokens a second from text to vokens, files included, beside the plain loop of benchmarks/vokenize.py."""
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast
    from vokenize import plain, write_tables

    from visner.config.matchers import Matcher as Recipe
    from visner.runtime import tables
    from visner.vokens import matcher
    from visner.vokens.pool import pool
    from visner.vokens.search import search
    from visner.vokens.states import load_encoder, write_states

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made, words = tokenizer()
        special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
        saved = PreTrainedTokenizerFast(tokenizer_object=made, model_max_length=128, **special)
        saved.save_pretrained(folder / "encoder")
        config = BertConfig(vocab_size=made.get_vocab_size(), **sizes.bert)
        BertModel(config).save_pretrained(folder / "encoder")
        texts, pictures = made_up_tweets(sizes.tweets, words), torch.randn(50 if sizes.quick else 1000, 2048).relu()
        write_tables(folder, texts, pictures)
        recipe = Recipe(corpus="c", images="i", embedding="e", exclude_own=False)
        model = matcher.Matcher(recipe, config.hidden_size, 2048).eval()
        matcher.save(folder / "matcher.safetensors", model)
        model.to(on)
        sentences, states = folder / "sentences.parquet", folder / "states.npy"
        rows, encoder = tables.shard_rows(sentences, 0, 1), load_encoder(folder / "encoder", on, "bfloat16")
        write_states(sentences, rows, encoder, "first", states)
        common = {"sentences": sentences, "matcher": folder / "matcher.safetensors", "recipe": recipe, "device": on}
        common |= {"pictures": folder / "pool.parquet", "index": folder / "pool.faiss"}
        shards = {"images": [folder / "images.parquet"], "embeddings": [folder / "embeddings.parquet"]}
        pool(states=[states], **shards, **common)

        def ours() -> None:
            write_states(sentences, rows, encoder, "first", states)
            search(states=states, output=folder / "vokens.parquet", shard=0, shards=1, **common)

        some = texts[: max(1, len(texts) // 10)]
        ways = {
            "ours": (ours, sum(map(len, texts))),
            "plain loop, float32, 32 tweets a batch": (
                lambda: plain(folder / "encoder", model, some, pictures),
                sum(map(len, some)),
            ),
        }
        name = f"text to vokens, {config.num_hidden_layers} layers of {config.hidden_size}, bfloat16"
        yield compared(name, "tokens/s", ways, on, until, 100_000)


def flair(on: torch.device, sizes: Sizes, until: float) -> Iterator[Figure]:
    """Characters a second of Flair's vectors, both directions, beside bare LSTM passes over the same batches."""
    from visner.vectors.encoder import STEPS, FlairEncoder, length_buckets
    from visner.vectors.language_model import CharacterLanguageModel

    with tempfile.TemporaryDirectory() as name:
        characters = ["<unk>", "\n", " ", *(chr(0x4E00 + i) for i in range(3000))]
        paths = [Path(name, f"{direction}.safetensors") for direction in ("forward", "backward")]
        for path in paths:
            CharacterLanguageModel(path.stem, characters, 100, sizes.flair).save(path, {})
        encoder = FlairEncoder(*paths, on)
    rng = np.random.default_rng(4)
    sentences = [
        ["".join(chr(0x4E00 + i) for i in pair) for pair in rng.integers(0, 3000, (rng.integers(10, 50), 2))]
        for _ in range(sizes.sentences * 4)
    ]
    count = sum(len(word) for words in sentences for word in words)
    batches = [torch.randint(3, 3000, (min(STEPS, 3 * len(sentences[b[0]]) + 1), len(b)), device=on)
               for b in length_buckets(sentences)]  # fmt: skip

    @torch.inference_mode()
    def bare() -> None:
        for ids in batches:
            for model in encoder.models:
                model(ids)

    ways = {
        "ours": (lambda: encoder.encode(sentences), count),
        "LSTM passes without text or reading out": (bare, count),
    }
    yield compared(f"Flair vectors, two directions of {sizes.flair}", "characters/s", ways, on, until, 200_000)


def search(on: torch.device, sizes: Sizes, until: float) -> Iterator[Figure]:
    """Queries a second of the ten best of a pool, beside a bare product and top-k in the same blocks."""
    from visner.vokens.index import BLOCK, SCORES, Pool, build

    for place, size in enumerate(sizes.pools):
        end = time.perf_counter() + (until - time.perf_counter()) / (len(sizes.pools) - place)
        vectors = torch.randn(size, 64, device=on)
        queries = torch.randn(64 if sizes.quick else 2048, 64, device=on)
        pool, block = Pool(build(vectors), on), max(1, min(BLOCK, SCORES // size))

        def bare(queries=queries, vectors=vectors, block=block) -> None:
            for start in range(0, len(queries), block):
                (queries[start : start + block] @ vectors.T).topk(10)

        ways = {
            "ours": (lambda pool=pool, queries=queries: pool.search(queries, 10), len(queries)),
            "bare product and top-k": (bare, len(queries)),
        }
        yield compared(f"the ten best of {size:,} pictures, {pool.method}", "queries/s", ways, on, end)


PARTS: dict[str, tuple[Callable[..., Iterator[Figure]], float]] = {  # and their shares of the time
    "bilstm_crf": (bilstm_crf, 0.09),
    "bert_crf": (bert_crf, 0.11),
    "densenet121": (partial(pictures_of, "densenet121", (10_000, 4_000)), 0.11),
    "resnet152": (partial(pictures_of, "resnet152", (None, None)), 0.11),
    "vokens": (vokens, 0.11),
    "flair": (flair, 0.08),
    "search": (search, 0.09),
}
TESTS = 0.30  # the tests' share


def tests(seconds: float) -> tuple[dict, str | None]:
    """What the tests marked gpu said: counts, and the failed ones with their first line; why that failed, if it did."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        files = sorted(map(str, (ROOT / "tests").glob("*/test_gpu.py")))
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-m",
            "gpu",
            "-p",
            "no:cacheprovider",
            f"--junitxml={report}",
            *files,
        ]
        said, why = run(command, seconds)
        if not report.exists():
            return {"said": said[-2000:]}, why or "pytest wrote no report"
        suite = ElementTree.parse(report).getroot().find("testsuite")
        counts = {key: int(suite.get(key)) for key in ("tests", "failures", "errors", "skipped")}
        failed = {
            f"{case.get('classname')}.{case.get('name')}": (problem.get("message") or "").splitlines()[:1]
            for case in suite.iter("testcase")
            for problem in case
            if problem.tag in ("failure", "error")
        }
        return counts | {"failed": failed, "seconds": float(suite.get("time"))}, why


def run(command: list[str], seconds: float) -> tuple[str, str | None]:
    """What a process printed, and why it failed, if it did: its time was up, or its exit status."""
    path = os.pathsep.join(filter(None, [str(ROOT / "lib"), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": path}
    if seconds < 1:
        return "", "no time was left"
    try:
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, timeout=seconds)
    except subprocess.TimeoutExpired as end:
        return (end.stdout or b"").decode(errors="replace"), f"not done after {seconds:.0f} s"
    said = done.stdout.decode(errors="replace")
    if done.returncode == 0:
        return said, None
    last = (done.stderr.decode(errors="replace").strip().splitlines() or [said.strip()[-300:]])[-1]
    return said, f"exit status {done.returncode}: {last}"


def machine(on: torch.device) -> dict:
    """What it ran on."""
    found: dict[str, Any] = {"processors": os.cpu_count(), "cuda": torch.version.cuda}
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [
            line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if line[:10] == "model name"
        ]
        found["processor"] = names[0] if names else None
    if on.type == "cuda":
        of = torch.cuda.get_device_properties(0)
        found |= {"gpu": of.name, "capability": f"{of.major}.{of.minor}", "gpu_memory_gb": round(of.total_memory / 1e9)}
        found["cudnn"] = torch.backends.cudnn.version()
    return found


def commit() -> str | None:
    """Of the code, where it is a git checkout."""
    try:
        done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    except OSError:
        return None
    return done.stdout.strip() or None


def write(path: Path, content: dict) -> None:
    """The file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.partial")
    temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    temporary.replace(path)


def line(figure: Figure) -> str:
    """A figure as it is printed."""
    said = f"{figure['what']}: {figure['value']:,.0f} {figure['unit']}"
    if "goal" in figure:
        said += f", {figure['of_goal']:.2f} of the goal of {figure['goal']:,}"
    if "peer" in figure:
        said += f", {figure['of_peer']:.2f} of {figure['peer']} ({figure['peer_value']:,.0f})"
    return f"{said}; {figure['rounds']}"


def main() -> int:
    """Run one part (as a child), or all of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, which say nothing about speed")
    parser.add_argument("--output", type=Path, default=Path("gpu.json"), metavar="JSON", help="(default: %(default)s)")
    parser.add_argument("--seconds", type=float, help=f"of all parts (default: {SECONDS}; with --quick 120)")
    parser.add_argument("--parts", nargs="+", choices=("tests", *PARTS), default=["tests", *PARTS], help="(all)")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    on = torch.device(arguments.device)
    if on.type == "cuda" and not torch.cuda.is_available():
        print("skipped: torch sees no GPU here (--device cpu --quick tries the program out)")
        return SKIPPED
    seconds = arguments.seconds or (120 if arguments.quick else SECONDS)
    if arguments.part:
        part, _ = PARTS[arguments.part]
        # the rest of its seconds is for imports, and for a last round that is longer than planned
        for figure in part(
            on, Sizes(arguments.quick), time.perf_counter() + seconds * (0.05 if arguments.quick else 0.6)
        ):
            print(json.dumps(figure), flush=True)
        return 0
    began = time.monotonic()
    content: dict[str, Any] = {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": arguments.quick,
        "machine": machine(on),
        "versions": versions("torch", "torchvision", "timm", "transformers", "tokenizers", "numpy", "pytorch-crf"),
        "commit": commit(),
        "tests": None,
        "figures": [],
        "failed": {},
    }
    for name in arguments.parts:
        left = seconds - (time.monotonic() - began)
        share = TESTS if name == "tests" else PARTS[name][1]
        here = min(left, share * seconds)
        if name == "tests":
            content["tests"], why = tests(here)
            print(f"tests: {content['tests']}", flush=True)
        else:
            command = [
                sys.executable,
                __file__,
                "--part",
                name,
                "--device",
                on.type,
                "--seconds",
                str(math.floor(here)),
            ]
            said, why = run(command + ["--quick"] * arguments.quick, here)
            for printed in said.splitlines():
                if printed.startswith("{") and printed.endswith("}"):
                    content["figures"].append({"part": name, **json.loads(printed)})
                    print(line(content["figures"][-1]), flush=True)
        if why:
            content["failed"][name] = why
            print(f"{name}: {why}", flush=True)
        content["seconds"] = round(time.monotonic() - began, 1)
        write(arguments.output, content)
    print(f"{arguments.output}: {len(content['figures'])} figures in {content['seconds']:.0f} s")
    return int(bool(content["failed"]))


if __name__ == "__main__":
    sys.exit(main())
