"""`visner tag` on a finished project: the pipeline's own predictions are the judge."""

import ctypes
import json
import os
import random
import re
import select
import shutil
import subprocess
import sys
import time
import warnings

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from terminal import on_a_terminal
from tiny_project import pictured_words

import visner
from visner.errors import VisnerError
from visner.runtime import tables
from visner.runtime.spans import bio_to_spans

SHARD = "results/images/sample/tiny/0.parquet"
AGAIN = re.compile(r"in (\S+) \(snakemake (.*)\)$")  # the remedy of a message


@pytest.fixture(scope="module")
def tagger(finished):
    return visner.load(finished.folder / "results" / "tiny_gate")


@pytest.fixture
def unknown(finished):
    """Words that the source has pictures of, and the corpus has not."""
    table = finished.folder / "results/nouns/tiny/queries.parquet"
    queries = {row["query"] for row in tables.iterate_rows(table, tables.QUERIES)}
    return [word for word in ("国旗", "日の丸", "ドイツ", "ブラジル") if word not in queries]


def predictions(project):
    """Text, predicted labels and gates of each dev and test sentence, as the pipeline has them."""
    results = project.folder / "results"
    sentences = tables.iterate_rows(results / "corpora/tiny/sentences.parquet", tables.SENTENCES)
    texts = {row["sentence_id"]: row["text"] for row in sentences}
    rows = tables.iterate_rows(results / "tiny_gate/seed1/predictions.parquet", tables.PREDICTIONS)
    return [(texts[row["sentence_id"]], row["predicted"], row["gate"]) for row in rows]


def assert_gates(tagger, project):
    """Every word has the gate that the pipeline gave it, or no picture where it had none."""
    expected = predictions(project)
    gates = []
    for one, (_, _, gate) in zip(tagger.tag([text for text, *_ in expected]), expected, strict=True):
        for word in one.words:
            assert word.has_pictures == (not np.isnan(gate[word.start]))
            assert word.gate is None or word.gate == pytest.approx(gate[word.start], abs=1e-5)
            gates += [word.gate] * word.has_pictures
    assert len(set(gates)) > 3


def tag(project, *arguments, text=b"", **options):
    command = [sys.executable, "-m", "visner", "tag", *map(str, arguments)]
    options = {"cwd": project.folder, "env": project.environment(), "input": text, **options}
    return subprocess.run(command, capture_output=True, **options)


def test_the_corpus_sentences_are_tagged_as_the_pipeline_tagged_them(finished, tagger):
    expected = predictions(finished)
    for one, (_, labels, _) in zip(tagger.tag([text for text, *_ in expected]), expected, strict=True):
        assert [mention[:3] for mention in one.mentions] == [tuple(span) for span in bio_to_spans(labels, lenient=True)]
    assert_gates(tagger, finished)


def test_a_noun_that_training_never_saw_is_looked_up_and_misses_are_counted(finished):
    tagger = visner.load(finished.folder / "results" / "tiny_gate")
    table = finished.folder / "results/nouns/tiny/queries.parquet"
    queries = {row["query"] for row in tables.iterate_rows(table, tables.QUERIES)}
    new = next(word for word in pictured_words() if word not in queries and len(word) > 1)
    (one,) = tagger.tag([f"{new}が走る。"])
    assert one.words[0].surface == new
    assert one.words[0].has_pictures
    assert 0 < one.words[0].gate < 1
    assert tagger.lookups.found == {new}
    tagger.tag(["議論をする。"])
    assert tagger.lookups.missed == {"議論"}
    assert tagger.lookups.known == set()


def test_the_best_of_the_configured_seeds_tags_from_any_name_of_the_folder(finished, tmp_path, monkeypatch):
    project = finished.copy(tmp_path / "project")
    folder = project.folder / "results" / "tiny_gate"
    stale = folder / "seed7"  # a seed that the configuration no longer has, with a dev F1 that none can beat
    shutil.copytree(folder / "seed1", stale)
    report = json.loads((stale / "training.json").read_text())
    (stale / "training.json").write_text(json.dumps({**report, "seed": 7, "dev_f1": [100.0]}))
    assert visner.load(folder).seed == 1
    renamed = folder.rename(folder.parent / "renamed")
    monkeypatch.chdir(renamed)
    assert visner.load(".").seed == 1


