"""What programs import from visner, and the worked examples of docs/library.md and docs/extending.md."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import visner
from visner.errors import VisnerError
from visner.runtime.spans import micro_f1

ROOT = Path(__file__).resolve().parents[1]


def python(code, folder, library=ROOT / "lib"):
    """What a program prints, with visner from a folder."""
    environment = {**os.environ, "PYTHONPATH": str(library), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def blocks(document, section):
    """The Python of a section of a document."""
    text = (ROOT / "docs" / document).read_text().split(f"\n## {section}\n")[1].split("\n## ")[0]
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


def test_importing_visner_imports_no_torch_and_every_name_is_there(tmp_path):
    assert python("import sys, visner; print('torch' in sys.modules, 'pydantic' in sys.modules)", tmp_path) == (
        "False False\n"
    )
    for name in visner.__all__:
        assert getattr(visner, name).__doc__, name
    with pytest.raises(AttributeError, match="module 'visner' has no attribute 'lod'"):
        visner.lod  # noqa: B018
    assert (ROOT / "lib" / "visner" / "py.typed").is_file()


def test_the_worked_example_trains_on_tensors(tmp_path):
    (code,) = blocks("library.md", "A recogniser trained on tensors")
    assert len(code.splitlines()) < 60
    assert float(re.search(r"F1 ([\d.]+)", python(code, tmp_path))[1]) > 95
    without = code.replace('fusion="gate"', 'fusion="none"').replace("decoded.gates[0].round(1)", "None")
    assert float(re.search(r"F1 ([\d.]+)", python(without, tmp_path))[1]) < 80


USE = """
import torch, visner
from pydantic import TypeAdapter
from transformers import BertConfig
from visner.config.experiments import Experiment
TypeAdapter(Experiment).validate_python({"corpus": "x", "vectors": "x", "grounding": "x", "fusion": "film"})
pictures = visner.Pictures(torch.randn(3, 5), torch.tensor([0, -1, 2, 1]))
mask, labels = torch.tensor([[True, True, True], [True, False, False]]), torch.zeros(2, 3, dtype=torch.long)
known = {"labels": ["O", "B-X"], "visual": 5, "fusion": "film"}
bilstm = visner.BiLSTMCRF(visner.BiLSTMCRFConfig(chars=4, contextual=6, hidden=3, **known))
batch = visner.BiLSTMBatch(torch.randn(4, 4), mask, contextual=torch.randn(4, 6), pictures=pictures, labels=labels)
size = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8, "vocab_size": 9}
bert = visner.BertCRF(visner.BertCRFConfig(encoder=BertConfig(**size).to_dict(), **known))
ids, first = torch.randint(9, (2, 5)), torch.tensor([1, 2, 3, 6])
words = visner.BertBatch(ids, torch.ones_like(ids, dtype=torch.bool), first, mask, pictures, labels)
for model, given in ((bilstm, batch), (bert, words)):
    model.loss(given).backward()
    assert all(weight.grad.abs().sum() > 0 for weight in model.fusion.parameters())
    print(type(model).__name__, type(model.fusion).__name__)
"""


def test_a_new_fusion_is_its_file_and_one_line_and_serves_both_recognisers(tmp_path):
    pytest.importorskip("transformers")
    library = shutil.copytree(
        ROOT / "lib", tmp_path / "lib", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
    )
    file, line = blocks("extending.md", "A fusion")
    place, content = file.removeprefix("# ").split("\n", 1)
    (tmp_path / place).write_text(content)
    assert len(content.splitlines()) < 60
    place, registered = line.removeprefix("# ").strip().split("\n")
    recipes = tmp_path / place
    before = recipes.read_text()
    recipes.write_text(re.sub(r"^Fusion = Literal.*$", registered, before, flags=re.MULTILINE))
    assert recipes.read_text() != before
    assert python(USE, tmp_path, library) == "BiLSTMCRF Film\nBertCRF Film\n"


def test_a_corpus_is_read_by_its_recipe(tmp_path):
    (tmp_path / "a.tsv").write_text("Tom\tB-PER\nruns\tO\n\nKyoto\tB-LOC\n")
    recipe = {"format": "conll", "paths": ["a.tsv"], "classes": ["PER", "LOC"], "split": {"by": "hash"}}
    rows = visner.read_corpus(recipe, tmp_path)
    assert [(row["units"], row["labels"]) for row in rows] == [
        (["Tom", "runs"], ["B-PER", "O"]),
        (["Kyoto"], ["B-LOC"]),
    ]
    with pytest.raises(VisnerError, match="recipe: .*clases: "):
        visner.read_corpus({**recipe, "clases": []}, tmp_path)


def test_scores_are_exact_matches_in_both_readings():
    gold = [["B-A", "I-A", "O", "B-B"], ["B-MIX", "O"]]
    predicted = [["B-A", "I-A", "O", "I-B"], ["B-MIX", "B-A"]]
    strict, lenient = (visner.score(gold, predicted, reading) for reading in ("strict", "lenient"))
    assert (strict["micro"]["gold"], strict["micro"]["predicted"], strict["micro"]["correct"]) == (2, 2, 1)
    assert (lenient["micro"]["predicted"], lenient["micro"]["correct"]) == (3, 2)
    assert strict["micro"]["f1"] == pytest.approx(100 * micro_f1(gold, predicted))
    assert (strict["A"]["precision"], strict["A"]["recall"], strict["MIX"]["f1"]) == (50.0, 100.0, 100.0)
    with pytest.raises(ValueError, match="sentence 0: 1 labels for 2 units"):
        visner.score([["O", "O"]], [["O"]])
