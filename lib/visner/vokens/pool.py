"""The pictures that are searched, brought into the common space once, for all jobs that search them."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from visner import provenance, tables
from visner.errors import VisnerError
from visner.pictures import first_pictures, iterate_vectors
from visner.recipes import Matcher as Recipe
from visner.vokens import VERSION
from visner.vokens.matcher import Matcher, load
from visner.vokens.pairs import pool_of, read_sentences
from visner.vokens.search import Pool
from visner.vokens.states import States

TOP = 10  # of a word's pictures, the recall of the search is measured over


def write_pool(
    recipe: Recipe,
    sentences: Path,
    states: list[Path],
    matcher: Path,
    images: list[Path],
    embeddings: list[Path],
    output: Path,
    graph: Path,
    device: torch.device,
) -> dict:
    """Write the pool's table and its graph (`Pool.graph`, as .npy); what the search is, also in the table's provenance.

    `images` and `embeddings` are the pool's shards.
    """
    read = read_sentences(sentences)
    names = pool_of(read, first_pictures(images))
    if not names:
        raise VisnerError("the pool has no usable picture; look at its source of images")
    model = load(matcher).to(device)
    vectors = embed(model, embeddings, list(names), device)
    pool, recall = Pool(vectors), None
    if pool.method != "exact":
        recall = pool.recall(_some_words(model, States(states, [len(one.words) for one in read]), device), TOP)
    search = {
        "method": pool.method,
        "recall": recall,
        "pictures": len(names),
        "names": sum(map(len, names.values())),
    }
    made_by = {
        "stage": "vokens",
        "version": VERSION,
        "recipe": recipe.model_dump(mode="json"),
        "search": search,
        "sentences": provenance.sha256_file(sentences),
        "matcher": provenance.sha256_file(matcher),
        "embeddings": tables.read_provenance(embeddings[0]),
        "device": device.type,
        "versions": provenance.versions(*pool.libraries, "numpy", "pyarrow"),
    }
    with tables.atomic_path(graph) as temporary, open(temporary, "wb") as file:
        np.save(file, pool.graph(), allow_pickle=False)
    rows = zip(names.items(), vectors.cpu().numpy(), strict=True)
    rows = ({"image_id": image_id, "names": of, "vector": vector} for (image_id, of), vector in rows)
    tables.write_table(output, tables.pool_schema(recipe.dimensions), rows, made_by)
    return search


def embed(matcher: Matcher, embeddings: Iterable[Path], image_ids: list[str], device: torch.device) -> Tensor:
    """The vectors [P, d] of pictures in the common space; those of the CNN are streamed."""
    found = torch.zeros(len(image_ids), matcher.recipe.dimensions, device=device)
    for places, _, vectors in iterate_vectors(embeddings, image_ids):
        found[torch.tensor(places, device=device)] = matcher.embed_pictures(torch.from_numpy(vectors).to(device))
    return found


def _some_words(matcher: Matcher, states: States, device: torch.device) -> Tensor:
    """A thousand words with states and more [N, d], from everywhere in the corpus: the search's recall's sample."""
    step = max(1, len(states) // 2000)
    sample = np.concatenate([shard[::step] for shard in states.shards])
    return matcher.embed_words(torch.from_numpy(sample[sample.any(1)]).to(device))
