"""kill -9 at ten random moments, and on again: the same scores.json as an undisturbed run."""

import random
import signal
import subprocess
import time

TARGET = "results/tiny_gate/scores.json"


def test_ten_kills_leave_no_trace_in_the_scores(finished, unfinished):
    generator = random.Random(1)
    kills = 0
    began = time.monotonic()
    while kills < 10:
        with open(unfinished.folder / "log.txt", "a") as log:
            process = subprocess.Popen(
                unfinished.command("--nolock", TARGET),
                cwd=unfinished.folder,
                env=unfinished.environment(),
                stdout=log,
                stderr=log,
            )
        try:
            process.wait(generator.uniform(3, 14))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
        else:
            break  # it was finished before ten kills: the moments have covered it all
        assert time.monotonic() - began < 900
    done = unfinished.run("--nolock", TARGET)
    assert done.returncode == 0, done.stdout + done.stderr
    assert kills >= 5
    assert (unfinished.folder / TARGET).read_bytes() == (finished.folder / TARGET).read_bytes()
    assert not list((unfinished.folder / "results").rglob("*.part"))
