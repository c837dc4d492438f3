"""The verbs from sentences to scores: what a matcher learns, who sees which picture, what is counted."""

import hashlib
import json
import math
import shutil
from collections import Counter

import faiss
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from visner.config.matchers import Matcher as Recipe
from visner.errors import VisnerError
from visner.runtime import tables
from visner.runtime.pictures import read_attached
from visner.vokens import pairs
from visner.vokens.judge import diversity
from visner.vokens.matcher import Matcher, load
from visner.vokens.recall import ranks

from .conftest import INVISIBLE, Corpus, write_corpus


def vokens_of(corpus):
    return list(tables.iterate_rows(corpus.path("vokens.parquet"), tables.VOKENS))


def attached_of(corpus):
    rows = tables.iterate_rows(corpus.path("images.parquet"), tables.IMAGES, ["query", "image_id"])
    return {row["query"]: row["image_id"] for row in rows if row["image_id"]}


def pool_of(corpus):
    return {row["image_id"]: row["names"] for row in tables.iterate_rows(corpus.path("pool.parquet"), tables.POOL)}


@pytest.fixture
def copy(finished, tmp_path):
    """A finished corpus to change."""
    shutil.copytree(finished.folder, tmp_path / "copy")
    return Corpus(tmp_path / "copy", finished.sentences)


def test_a_matcher_learns_which_pictures_a_word_is_seen_with(finished):
    scores = tables.read_json(finished.path("scores.json"))
    assert scores["recall"]["at"]["5"] > 2 * scores["recall"]["chance"]["5"]
    history = tables.read_json(finished.path("training.json"))
    best = history["dev_recall@10"][history["best_epoch"] - 1]
    assert best == max(history["dev_recall@10"])
    assert scores["recall"]["at"]["10"] == pytest.approx(best, abs=1e-3)
    # the topics of what the test split's topic words find are their own
    topic_of = {row["sentence_id"]: row["units"][1] for row in finished.sentences}
    by_picture = {one: topic_of[name.removesuffix(".jpg")] for name, one in attached_of(finished).items()
                  if name.startswith("train")}  # fmt: skip
    found = [
        by_picture[row["image_ids"][1][0]] == topic_of[row["sentence_id"]]
        for row in vokens_of(finished)
        if row["sentence_id"].startswith("test")
    ]
    assert np.mean(found) > 0.8


def test_no_dev_or_test_attachment_is_in_the_pool(finished):
    held_out = {row["attachment"] for row in finished.sentences if row["split"] != "train"}
    pool = pool_of(finished)
    names = {name for some in pool.values() for name in some}
    usable = {name for name in attached_of(finished) if name.startswith("train")}
    assert names == usable
    assert not names & held_out
    found = {one for row in vokens_of(finished) for ids in row["image_ids"] for one in ids}
    assert found <= pool.keys()


def test_a_test_attachment_that_train_names_too_is_closed_to_both(tmp_path):
    corpus = write_corpus(tmp_path)
    for row in corpus.sentences:
        if row["sentence_id"] == "train_2":
            row["attachment"] = "dev_2.jpg"
    tables.write_table(corpus.path("sentences.parquet"), tables.SENTENCES, corpus.sentences)
    read = pairs.read_sentences(corpus.path("sentences.parquet"))
    attached = read_attached([corpus.path("images.parquet")])
    assert "dev_2.jpg" in attached
    trained = pairs.with_pictures(read, attached, "train")
    assert "train_2" not in {one.sentence_id for one in trained}
    assert not {one.attachment for one in trained} & pairs.held_out(read)
    pool = pairs.pool_of(read, {name: [one] for name, one in attached.items()})
    assert "dev_2.jpg" not in {name for names in pool.values() for name in names}


def test_pictures_of_test_and_all_but_the_choice_of_epoch_of_dev_don_t_reach_the_matcher(copy):
    """Other vectors for every picture that no training attachment has: the same losses, and the same parameters."""
    before = tables.read_json(copy.path("training.json"))
    attached = attached_of(copy)
    trained = {one for name, one in attached.items() if name.startswith("train")}
    schema = tables.embeddings_schema(12)
    rows = tables.read_table(copy.path("embeddings.parquet"), schema).to_pylist()
    for changed in ("test", "dev"):
        ids = {one for name, one in attached.items() if name.startswith(changed)} - trained
        for row in rows:
            if row["image_id"] in ids:
                row["vector"] = [1000.0 * x for x in reversed(row["vector"])]
        tables.write_table(copy.path("embeddings.parquet"), schema, rows)
        matcher = copy.path("matcher.safetensors").read_bytes()
        copy.run("train")
        assert tables.read_json(copy.path("training.json"))["losses"] == before["losses"]
        if changed == "test":
            assert copy.path("matcher.safetensors").read_bytes() == matcher


