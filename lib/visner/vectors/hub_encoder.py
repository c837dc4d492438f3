"""A text encoder of HuggingFace's hub as a folder of this project: what reads it later needs no network."""

import shutil
import tempfile
from pathlib import Path

import torch

from visner.config.encoders import of_revision
from visner.errors import VisnerError
from visner.runtime.stages import log
from visner.runtime.tables import atomic_path

# What a repository is asked for. No pickles (pytorch_model.bin): reading one runs what is in it.
WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "model-*.safetensors")
NEEDED = (
    *("config.json", *WEIGHTS, "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"),
    *("added_tokens.json", "vocab.txt", "vocab.json", "merges.txt", "bpe.codes", "*.model"),
)


def hub_encoder(*, files: list[Path], name: str) -> None:
    """Write the `files` FETCHED of the encoder NAME@REVISION of the hub; its weights as float32.

    config.json also says, as `hub`, the name and the commit that the revision is. VisnerError where it can't be
    fetched, has no safetensors, or a tokenizer without a fast form.
    """
    from huggingface_hub import snapshot_download
    from transformers import AutoModel, AutoTokenizer

    encoder, (name, revision) = name, of_revision(name)
    try:
        fetched = Path(snapshot_download(name, revision=revision, allow_patterns=list(NEEDED)))
        if not any(path for pattern in WEIGHTS for path in fetched.glob(pattern)):
            raise VisnerError(
                f"encoder: {encoder} has no model.safetensors, and pickled weights are not read, since reading them "
                "can run code; choose a revision that has it, or convert it yourself and give the folder"
            )
        tokenizer = AutoTokenizer.from_pretrained(fetched, local_files_only=True)
        model = AutoModel.from_pretrained(fetched, local_files_only=True, use_safetensors=True, dtype=torch.float32)
    except (OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise VisnerError(
            f"encoder: {encoder} can't be fetched ({reason}); run this where there is a network, or fetch its folder "
            "otherwise and give its path"
        ) from None
    if not tokenizer.is_fast:
        raise VisnerError(f"encoder: {encoder} has no fast tokenizer (tokenizer.json); choose another encoder")
    model.config.hub = {"name": name, "commit": fetched.name}  # a snapshot's folder is called by its commit
    log.info("encoder %s: commit %s", encoder, fetched.name)
    with tempfile.TemporaryDirectory() as made:
        model.save_pretrained(made, max_shard_size="1000GB")
        tokenizer.save_pretrained(made)
        for file in files:
            with atomic_path(file) as temporary:
                shutil.copyfile(Path(made) / file.name, temporary)
