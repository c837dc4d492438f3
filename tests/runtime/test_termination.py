"""Trainings in processes of their own that signals end: what they keep, how soon, and that the bits are the same.

Run as a program, this file is such a training: FOLDER PLACE ACCUMULATION SECONDS.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import regression
import torch

from visner.config.experiments import Training
from visner.runtime import stages, training


def train(checkpoint, accumulation, reached=lambda place: None):
    """Three epochs of five batches; `reached` is told of "batch", the second epoch's third, and "dev", its end."""
    model = regression.Line()
    optimizer = torch.optim.AdamW(model.parameters(), 0.01)
    steps = -(-5 // accumulation)

    def steps_done():
        return max((int(state["step"]) for state in optimizer.state.values()), default=0)

    def batches(generator, start):
        for number, batch in enumerate(regression.batches(generator, start), start + 1):
            if number == 3 and steps <= steps_done() < 2 * steps:
                reached("batch")
            yield batch

    def evaluate():
        if steps_done() == 2 * steps:
            reached("dev")
        return float(model.layers[0].weight.detach().abs().sum()) / 100, 1.0

    schedule = training.linear_schedule(3 * steps, 0.3)
    history = training.fit(
        model, optimizer, batches, 5, evaluate, Training(epochs=3), 3, checkpoint, schedule, accumulation
    )
    return vars(history), model.state_dict()


def start(folder, place, accumulation=1, seconds=600, below=()):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [*below, sys.executable, __file__, str(folder), place, str(accumulation), str(seconds)]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)


def interrupt(folder, sent, *arguments):
    """Send a signal, twice as clusters may, when the place is reached; exit status, what was said, seconds it took."""
    process = start(folder, *arguments)
    end = time.monotonic() + 60
    while not (folder / "reached").exists():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end
        time.sleep(0.01)
    (folder / "reached").unlink()
    began = time.monotonic()
    for _ in range(2):
        process.send_signal(sent)
        time.sleep(0.05)
    _, said = process.communicate(timeout=60)
    return process.returncode, said, time.monotonic() - began


def finish(folder, accumulation):
    """Go on to the end, which must be that of an undisturbed training; what was said."""
    process = start(folder, "nowhere", accumulation)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    history, parameters = torch.load(folder / "result")
    expected = train(folder / "undisturbed", accumulation)
    assert history == expected[0]
    for name, value in expected[1].items():
        assert torch.equal(parameters[name], value), name
    return said


@pytest.mark.parametrize("accumulation", [1, 2])
def test_sigterm_in_an_epoch_keeps_it_and_ends_the_process_in_seconds(tmp_path, accumulation):
    status, said, seconds = interrupt(tmp_path, signal.SIGTERM, "batch", accumulation)
    place = f"in epoch 2 after {2 + accumulation} of 5 batches"  # the step under way is done
    assert said.splitlines()[-1] == f"stopped by SIGTERM {place}; run again to go on"
    assert status == 143
    assert seconds < 20
    assert f"resuming {place} from" in finish(tmp_path, accumulation)


def test_sigterm_does_not_wait_for_dev(tmp_path):
    status, said, seconds = interrupt(tmp_path, signal.SIGTERM, "dev")
    assert said.splitlines()[-1] == "stopped by SIGTERM in epoch 2 after 5 of 5 batches; run again to go on"
    assert status == 143
    assert seconds < 20  # of 60
    assert "resuming in epoch 2 after 5 of 5 batches" in finish(tmp_path, 1)


def test_a_training_whose_parent_is_killed_makes_its_checkpoint_and_ends(tmp_path):
    parent = [sys.executable, "-c", "import subprocess, sys; subprocess.run(sys.argv[1:])"]
    status, said, seconds = interrupt(tmp_path, signal.SIGKILL, "batch", 1, 600, parent)
    assert status == -signal.SIGKILL  # the parent's; what its child says goes on until that ends
    assert said.splitlines()[-1] == "stopped by SIGTERM in epoch 2 after 3 of 5 batches; run again to go on"
    assert seconds < 20
    assert "resuming in epoch 2 after 3 of 5 batches" in finish(tmp_path, 1)


def test_a_crash_costs_what_came_after_the_last_checkpoint_in_time(tmp_path):
    status, *_ = interrupt(tmp_path, signal.SIGKILL, "batch", 2, 0)  # one after every step
    assert status == -signal.SIGKILL
    assert "resuming in epoch 2 after 2 of 5 batches" in finish(tmp_path, 2)


def test_a_crash_in_a_short_epoch_costs_the_epoch(tmp_path):
    interrupt(tmp_path, signal.SIGKILL, "batch")
    assert "resuming after epoch 1 from" in finish(tmp_path, 1)


def test_a_block_that_does_not_heed_sigterm_is_ended():
    """As one that is stuck in a library, where Python runs no handlers."""
    stuck = (
        "import signal, time\nfrom visner.runtime import termination\ntermination.GRACE = 1\n"
        "with termination.Termination() as termination:\n    print(flush=True)\n"
        "    time.sleep(60)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen([sys.executable, "-c", stuck], env=environment, stdout=subprocess.PIPE)
    process.stdout.readline()
    process.terminate()
    began = time.monotonic()
    assert process.wait(timeout=30) == -signal.SIGALRM
    assert time.monotonic() - began < 10


def test_a_signal_that_the_block_did_not_heed_takes_effect_at_its_end():
    unheeded = (
        "import os, signal\nfrom visner.runtime.termination import Termination\n"
        "with Termination():\n    os.kill(os.getpid(), signal.SIGTERM)\nprint('not reached')"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", unheeded], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (-signal.SIGTERM, "")


if __name__ == "__main__":
    folder, place, accumulation, seconds = sys.argv[1:]
    stages.start_log(None)
    stages.die_with_parent()
    training.CHECKPOINT_SECONDS = int(seconds)

    def reached(here: str) -> None:
        if here == place:
            (Path(folder) / "reached").touch()
            time.sleep(5 if here == "batch" else 60)

    found = train(Path(folder) / "checkpoint", int(accumulation), reached)
    torch.save(found, Path(folder) / "result")
