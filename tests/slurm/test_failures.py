"""What clusters do to jobs. Each run ends with the scores and the model of the undisturbed one."""

import re
import signal

import psutil
from cluster_project import MODEL, STUDY, files, wait_for
from embedding_tables import stored
from tiny_project import TARGET

PREDICTIONS = "results/tiny_gate/seed1/predictions.parquet"
HISTORY = "results/tiny_gate/seed1/training.json"


def states(jobs):
    return [job["JobState"] for job in jobs]


def resumed_after(project):
    """The epoch that the last training went on after, or in."""
    return int(re.search(r"resuming (?:after|in) epoch (\d+)", project.log("tiny_gate/seed1.train.log"))[1])


def test_a_job_out_of_memory_is_run_again_with_more(project, same):
    """At first it is enough for Snakemake in the job, and too little for the stage."""
    project.remove(PREDICTIONS, TARGET)
    project.start("--set-resources", "ner_predict:mem_mb=500 * 3 ** (attempt - 1)").end()
    same(project)
    small, large = project.jobs("ner_predict")
    assert (small["MinMemoryNode"], large["MinMemoryNode"]) == ("500M", "1500M")
    assert states([small, large]) == ["FAILED", "COMPLETED"]


def test_a_job_out_of_time_is_run_again_with_more_and_goes_on(project, same):
    project.remove(MODEL, HISTORY, PREDICTIONS, TARGET)
    run = project.start("--set-resources", "ner_train:runtime=attempt")
    project.stop_training_after_an_epoch()
    run.end()
    same(project)
    short, long = project.jobs("ner_train")
    assert (short["TimeLimit"], long["TimeLimit"]) == ("00:01:00", "00:02:00")
    assert states([short, long]) == ["TIMEOUT", "COMPLETED"]
    assert resumed_after(project) >= 1


def test_a_cancelled_training_goes_on_at_its_last_epoch(project, cluster, same):
    project.remove(MODEL, HISTORY, PREDICTIONS, TARGET)
    run = project.start()
    project.stop_training_after_an_epoch()
    cluster.run("scancel", project.jobs("ner_train")[0]["JobId"])
    run.end()
    same(project)
    assert states(project.jobs("ner_train")) == ["CANCELLED", "COMPLETED"]
    assert resumed_after(project) >= 1


def test_nodes_that_are_lost_while_they_embed(project, finished, cluster, same):
    made = ("results/embeddings", "results/grounding", "results/studies", "store")
    project.remove(*made, MODEL, HISTORY, PREDICTIONS, TARGET)
    run = project.start(target=STUDY)
    project.stop_embedding()
    lost = {each["NodeList"] for each in project.jobs("embeddings_embed") if each["JobState"] == "RUNNING"}
    for node in lost:
        cluster.crash_node(node)
    wait_for(lambda: all(cluster.node_state(node) == "down" for node in lost))
    for node in lost:
        cluster.start_node(node)
    run.end()
    same(project)
    assert files(project, "studies", "*") == files(finished, "studies", "*")
    embedded = project.jobs("embeddings_embed")
    assert len({job["ArrayJobId"] for job in embedded}) == 1  # both shards are tasks of one array
    assert states(embedded) == ["COMPLETED"] * 2
    assert any(int(job["Restarts"]) == 1 for job in embedded)
    logs = files(project, "logs/embeddings", "[01].log").values()
    after = sum(int(re.search(rb"(\d+) of them embedded now", log)[1]) for log in logs)
    assert 0 < after == stored(project.folder / "store")  # a part is larger than these shards, and no part is torn


def test_snakemake_is_killed_and_run_again(project, same):
    project.remove(MODEL, HISTORY, PREDICTIONS, TARGET)
    run = project.start()
    project.stop_training_after_an_epoch()
    for process in [*psutil.Process(run.process.pid).children(recursive=True), run.process]:
        process.send_signal(signal.SIGKILL)
    run.process.wait()
    project.cluster.run("scancel", project.jobs("ner_train")[0]["JobId"])  # docs/cluster.md
    project.project.run("--unlock")
    project.start().end()
    same(project)
    assert resumed_after(project) >= 1
