"""Shards of pictures on the cluster, where the checkpoint that finds their queries is one stage of a group."""

from cluster_project import ClusterProject
from shards_project import NEW_NOUN, SHARDS, TARGETS, make_shards, of_shard, shard_of, times


def test_a_new_noun_submits_its_shard_and_no_other(cluster, tmp_path):
    project = ClusterProject(make_shards(tmp_path / "project"), cluster, len(cluster.jobs()) + 1)
    project.start(target=TARGETS[-1]).end()
    assert len(project.jobs("images_fetch")) == SHARDS
    before = times(project)
    (project.folder / "texts" / "2.txt").write_text(f"{NEW_NOUN}だ。\n")
    project.start(target=TARGETS[-1]).end()
    assert len(project.jobs("images_fetch")) == SHARDS + 1
    after = times(project)
    assert {file for file in after if after[file] != before[file]} == of_shard(shard_of(NEW_NOUN)) & after.keys()
    (project.folder / "texts" / "3.txt").write_text("犬だ。\n")
    project.start(target=TARGETS[-1]).end()
    assert times(project) == after
