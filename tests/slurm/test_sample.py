"""The embedded sample's documents end to end through the profile, SLURM's controller away for a while."""

import re
import time

LOCAL = {"embeddings/resnet18/weights.log", "tiny_gate/describe.log"}  # localrules
STAGE_LOGS = 14


def test_every_stage_runs_in_a_job_of_slurm(unfinished, cluster, same):
    run = unfinished.start()
    unfinished.stage("vectors flair-train")
    cluster.stop_controller()
    time.sleep(20)
    cluster.start_controller()
    run.end()
    same(unfinished)

    folder = unfinished.folder / "results" / "logs"
    logs = {str(file.relative_to(folder)): file.read_text() for file in folder.rglob("*.log")}
    assert len(logs) == STAGE_LOGS
    named = {name: re.match(r"SLURM job (\d+) on ", text) for name, text in logs.items()}
    assert {name for name, job in named.items() if job is None} == LOCAL
    completed = {job["JobId"] for job in unfinished.jobs() if job["JobState"] == "COMPLETED"}
    assert {job[1] for job in named.values() if job} == completed
    assert named["corpora/tiny.log"][1] == named["nouns/tiny.log"][1]  # a group
