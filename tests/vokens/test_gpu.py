"""The stage `vokens` on each device: the matcher beside float64, the search beside a full sort, and all verbs."""

import numpy as np
import pytest
import torch

from visner.config.matchers import Matcher as Recipe
from visner.runtime import tables
from visner.vokens.index import Pool, build, search_exactly
from visner.vokens.matcher import Batch, Matcher

from .conftest import TOPICS, write_corpus, write_encoder
from .test_vokens import compare_with_eq_1_and_2


@pytest.mark.parametrize("norm", ["unit", "none"])
@pytest.mark.parametrize("loss", ["hinge", "infonce"])
def test_a_few_steps_of_the_matcher_are_those_of_float64(device, loss, norm):
    """Losses within a ten-thousandth."""
    recipe = Recipe(corpus="c", images="i", embedding="e", hidden=16, dimensions=8, loss=loss, norm=norm)
    torch.manual_seed(2)
    states, pictures, own = torch.randn(30, 12), torch.randn(6, 10), torch.randint(0, 6, (30,))
    found = {}
    for on, dtype in ((device, torch.float32), (torch.device("cpu"), torch.float64)):
        torch.manual_seed(3)
        matcher = Matcher(recipe, 12, 10).to(on, dtype)
        batch = Batch(states.to(on, dtype), pictures.to(on, dtype), own.to(on))
        optimizer = torch.optim.Adam(matcher.parameters(), lr=0.01, fused=True)
        losses = []
        for _ in range(5):
            optimizer.zero_grad()
            losses.append(matcher.loss(batch))
            losses[-1].backward()
            optimizer.step()
        found[dtype] = [one.item() for one in losses]
    np.testing.assert_allclose(found[torch.float32], found[torch.float64], rtol=1e-4)
    assert found[torch.float64][-1] < found[torch.float64][0]


@pytest.mark.parametrize("scale", [1, 50])
def test_the_search_is_a_full_sort(device, scale):
    rng = np.random.default_rng(scale)
    queries = rng.standard_normal((300, 16)).astype(np.float32)
    vectors = rng.standard_normal((2000, 16)).astype(np.float32) * rng.lognormal(0, 0.3, (2000, 1)).astype(np.float32)
    vectors *= scale
    excluded = np.argmax(queries @ vectors.T, axis=1)
    rows, scores = Pool(build(torch.from_numpy(vectors)), device).search(
        torch.from_numpy(queries).to(device), 10, torch.from_numpy(excluded).to(device)
    )
    exact = queries.astype(np.float64) @ vectors.T.astype(np.float64)
    exact[np.arange(300), excluded] = -np.inf
    order = np.argsort(-exact, axis=1)[:, :10]
    np.testing.assert_allclose(scores.numpy(), np.take_along_axis(exact, order, 1), rtol=1e-4)
    assert (rows.numpy() == order).mean() > 0.999  # scores that differ in their last bit only may change places


def test_equal_scores_are_in_the_order_of_the_pool(device):
    rows, _ = search_exactly(torch.ones(3, 4).to(device), torch.ones(50, 4).to(device), 5)
    assert rows.tolist() == [[0, 1, 2, 3, 4]] * 3


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_all_verbs_from_text_to_vokens(device, tmp_path, precision):
    """States beside each sentence alone, vokens beside eq. 1 and 2 by hand; the matcher has learnt its topics."""
    from transformers import AutoModel, AutoTokenizer

    from .conftest import FILLERS

    corpus = write_corpus(tmp_path)
    folder, gpu = write_encoder(tmp_path / "encoder", [*TOPICS, *FILLERS]), int(device.type == "cuda")
    for verb in ("states", "train", "pool", "search", "judge"):
        more = {"precision": precision} if verb == "states" else {}
        corpus.run(verb, gpu=gpu, **more)
    states, tokenizer, model = (
        np.load(corpus.path("states.npy")),
        *(kind.from_pretrained(folder) for kind in (AutoTokenizer, AutoModel)),
    )
    start = 0
    for sentence in corpus.sentences[:20]:
        encoded = tokenizer(sentence["units"], is_split_into_words=True, return_tensors="pt")
        with torch.no_grad():
            hidden = model.eval()(**encoded).last_hidden_state[0]
        for place in range(2):  # the third word, where there is one, has no sub-tokens
            expected = hidden[encoded.word_ids().index(place)].numpy()
            close = {"float32": 1e-4, "bfloat16": 0.1}[precision]
            np.testing.assert_allclose(states[start + place], expected, atol=close)
        start += len(sentence["units"])
    compare_with_eq_1_and_2(corpus, unit=True)
    scores = tables.read_json(corpus.path("scores.json"))
    assert scores["recall"]["at"]["5"] > 2 * scores["recall"]["chance"]["5"]
    assert tables.read_json(corpus.path("training.json"))["provenance"]["device"] == device.type