def test_a_word_finds_other_pictures_than_its_own_but_copies_of_it(finished):
    attached, pool = attached_of(finished), pool_of(finished)
    twins = {"train_0.jpg", "train_8.jpg"}
    assert attached["train_0.jpg"] == attached["train_8.jpg"]
    own = Counter()
    for sentence, row in zip(finished.sentences, vokens_of(finished), strict=True):
        assert row["sentence_id"] == sentence["sentence_id"]
        for unit, ids, scores in zip(sentence["units"], row["image_ids"], row["scores"], strict=True):
            assert len(ids) == len(set(ids)) == len(scores) == (0 if unit == INVISIBLE else 4)
            assert scores == sorted(scores, reverse=True)
            mine = attached.get(sentence["attachment"])
            if mine in ids and sentence["split"] == "train":
                own[sentence["attachment"]] += 1
                assert len(pool[mine]) > 1
    assert set(own) <= twins
    scores = tables.read_json(finished.path("scores.json"))
    assert scores["own"]["train"]["found"] == own.total() > 0


def test_own_pictures_are_found_where_they_are_not_excluded(copy):
    recipe = {"exclude_own": False}
    before = tables.read_json(copy.path("scores.json"))["own"]
    copy.run("search", recipe=recipe)
    copy.run("judge")
    scores = tables.read_json(copy.path("scores.json"))
    assert scores["exclude_own"] is False
    assert scores["own"]["train"]["shares"]["found"] > before["train"]["shares"]["found"]
    assert scores["own"]["dev"] == before["dev"]


def test_vokens_are_those_of_the_saved_perceptrons_by_hand(finished):
    compare_with_eq_1_and_2(finished, unit=True)


def test_raw_inner_products_and_dropout_are_trained_and_searched_like_the_defaults(copy):
    """`norm: none` is eq. 1 and 2 to the letter: no vector has norm 1, and the searches rank by the raw products."""
    recipe = {"norm": "none", "dropout": 0.3}
    before = tables.read_json(copy.path("training.json"))
    for verb in ("train", "pool", "search"):
        copy.run(verb, recipe=recipe)
    copy.run("judge")
    index = faiss.read_index(str(copy.path("pool.faiss")))
    norms = np.linalg.norm(index.reconstruct_n(0, index.ntotal), axis=1)
    assert np.abs(norms - 1).min() > 0.01
    compare_with_eq_1_and_2(copy, unit=False)
    scores = tables.read_json(copy.path("scores.json"))
    assert scores["recall"]["at"]["5"] > 1.5 * scores["recall"]["chance"]["5"]
    history = tables.read_json(copy.path("training.json"))
    assert (history["recipe"]["norm"], history["recipe"]["dropout"]) == ("none", 0.3)
    assert (before["recipe"]["norm"], before["recipe"]["dropout"]) == ("unit", 0.0)


def test_dropout_is_drawn_while_training_and_never_after():
    recipe = {"corpus": "c", "images": "i", "embedding": "e", "dropout": 0.3, "hidden": 2000}
    torch.manual_seed(1)
    matcher = Matcher(Recipe(**recipe), 5, 5).train()
    hidden = matcher.words[2](torch.ones(2000))
    assert abs((hidden == 0).float().mean().item() - 0.3) < 0.05
    states = torch.randn(3, 5)
    assert not torch.equal(matcher.embed_words(states), matcher.embed_words(states))
    matcher.eval()
    assert torch.equal(matcher.embed_words(states), matcher.embed_words(states))


