"""Against the flair library itself: its vectors, its models, its training."""

import builtins
import re
import time

import numpy as np
import pytest
import self_terminating
import torch

from visner.config.vectors import Flair
from visner.errors import VisnerError
from visner.vectors.encoder import FlairEncoder
from visner.vectors.language_model import CharacterLanguageModel

flair = pytest.importorskip("flair", reason="the flair library is not installed (pip install visner[flair])")
from flair.data import Dictionary, Sentence  # noqa: E402
from flair.embeddings import FlairEmbeddings  # noqa: E402
from flair.models import LanguageModel  # noqa: E402
from flair.trainers import language_model_trainer  # noqa: E402

from visner.vectors import flair_models  # noqa: E402
from visner.vectors.flair_import import flair_import  # noqa: E402
from visner.vectors.flair_train import flair_train  # noqa: E402

SENTENCES = [
    ["雨"],
    ["京都", "に", "雨", "が", "降る", "。"],
    ["abc", "未知"],
    ["京都", "に", "雨"] * 250,
    ["東", "山"] * 9,
]


@pytest.fixture(autouse=True)
def on_the_cpu(monkeypatch):
    monkeypatch.setattr(flair, "device", torch.device("cpu"))


def flair_model(direction, layers=1):
    dictionary = Dictionary()
    for character in "\n 京都東山に雨が降る。abc":
        dictionary.add_item(character)
    torch.manual_seed(len(direction))
    return LanguageModel(dictionary, direction == "forward", 16, layers).eval()


@pytest.mark.parametrize("layers", [1, 2])
def test_vectors_are_those_of_flair(tmp_path, layers):
    paths, expected = [], []
    for direction in ("forward", "backward"):
        model = flair_model(direction, layers)
        flair_models.convert(model).save(tmp_path / direction, {})
        paths.append(tmp_path / direction)
        sentences = [Sentence(list(words)) for words in SENTENCES]
        embeddings = FlairEmbeddings(model)
        embeddings.embed(sentences)
        expected.append([np.stack([token.embedding.numpy() for token in sentence]) for sentence in sentences])
    for vectors, forward, backward in zip(FlairEncoder(*paths).encode(SENTENCES), *expected, strict=True):
        np.testing.assert_allclose(vectors, np.hstack([forward, backward]), atol=1e-5)


def test_a_ready_model_is_converted_and_one_of_ours_is_copied(tmp_path):
    flair_model("backward").save(tmp_path / "lm.pt")
    recipe = {"forward": "f.pt", "backward": "lm.pt"}
    flair_import(output=tmp_path / "ours", recipe=Flair(**recipe), direction="backward", root=tmp_path)
    expected = flair_models.convert(flair_model("backward")).state_dict()
    found = CharacterLanguageModel.load(tmp_path / "ours", "backward").state_dict()
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    recipe["backward"] = "ours"
    flair_import(output=tmp_path / "copy", recipe=Flair(**recipe), direction="backward", root=tmp_path)
    assert (tmp_path / "copy").read_bytes() == (tmp_path / "ours").read_bytes()


def test_what_is_no_such_model_is_refused(tmp_path):
    flair_model("backward").save(tmp_path / "lm.pt")
    with pytest.raises(VisnerError, match="swap the two"):
        flair_models.load("lm.pt", tmp_path, "forward")
    with pytest.raises(VisnerError, match="no such file"):
        flair_models.load("missing.pt", tmp_path, "forward")
    torch.save({"something": 1}, tmp_path / "other.pt")
    with pytest.raises(VisnerError, match="not a language model"):
        flair_models.load("other.pt", tmp_path, "forward")
    with pytest.raises(VisnerError, match="no such model"):
        flair_models.load("no-such-name", tmp_path, "forward")
    with pytest.raises(VisnerError, match="GRU"):
        flair_models.convert(LanguageModel(Dictionary(), True, 16, 1, recurrent_type="GRU"))


def test_without_flair_the_extra_is_named(monkeypatch):
    real = builtins.__import__

    def without_flair(name, *arguments, **options):
        if name == "flair":
            raise ModuleNotFoundError("No module named 'flair'")
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without_flair)
    with pytest.raises(VisnerError, match=r"visner\[flair\]"):
        flair_models.import_flair()


@pytest.fixture
def train():
    def run(tables, output, direction="forward", **keys):
        recipe = {"corpora": ["any"], "hidden": 16, "batch": 2, "sequence_length": 20, "epochs": 3} | keys
        flair_train(
            sentences=[tables[0]],
            words=[tables[1]],
            output=output,
            recipe=Flair(**recipe),
            direction=direction,
            resume=output.parent / "resume",
            device=torch.device("cpu"),
        )

    return run


@pytest.fixture
def corpus(write_corpus):
    """A text in which ひ always follows あ、and き follows い; the test split says otherwise, in other characters."""
    random = np.random.default_rng(0)
    texts = [[("あひ", "いき")[random.integers(2)] for _ in range(8)] for _ in range(60)]
    return write_corpus([("train", text) for text in texts] + [("test", ["あき", "禁"])] * 5)


def ended(caplog):
    """(epoch, split, held-out perplexity, learning rate) of each split that was learnt from."""
    line = r"epoch (\d+), split (\d+) of \d+: held-out perplexity (\S+), learning rate (\S+)"
    found = [re.fullmatch(line, message) for message in caplog.messages]
    return [(int(one[1]), int(one[2]), float(one[3]), float(one[4])) for one in found if one]


