"""Every word's state in a frozen HuggingFace encoder, computed once."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from transformers import PreTrainedTokenizerFast

from visner import device as devices
from visner import pretrained, stages, tables
from visner.errors import VisnerError

LONGEST = 512  # sub-tokens with the special ones; fewer where the encoder has fewer positions
BATCH = {"cpu": 1024, "cuda": 32_768}  # sub-tokens with padding: more are no faster
CHUNK = 4096  # sentences that are tokenised, and sorted by length, together


@dataclass
class Encoder:
    """A frozen encoder with its tokenizer."""

    tokenizer: PreTrainedTokenizerFast
    model: nn.Module
    longest: int  # sub-tokens
    precision: str  # of its products

    @property
    def dimensions(self) -> int:
        """Of a state."""
        return self.model.config.hidden_size


def load_encoder(folder: str | Path, device: torch.device, precision: str = "float32") -> Encoder:
    """The encoder of a folder; see `visner.pretrained.load`."""
    model, tokenizer = pretrained.load(folder)
    longest = min(tokenizer.model_max_length, pretrained.positions(model) or LONGEST, LONGEST)
    model.eval().requires_grad_(False).to(device)
    if precision == "bfloat16":
        for layer in model.modules():
            if isinstance(layer, nn.Linear):
                layer.bfloat16()  # once: autocast does it anew for each product with frozen weights
    return Encoder(tokenizer, model, longest, precision)


@dataclass
class Tokenised:
    """A sentence's sub-tokens."""

    first_row: int  # of its words in the array of states
    ids: list[int]  # [S]
    words: np.ndarray  # [S] word of each sub-token; -1: none's


def write_states(
    sentences: str | Path, rows: range, encoder: Encoder, words: str, output: str | Path
) -> dict[str, int]:
    """Write the states [W, D] float32 of the units of some rows' sentences, in their order, as .npy; what was counted.

    `words` is "first" (the state of a word's first sub-token) or "mean" (over all of them). A word without sub-tokens
    (an invisible character alone), or beyond the encoder's positions, has a row of zeros.
    """
    lengths = [len(row["units"]) for row in tables.iterate_rows(sentences, tables.SENTENCES, ["units"], rows=rows)]
    counts = Counter(
        sentences=len(lengths), words=sum(lengths), without_subtokens=0, truncated_sentences=0, truncated_words=0
    )
    device = next(encoder.model.parameters()).device
    with tables.atomic_path(output) as temporary:
        shape = (sum(lengths), encoder.dimensions)
        states = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.float32, shape=shape)
        with stages.progress(None, "states", total=len(lengths), unit="sentence") as bar:
            for batch in batches(_chunks(sentences, rows, encoder, counts), BATCH[device.type]):
                places, found = encode(batch, encoder, words)
                states[places] = found
                bar.update(len(batch))
        states.flush()
    return dict(counts)


def _chunks(sentences: str | Path, rows: range, encoder: Encoder, counts: Counter) -> Iterator[list[Tokenised]]:
    first_row = 0
    for found in tables.iterate_batches(sentences, tables.SENTENCES, ["units"], CHUNK, rows):
        units = found.column("units").to_pylist()
        yield tokenise(units, encoder, first_row, counts)
        first_row += sum(map(len, units))


def tokenise(sentences: list[list[str]], encoder: Encoder, first_row: int, counts: Counter) -> list[Tokenised]:
    """The sub-tokens of sentences (lists of words); `counts` is told which words have none, or lie too far back."""
    found = []
    if not sentences:
        return found
    encoded = encoder.tokenizer(sentences, is_split_into_words=True, return_attention_mask=False, verbose=False)
    kept = encoder.longest
    for place, (sentence, ids) in enumerate(zip(sentences, encoded["input_ids"], strict=True)):
        words = np.array([-1 if word is None else word for word in encoded.word_ids(place)])
        with_subtokens = len(np.unique(words[words >= 0]))
        counts["without_subtokens"] += len(sentence) - with_subtokens
        if len(ids) > kept:
            ends = int((words[::-1] >= 0).argmax())  # special ones after the text: BERT's [SEP]
            # a word whose sub-tokens are cut in two keeps those that are left
            ids = [*ids[: kept - ends], *ids[len(ids) - ends :]]
            words = np.append(words[: kept - ends], words[len(words) - ends :])
            counts["truncated_sentences"] += 1
            counts["truncated_words"] += with_subtokens - len(np.unique(words[words >= 0]))
        found.append(Tokenised(first_row, ids, words))
        first_row += len(sentence)
    return found


def batches(chunks: Iterator[list[Tokenised]], size: int) -> Iterator[list[Tokenised]]:
    """Sentences of similar length, of at most `size` sub-tokens with padding; the longest first."""
    for chunk in chunks:
        batch: list[Tokenised] = []
        for sentence in sorted(chunk, key=lambda one: (-len(one.ids), one.first_row)):
            if batch and (len(batch) + 1) * len(batch[0].ids) > size:
                yield batch
                batch = []
            batch.append(sentence)
        if batch:
            yield batch


def encode(batch: list[Tokenised], encoder: Encoder, words: str) -> tuple[np.ndarray, np.ndarray]:
    """The rows [N] of a batch's words that have sub-tokens, and their states [N, D] float32."""
    hidden = last_hidden(batch, encoder)  # [B, S, D]
    of_sentence = np.concatenate([np.full(len(one.ids), place) for place, one in enumerate(batch)])  # [T]
    positions = np.concatenate([np.arange(len(one.ids)) for one in batch])  # [T]
    rows = np.concatenate([np.where(one.words < 0, -1, one.words + one.first_row) for one in batch])  # [T]
    is_word = rows >= 0
    rows, first, word = np.unique(rows[is_word], return_index=True, return_inverse=True)
    of_sentence, positions = of_sentence[is_word], positions[is_word]
    if words == "first":
        found = hidden[_on(of_sentence[first], hidden), _on(positions[first], hidden)]  # [N, D]
    else:
        subtokens = hidden[_on(of_sentence, hidden), _on(positions, hidden)]
        found = hidden.new_zeros(len(rows), hidden.shape[2]).index_add_(0, _on(word, hidden), subtokens)
        found /= torch.bincount(_on(word, hidden)).unsqueeze(1)
    if not torch.isfinite(found).all():
        raise VisnerError(f"encoder: its states are not finite in {encoder.precision}; set precision: float32")
    return rows, found.cpu().numpy()


@torch.inference_mode()
def last_hidden(batch: list[Tokenised], encoder: Encoder) -> Tensor:
    """The encoder's last layer [B, S, D] over a padded batch, in float32."""
    device = next(encoder.model.parameters()).device
    width = max(len(one.ids) for one in batch)
    ids = np.full((len(batch), width), encoder.tokenizer.pad_token_id or 0)
    mask = np.zeros((len(batch), width), dtype=np.int64)
    for row, one in enumerate(batch):
        ids[row, : len(one.ids)] = one.ids
        mask[row, : len(one.ids)] = 1
    with devices.autocast(device, encoder.precision):
        # of equal lengths, no mask: its absence lets torch take the faster attention
        attention = None if mask.all() else torch.from_numpy(mask).to(device)
        return encoder.model(torch.from_numpy(ids).to(device), attention_mask=attention).last_hidden_state.float()


def _on(indices: np.ndarray, like: Tensor) -> Tensor:
    return torch.from_numpy(indices).to(like.device)
