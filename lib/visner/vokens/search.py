"""Every word of every split to its best pictures of the pool."""

import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch

from visner.config.matchers import Matcher as Recipe
from visner.errors import VisnerError
from visner.runtime import stages, tables
from visner.runtime.provenance import sha256_file, versions
from visner.vokens.index import Pool, read
from visner.vokens.matcher import Matcher, load
from visner.vokens.pairs import States, read_sentences

BLOCK = 512  # sentences whose words are searched together


def search(
    sentences: Path,
    states: Path,
    matcher: Path,
    pictures: Path,
    index: Path,
    output: Path,
    recipe: Recipe,
    shard: int,
    shards: int,
    device: torch.device,
) -> None:
    """Write the table of the vokens of a shard's sentences, whose words' states are `states`.

    With `exclude_own` a word doesn't find the picture that its own sentence's attachment alone has; another
    attachment's copy of the same bytes is another's picture, and found.
    """
    listed = read_sentences(sentences, tables.shard_rows(sentences, shard, shards))
    mapped = States([states], [len(one.words) for one in listed])
    made_by = tables.read_provenance(pictures)
    if made_by["matcher"] != sha256_file(matcher):
        raise VisnerError(f"{pictures}: made with another matcher than {matcher}; make it again")
    model = load(matcher).to(device)
    table = tables.read_table(pictures, tables.POOL)
    image_ids, names = table.column("image_id").combine_chunks(), table.column("names").to_pylist()
    pool = Pool(read(index), device)
    if len(pool.vectors) != len(table):
        raise VisnerError(f"{index}: an index of {len(pool.vectors)} pictures, not of the {len(table)} of {pictures}")
    made_by["search"] |= {"method": pool.method} | ({"recall": None} if pool.method == "exact" else {})
    own = {some[0]: row for row, some in enumerate(names) if len(some) == 1} if recipe.exclude_own else {}
    made_by |= {
        "recipe": recipe.model_dump(mode="json"),
        "device": device.type,
        "versions": versions(*pool.libraries, "numpy", "pyarrow"),
    }
    started = time.monotonic()
    with (
        tables.table_writer(output, tables.VOKENS, made_by) as append,
        stages.progress(None, "vokens", total=len(listed), unit="sentence") as bar,
    ):
        for start in range(0, len(listed), BLOCK):
            block = listed[start : start + BLOCK]
            states_here = mapped[block[0].start : block[-1].rows.stop]  # [W, D]
            excluded = np.repeat([own.get(one.attachment, -1) for one in block], [len(one.words) for one in block])
            rows, scores = _search(model, pool, states_here, excluded, recipe.top, device)
            kept = rows >= 0  # [W, n], of each word the first ones
            ends = np.cumsum([len(one.words) for one in block])
            columns = [pa.array([one.sentence_id for one in block])]
            for found in (image_ids.take(pa.array(rows[kept])), pa.array(scores[kept])):
                columns.append(_lists(ends, _lists(np.cumsum(kept.sum(1)), found)))
            append(pa.record_batch(columns, schema=tables.VOKENS))
            bar.update(len(block))
    seconds = time.monotonic() - started
    stages.log.info("%d sentences in %.1f s; %d pictures, %s search", len(listed), seconds, len(table), pool.method)


def _search(
    matcher: Matcher, pool: Pool, states: np.ndarray, excluded: np.ndarray, n: int, device: torch.device
) -> tuple[np.ndarray, np.ndarray]:
    """The pool's rows [W, n] for words' states [W, D], and their scores; -1 for those that a word lacks.

    A word without a state (zeros) has none; `excluded` [W] is the row that a word may not find.
    """
    has_state = states.any(1)
    found, scores = pool.search(
        matcher.embed_words(torch.from_numpy(states[has_state]).to(device)),
        n,
        torch.from_numpy(excluded[has_state].astype(np.int64)).to(device),
    )
    rows = np.full((len(states), found.shape[1]), -1)
    all_scores = np.zeros(rows.shape, np.float32)
    rows[has_state], all_scores[has_state] = found, scores
    return rows, all_scores


def _lists(ends: np.ndarray, values: pa.Array) -> pa.ListArray:
    """Adjacent lists of `values`, by where each ends."""
    return pa.ListArray.from_arrays(pa.array(np.concatenate([[0], ends]), pa.int32()), values)
