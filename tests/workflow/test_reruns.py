"""What runs again when something has changed: exactly what reads it. Real Snakemake runs."""

import shutil
import subprocess

import pytest
import yaml
from embedding_tables import stored
from tiny_project import TARGET, Project, pictured_words

import visner
from visner.runtime import tables

AFTER_TRAINING = ["evaluation_score", "ner_predict", "ner_train"]


def test_an_untouched_tree_does_nothing(project):
    done = project.run()
    assert done.returncode == 0
    assert "Nothing to be done" in done.stdout + done.stderr


def test_case_a_copied_project_trains_again_unless_its_times_came_with_it(finished, tmp_path):
    for copy, then in (("-a", None), ("-r", "--touch")):
        project = Project(tmp_path / copy)
        subprocess.run(["cp", copy, "--", finished.folder, project.folder], check=True)
        if then:
            assert project.run(TARGET, then).returncode == 0
        assert project.rules_run("-n", TARGET) == []


CHANGES = {  # a key of the configuration, its new value, and what runs again beside the training and what follows
    "a learning rate": (("experiments", "tiny_gate", "training", "learning_rate"), 0.03, []),
    "how many pictures": (("groundings", "pictures", "k"), 1, ["grounding_ground"]),
    "one more seed": (("experiments", "tiny_gate", "seeds"), [1, 2], []),  # is trained, and the other isn't
}


@pytest.mark.parametrize("keys, value, more", CHANGES.values(), ids=CHANGES)
def test_a_changed_key_reruns_what_reads_it_and_no_more(project, keys, value, more):
    config = project.config()
    section = config
    for key in keys[:-1]:
        section = section[key]
    section[keys[-1]] = value
    project.configure(config)
    # the description of the system names the key, too
    assert project.rules_run("-n", TARGET) == sorted([*AFTER_TRAINING, *more, "ner_describe"])


def test_a_changed_document_reruns_its_chain_and_embeds_no_picture_twice(project):
    before = stored(project.folder / "store")
    document = next(iter(sorted((project.folder / "corpus").glob("*.xml"))))
    document.write_text(document.read_text().replace("</TEXT>", "、".join(pictured_words()) + "。\n</TEXT>"))
    (project.folder / "results/images/sample/tiny/0.parquet").unlink()  # not even if results are gone
    ran = project.rules_run()
    assert {"corpora_read", "nouns_find", "images_fetch", "embeddings_embed", "vectors_glove", *AFTER_TRAINING} <= set(
        ran
    )
    assert "embeddings_weights" not in ran
    log = (project.folder / "results/logs/embeddings/resnet18/sample/tiny/0.log").read_text()
    new = stored(project.folder / "store") - before
    assert new > 0
    assert f"{before + new} pictures, {new} of them embedded now" in log


def test_a_scratch_disk_reruns_nothing_and_changes_no_byte(project, tmp_path, monkeypatch):
    (tmp_path / "of jobs").mkdir()
    monkeypatch.setenv("DISK_OF_THIS_MACHINE", str(tmp_path))
    project.configure(project.config() | {"scratch": "$DISK_OF_THIS_MACHINE/of jobs"})
    assert "Nothing to be done" in project.run().stderr
    results = project.folder / "results"
    before = (results / "tiny_gate/scores.json").read_bytes()
    for made in ("results/embeddings", "results/grounding", "results/tiny_gate", "store"):
        shutil.rmtree(project.folder / made)
    assert {"embeddings_embed", *AFTER_TRAINING} <= set(project.rules_run())
    logs = [results / "logs/embeddings/resnet18/sample/tiny/0.log"]
    logs += [results / f"logs/tiny_gate/seed1.{verb}.log" for verb in ("train", "predict")]
    for log in logs:
        assert f" copied to {tmp_path}/of jobs\n" in log.read_text()
    assert list((tmp_path / "of jobs").iterdir()) == []
    assert (results / "tiny_gate/scores.json").read_bytes() == before


def test_case_a_store_named_by_a_variable_is_there_and_its_place_is_in_no_result(project, tmp_path, monkeypatch):
    project.configure(project.config() | {"store": "$DISK_OF_THIS_MACHINE/store"})
    monkeypatch.setenv("DISK_OF_THIS_MACHINE", str(tmp_path / "one"))
    assert project.rules_run() == ["evaluation_score", "ner_describe"]  # which say where the store is
    monkeypatch.setenv("DISK_OF_THIS_MACHINE", str(tmp_path / "other"))  # as on another machine
    assert "Nothing to be done" in project.run().stderr
    assert str(tmp_path / "one") not in (project.folder / "results/tiny_gate/scores.json").read_text()
    table = project.folder / "results/nouns/tiny/queries.parquet"
    known = {row["query"] for row in tables.iterate_rows(table, tables.QUERIES)}
    new = next(word for word in pictured_words() if word not in known and len(word) > 1)
    (tagged,) = visner.load(project.folder / "results" / "tiny_gate").tag([f"{new}が走る。"])
    assert tagged.words[0].has_pictures
    assert list((tmp_path / "other" / "store").rglob("*.arrow"))
    assert not (tmp_path / "one").exists()
    assert not any("$" in path.name for path in project.folder.rglob("*"))


def results(project):
    """Every file of the results, its bytes and its time."""
    files = (path for path in (project.folder / "results").rglob("*") if path.is_file())
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def test_case_a_path_that_is_not_there_stops_a_finished_project_and_rewrites_nothing(project):
    """Snakemake ignores a missing input where its output exists, and would note the new recipe beside the old score."""
    before = results(project)
    config = project.config()
    config["vectors"]["tiny"]["glove_char"] = {"path": "no/such/file", "dimensions": 8}
    project.configure(config)
    for arguments in ((), ("-n",)):
        done = project.run(*arguments, "results/tiny_gate/scores.json")
        assert done.returncode != 0
        assert "config.yaml: vectors.tiny.glove_char.path: there is no file no/such/file\n" in done.stdout + done.stderr
    assert results(project) == before


def test_a_bad_configuration_stops_before_any_job_with_one_line(project):
    config = project.config()
    config["experiments"]["tiny_gate"]["fusion"] = "gat"
    project.configure(config)
    done = project.run()
    assert done.returncode != 0
    text = done.stdout + done.stderr
    choices = "choose from 'none', 'simple', 'gate', 'blend' or 'attention' (it is 'gat')"
    assert f"config.yaml: experiments.tiny_gate.fusion: {choices}" in text
    assert "Traceback" not in text
    assert "rule " not in text


def test_another_configuration_is_read_alone(project):
    config = project.config()
    config["experiments"] = {"other": config["experiments"]["tiny_gate"]}
    (project.folder / "other.yaml").write_text(yaml.safe_dump(config, allow_unicode=True))
    done = project.run("--configfile", "other.yaml", "-n", "results/other/scores.json")
    assert done.returncode == 0, done.stdout + done.stderr
    done = project.run("--configfile", "other.yaml", "-n", "results/tiny_gate/scores.json")
    assert done.returncode != 0  # the default configuration's experiment isn't there


def test_a_corpus_that_is_not_there_stops_with_its_key(project):
    config = project.config()
    config["corpora"]["tiny"]["paths"] = ["corpsu"]
    project.configure(config)
    done = project.run()
    text = done.stdout + done.stderr
    assert done.returncode != 0
    assert "config.yaml: corpora.tiny.paths: there is no file corpsu" in text
    assert "Traceback" not in text
