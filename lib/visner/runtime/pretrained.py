"""A HuggingFace encoder with its tokenizer, as the matcher and a BERT-CRF read it."""

from pathlib import Path

import torch
from torch import nn
from transformers import AutoModel, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerFast

from visner.errors import VisnerError


def load(folder: str | Path) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """The encoder in float32 and the tokenizer of a folder (`save_pretrained`'s, or a copy of the hub's).

    Nothing is fetched, and no pickle is read. VisnerError where the folder has none, or where they can't be used
    together.
    """
    if not Path(folder).is_dir():
        raise VisnerError(f"encoder: there is no folder {folder}")
    if not any(Path(folder).glob("*.safetensors")) and any(Path(folder).glob("*.bin")):
        code = f"from transformers import AutoModel as M; M.from_pretrained('{folder}').save_pretrained('{folder}')"
        raise VisnerError(
            f"encoder: {folder}: its weights are a pickle, which can run code when it is read; if you trust it, "
            f'convert it: python -c "{code}"'
        )
    try:
        encoder = AutoModel.from_pretrained(folder, local_files_only=True, use_safetensors=True, dtype=torch.float32)
        # byte-level tokenizers join a word with the space before it, and refuse words without this
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, add_prefix_space=True)
    except (OSError, ValueError) as error:
        raise VisnerError(f"encoder: {folder}: {str(error).splitlines()[0]}") from None
    if not tokenizer.is_fast:
        raise VisnerError(
            f"encoder: {folder}: its tokenizer doesn't say which word a sub-token is of (it has no tokenizer.json: it "
            "is not fast); convert it, or choose another encoder"
        )
    if len(tokenizer) > encoder.get_input_embeddings().num_embeddings:
        raise VisnerError(f"encoder: {folder}: its tokenizer knows more sub-tokens than the encoder; they don't belong")
    return encoder, tokenizer


def positions(encoder: nn.Module) -> int | None:
    """How many sub-tokens an encoder's position embeddings hold, special ones included; None where it has none."""
    for name, module in encoder.named_modules():
        if name.endswith("position_embeddings") and isinstance(module, nn.Embedding):
            # RoBERTa's positions start behind that of its padding
            return module.num_embeddings - (0 if module.padding_idx is None else module.padding_idx + 1)
    return None