def test_case_every_mention_that_the_labels_open_is_returned(project):
    """Of a trained model that is pushed towards B- and, more, towards I-: counted in its labels and by `tag`.

    Decoding obeys the scheme: no I- is left that continues nothing.
    """
    seed = project.folder / "results/tiny_gate/seed1"
    with safe_open(seed / "model.safetensors", "pt") as file:
        metadata = file.metadata()
    tensors, labels = load_file(seed / "model.safetensors"), json.loads(metadata["visner"])["config"]["labels"]
    inside = [number for number, label in enumerate(labels) if label.startswith("I-")]
    beginning = [number for number, label in enumerate(labels) if label.startswith("B-")]
    tensors["emit.bias"][inside] += 8
    tensors["emit.bias"][beginning] += 7
    save_file(tensors, seed / "model.safetensors", metadata)
    (seed / "predictions.parquet").unlink()
    project.run("results/tiny_gate/seed1/predictions.parquet", "--rerun-triggers", "mtime")
    expected = predictions(project)
    tagged = visner.load(seed).tag([text for text, *_ in expected])
    opened = 0
    for one, (_, predicted, _) in zip(tagged, expected, strict=True):
        before = ["O", *predicted[:-1]]
        begun = sum(label.startswith("B-") for label in predicted)
        orphans = sum(label[0] == "I" and last[1:] != label[1:] for last, label in zip(before, predicted, strict=True))
        assert (len(one.mentions), orphans) == (begun, 0)
        opened += begun
    assert opened >= len(expected) / 2


def test_case_pictures_regenerated_for_another_target_do_not_shift_the_tagger(project):
    rows = tables.read_table(project.folder / SHARD, tables.IMAGES).to_pylist()
    usable = next(row for row in rows if row["image_id"])
    more = [{**usable, "query": "!", "rank": 0}, *rows]  # a query that is sorted before all others
    made_by = tables.read_provenance(project.folder / SHARD)
    tables.write_table(project.folder / SHARD, tables.IMAGES, more, made_by)
    assert_gates(visner.load(project.folder / "results/tiny_gate"), project)


FILES = {
    "vectors": "grounding/pictures/tiny/vectors.npy",
    "keys": "grounding/pictures/tiny/keys.parquet",
    "characters": "vectors/tiny/glove_char.safetensors",
    "words": "vectors/tiny/glove_word.safetensors",
    "language model": "vectors/tiny/flair_backward.safetensors",
}


@pytest.mark.parametrize("file", FILES.values(), ids=FILES)
def test_case_what_was_made_again_since_the_training_is_refused(project, file):
    path = project.folder / "results" / file
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(VisnerError, match=f"{re.escape(str(path))}: made again since seed 1 was trained with it"):
        visner.load(project.folder / "results/tiny_gate")


@pytest.mark.parametrize("what, rule", [("vectors made again", "ner_train"), ("keys lost", "grounding_ground")])
def test_case_the_remedy_for_another_grounding_works(project, what, rule):
    grounding = project.folder / "results/grounding/pictures/tiny"
    if what == "vectors made again":
        np.save(grounding / "vectors.npy", 2 * np.load(grounding / "vectors.npy"))
    else:
        (grounding / "keys.parquet").unlink()
    with pytest.raises(VisnerError) as error:
        visner.load(project.folder / "results/tiny_gate")
    place, remedy = AGAIN.search(str(error.value)).groups()
    assert place == str(project.folder)
    assert rule in project.rules_run(*remedy.split())
    assert_gates(visner.load(project.folder / "results/tiny_gate"), project)


def test_case_results_of_an_older_version_are_one_line(project):
    folder = project.folder / "results/tiny_gate"
    (project.folder / "results/grounding/pictures/tiny/keys.parquet").unlink()
    with pytest.raises(VisnerError, match="keys.parquet: no such file; make it again in .*/keys.parquet"):
        visner.load(folder)
    history, system = tables.read_json(folder / "seed1/training.json"), tables.read_json(folder / "system.json")
    del history["provenance"]["tables"]["flair_forward"]
    tables.write_json(folder / "seed1/training.json", history)
    with pytest.raises(VisnerError, match="an older version trained it and kept no digest of .*flair_forward"):
        visner.load(folder)
    (folder / "seed1/model.safetensors").write_bytes(b"not a model")
    with pytest.raises(VisnerError, match="no model of this version of visner .* train it again"):
        visner.load(folder)
    system["config"]["images"]["sample"]["colour"] = True
    tables.write_json(folder / "system.json", system)
    with pytest.raises(VisnerError, match="system.json: made by another version of visner .*images.sample.colour"):
        visner.load(folder)
    (folder / "system.json").write_text("{}")
    with pytest.raises(VisnerError, match="system.json: made by another version of visner .*'config'"):
        visner.load(folder)


@pytest.mark.parametrize(
    "section, name, key, file", [("experiments", "tiny_gate", "gate", "model"), ("groundings", "pictures", "k", "keys")]
)
def test_a_model_of_another_recipe_than_the_systems_is_refused(project, section, name, key, file):
    folder = project.folder / "results/tiny_gate"
    system = tables.read_json(folder / "system.json")
    assert system["config"][section][name][key] not in (1, "vector")
    system["config"][section][name][key] = {"gate": "vector", "k": 1}[key]
    tables.write_json(folder / "system.json", system)
    with pytest.raises(VisnerError, match=rf"{file}\.\w+: made by another recipe than system.json's"):
        visner.load(folder)


