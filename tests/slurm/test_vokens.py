"""Words spread over the jobs of two arrays, one for their states and one for their search."""

from cluster_project import ClusterProject, files
from tweets_project import make_tweets

SCORES = "results/vokens/tiny/scores.json"


def test_vokens_by_shards_are_those_of_a_local_run_though_a_job_is_killed(cluster, tmp_path):
    local = make_tweets(tmp_path / "local")
    done = local.run(SCORES)
    assert done.returncode == 0, done.stdout + done.stderr
    project = ClusterProject(local.copy(tmp_path / "project"), cluster, len(cluster.jobs()) + 1)
    project.remove("results/vokens")
    run = project.start(target=SCORES)
    project.process("vokens_states").kill()
    run.end()
    for rule, states in (
        ("vokens_states", ["COMPLETED", "COMPLETED", "FAILED"]),
        ("vokens_search", ["COMPLETED", "COMPLETED"]),
    ):
        jobs = project.jobs(rule)
        assert sorted(job["JobState"] for job in jobs) == states
        assert len({job["ArrayJobId"] for job in jobs[:2]}) == 1
    made = files(local, "vokens/tiny", "[!.]*.*")
    assert {name.rpartition(".")[2] for name in made} == {"npy", "json", "parquet", "faiss", "safetensors", "md"}
    assert files(project, "vokens/tiny", "[!.]*.*") == made
