"""Every word of every split to its best pictures of the pool."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from visner import stages, tables
from visner.errors import VisnerError
from visner.provenance import sha256_file
from visner.recipes import Matcher as Recipe
from visner.vokens.matcher import Matcher, load
from visner.vokens.pairs import Sentence, read_sentences
from visner.vokens.search import Pool
from visner.vokens.states import States

BLOCK = 512  # sentences whose words are searched together


def vokenize(
    recipe: Recipe,
    sentences: Path,
    rows: range,
    states: Path,
    matcher: Path,
    pool: Path,
    graph: Path,
    output: Path,
    device: torch.device,
) -> None:
    """Write the table of the vokens of some rows' sentences, whose words' states are `states`.

    With `exclude_own` a word doesn't find the picture that its own sentence's attachment alone has; another
    attachment's copy of the same bytes is another's picture, and found.
    """
    read = read_sentences(sentences, rows)
    mapped = States([states], [len(one.words) for one in read])
    made_by = tables.read_provenance(pool)
    if made_by["matcher"] != sha256_file(matcher):
        raise VisnerError(f"{pool}: made with another matcher than {matcher}; make it again")
    model = load(matcher).to(device)
    table = tables.read_table(pool, tables.pool_schema(model.recipe.dimensions))
    image_ids, names = table.column("image_id").to_pylist(), table.column("names").to_pylist()
    vectors = table.column("vector").combine_chunks().flatten().to_numpy().reshape(len(table), -1)  # [P, d]
    index = Pool(torch.tensor(vectors, device=device), np.load(graph, allow_pickle=False))
    own = {some[0]: row for row, some in enumerate(names) if len(some) == 1} if recipe.exclude_own else {}
    started = time.monotonic()
    found = stages.progress(
        _rows(read, mapped, model, index, image_ids, own, recipe.top, device),
        "vokens",
        total=len(read),
        unit="sentence",
    )
    written = tables.write_table(output, tables.VOKENS, found, made_by | {"recipe": recipe.model_dump(mode="json")})
    seconds = time.monotonic() - started
    stages.log.info("%d sentences in %.1f s; %d pictures, %s search", written, seconds, len(table), index.method)


def _rows(
    sentences: list[Sentence],
    states: States,
    matcher: Matcher,
    pool: Pool,
    image_ids: list[str],
    own: dict[str, int],
    n: int,
    device: torch.device,
) -> Iterator[dict]:
    for start in range(0, len(sentences), BLOCK):
        block = sentences[start : start + BLOCK]
        here = states[block[0].start : block[-1].rows.stop]  # [W, D]
        has_state = here.any(1)
        excluded = np.repeat([own.get(one.attachment, -1) for one in block], [len(one.words) for one in block])
        rows, scores = pool.search(
            matcher.embed_words(torch.from_numpy(here[has_state]).to(device)),
            n,
            torch.from_numpy(excluded[has_state].astype(np.int64)).to(device),
        )
        found = zip(rows.tolist(), scores.tolist(), strict=True)
        words = iter([_kept(*next(found), image_ids) if has else ([], []) for has in has_state])
        for one in block:
            vokens = [next(words) for _ in one.words]
            yield {
                "sentence_id": one.sentence_id,
                "image_ids": [image_ids for image_ids, _ in vokens],
                "scores": [scores for _, scores in vokens],
            }


def _kept(rows: list[int], scores: list[float], image_ids: list[str]) -> tuple[list[str], list[float]]:
    count = sum(row >= 0 for row in rows)
    return [image_ids[row] for row in rows[:count]], scores[:count]