def test_case_results_may_be_a_link_and_be_linked(project, tmp_path, unknown, monkeypatch):
    (tmp_path / "scratch").mkdir()
    results = project.folder / "results"
    shutil.move(results, tmp_path / "scratch/of me")
    results.symlink_to(tmp_path / "scratch/of me")
    (tmp_path / "best").symlink_to(results / "tiny_gate")
    monkeypatch.chdir(results / "tiny_gate")
    monkeypatch.setenv("PWD", str(results / "tiny_gate"))  # as a shell has it
    for name in (results / "tiny_gate", results / "tiny_gate/seed1", tmp_path / "best", "."):
        tagger = visner.load(name)
        assert tagger.tag(f"{unknown[0]}が走る。").words[0].has_pictures  # by files of the project beside results


def test_case_a_seed_may_be_named_by_its_folder_or_its_model(project):
    folder = project.folder / "results/tiny_gate"
    shutil.copytree(folder / "seed1", folder / "seed2")
    for name in ("seed2", "seed2/model.safetensors"):
        assert visner.load(folder / name).seed == 2
    assert visner.load(folder, seed=2).seed == 2
    with pytest.raises(VisnerError, match="is seed 2, and seed 1 is asked for"):
        visner.load(folder / "seed2", seed=1)
    with pytest.raises(VisnerError, match="tiny_gate: there is no seed 9; choose from 1, 2"):
        visner.load(folder, seed=9)
    (folder / "seed1/model.safetensors").unlink()
    with pytest.raises(
        VisnerError, match=r"seed1/model.safetensors: no such file; choose a seed that is there \(2\), or make"
    ):
        visner.load(folder)


def test_case_a_read_only_project_tags(project, unknown):
    def without_override():  # root has no other rights than the files' modes give
        ctypes.CDLL(None).prctl(24, 1, 0, 0, 0)  # PR_CAPBSET_DROP, CAP_DAC_OVERRIDE

    subprocess.run(["chmod", "-R", "a-w", project.folder], check=True)
    try:
        text = f"{unknown[0]}が走る。\n".encode()
        done = tag(project, "--model", "results/tiny_gate", "--json", text=text, preexec_fn=without_override)
    finally:
        subprocess.run(["chmod", "-R", "u+w", project.folder], check=True)
    assert done.returncode == 0, done.stderr.decode()
    assert json.loads(done.stdout)["words"][0]["has_pictures"]
    assert b"store: Permission denied: what is looked up now is not kept" in done.stderr


def test_case_one_string_is_one_text(tagger):
    assert tagger.tag("東京で犬を見た。") == tagger.tag(["東京で犬を見た。"])[0]
    assert tagger.tag(text for text in ("犬", "山")) == tagger.tag(["犬", "山"])
    assert tagger.tag([]) == []
    with pytest.raises(VisnerError, match=r"text 2: U\+D83D at 1 is half a character"):
        tagger.tag(["犬", "犬\ud83d"])
    with pytest.raises(TypeError, match="text 1 is of type bytes"):
        tagger.tag([b"x"])


def test_empty_and_blank_texts_have_no_mentions(tagger):
    assert [one.mentions for one in tagger.tag(["", "   "])] == [[], []]


def test_case_a_tagger_leaves_its_process_as_it_was(finished, unknown):
    def state():
        generators = (torch.get_rng_state().tolist(), random.getstate(), np.random.get_state()[1].tolist())
        torchs = (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled(), torch.is_grad_enabled())
        return generators, torchs, dict(os.environ), list(warnings.filters), torch.get_default_dtype()

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        expected = state()
        tagger = visner.load(finished.folder / "results/tiny_gate")
        assert state() == expected
        assert tagger.tag(f"{unknown[0]}が走る。").words[0].has_pictures
        assert state() == expected
    finally:
        torch.set_num_threads(before)


def test_the_cnn_is_read_once_and_old_vectors_make_room_for_new(project, unknown, monkeypatch):
    tagger = visner.load(project.folder / "results/tiny_gate")
    text = f"{unknown[0]}が走る。"
    first = tagger.tag(text)
    (project.folder / "resources/weights/resnet18.safetensors").unlink()
    monkeypatch.setattr("visner.tagging.tagger.KEPT", 1)
    (second,) = tagger.tag([f"{unknown[1]}と{unknown[2]}が走る。"])
    assert [word.has_pictures for word in second.words if word.query] == [True, True]
    assert tagger.tag(text) == first
    assert tagger.lookups.found == set(unknown[:3])
    with pytest.raises(VisnerError, match="resnet18.safetensors: no such file, so no new word can get pictures"):
        visner.load(project.folder / "results/tiny_gate")


