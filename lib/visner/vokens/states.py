"""Every word's state in a frozen HuggingFace encoder, computed once."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from visner.errors import VisnerError
from visner.runtime import device as devices
from visner.runtime import pretrained, stages, tables
from visner.runtime.subtokens import NONE, Subtokens

LONGEST = 512  # sub-tokens with the special ones; fewer where the encoder has fewer positions
BATCH = {"cpu": 1024, "cuda": 32_768}  # sub-tokens with padding: more are no faster
CHUNK = 4096  # sentences that are tokenised, and sorted by length, together


def states(
    sentences: Path,
    encoder: list[Path],
    states: Path,
    statistics: Path,
    words: Literal["first", "mean"],
    precision: Literal["float32", "bfloat16"],
    shard: int,
    shards: int,
    device: torch.device,
) -> None:
    """Write the states [W, D] float32 of the words of a shard's sentences, in their order, as .npy; and some counts.

    `encoder` are the files of the encoder's folder. A word's state is that of its `first` sub-token, or the `mean` over
    all of them; a word without any (an invisible character alone) has a row of zeros. A sentence that is longer than
    the encoder's positions is read in windows of whole words.
    """
    rows = tables.shard_rows(sentences, shard, shards)
    loaded = load_encoder(encoder[0].parent, device, precision)
    counts = write_states(sentences, rows, loaded, words, states)
    tables.write_json(statistics, counts)
    stages.log.info(
        "%(words)d words, %(without_subtokens)d of them without sub-tokens; %(long_sentences)d of %(sentences)d "
        "sentences are longer than the encoder's positions",
        counts,
    )


@dataclass
class Encoder:
    """A frozen encoder with its tokenizer."""

    subtokens: Subtokens
    padding: int  # the sub-token that fills up a batch
    model: nn.Module
    precision: str  # of its products


def load_encoder(folder: str | Path, device: torch.device, precision: str = "float32") -> Encoder:
    """The encoder of a folder; see `visner.runtime.pretrained.load`."""
    model, tokenizer = pretrained.load(folder)
    longest = min(tokenizer.model_max_length, pretrained.positions(model) or LONGEST, LONGEST)
    model.eval().requires_grad_(False).to(device)
    if precision == "bfloat16":
        for layer in model.modules():
            if isinstance(layer, nn.Linear):
                layer.bfloat16()  # once: autocast does it anew for each product with frozen weights
    return Encoder(Subtokens(tokenizer.backend_tokenizer, longest), tokenizer.pad_token_id or 0, model, precision)


@dataclass
class Window:
    """What the encoder reads at once: a sentence's sub-tokens, or some of a long one's."""

    ids: np.ndarray  # [S]
    rows: np.ndarray  # [N] of its words in the array of states
    starts: np.ndarray  # [N] the place of each word's first sub-token
    stops: np.ndarray  # [N] the place behind its last


def write_states(sentences: Path, rows: range, encoder: Encoder, words: str, output: Path) -> dict[str, int]:
    """As `states`, of some rows' sentences and with a loaded encoder; what was counted."""
    lengths = [len(row["units"]) for row in tables.iterate_rows(sentences, tables.SENTENCES, ["units"], rows=rows)]
    counts = Counter(sentences=len(lengths), words=sum(lengths), without_subtokens=0, long_sentences=0)
    device = next(encoder.model.parameters()).device
    with tables.atomic_path(output) as temporary:
        shape = (sum(lengths), encoder.model.config.hidden_size)
        states = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.float32, shape=shape)
        with stages.progress(None, "states", total=sum(lengths), unit="word") as bar:
            first_row = 0
            for chunk in tables.iterate_batches(sentences, tables.SENTENCES, ["units"], CHUNK, rows):
                units = chunk.column("units").to_pylist()
                for batch in batches(tokenise(units, encoder, first_row, counts), BATCH[device.type]):
                    places, of_batch = encode(batch, encoder, words)
                    states[places] = of_batch
                    bar.update(len(places))
                first_row += sum(map(len, units))
        states.flush()
    return dict(counts)


def tokenise(sentences: list[list[str]], encoder: Encoder, first_row: int, counts: Counter) -> Iterator[Window]:
    """The windows of sentences (lists of words), those without words left out; `counts` is told what is unusual."""
    for words, windows in zip(sentences, encoder.subtokens.windows(sentences), strict=True):
        counts["without_subtokens"] += int((windows.window == NONE).sum())
        counts["long_sentences"] += len(windows.ids) > 1
        for number, ids in enumerate(windows.ids):
            inside = np.flatnonzero(windows.window == number)  # [N]
            if len(inside):
                yield Window(ids, first_row + inside, windows.column[inside], windows.stop[inside])
        first_row += len(words)


def batches(windows: Iterable[Window], size: int) -> Iterator[list[Window]]:
    """Windows of similar length, of at most `size` sub-tokens with padding; the longest first."""
    batch: list[Window] = []
    for window in sorted(windows, key=lambda one: (-len(one.ids), one.rows[0])):
        if batch and (len(batch) + 1) * len(batch[0].ids) > size:
            yield batch
            batch = []
        batch.append(window)
    if batch:
        yield batch


def encode(batch: list[Window], encoder: Encoder, words: str) -> tuple[np.ndarray, np.ndarray]:
    """The rows [N] of a batch's words, and their states [N, D] float32."""
    hidden = last_hidden(batch, encoder)  # [B, S, D]
    rows, starts, stops = (
        np.concatenate([getattr(one, part) for one in batch]) for part in ("rows", "starts", "stops")
    )
    window = np.repeat(np.arange(len(batch)), [len(one.rows) for one in batch])  # [N]
    if words == "first":
        found = hidden[window, starts]  # [N, D]
    else:
        sizes = stops - starts  # [N] sub-tokens
        within = np.arange(sizes.sum()) - np.repeat(
            sizes.cumsum() - sizes, sizes
        )  # [T] a sub-token's place in its word
        subtokens = hidden[np.repeat(window, sizes), np.repeat(starts, sizes) + within]  # [T, D]
        word = torch.from_numpy(np.repeat(np.arange(len(rows)), sizes)).to(hidden.device)  # [T]
        found = hidden.new_zeros(len(rows), hidden.shape[2]).index_add_(0, word, subtokens)
        found /= torch.from_numpy(sizes).to(hidden.device).unsqueeze(1)
    if not torch.isfinite(found).all():
        raise VisnerError(f"encoder: its states are not finite in {encoder.precision}; set precision: float32")
    return rows, found.cpu().numpy()


@torch.inference_mode()
def last_hidden(batch: list[Window], encoder: Encoder) -> Tensor:
    """The encoder's last layer [B, S, D] over a padded batch, in float32."""
    device = next(encoder.model.parameters()).device
    width = max(len(one.ids) for one in batch)
    ids = np.full((len(batch), width), encoder.padding, dtype=np.int64)
    mask = np.zeros((len(batch), width), dtype=np.int64)
    for row, one in enumerate(batch):
        ids[row, : len(one.ids)] = one.ids
        mask[row, : len(one.ids)] = 1
    with devices.autocast(device, encoder.precision):
        # of equal lengths, no mask: its absence lets torch take the faster attention
        attention = None if mask.all() else torch.from_numpy(mask).to(device)
        return encoder.model(torch.from_numpy(ids).to(device), attention_mask=attention).last_hidden_state.float()