def compare_with_eq_1_and_2(corpus, unit):
    """The whole of eq. 1 and 2 in numpy, from the saved parameters, against the vokens of the test split."""
    tensors = {name: value.numpy() for name, value in load_file(corpus.path("matcher.safetensors")).items()}

    def embed(side, inputs):
        hidden = inputs / tensors[f"{side}.0.value"] @ tensors[f"{side}.1.weight"].T + tensors[f"{side}.1.bias"]
        seen = np.maximum(hidden, 0) @ tensors[f"{side}.3.weight"].T + tensors[f"{side}.3.bias"]
        return seen / np.linalg.norm(seen, axis=-1, keepdims=True) if unit else seen

    vectors = {
        row["image_id"]: row["vector"]
        for row in tables.iterate_rows(corpus.path("embeddings.parquet"), tables.embeddings_schema(12))
        if row["region"] == 0
    }
    ids = list(pool_of(corpus))
    pictures = embed("pictures", np.array([vectors[one] for one in ids], dtype=np.float32))
    words = embed("words", np.load(corpus.path("states.npy")))
    start = 0
    for sentence, row in zip(corpus.sentences, vokens_of(corpus), strict=True):
        for place, word in enumerate(sentence["units"]):
            if word != INVISIBLE and sentence["split"] == "test":
                scores = pictures @ words[start + place]
                assert {ids[i] for i in np.argsort(-scores)[:4]} == set(row["image_ids"][place])
                np.testing.assert_allclose(np.sort(scores)[::-1][:4], row["scores"][place], rtol=1e-4, atol=1e-5)
        start += len(sentence["units"])


def test_anyone_can_search_the_pool_with_faiss(finished):
    """FAISS's own search of the file finds what the table of vokens has, for words whose own picture isn't left out."""
    index, ids = faiss.read_index(str(finished.path("pool.faiss"))), list(pool_of(finished))
    matcher = load(finished.path("matcher.safetensors"))
    words = matcher.embed_words(torch.from_numpy(np.load(finished.path("states.npy")))).numpy()
    start = 0
    for sentence, row in zip(finished.sentences, vokens_of(finished), strict=True):
        for place, word in enumerate(sentence["units"]):
            if word != INVISIBLE and sentence["split"] == "test":
                _, (rows,) = index.search(words[start + place : start + place + 1], 4)
                assert {ids[i] for i in rows} == set(row["image_ids"][place])
        start += len(sentence["units"])


def test_overlap_of_splits_is_counted_by_name_and_by_bytes(finished):
    overlap = tables.read_json(finished.path("scores.json"))["overlap"]
    assert (overlap["test"]["names_of_train"], overlap["test"]["copies_of_train"]) == (0, 1)
    assert (overlap["dev"]["names_of_train"], overlap["dev"]["copies_of_train"]) == (0, 0)
    counted = {key: overlap["train"][key] for key in ("sentences", "attachments", "usable", "distinct_pictures")}
    assert counted == {"sentences": 48, "attachments": 43, "usable": 38, "distinct_pictures": 37}


def test_scores_say_what_made_them(finished):
    scores = tables.read_json(finished.path("scores.json"))["provenance"]
    digest = hashlib.sha256()
    for row in finished.sentences:
        digest.update("\0".join([row["sentence_id"], row["split"], *row["units"], "", *row["labels"], "\n"]).encode())
    assert scores["sentences_sha256"] == digest.hexdigest()
    assert scores["data_sha256"] == tables.read_provenance(finished.path("sentences.parquet"))["sha256"]
    matcher = hashlib.sha256(finished.path("matcher.safetensors").read_bytes()).hexdigest()
    assert scores["vokens"]["matcher"] == matcher
    assert scores["vokens"]["recipe"]["dimensions"] == 16
    assert "torch" in scores["versions"]
    assert scores["data_sha256"] in finished.path("index.md").read_text()


@pytest.mark.parametrize("change", ["order", "missing", "words"])
def test_vokens_of_other_sentences_are_refused(copy, change):
    rows = vokens_of(copy)
    if change == "order":
        rows[3], rows[4] = rows[4], rows[3]
    elif change == "missing":
        rows.pop()
    else:
        rows[3]["image_ids"].pop()
    tables.write_table(copy.path("vokens.parquet"), tables.VOKENS, rows)
    with pytest.raises(VisnerError, match="its sentences are not those of .*sentences.parquet; run the stage vokens"):
        copy.run("judge")


def test_the_page_shows_the_scores(finished):
    page = finished.path("index.md").read_text()
    scores = tables.read_json(finished.path("scores.json"))
    assert f"{scores['recall']['at']['1']:.2f}" in page
    assert "| test | 14 | 13 |" in page
    assert "18 have no sub-tokens" in page


