"""How good vokens are: recall of the matcher, diversity of what was found, own pictures, overlap between splits."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import zip_longest
from pathlib import Path

import torch

from visner.errors import VisnerError
from visner.runtime import provenance, tables
from visner.runtime.pictures import read_attached
from visner.runtime.stages import log
from visner.vokens.matcher import load
from visner.vokens.page import page as page_of
from visner.vokens.pairs import Sentence, States, load_pairs, read_sentences, with_pictures
from visner.vokens.recall import recall

SPLITS = ("train", "dev", "test")


def judge(
    sentences: Path,
    states: list[Path],
    statistics: list[Path],
    matcher: Path,
    images: list[Path],
    embeddings: list[Path],
    vokens: list[Path],
    scores: Path,
    page: Path,
    name: str,
    device: torch.device,
) -> None:
    """Write how good the vokens of the matcher `name` are, as JSON and as a page; shares are percentages.

    `images` and `embeddings` are those of the attachments. VisnerError where the vokens are those of other sentences.
    """
    listed, attached = read_sentences(sentences), read_attached(images)
    found = _read_vokens(vokens, listed, sentences)
    dev = with_pictures(listed, attached, "dev")
    pairs = load_pairs(dev, attached, States(states, [len(one.words) for one in listed]), embeddings, device)
    made_by = tables.read_provenance(vokens[0])
    by_split = {split: [(one, image_ids) for one, image_ids in found if one.split == split] for split in SPLITS}
    counted = [tables.read_json(path) for path in statistics]
    candidates = len(pairs.pictures)
    content = {
        "recall": {
            "split": "dev",
            "words": len(pairs.own),
            "candidates": candidates,
            "at": {str(cut): _percent(value) for cut, value in recall(load(matcher).to(device), pairs).items()},
            "chance": {str(cut): _percent(min(1.0, cut / candidates)) for cut in (1, 5, 10)},
        },
        "search": made_by["search"],
        "exclude_own": made_by["recipe"]["exclude_own"],
        "diversity": {split: diversity(_tokens(some)) for split, some in by_split.items()},
        "own": {split: own_pictures(some, attached) for split, some in by_split.items()},
        "overlap": overlap(listed, attached),
        "states": {key: sum(one[key] for one in counted) for key in counted[0]},
        "provenance": {
            "data_sha256": tables.read_provenance(sentences).get("sha256"),
            "sentences_sha256": provenance.sha256_sentences(tables.iterate_rows(sentences, tables.SENTENCES)),
            "vokens": made_by,
            "versions": provenance.versions("torch", "numpy", "pyarrow"),
        },
    }
    tables.write_json(scores, content)
    tables.write_text(page, page_of(name, content))
    log.info("dev: recall@1 %s, @5 %s, @10 %s", *content["recall"]["at"].values())


def _read_vokens(vokens: list[Path], sentences: list[Sentence], table: Path) -> list[tuple[Sentence, list[list[str]]]]:
    """Each sentence with its words' pictures."""
    found = []
    for one, row in zip_longest(sentences, tables.iterate_rows(vokens, tables.VOKENS, ["sentence_id", "image_ids"])):
        if not (one and row) or (one.sentence_id, len(one.words)) != (row["sentence_id"], len(row["image_ids"])):
            raise VisnerError(
                f"{Path(vokens[0]).parent}: its sentences are not those of {table}; run the stage vokens again"
            )
        found.append((one, row["image_ids"]))
    return found


def _percent(share: float) -> float:
    return round(100 * share, 4)


def _tokens(sentences: list[tuple[Sentence, list[list[str]]]]) -> Iterable[tuple[str, str]]:
    """Pairs of a token type (the word in lower case) and the first voken of an occurrence."""
    for one, vokens in sentences:
        for word, image_ids in zip(one.words, vokens, strict=True):
            if image_ids:
                yield word.lower(), image_ids[0]


