"""GloVe against plain loops over its objective, and by the neighbours it finds in a text of known structure."""

import math
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from visner.config.vectors import Glove
from visner.vectors import cooccurrence, glove

NEVER = Path("never-written")  # no training here takes as long as to the first checkpoint
SIZE = 517  # units: more than the groups, and no multiple of them


def recipe(**keys):
    return Glove(corpora=["any"], **keys)


def objective(words, contexts, word_bias, context_bias, counts, alpha, x_max):
    """Half of eq. 8, and its gradients, entry by entry; a row of `counts` is a word's, a column a context's."""
    dimensions = words.shape[1]
    loss = 0.0
    gradients = [np.zeros_like(part) for part in (words, contexts, word_bias, context_bias)]
    for i in range(len(words)):
        for j in range(len(contexts)):
            if counts[i, j] == 0:
                continue
            weight = (counts[i, j] / x_max) ** alpha if counts[i, j] < x_max else 1.0
            product = sum(words[i, d] * contexts[j, d] for d in range(dimensions))
            error = product + word_bias[i] + context_bias[j] - math.log(counts[i, j])
            loss += 0.5 * weight * error**2
            for d in range(dimensions):
                gradients[0][i, d] += weight * error * contexts[j, d]
                gradients[1][j, d] += weight * error * words[i, d]
            gradients[2][i] += weight * error
            gradients[3][j] += weight * error
    return loss, *gradients


def random_counts(size, seed=0, share=0.6):
    random = np.random.default_rng(seed)
    counts = random.gamma(1.0, 20.0, (size, size)) * (random.random((size, size)) < share)
    return counts + counts.T


@pytest.mark.parametrize("shape", [(17, 17), (17, 16), (16, 17), (1, 17), (17, 1), (1, 1), (3, 60), (60, 3)], ids=str)
@pytest.mark.parametrize("share", [0, 0.05, 0.6, 1])
def test_a_step_on_a_block_follows_the_objective_of_its_pairs(shape, share):
    """AdaGrad (Duchi et al. 2011) on the sum of the block's terms, which the loops of `objective` give."""
    random = np.random.default_rng(1)
    whole = sparse.csr_array(random_counts(SIZE, share=share))
    rows, columns = (random.choice(SIZE, size, replace=False) for size in shape)
    counts = whole[rows][:, columns]
    settings, dimensions = recipe(x_max=30, alpha=0.6, learning_rate=0.07), 3
    parts = [random.normal(size=(size, dimensions)) for size in shape] + [random.normal(size=size) for size in shape]
    squares = [random.uniform(1, 3, part.shape) for part in parts]
    left, right = (np.ones((size, dimensions + 2), np.float32) for size in shape)
    left[:, 1:-1], right[:, 1:-1], left[:, -1], right[:, 0] = parts  # [1, w, b] and [b~, w~, 1]
    left_squares, right_squares = (np.ones((size, dimensions + 1), np.float32) for size in shape)
    left_squares[:, :-1], right_squares[:, 1:], left_squares[:, -1], right_squares[:, 0] = squares

    loss = glove.train_cell(left, right, left_squares, right_squares, glove.make_cell(counts, settings), settings)

    expected, *gradients = objective(*parts, counts.toarray(), 0.6, 30)
    assert loss == pytest.approx(expected, rel=1e-5)
    for part, square, gradient in zip(parts, squares, gradients, strict=True):
        square += gradient**2
        part -= 0.07 * gradient / np.sqrt(square)
    trained = left[:, 1:-1], right[:, 1:-1], left[:, -1], right[:, 0]
    sums = left_squares[:, :-1], right_squares[:, 1:], left_squares[:, -1], right_squares[:, 0]
    for now, then in zip((*trained, *sums), (*parts, *squares), strict=True):
        np.testing.assert_allclose(now, then, rtol=1e-4, atol=1e-4)
    assert (left[:, 0] == 1).all()
    assert (right[:, -1] == 1).all()


@pytest.mark.parametrize("groups", [1, 7, 32])
def test_an_epoch_meets_each_pair_once(groups, monkeypatch):
    """Vectors that are nearly 0 and stay so predict 0 for each pair, so the loss is the mean of f(X) (log X)^2 / 2."""
    monkeypatch.setattr(glove, "GROUPS", groups)
    counts, settings = random_counts(SIZE, share=0.05), recipe(dimensions=1000, epochs=1, learning_rate=1e-9)
    losses = []
    glove.train(sparse.csr_array(counts), settings, 1, NEVER, lambda _, loss: losses.append(loss))
    known = counts[counts > 0]
    expected = np.mean(np.minimum(1, (known / settings.x_max) ** settings.alpha) * np.log(known) ** 2) / 2
    assert losses == pytest.approx([expected], rel=3e-4)  # one of 32 x 32 blocks is a thousandth


