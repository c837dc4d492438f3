"""What benchmarks share, and the one of a GPU: rounds until two agree, how busy others were, a run without a GPU."""

import json
import os
import re
import runpy
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path

import psutil
import pytest
import torch
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def quiet(monkeypatch):
    """The module that benchmarks share."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    from machine import quiet

    return quiet


@pytest.mark.parametrize("file", sorted((ROOT / "benchmarks").glob("*.py")), ids=lambda file: file.stem)
def test_every_benchmark_can_be_read(file, monkeypatch):
    """What stands above their `main` runs; what they then do takes minutes."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    module = {"search": "faiss", "crawl": "icrawler", "nouns": "fugashi"}.get(file.stem, "torch")
    pytest.importorskip(module)
    assert callable(runpy.run_path(str(file))["main"])


def scripted(*seconds):
    """A way that says that it took these seconds, one after the other."""
    remaining = list(seconds)
    return lambda: remaining.pop(0)


def test_rounds_go_on_until_two_agree_in_the_ratios(quiet):
    """The third round's ratio, 1.95, is within a tenth of the first's, 2; the machine was slower by a half."""
    ways = {"peer": scripted(2.0, 2.0, 3.0, 9.0), "ours": scripted(1.0, 0.5, 1.54, 9.0)}
    rounds = quiet.until_two_agree(ways, most=6, tolerance=0.1)
    assert rounds.agreeing == (0, 2)
    assert rounds.seconds["peer"] == [2.0, 2.0, 3.0]
    assert rounds.typical("peer") == pytest.approx(2.5)
    assert rounds.ratio("ours", "peer") == pytest.approx(5 / 2.54)
    assert str(rounds).startswith("rounds 1 and 3 of 3 agree within 10%; others took ")


def test_rounds_that_never_agree_end_and_say_so(quiet):
    rounds = quiet.until_two_agree({"ours": scripted(1.0, 2.0, 4.0, 8.0)}, most=3, tolerance=0.1)
    assert rounds.agreeing is None
    assert rounds.typical("ours") == 2.0
    assert "no two of 3 rounds agree within 10% (medians; repeat it on a quieter machine); others took" in str(rounds)


def test_a_way_that_says_nothing_is_timed(quiet):
    rounds = quiet.until_two_agree({"sleep": lambda: time.sleep(0.05)}, most=2)
    assert 0.05 <= min(rounds.seconds["sleep"]) < 1


@pytest.mark.skipif(not Path("/proc/stat").exists(), reason="needs Linux")
def test_how_busy_others_were_counts_others_and_not_this_process(quiet):
    spin = [sys.executable, "-c", "while True: pass"]
    other, processors = subprocess.Popen(spin), os.cpu_count()
    try:
        time.sleep(0.2)
        with quiet.Busy() as busy:
            began, mine, before = (
                time.perf_counter(),
                time.process_time(),
                sum(psutil.Process(other.pid).cpu_times()[:2]),
            )
            while time.perf_counter() - began < 1:
                pass
            took = (time.perf_counter() - began) * processors
            mine = (time.process_time() - mine) / took
            others = (sum(psutil.Process(other.pid).cpu_times()[:2]) - before) / took
    finally:
        other.kill()
        other.wait()
    assert others - 0.1 <= busy.share <= 1 - mine + 0.1


@pytest.fixture
def gpu(monkeypatch):
    """The benchmark of a GPU, as a module."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import gpu

    return gpu


THERE = ("torch", "torchvision", "transformers", "pyarrow", "safetensors", "numpy", "pydantic", "pytorch-crf", "pytest")
THERE += ("faiss-cpu",)
PARTS = """
import sys, time
sys.path.insert(0, "benchmarks")
import importlib.util
import pytest, torch, gpu
assert not any(importlib.util.find_spec(name) for name in ("fugashi", "flair", "snakemake", "scipy", "hypothesis"))
torch.set_num_threads(1)
files = sorted(map(str, (gpu.ROOT / "tests").glob("*/test_gpu.py")))
assert pytest.main(["--collect-only", "-q", "-m", "gpu", "-p", "no:cacheprovider", *files]) == 0
for name, (part, _) in gpu.PARTS.items():
    for figure in part(torch.device("cpu"), gpu.Sizes(quick=True), time.perf_counter()):
        print("figure", name, gpu.line(figure))