def test_case_texts_that_people_have_are_tagged_line_by_line(finished, tmp_path):
    """A byte order mark, Windows' and old Mac's ends of lines, NUL, a very long line; then one that isn't UTF-8.

    Standard error is a terminal, which shows how far it is, and is left with the message alone.
    """
    lines = ["\ufeff東京で犬を見た。", "山へ行く。", "古い行", "a\0b 東京", "", "東京で犬を見た。" * 2500]
    ends = ["\r\n", "\n", "\r", "\n", "\n", "\n"]
    text = "".join(line + end for line, end in zip(lines, ends, strict=True)).encode()
    (tmp_path / "a.txt").write_bytes(text + "読めない\n".encode("shift_jis") + b"never\n")
    command = [sys.executable, "-m", "visner", "tag", "--model", "results/tiny_gate", "--json", tmp_path / "a.txt"]
    options = {"cwd": finished.folder, "env": finished.environment()}
    with open(tmp_path / "out", "wb") as out:
        status, written, shown = on_a_terminal(
            lambda terminal: subprocess.Popen(command, stdout=out, stderr=terminal, **options), columns=120
        )
    assert status == 1
    found = [json.loads(line) for line in (tmp_path / "out").read_bytes().decode().splitlines()]
    assert [one["text"] for one in found] == ["東京で犬を見た。", *lines[1:]]
    assert [word["surface"] for word in found[3]["words"]] == ["a", "\0", "b", "東京"]
    assert re.search(r"tag: 100%.* 60\.\dk/60\.\dk", written)
    (line,) = shown
    assert "a.txt:7: not UTF-8 (invalid start byte at byte 0); convert it first, such as by iconv -f SHIFT_JIS" in line


def test_case_a_line_in_is_a_line_out(finished):
    """A real pipe that stays open, and a terminal's settings that know ASCII only."""
    command = [sys.executable, "-m", "visner", "tag", "--model", "results/tiny_gate", "--json"]
    environment = {**finished.environment(), "PYTHONIOENCODING": "ascii"}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=finished.folder, env=environment, bufsize=0, **pipes) as process:
        for text in ("東京で犬を見た。", "", "山へ行く。"):
            process.stdin.write(f"{text}\n".encode())
            answer, until = b"", time.monotonic() + 300
            while not answer.endswith(b"\n"):
                assert select.select([process.stdout], [], [], until - time.monotonic())[0], "no answer"
                answer += process.stdout.read(1 << 16) or pytest.fail(process.stderr.read().decode())
            assert json.loads(answer)["text"] == text
        process.stdin.close()
        assert process.wait() == 0
        assert process.stdout.read() == b""
        assert b"nouns: " in process.stderr.read()


def test_the_command_shows_gates_and_counts_and_says_when_there_was_nothing(finished):
    shown = tag(finished, "--model", "results/tiny_gate/seed1", "-", text="東京で犬を見た。\n\n山へ行く。\n".encode())
    assert shown.returncode == 0, shown.stderr
    assert re.search("犬 0\\.\\d\\d", shown.stdout.decode())
    assert b"nouns: " in shown.stderr
    empty = tag(finished, "--model", "results/tiny_gate", text=b"")
    assert (empty.returncode, empty.stdout) == (0, b"")
    assert b"there was no text: give files, or a sentence a line on standard input" in empty.stderr


def test_a_control_says_that_it_cannot_tag(project):
    folder = project.folder / "results/tiny_gate"
    system = tables.read_json(folder / "system.json")
    system["config"]["groundings"]["pictures"]["control"] = "noise"
    tables.write_json(folder / "system.json", system)
    with pytest.raises(VisnerError, match="the control `noise` has no pictures of its own to tag with"):
        visner.load(folder)


def test_a_model_or_a_text_that_is_not_there_is_one_line(finished, tmp_path):
    with pytest.raises(VisnerError, match="system.json: no such file; give the folder of an experiment that has"):
        visner.load(tmp_path)
    with pytest.raises(VisnerError, match="did you mean tiny_gate?"):
        visner.load(finished.folder / "results/tiny_gat")
    shutil.copytree(finished.folder / "results/tiny_gate", tmp_path / "tiny_gate")
    with pytest.raises(VisnerError, match="tiny_gate: no project around it: a tagger needs all of results/"):
        visner.load(tmp_path / "tiny_gate")
    done = tag(finished, "--model", tmp_path)
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert b"no.txt: there is no such file" in tag(finished, "--model", tmp_path, "no.txt").stderr
