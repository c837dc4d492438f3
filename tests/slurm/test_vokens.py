"""Words spread over the jobs of two arrays, one for their states and one for their search."""

from cluster_project import ClusterProject
from tweets_project import make_tweets

SCORES = "results/vokens/tiny/scores.json"


def test_vokens_by_shards_are_those_of_a_local_run(cluster, tmp_path):
    local = make_tweets(tmp_path / "local")
    done = local.run(SCORES)
    assert done.returncode == 0, done.stdout + done.stderr
    project = ClusterProject(local.copy(tmp_path / "project"), cluster, len(cluster.jobs()) + 1)
    project.remove("results/vokens")
    project.start(target=SCORES).end()
    for rule in ("vokens_states", "vokens_search"):
        jobs = project.jobs(rule)
        assert len(jobs) == 2
        assert len({job["ArrayJobId"] for job in jobs}) == 1
    made = [file.relative_to(local.folder) for file in (local.folder / "results/vokens/tiny").rglob("[!.]*.*")]
    assert {file.suffix for file in made} == {".npy", ".json", ".parquet", ".safetensors", ".md"}
    for file in made:
        assert (project.folder / file).read_bytes() == (local.folder / file).read_bytes(), file