"""


def packages(*names):
    """These distributions and all that they need, of those that are installed."""
    found, waiting = {}, list(names)
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in found:
            continue
        try:
            found[name] = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        needed = [Requirement(one) for one in found[name].requires or []]
        waiting += [one.name for one in needed if one.marker is None or one.marker.evaluate({"extra": ""})]
    return found.values()


def test_case_all_of_a_gpu_runs_where_little_more_than_torch_is_installed(tmp_path):
    """No MeCab, flair, Snakemake, scipy or hypothesis, nor visner: the tests are collected, and every part runs."""
    for package in packages(*THERE):
        for top in {file.parts[0] for file in package.files or []} - {"..", "bin"}:
            link = tmp_path / top
            if not link.exists():
                link.symlink_to(package.locate_file(top))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT / "lib")])}
    done = subprocess.run(
        [sys.executable, "-S", "-c", PARTS], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=580
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    figures = re.findall(r"^figure (\w+) ", done.stdout, re.MULTILINE)
    several = ["bert_crf", "densenet121", "resnet152"]
    assert sorted(figures) == sorted([*several, *several, "bilstm_crf", "flair", "search", "vokens"])


def test_the_benchmark_of_a_gpu_leaves_one_file_with_machine_versions_and_figures(gpu, monkeypatch, tmp_path, capsys):
    output = tmp_path / "made" / "gpu.json"
    command = ["gpu.py", "--device", "cpu", "--quick", "--seconds", "1200", "--parts", "search"]
    monkeypatch.setattr(sys, "argv", [*command, "--output", str(output)])
    assert gpu.main() == 0
    content = json.loads(output.read_text())
    (figure,) = content["figures"]
    assert (figure["part"], figure["unit"], figure["peer"]) == ("search", "queries/s", "bare product and top-k")
    assert figure["of_peer"] == pytest.approx(figure["value"] / figure["peer_value"], rel=0.01)
    assert content["versions"]["torch"] == metadata.version("torch")
    assert content["machine"]["processors"] == os.cpu_count()
    assert (content["failed"], content["quick"]) == ({}, True)
    assert "the ten best of 500 pictures" in capsys.readouterr().out


def test_an_interrupted_run_of_it_keeps_what_it_has_and_a_slow_part_costs_the_others_nothing(
    gpu, monkeypatch, tmp_path
):
    """Parts in place of the real ones: one that prints a figure and hangs, one that fails, one that is interrupted."""
    figure = json.dumps({"what": "w", "unit": "u", "value": 1.0, "rounds": "r"})
    hangs = f"import time; print({figure!r}, flush=True); time.sleep(60)"
    codes, run = iter([hangs, "raise RuntimeError('out of memory')", None]), gpu.run

    def of_code(command, seconds):
        code = next(codes)
        if code is None:
            raise KeyboardInterrupt
        return run([sys.executable, "-c", code], min(seconds, 3))

    monkeypatch.setattr(gpu, "run", of_code)
    output = tmp_path / "gpu.json"
    command = ["gpu.py", "--device", "cpu", "--quick", "--parts", "flair", "vokens", "search"]
    monkeypatch.setattr(sys, "argv", [*command, "--output", str(output)])
    with pytest.raises(KeyboardInterrupt):
        gpu.main()
    content = json.loads(output.read_text())
    assert [one["part"] for one in content["figures"]] == ["flair"]
    assert content["failed"]["flair"] == "not done after 3 s"
    assert "RuntimeError: out of memory" in content["failed"]["vokens"]


def test_failed_tests_are_in_the_file_by_name(gpu, monkeypatch, tmp_path):
    folder = tmp_path / "tests" / "one"
    folder.mkdir(parents=True)
    (folder / "test_gpu.py").write_text(
        "import pytest\npytestmark = pytest.mark.gpu\ndef test_a(): pass\ndef test_b(): assert 1 == 2\n"
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = gpu: x\n")
    monkeypatch.setattr(gpu, "ROOT", tmp_path)
    found, why = gpu.tests(60)
    assert {key: found[key] for key in ("tests", "failures", "skipped")} == {"tests": 2, "failures": 1, "skipped": 0}
    ((name, message),) = found["failed"].items()
    assert name.endswith("test_b")
    assert "assert 1 == 2" in message[0]
    assert why.startswith("exit status 1")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_so_in_one_line_and_make_bench_goes_on(gpu, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(sys, "argv", ["gpu.py"])
    assert gpu.main() == gpu.SKIPPED == 77
    assert capsys.readouterr().out == ("skipped: torch sees no GPU here (--device cpu --quick tries the program out)\n")
    recipe = (ROOT / "Makefile").read_text().split("\nbench:")[1].split("\n\n")[0]
    for status, expected in ((77, 0), (0, 0), (1, 2)):
        place = tmp_path / str(status)
        (place / "benchmarks").mkdir(parents=True)
        (place / "benchmarks" / "gpu.py").write_text(f"raise SystemExit({status})\n")
        (place / ".venv" / "bin").mkdir(parents=True)
        (place / ".venv" / "bin" / "python").symlink_to(sys.executable)
        (place / ".venv" / ".installed").touch()
        (place / "Makefile").write_text("SHELL := /bin/bash\nbench:" + recipe + "\n")
        assert subprocess.run(["make", "bench"], cwd=place, capture_output=True).returncode == expected
