"""`visner tag` on a finished project: the pipeline's own predictions are the judge."""

import json
import shutil
import subprocess
import sys

import pytest

import visner
from visner import tables
from visner.errors import VisnerError
from visner.images.drawings import manifest
from visner.spans import bio_to_spans


@pytest.fixture(scope="module")
def tagger(finished):
    return visner.load(finished.folder / "results" / "tiny_gate")


def test_the_corpus_sentences_are_tagged_as_the_pipeline_tagged_them(finished, tagger):
    results = finished.folder / "results"
    texts = {
        row["sentence_id"]: row["text"]
        for row in tables.iterate_rows(results / "corpora/tiny/sentences.parquet", tables.SENTENCES)
    }
    rows = list(tables.iterate_rows(results / "tiny_gate/seed1/predictions.parquet", tables.PREDICTIONS))
    tagged = tagger.tag([texts[row["sentence_id"]] for row in rows])
    for row, one in zip(rows, tagged, strict=True):
        assert [mention[:3] for mention in one.mentions] == [tuple(span) for span in bio_to_spans(row["predicted"])]
        for word in one.words:
            expected = row["gate"][word.start]
            assert (word.gate is None) == (expected != expected)  # NaN
            assert word.gate is None or word.gate == pytest.approx(expected, abs=1e-5)
    assert any(word.gate is not None for one in tagged for word in one.words)


def test_a_noun_that_training_never_saw_is_looked_up_and_misses_are_counted(finished):
    tagger = visner.load(finished.folder / "results" / "tiny_gate")
    table = finished.folder / "results/nouns/tiny/queries.parquet"
    queries = {row["query"] for row in tables.iterate_rows(table, tables.QUERIES)}
    new = next(word for word in manifest(1, 2) if word not in queries and len(word) > 1)
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


def test_empty_and_blank_texts_have_no_mentions(tagger):
    assert [one.mentions for one in tagger.tag(["", "   "])] == [[], []]


def test_the_command_tags_lines_as_text_and_as_json(finished):
    model = str(finished.folder / "results" / "tiny_gate")
    text = "東京で犬を見た。\n\n山へ行く。\n"
    command = [sys.executable, "-m", "visner", "tag", "--model", model]
    shown = subprocess.run(command, input=text, env=finished.environment(), capture_output=True, text=True)
    assert shown.returncode == 0, shown.stderr
    assert "nouns:" in shown.stderr
    assert "犬" in shown.stdout
    done = subprocess.run([*command, "--json"], input=text, env=finished.environment(), capture_output=True, text=True)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["text"] for line in lines] == ["東京で犬を見た。", "", "山へ行く。"]
    assert [word["surface"] for word in lines[0]["words"]][:2] == ["東京", "で"]


def test_a_model_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(VisnerError, match="system.json: no such file"):
        visner.load(tmp_path)
    command = [sys.executable, "-m", "visner", "tag", "--model", str(tmp_path)]
    done = subprocess.run(command, input="", capture_output=True, text=True)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
