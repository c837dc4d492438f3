"""GloVe against plain loops over its objective, and by the neighbours it finds in a text of known structure."""

import math
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from visner.recipes import Glove
from visner.vectors import cooccurrence, glove

NEVER = Path("never-written")  # no training here takes as long as to the first checkpoint


def recipe(**keys):
    return Glove(corpora=["any"], **keys)


def objective(words, contexts, word_bias, context_bias, counts, alpha, x_max):
    """Half of eq. 8, and its gradients, entry by entry."""
    size, dimensions = words.shape
    loss = 0.0
    gradients = [np.zeros_like(part) for part in (words, contexts, word_bias, context_bias)]
    for i in range(size):
        for j in range(size):
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


def random_counts(size, seed=0):
    random = np.random.default_rng(seed)
    counts = random.gamma(1.0, 20.0, (size, size)) * (random.random((size, size)) < 0.6)
    return counts + counts.T


def test_loss_and_gradients_are_those_of_the_objective():
    random = np.random.default_rng(1)
    counts, settings = random_counts(7), recipe(x_max=30, alpha=0.6)
    words, contexts = random.normal(size=(2, 7, 3))
    word_bias, context_bias = random.normal(size=(2, 7))
    expected = objective(words, contexts, word_bias, context_bias, counts, 0.6, 30)
    one = np.ones((7, 1))
    left = np.hstack([one, words, word_bias[:, None]]).astype(np.float32)
    right = np.hstack([context_bias[:, None], contexts, one]).astype(np.float32)
    loss, left_gradient, right_gradient = glove.gradients(
        left, right, glove.make_cell(sparse.csr_array(counts), settings)
    )
    assert loss == pytest.approx(expected[0], rel=1e-5)
    np.testing.assert_allclose(left_gradient, np.hstack([expected[1], expected[3][:, None]]), rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(right_gradient, np.hstack([expected[4][:, None], expected[2]]), rtol=1e-3, atol=1e-3)


def pair_by_pair(counts, settings):
    """The mean loss of each epoch of GloVe's own loop: one pair, one AdaGrad step, in random order."""
    random = np.random.default_rng(settings.seed)
    size, dimensions = len(counts), settings.dimensions
    parts = [(random.random(shape) - 0.5) / dimensions for shape in [(size, dimensions)] * 2 + [size] * 2]
    squares = [np.ones_like(part) for part in parts]
    pairs = np.argwhere(counts)
    losses = []
    for _ in range(settings.epochs):
        loss = 0.0
        for i, j in random.permutation(pairs):
            words, contexts, word_bias, context_bias = parts
            weight = min(1, (counts[i, j] / settings.x_max) ** settings.alpha)
            error = words[i] @ contexts[j] + word_bias[i] + context_bias[j] - math.log(counts[i, j])
            loss += 0.5 * weight * error**2
            step = weight * error
            for part, row, gradient in zip(
                range(4), (i, j, i, j), (step * contexts[j], step * words[i], step, step), strict=True
            ):
                squares[part][row] += gradient**2
                parts[part][row] = parts[part][row] - settings.learning_rate * gradient / np.sqrt(squares[part][row])
        losses.append(loss / len(pairs))
    return losses


def test_it_learns_as_well_as_pair_by_pair():
    counts = random_counts(25)
    settings = recipe(dimensions=5, epochs=15)
    losses = []
    glove.train(sparse.csr_array(counts), settings, 1, NEVER, lambda _, loss: losses.append(loss))
    assert losses[0] > losses[-1]
    assert losses[-1] < 1.1 * pair_by_pair(counts, settings)[-1]


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
