"""A trained model as one safetensors file: its parameters, and in the metadata all that builds it again."""

import json
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import safe_open

from visner.errors import VisnerError
from visner.ner.recogniser import Recogniser
from visner.runtime.tables import atomic_path


def save(path: Path, model: Recogniser, **beside: Any) -> None:
    """Write a model, and more metadata of it (JSON)."""
    content = {"model": type(model).__name__, "config": model.config.model_dump(mode="json"), **beside}
    metadata = {"visner": json.dumps(content, ensure_ascii=False, sort_keys=True)}
    tensors = {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
    with atomic_path(path) as temporary:
        safetensors.torch.save_file(tensors, temporary, metadata)


def load(path: Path, device: torch.device | str = "cpu") -> tuple[Recogniser, dict[str, Any]]:
    """A saved model on `device`, ready to predict, and what else `save` was given. VisnerError where there is none."""
    if not path.exists():
        raise VisnerError(f"{path}: no such model; train it first (snakemake {path})")
    try:
        with safe_open(path, "pt") as file:
            beside = json.loads(file.metadata()["visner"])
        model = _new(beside.pop("model"), beside.pop("config"))
        model.load_state_dict(safetensors.torch.load_file(path))
    except (safetensors.SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise VisnerError(
            f"{path}: no model of this version of visner ({reason}); train it again (-R ner_train)"
        ) from None
    return model.to(device).eval(), beside


def _new(name: str, config: dict) -> Recogniser:
    if name == "BertCRF":
        from visner.ner.bert_crf import BertCRF, BertCRFConfig  # transformers takes seconds to import, and is an extra

        return BertCRF(BertCRFConfig.model_validate(config))
    from visner.ner.bilstm_crf import BiLSTMCRF, BiLSTMCRFConfig

    return BiLSTMCRF(BiLSTMCRFConfig.model_validate(config))
