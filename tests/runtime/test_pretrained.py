"""Encoders from a folder: how long a text they hold, and folders that are of no use."""

import shutil

import pytest
import torch
from transformers import BertConfig, BertModel, RobertaConfig, RobertaModel

from visner.errors import VisnerError
from visner.runtime.pretrained import load, positions


def test_positions_are_those_that_can_be_used():
    size = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
    assert positions(BertModel(BertConfig(**size, vocab_size=9, max_position_embeddings=20))) == 20
    roberta = RobertaModel(RobertaConfig(**size, vocab_size=9, max_position_embeddings=20, pad_token_id=1))
    assert positions(roberta) == 18


def test_each_folder_that_is_of_no_use_is_one_line(encoder, tmp_path):
    copies = {name: tmp_path / name for name in ("weights", "tokenizer", "vocabulary")}
    for copy in copies.values():
        shutil.copytree(encoder, copy)
    (copies["weights"] / "model.safetensors").unlink()
    (copies["tokenizer"] / "config.json").write_text("{}")
    RobertaModel(
        RobertaConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8, vocab_size=5)
    ).save_pretrained(copies["vocabulary"])
    for folder in (tmp_path / "nothing", *copies.values()):
        with pytest.raises(VisnerError, match="encoder: .*" + folder.name) as error:
            load(folder)
        assert "\n" not in str(error.value)


def test_a_pickle_is_not_read_and_the_line_that_converts_it_works(encoder, tmp_path):
    folder = shutil.copytree(encoder, tmp_path / "pickled")
    expected = BertModel.from_pretrained(folder)
    (folder / "model.safetensors").unlink()
    torch.save(expected.state_dict(), folder / "pytorch_model.bin")
    with pytest.raises(VisnerError, match="its weights are a pickle.*convert it: python -c") as error:
        load(folder)
    exec(str(error.value).split('python -c "')[1].removesuffix('"'))
    found, _ = load(folder)
    assert all(torch.equal(a, b) for a, b in zip(found.parameters(), expected.parameters(), strict=True))
