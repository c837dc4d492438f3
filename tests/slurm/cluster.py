"""A real SLURM cluster on this machine: its nodes are daemons beside each other, everything is below one folder.

    eval "$(python tests/slurm/cluster.py start FOLDER [PORT])"    # up; squeue, sbatch and Snakemake now find it
    python tests/slurm/cluster.py stop FOLDER

It needs no systemd, no root, no accounting database. Memory limits are enforced as SLURM does without cgroups: by
sampling the memory of each job once a second. Its GPUs are pretended.
"""

import contextlib
import os
import pwd
import re
import secrets
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

CPUS, MEMORY, GPUS = 4, 8000, 2  # a node; SLURM believes it, whatever this machine has
PATIENCE = 30  # seconds for a daemon to come up or to end
CONFIGURATION = """
ClusterName=visner
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser={user}
SlurmdUser={user}
# A job that is queued again after its node was lost waits until its old credential expires.
AuthInfo=socket={folder}/munge.socket,cred_expire=10
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/%n.pid
SlurmctldLogFile={folder}/log/slurmctld.log
SlurmdLogFile={folder}/log/%n.log
MailProg=/bin/true
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
# A job that uses more memory than it asked for is killed; looked at once a second.
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
# Ended jobs stay visible to squeue for a day.
MinJobAge=86400
# A lost node is noticed soon, its jobs are queued again, and it is taken back when it returns.
SlurmdTimeout=10
ReturnToService=2
KillWait=10
OverTimeLimit=0
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1,sched_min_interval=0
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SlurmdParameters=config_overrides
GresTypes=gpu
NodeName=DEFAULT CPUs={cpus} RealMemory={memory}
NodeName=cpu[1-2] NodeHostname={host} NodeAddr=127.0.0.1 Port=[{first}-{second}] Feature=avx512
NodeName=gpu1 NodeHostname={host} NodeAddr=127.0.0.1 Port={third} Gres=gpu:{gpus} Feature=avx512
PartitionName=cpu Nodes=cpu[1-2] Default=YES
PartitionName=gpu Nodes=gpu1
"""
NODES = ("cpu1", "cpu2", "gpu1")


