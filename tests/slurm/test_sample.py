"""A study of the embedded sample's documents end to end through the profile, SLURM's controller away for a while."""

import re
import time

from cluster_project import STUDY, files, wait_for

LOCAL = {"embeddings/resnet18/weights.log", "tiny_gate/describe.log", "tiny_text/describe.log"}  # localrules


def test_every_stage_runs_in_a_job_of_slurm(unfinished, cluster, same, request):
    run = unfinished.start(target=STUDY)
    unfinished.process("vectors_flair_train")
    cluster.stop_controller()
    time.sleep(20)
    wait_for(lambda: "MinJobAge=None" in run.text)  # asked in vain: what made Snakemake wait for ever
    cluster.start_controller()
    run.end()
    same(unfinished)
    finished = request.getfixturevalue("finished")  # only now: it is made meanwhile, by another process
    assert files(unfinished, "studies", "*") == files(finished, "studies", "*")

    logs = files(unfinished, "logs", "*.log")
    assert set(logs) == set(files(finished, "logs", "*.log"))
    named = {name: re.match(rb"SLURM job (\d+) on ", text) for name, text in logs.items()}
    assert {name for name, job in named.items() if job is None} == LOCAL
    assert {job[1].decode() for job in named.values() if job} == {job["JobId"] for job in unfinished.jobs()}
    assert {job["JobState"] for job in unfinished.jobs()} == {"COMPLETED"}  # none asked for too little
    for group in ("corpora/tiny.log", "nouns/tiny.log"), ("studies/tiny.log", "studies/tiny.gallery.log"):
        assert len({named[name][1] for name in group}) == 1