def pair_by_pair(counts, settings):
    """The mean loss of each epoch of GloVe's own loop: one pair, one AdaGrad step, in random order."""
    random = np.random.default_rng(settings.seed)
    size, bias, rate = len(counts), settings.dimensions, settings.learning_rate
    words, contexts = ((random.random((size, bias + 1)) - 0.5) / bias for _ in range(2))  # the last one is the bias
    words, contexts = words.tolist(), contexts.tolist()  # which plain loops read faster
    word_squares, context_squares = ([[1.0] * (bias + 1) for _ in range(size)] for _ in range(2))
    pairs = [
        (i, j, min(1.0, (counts[i, j] / settings.x_max) ** settings.alpha), math.log(counts[i, j]))
        for i, j in np.argwhere(counts).tolist()
    ]
    losses = []
    for _ in range(settings.epochs):
        loss = 0.0
        for number in random.permutation(len(pairs)).tolist():
            i, j, weight, log = pairs[number]
            word, context = words[i], contexts[j]
            error = word[bias] + context[bias] - log
            for d in range(bias):
                error += word[d] * context[d]
            step = weight * error
            loss += 0.5 * step * error
            by_word = [step * context[d] for d in range(bias)] + [step]
            by_context = [step * word[d] for d in range(bias)] + [step]
            for part, squares, gradient in (
                (word, word_squares[i], by_word),
                (context, context_squares[j], by_context),
            ):
                for d in range(bias + 1):
                    squares[d] += gradient[d] ** 2
                    part[d] -= rate * gradient[d] / math.sqrt(squares[d])
        losses.append(loss / len(pairs))
    return losses


def test_blocks_learn_nearly_as_fast_as_pair_by_pair(monkeypatch):
    """Less than one epoch behind. With all pairs in one block, which is one step an epoch, it is far behind."""
    counts, settings = random_counts(SIZE, share=0.02), recipe(dimensions=5, epochs=8)
    assert SIZE > 10 * glove.GROUPS  # blocks are of many pairs
    losses, of_one_block, expected = [], [], pair_by_pair(counts, settings)
    glove.train(sparse.csr_array(counts), settings, 1, NEVER, lambda _, loss: losses.append(loss))
    assert len(losses) == len(expected)
    assert all(loss < before for loss, before in zip(losses[1:], expected, strict=False))
    monkeypatch.setattr(glove, "GROUPS", 1)
    glove.train(sparse.csr_array(counts), settings, 1, NEVER, lambda _, loss: of_one_block.append(loss))
    assert of_one_block[-1] > 2 * expected[-1]


def structured_sentences():
    """Three topics: four words in five are of the sentence's own topic, and function words stand between."""
    random = np.random.default_rng(3)
    topics = [[f"{name}{number}" for number in range(8)] for name in ("動物", "食物", "乗物")]
    everything = [word for topic in topics for word in topic]
    sentences = []
    for _ in range(1500):
        topic = topics[random.integers(3)]
        words = [random.choice(topic if random.random() < 0.8 else everything) for _ in range(8)]
        sentences.append([unit for word in words for unit in (str(word), str(random.choice(["の", "は", "\u3000"])))])
    return topics, sentences


def test_neighbours_are_of_the_same_topic():
    topics, sentences = structured_sentences()
    keys = cooccurrence.vocabulary(sentences, 1)
    counts = cooccurrence.cooccurrences(sentences, keys, 6)
    vectors = glove.train(counts, recipe(dimensions=10, epochs=20), 1, NEVER)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    similarity = unit @ unit.T
    np.fill_diagonal(similarity, -2)
    for topic in topics:
        for word in topic:
            nearest = [keys[row] for row in np.argsort(-similarity[keys.index(word)])[:5]]
            assert set(nearest) <= set(topic), (word, nearest)


@pytest.mark.parametrize("threads", [2, 3, 7])
def test_any_number_of_threads_gives_the_same_bits(threads):
    counts = sparse.csr_array(random_counts(120))
    settings = recipe(dimensions=20, epochs=2)
    assert glove.train(counts, settings, threads, NEVER).tobytes() == glove.train(counts, settings, 1, NEVER).tobytes()


def test_a_seed_is_another_result():
    counts = sparse.csr_array(random_counts(20))
    first, second = (glove.train(counts, recipe(dimensions=4, epochs=1, seed=seed), 1, NEVER) for seed in (1, 2))
    assert not np.allclose(first, second)
