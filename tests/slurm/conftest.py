"""A cluster, and an undisturbed local run, which every run on the cluster must equal."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from cluster import Cluster, free_ports
from cluster_project import MODEL, STUDY, ClusterProject, make_study
from tiny_project import TARGET, Project

from visner.runtime import tables


def pytest_collection_modifyitems(items):
    """The longest test first, the short ones of the docs last: pytest's processes end at the same time."""
    order = ("test_sample", "test_failures", "test_vokens", "test_shards", "test_profile", "test_docs")
    items.sort(key=lambda item: order.index(item.path.stem) if item.path.stem in order else len(order))


@pytest.fixture(scope="session")
def cluster(tmp_path_factory, worker_id) -> Iterator[Cluster]:
    """A cluster of this process of pytest's own: what one test does to its nodes disturbs no other."""
    if not shutil.which("slurmctld", path=f"{os.environ['PATH']}:/usr/sbin"):
        pytest.skip("no SLURM here: tests/slurm/install installs it, and make test-slurm does all that is needed")
    number = 0 if worker_id == "master" else int(worker_id.removeprefix("gw"))
    cluster = Cluster(tmp_path_factory.mktemp("slurm"), free_ports(18300 + 100 * number))
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture(scope="session")
def finished(tmp_path_factory, worker_id) -> Project:
    """The project after an undisturbed run on this machine, without a cluster; made once for all processes."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "finished"
    with open(f"{folder}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (folder / STUDY).exists():
            return Project(folder)
        project = make_study(folder)
        done = project.run(STUDY)
        assert done.returncode == 0, done.stdout + done.stderr
        assert tables.read_json(folder / TARGET)["test"]["strict"]["mean"]["micro"]["f1"] > 0  # else all would be equal
        return project


@pytest.fixture
def unfinished(cluster, tmp_path) -> ClusterProject:
    """The project before any run."""
    return ClusterProject(make_study(tmp_path / "project"), cluster, len(cluster.jobs()) + 1)


@pytest.fixture
def project(cluster, finished, tmp_path) -> ClusterProject:
    """The finished project, to take results away from."""
    return ClusterProject(finished.copy(tmp_path / "project"), cluster, len(cluster.jobs()) + 1)


@pytest.fixture
def same(request) -> Callable[[ClusterProject], None]:
    """Asserts that a project has the undisturbed run's scores and, to the byte, its model."""

    def check(project: ClusterProject) -> None:
        finished = request.getfixturevalue("finished")
        for name in (TARGET, MODEL):
            assert (project.folder / name).read_bytes() == (finished.folder / name).read_bytes(), name

    return check