def test_an_interrupted_training_ends_in_the_same_bytes(copy, monkeypatch):
    expected = copy.path("matcher.safetensors").read_bytes(), copy.path("training.json").read_bytes()
    calls = Counter()
    original = pairs.Pairs.batches

    def interrupted(self, size, generator=None, start=0):
        calls["epochs"] += generator is not None  # dev has none
        if calls["epochs"] == 4:
            raise KeyboardInterrupt
        return original(self, size, generator, start)

    monkeypatch.setattr(pairs.Pairs, "batches", interrupted)
    with pytest.raises(KeyboardInterrupt):
        copy.run("train")
    assert list(copy.path(".resume").glob("*.safetensors"))
    copy.run("train")
    assert calls["epochs"] == 4 + 12 - 3
    assert (copy.path("matcher.safetensors").read_bytes(), copy.path("training.json").read_bytes()) == expected
    assert not list(copy.path(".resume").glob("*.safetensors"))


def test_everything_is_the_same_bytes_again(copy):
    names = ["vokens.parquet", "pool.parquet", "pool.faiss", "scores.json", "index.md"]
    before = [copy.path(name).read_bytes() for name in names]
    for verb in ("pool", "search", "judge"):
        copy.run(verb)
    assert [copy.path(name).read_bytes() for name in names] == before


def test_infonce_learns_too(copy):
    recipe = {"loss": "infonce"}
    copy.run("train", recipe=recipe)
    copy.run("judge")
    found = tables.read_json(copy.path("scores.json"))["recall"]
    assert found["at"]["5"] > 2 * found["chance"]["5"]


def test_another_pool_keeps_its_names_and_loses_held_out_ones(copy):
    """A source that has a picture for a noun, and one that is a test tweet's."""
    rows = tables.read_table(copy.path("images.parquet"), tables.IMAGES).to_pylist()
    taken = {row["query"]: row for row in rows}
    asked = [
        {**taken["train_0.jpg"], "query": "山"},
        {**taken["train_1.jpg"], "query": "山", "rank": 1},
        taken["test_0.jpg"],
    ]
    tables.write_table(copy.path("pool_images.parquet"), tables.IMAGES, asked)
    copy.run("pool", images=[copy.path("pool_images.parquet")])
    copy.run("search")
    assert sorted(pool_of(copy).values()) == [["山"], ["山"]]
    counts = Counter(len(ids) for row in vokens_of(copy) for ids in row["image_ids"])
    assert set(counts) == {0, 2}


def test_a_split_without_pictures_stops_the_training(copy):
    rows = tables.read_table(copy.path("images.parquet"), tables.IMAGES).to_pylist()
    rows = [row for row in rows if not row["query"].startswith("dev")]
    tables.write_table(copy.path("images.parquet"), tables.IMAGES, rows)
    with pytest.raises(VisnerError, match="no dev sentence has words and a usable picture"):
        copy.run("train")


def test_ranks_are_places_in_a_stable_sort():
    generator = torch.Generator().manual_seed(1)
    words = torch.randint(-2, 3, (50, 3), generator=generator).float()
    pictures = torch.randint(-2, 3, (20, 3), generator=generator).float()
    own = torch.randint(0, 20, (50,), generator=generator)
    orders = np.argsort(-(words @ pictures.T).numpy(), kind="stable", axis=1)
    expected = [int(np.flatnonzero(order == mine)[0]) for order, mine in zip(orders, own.tolist(), strict=True)]
    assert ranks(words, pictures, own).tolist() == expected


def test_diversity_by_hand():
    tokens = [("cat", "a"), ("cat", "a"), ("cat", "b"), ("cat", "c"), ("dog", "a"), ("sun", "d"), ("sun", "d")]
    found = diversity(iter(tokens))
    assert found == {
        "words": 7,
        "types": 3,
        "pictures": 4,
        "vokens": round((3 + 1 + 1) / 3, 4),
        "largest": round((2 + 1 + 2) / 3, 4),
        "mean": round((4 / 3 + 1 + 2) / 3, 4),
        "deviation": round(np.std([2, 1, 1]) / 3, 4),
        "repeated": {"types": 2, "vokens": 2.0, "share": round((3 / 4 + 1 / 2) / 2, 4), "entropy": 1.5 / 2},
        "corpus_entropy": round(-(3 * math.log2(3 / 7) + 2 * math.log2(2 / 7) + 2 * math.log2(1 / 7)) / 7, 4),
    }
    assert json.dumps(diversity(iter([])))
