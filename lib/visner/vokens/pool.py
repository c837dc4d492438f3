"""The pictures that are searched, brought into the common space once, for all jobs that search them."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from visner.config.matchers import Matcher as Recipe
from visner.errors import VisnerError
from visner.runtime import provenance, tables
from visner.runtime.pictures import first_pictures, iterate_vectors
from visner.runtime.stages import log
from visner.vokens import VERSION
from visner.vokens.index import Pool, build, write
from visner.vokens.matcher import Matcher, load
from visner.vokens.pairs import States, pool_of, read_sentences

TOP = 10  # of a word's pictures, the recall of the search is measured over


def pool(
    sentences: Path,
    states: list[Path],
    matcher: Path,
    images: list[Path],
    embeddings: list[Path],
    pictures: Path,
    index: Path,
    recipe: Recipe,
    device: torch.device,
) -> None:
    """Write the pool's pictures, and the FAISS index of their vectors in the common space, in the same order.

    `images` and `embeddings` are the pool's shards. What the search is goes into the provenance of `pictures`.
    """
    read = read_sentences(sentences)
    names = pool_of(read, first_pictures(images))
    if not names:
        raise VisnerError("the pool has no usable picture; look at its source of images")
    model = load(matcher).to(device)
    built = build(embed(model, embeddings, list(names), device))
    searched, recall = Pool(built, device), None
    if searched.method != "exact":
        recall = searched.recall(_some_words(model, States(states, [len(one.words) for one in read]), device), TOP)
    made_by = {
        "stage": "vokens",
        "version": VERSION,
        "recipe": recipe.model_dump(mode="json"),
        "search": {
            "method": searched.method,
            "recall": recall,
            "pictures": len(names),
            "names": sum(map(len, names.values())),
        },
        "sentences": provenance.sha256_file(sentences),
        "matcher": provenance.sha256_file(matcher),
        "embeddings": tables.read_provenance(embeddings[0]),
        "device": device.type,
        "versions": provenance.versions(*searched.libraries, "numpy", "pyarrow"),
    }
    write(index, built)
    rows = ({"image_id": image_id, "names": of} for image_id, of in names.items())
    tables.write_table(pictures, tables.POOL, rows, made_by)
    log.info("%(pictures)d pictures of %(names)d names; %(method)s search", made_by["search"])


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