@dataclass
class Cluster:
    """A cluster below `folder`, on the four ports from `port` on."""

    folder: Path
    port: int

    @property
    def environment(self) -> dict[str, str]:
        """This process' environment, as a client of the cluster has it."""
        path = f"{self.folder}/bin:{os.environ['PATH']}:/usr/sbin"
        return {**os.environ, "SLURM_CONF": str(self.folder / "slurm.conf"), "PATH": path}

    def start(self) -> None:
        self._configure()
        munge = f"munged --foreground --force --key-file={self.folder}/munge.key --socket={self.folder}/munge.socket"
        munge += f" --pid-file={self.folder}/munge.pid --seed-file={self.folder}/munge.seed"
        self._launch("munged", *munge.split(), f"--log-file={self.folder}/log/munged.log")
        self._await("munged", lambda: (self.folder / "munge.socket").exists())
        self.start_controller()
        for node in NODES:
            self.start_node(node)

    def stop(self) -> None:
        for node in NODES:
            self.crash_node(node)
        for daemon in ("slurmctld", "munged"):
            for process in self._processes(daemon):
                process.kill()

    def start_controller(self) -> None:
        self._launch("slurmctld", "slurmctld", "-D")
        self._await("slurmctld", lambda: self.run("scontrol", "ping", check=False).returncode == 0)

    def stop_controller(self) -> None:
        """As for an update: it saves its state; jobs run on."""
        processes = self._processes("slurmctld")
        for process in processes:
            process.terminate()
        psutil.wait_procs(processes, timeout=PATIENCE)

    def start_node(self, node: str) -> None:
        self._launch(node, "slurmd", "-D", "-N", node)
        self._await(node, lambda: self.node_state(node) in ("idle", "mixed", "allocated"))

    def crash_node(self, node: str) -> None:
        """As if its power was lost: its daemon and all processes of its jobs are gone at once."""
        daemons = self._processes(node)
        everything = {below for one in daemons for below in one.children(recursive=True)} | set(daemons)
        for process in daemons + list(everything):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    def node_state(self, node: str) -> str:
        return (
            self.run("sinfo", "-h", "-N", "-n", node, "-o", "%T", check=False).stdout.split("\n")[0].strip("*~#!%$@^-")
        )

    def jobs(self) -> list[dict[str, str]]:
        """All jobs this cluster has had, oldest first, by the names that `scontrol show job` uses.

        Comment is what Snakemake calls a job: rule_{rule}_wildcards_{their values}.
        """
        lines = self.run("scontrol", "--oneliner", "show", "jobs").stdout.splitlines()
        jobs = [dict(re.findall(r"(\S+?)=(\S*)", line)) for line in lines if line.startswith("JobId=")]
        return sorted(jobs, key=lambda job: int(job["JobId"]))

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess:
        return subprocess.run(
            command, env=self.environment, check=check, capture_output=True, text=True, timeout=PATIENCE
        )

    def _configure(self) -> None:
        for part in ("bin", "dev", "log", "pids", "spool", "state"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        key = self.folder / "munge.key"
        key.write_bytes(secrets.token_bytes(1024))
        key.chmod(0o600)
        values = {"host": socket.gethostname().split(".")[0], "user": pwd.getpwuid(os.getuid()).pw_name}
        values |= {"port": self.port, "first": self.port + 1, "second": self.port + 2, "third": self.port + 3}
        values |= {"cpus": CPUS, "memory": MEMORY, "gpus": GPUS, "folder": self.folder}
        (self.folder / "slurm.conf").write_text(CONFIGURATION.format(**values).lstrip())
        # A GPU counts only with a device file: /dev/null under other names.
        for number in range(GPUS):
            with contextlib.suppress(FileExistsError):
                (self.folder / "dev" / f"gpu{number}").symlink_to("/dev/null")
        (self.folder / "gres.conf").write_text(f"NodeName=gpu1 Name=gpu File={self.folder}/dev/gpu[0-{GPUS - 1}]\n")
        # Snakemake's job step drops SLURM_CONF before it calls srun; real clusters have /etc/slurm/slurm.conf.
        srun = self.folder / "bin" / "srun"
        srun.write_text(f'#!/bin/sh\nSLURM_CONF="{self.folder}/slurm.conf" exec /usr/bin/srun "$@"\n')
        srun.chmod(0o755)

    def _launch(self, name: str, *command: str) -> None:
        with (self.folder / "log" / f"{name}.out").open("ab") as output:
            subprocess.Popen(
                command,
                env={**self.environment, "VISNER_CLUSTER": f"{self.folder}:{name}"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def _processes(self, name: str) -> list[psutil.Process]:
        """The daemon of this name and what it has started for its jobs, known by a variable in their environment."""
        mark = f"VISNER_CLUSTER={self.folder}:{name}\0".encode()
        found = []
        for process in psutil.process_iter():
            # not psutil's environ(): SLURM overwrites the first bytes with the process' title
            with contextlib.suppress(OSError):
                if mark in Path(f"/proc/{process.pid}/environ").read_bytes():
                    found.append(process)
        return found

    def _await(self, name: str, ready) -> None:
        end = time.monotonic() + PATIENCE
        while not ready():
            if time.monotonic() > end:
                raise RuntimeError(f"{name} did not come up in {PATIENCE} s; see {self.folder}/log")
            time.sleep(0.1)


def free_ports(first: int = 18300) -> int:
    """The first of four ports in a row, from `first` on, that nobody listens on."""
    for port in range(first, 2**16, 4):
        with contextlib.ExitStack() as sockets, contextlib.suppress(OSError):
            for number in range(port, port + 4):
                sockets.enter_context(socket.socket()).bind(("127.0.0.1", number))
            return port
    raise RuntimeError(f"no four free ports from {first} on")


if __name__ == "__main__":
    verb, folder, *port = [*sys.argv[1:], "", ""][: max(2, len(sys.argv) - 1)]
    if verb not in ("start", "stop") or not folder or len(port) > 1:
        sys.exit(__doc__)
    cluster = Cluster(Path(folder).resolve(), int(port[0]) if port else free_ports())
    if verb == "stop":
        cluster.stop()
    else:
        cluster.start()
        print(f'export SLURM_CONF={cluster.folder}/slurm.conf PATH={cluster.folder}/bin:"$PATH"')