def diversity(tokens: Iterable[tuple[str, str]]) -> dict:
    """How many different pictures the occurrences of a token type find, from pairs of a type and its first voken.

    As the code of Tan and Bansal (2020) measures it, averages over all token types of: `vokens` (distinct ones of the
    type), and, of the counts of the type's vokens, the `largest`, the `mean` and the (population) `deviation`; and
    `pictures`, how many distinct ones all types find together. Types are theirs in spirit: they take sub-tokens of an
    uncased vocabulary, here they are words in lower case. Beside it, since averages over all types are ruled by those
    that occur once: `repeated`, the averages over types with two occurrences or more of the vokens, of their share of
    the occurrences, and of the entropy in bits (0: always the same picture); and `corpus_entropy` of all vokens.
    """
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for token, image_id in tokens:
        counts[token][image_id] += 1
    of_all: Counter[str] = Counter()
    for of_type in counts.values():
        of_all.update(of_type)
    repeated = [of_type for of_type in counts.values() if of_type.total() > 1]
    return {
        "words": of_all.total(),
        "types": len(counts),
        "pictures": len(of_all),
        "vokens": _mean(len(of_type) for of_type in counts.values()),
        "largest": _mean(max(of_type.values()) for of_type in counts.values()),
        "mean": _mean(of_type.total() / len(of_type) for of_type in counts.values()),
        "deviation": _mean(_deviation(of_type.values()) for of_type in counts.values()),
        "repeated": {
            "types": len(repeated),
            "vokens": _mean(len(of_type) for of_type in repeated),
            "share": _mean(len(of_type) / of_type.total() for of_type in repeated),
            "entropy": _mean(_entropy(of_type.values()) for of_type in repeated),
        },
        "corpus_entropy": round(_entropy(of_all.values()), 4),
    }


def _mean(values: Iterable[float]) -> float:
    values = list(values)
    return round(math.fsum(values) / len(values), 4) if values else 0.0


def _deviation(counts: Iterable[int]) -> float:
    counts = list(counts)
    mean = sum(counts) / len(counts)
    return math.sqrt(math.fsum((count - mean) ** 2 for count in counts) / len(counts))


def _entropy(counts: Iterable[int]) -> float:
    """In bits; 0 of no counts."""
    counts = sorted(counts)
    total = sum(counts)
    return max(0.0, -math.fsum(count / total * math.log2(count / total) for count in counts))


def own_pictures(sentences: list[tuple[Sentence, list[list[str]]]], attached: dict[str, str]) -> dict:
    """How many words find a picture with the very bytes of their sentence's own: `first`, and among all (`found`).

    By bytes, so that what `exclude_own`, which goes by names, lets through shows: copies under other names.
    """
    counts = Counter(words=0, first=0, found=0)
    for one, vokens in sentences:
        own = attached.get(one.attachment)
        for image_ids in vokens:
            if own is not None and image_ids:
                counts["words"] += 1
                counts["first"] += image_ids[0] == own
                counts["found"] += own in image_ids
    shares = {key: _percent(counts[key] / counts["words"]) if counts["words"] else 0.0 for key in ("first", "found")}
    return {**counts, "shares": shares}


def overlap(sentences: list[Sentence], attached: dict[str, str]) -> dict:
    """Of each split: its sentences and attachments, usable and distinct pictures, and those shared with train.

    `names_of_train` are attachments that a training sentence names, too; `copies_of_train` those whose bytes are those
    of a training sentence's picture under another name or the same.
    """
    names = {split: {one.attachment for one in sentences if one.split == split} - {None} for split in SPLITS}
    pictures = {split: {attached[name] for name in some if name in attached} for split, some in names.items()}
    return {
        split: {
            "sentences": sum(one.split == split for one in sentences),
            "attachments": len(names[split]),
            "usable": sum(name in attached for name in names[split]),
            "distinct_pictures": len(pictures[split]),
            **(
                {}
                if split == "train"
                else {
                    "names_of_train": len(names[split] & names["train"]),
                    "copies_of_train": sum(attached.get(name) in pictures["train"] for name in names[split]),
                }
            ),
        }
        for split in SPLITS
    }