def test_training_learns_the_text_from_the_training_split_only_and_again_the_same(
    train, corpus, tmp_path, capfd, caplog
):
    caplog.set_level("INFO")
    train(corpus, tmp_path / "one")
    assert capfd.readouterr().out == ""  # where flair's own log goes
    perplexities = [perplexity for _, _, perplexity, _ in ended(caplog)]
    assert len(perplexities) == 3
    assert min(perplexities) < 2.5  # two of three characters follow from those before; a uniform guess has 7
    model = CharacterLanguageModel.load(tmp_path / "one", "forward")
    assert sorted(model.characters) == sorted(["<unk>", "\n", " ", *"あひいき"])
    train(corpus, tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_backward_model_reads_backward(train, corpus, tmp_path):
    train(corpus, tmp_path / "model", direction="backward", epochs=1)
    assert CharacterLanguageModel.load(tmp_path / "model", "backward").direction == "backward"
    with pytest.raises(VisnerError):
        CharacterLanguageModel.load(tmp_path / "model", "forward")


def test_too_little_text_for_the_batch(train, corpus, tmp_path):
    with pytest.raises(VisnerError, match="set it to at most"):
        train(corpus, tmp_path / "model", batch=100)
    assert not (tmp_path / "model").exists()


def test_text_is_split_and_a_twentieth_held_out_up_to_a_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(flair_models, "SPLIT_CHARACTERS", 300)
    monkeypatch.setattr(flair_models, "HELD_OUT_CHARACTERS", 25)
    lines = [["word", f"{number:03}"] for number in range(200)]  # nine characters each, with the end of the line
    text = flair_models._write_text(lines, tmp_path, Dictionary())
    held_out = (tmp_path / "valid.txt").read_text().splitlines()
    assert held_out == ["word 019", "word 039", "word 059"]  # and not 079
    files = [file.read_text() for file in sorted((tmp_path / "train").iterdir())]
    assert sum(map(len, files)) == text.training == 9 * 197
    assert all(abs(len(one) - 300) < 9 for one in files[:-1])
    learnt = "".join(files).splitlines()
    assert learnt == [" ".join(line) for line in lines if " ".join(line) not in held_out]


@pytest.mark.parametrize("characters", [10**6, 700])
def test_an_interrupted_training_goes_on_after_its_last_split(train, corpus, tmp_path, monkeypatch, caplog, characters):
    caplog.set_level("INFO")
    monkeypatch.setattr(flair_models, "SPLIT_CHARACTERS", characters)
    splits = 1 if characters == 10**6 else 2
    recipe = {"epochs": 6, "learning_rate": 60}  # so much that it is annealed
    train(corpus, tmp_path / "whole", **recipe)
    whole = ended(caplog)
    assert [one[:2] for one in whole] == [(epoch, split) for epoch in range(1, 7) for split in range(1, splits + 1)]
    assert len({rate for *_, rate in whole}) > 1
    assert not list((tmp_path / "resume").glob("*.safetensors"))
    calls = []

    def interrupt(*_, **__):
        calls.append(1)
        if len(calls) % 3 == 0:
            raise KeyboardInterrupt
        return "text"

    monkeypatch.setattr(LanguageModel, "generate_text", interrupt)  # which the trainer calls at the end of a split
    caplog.clear()
    for _ in range(2):  # in the third and the fifth, whose ends are lost
        with pytest.raises(KeyboardInterrupt):
            train(corpus, tmp_path / "model", **recipe)
        assert not (tmp_path / "model").exists()
        assert list((tmp_path / "resume").glob("*.safetensors"))
    monkeypatch.setattr(LanguageModel, "generate_text", lambda *_, **__: "text")
    train(corpus, tmp_path / "model", **recipe)
    assert ended(caplog) == whole
    assert (tmp_path / "model").read_bytes() == (tmp_path / "whole").read_bytes()
    assert [line.split(" from ")[0] for line in caplog.messages if "resuming" in line] == [
        "resuming after 2 splits",
        "resuming after 4 splits",
    ]


def test_sigterm_ends_a_training_that_goes_on_later(corpus, tmp_path, monkeypatch):
    """Its text, in the folder for temporary files, goes with it."""
    recipe = {"corpora": ["any"], "hidden": 64, "batch": 2, "sequence_length": 20, "epochs": 500}
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    job = {
        "rule": "vectors_flair_train",
        "log": "log",
        "input": {"sentences": [corpus[0]], "words": [corpus[1]]},
        "output": {"output": "model"},
        "params": {"recipe": Flair(**recipe).fingerprint()},
        "wildcards": {"direction": "forward"},
    }
    process = self_terminating.start(job, tmp_path)
    end = time.monotonic() + 90
    while not ((tmp_path / "log").exists() and "epoch 2," in (tmp_path / "log").read_text()):
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.05)
    assert list((tmp_path / "temporary").glob("visner-flair-*"))
    process.terminate()
    assert process.wait(timeout=30) == 143
    assert "stopped by SIGTERM" in (tmp_path / "log").read_text().splitlines()[-1]
    assert not list((tmp_path / "temporary").glob("visner-flair-*"))
    assert list((tmp_path / "results/.resume").glob("*.safetensors"))


def test_the_cpu_is_trained_on_where_there_is_a_gpu(train, corpus, tmp_path, monkeypatch):
    """flair's trainer asks whether there is one, and then wants to use it."""
    monkeypatch.setattr(language_model_trainer.cuda, "is_available", lambda: True)
    train(corpus, tmp_path / "model", epochs=1)
    assert CharacterLanguageModel.load(tmp_path / "model", "forward").encoder.weight.device.type == "cpu"


def test_another_checkpoint_under_its_name_is_one_line(tmp_path):
    (tmp_path / "checkpoint").write_bytes(b"no")
    with pytest.raises(VisnerError, match="delete it, and the training starts anew"):
        flair_models._resume(tmp_path / "checkpoint", flair_model("forward"), None)
