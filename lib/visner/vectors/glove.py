"""GloVe: AdaGrad on J = sum_ij f(X_ij) (w_i . w~_j + b_i + b~_j - log X_ij)^2 (Pennington et al. 2014, eq. 8).

The usual trainer is Hogwild: threads write the same rows at once, so that no two runs agree. Here the units are dealt
into G groups and X into G x G cells; the G cells of a stratum (p, (p + s) mod G) share neither rows nor columns
(stratified SGD, Gemulla et al. 2011), so threads take one cell each and meet nobody: the result has the same bits
whatever their number. A cell is one AdaGrad step with the gradient of all its pairs, computed by sparse products.

The biases are two more dimensions: w_i = [1, w, b] and w~_j = [b~, w~, 1], whose product is the prediction.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import sparse

from visner.config.base import below
from visner.config.vectors import Glove
from visner.errors import VisnerError
from visner.runtime import checkpoints, stages
from visner.runtime.checkpoints import checkpoint
from visner.runtime.keyed_vectors import UNSEEN, write_vectors
from visner.runtime.provenance import sha256_file, sha256_files
from visner.runtime.termination import CHECKPOINT_SECONDS, STATUS, Termination
from visner.vectors import TRAINING_VERSION, cooccurrence, made_by, texts
from visner.vectors.ready_vectors import import_vectors

GROUPS = 32  # at least, so that a row takes as many steps an epoch
CELL = 16_384  # pairs of a cell, about, where X has more than GROUPS * GROUPS * CELL


def glove(
    *,
    sentences: list[Path],
    words: list[Path],
    output: Path,
    recipe: Glove,
    unit: texts.Unit,
    root: Path = Path(),
    resume: Path,
    workers: int = 1,
) -> None:
    """Write the vectors of units ("character" or "word"): trained on some corpora, or the recipe's ready ones.

    `sentences` and `words` name a table of each corpus, in the same order. A training that was interrupted goes on from
    its checkpoint in the folder `resume`; it ends in the same bits with any number of `workers` (threads).
    """

    def write(keys: list[str], vectors: np.ndarray, data: str) -> None:
        if recipe.unseen == "mean":
            keys, vectors = [*keys, UNSEEN], np.concatenate([vectors, vectors.mean(0, keepdims=True)])  # [V + 1, D]
        write_vectors(output, keys, vectors, made_by(recipe, data, "numpy", "scipy") | {"unit": unit})
        stages.log.info("%s: %d vectors of %d dimensions", output, *vectors.shape)

    if recipe.path is not None:
        files = recipe.files(root)
        data = sha256_file(files[0]) if len(files) == 1 else sha256_files(files)
        write(*import_vectors(below(root, recipe.path), recipe.dimensions), data)
        return
    keys = cooccurrence.vocabulary(texts.training_sentences(sentences, words, unit), recipe.min_count)
    counts = cooccurrence.cooccurrences(texts.training_sentences(sentences, words, unit), keys, recipe.window)
    stages.log.info("%d %ss, %d pairs in windows of %d", len(keys), unit, counts.nnz, recipe.window)
    if not counts.nnz:
        raise VisnerError(
            f"no two {unit}s of the training split stand in one window; name more corpora, or lower min_count"
        )
    data = sha256_files([*sentences, *words])
    with checkpoint(resume, "glove", TRAINING_VERSION, unit, recipe.fingerprint(), data) as path:
        write(keys, train(counts, recipe, workers, path, _report), data)


def _report(epoch: int, loss: float) -> None:
    stages.log.info("GloVe epoch %d: mean loss %.5f", epoch, loss)


class Cell(NamedTuple):
    """The known entries of n rows and m columns of X, as the arrays of a sparse matrix in CSR form."""

    shape: tuple[int, int]
    indptr: np.ndarray  # [n + 1]
    indices: np.ndarray  # [pairs]
    weight: np.ndarray  # [pairs], f(X)
    log: np.ndarray  # [pairs], log X


def train(
    counts: sparse.csr_array,
    recipe: Glove,
    threads: int,
    checkpoint: Path,
    report: Callable[[int, float], None] = lambda *_: None,
) -> np.ndarray:
    """Vectors w + w~ [V, D] float32 from the symmetric `counts` [V, V]; `report(epoch, loss)` follows each epoch.

    The loss is the mean over the pairs of f(X) (...)^2 / 2, each as it was before its step. `checkpoint` is written
    every CHECKPOINT_SECONDS, and on SIGTERM, which ends the process (SystemExit with status 143); a training that goes
    on from there ends in the same bits. The caller deletes it.
    """
    size, dimensions = counts.shape[0], recipe.dimensions
    random = np.random.default_rng(recipe.seed)
    order = random.permutation(size)  # frequent units are spread over the groups
    groups = min(size, max(GROUPS, round((counts.nnz / CELL) ** 0.5)))
    borders = np.linspace(0, size, groups + 1).astype(int)
    parts = [slice(start, stop) for start, stop in zip(borders, borders[1:], strict=False)]
    cells = [_row_of_cells(counts[order[part]][:, order], parts, recipe) for part in parts]

    left, right = np.ones((2, size, dimensions + 2), np.float32)
    left[:, 1:] = (random.random((size, dimensions + 1)) - 0.5) / dimensions
    right[:, :-1] = (random.random((size, dimensions + 1)) - 0.5) / dimensions
    left_squares, right_squares = np.ones((2, size, dimensions + 1), np.float32)  # AdaGrad's sums, from 1 as GloVe's
    arrays = {"left": left, "right": right, "left_squares": left_squares, "right_squares": right_squares}
    done, loss = _resume(checkpoint, arrays)  # strata, and the loss of those of the epoch under way

    def step(row: int, column: int) -> float:
        rows, columns = parts[row], parts[column]
        return train_cell(
            left[rows], right[columns], left_squares[rows], right_squares[columns], cells[row][column], recipe
        )

    bar = stages.progress(None, "GloVe", total=recipe.epochs * groups, initial=done, unit="stratum")
    kept = time.monotonic()
    with Termination() as termination, ThreadPoolExecutor(threads) as pool, bar:
        if done:  # from this line on, SIGTERM makes a checkpoint
            stages.log.info("resuming after %d strata from %s", done, checkpoint)
        for epoch in range(done // groups, recipe.epochs):
            for shift in np.random.default_rng([recipe.seed, epoch]).permutation(groups)[done % groups :]:
                columns = [(row + shift) % groups for row in range(groups)]
                loss += sum(pool.map(step, range(groups), columns))  # in the rows' order, whoever is done first
                done += 1
                bar.update()
                if done % groups == 0:
                    report(epoch + 1, loss / counts.nnz)
                    loss = 0.0
                if termination.requested or time.monotonic() - kept >= CHECKPOINT_SECONDS:
                    checkpoints.save(checkpoint, {"arrays": arrays}, {"done": str(done), "loss": repr(loss)}, "np")
                    kept = time.monotonic()
                if termination.requested:
                    stages.log.warning("stopped by SIGTERM in epoch %d; run again to go on", epoch + 1)
                    raise SystemExit(STATUS)
    vectors = np.empty((size, dimensions), np.float32)
    vectors[order] = left[:, 1:-1] + right[:, 1:-1]
    return vectors


def _resume(checkpoint: Path, arrays: dict[str, np.ndarray]) -> tuple[int, float]:
    """The strata that are done by the checkpoint, if there is one, and their loss; the arrays are set."""
    if not checkpoint.exists():
        return 0, 0.0
    with checkpoints.opened(checkpoint, "np") as (groups, said):
        for name, array in arrays.items():
            array[:] = groups["arrays"][name]
        done, loss = int(said["done"]), float(said["loss"])
    return done, loss


def train_cell(
    left: np.ndarray,
    right: np.ndarray,
    left_squares: np.ndarray,
    right_squares: np.ndarray,
    cell: Cell,
    recipe: Glove,
) -> float:
    """One AdaGrad step, in place, with the gradient of all pairs of a cell; half of J over it before the step.

    left [n, D + 2] and right [m, D + 2] as in `gradients`; the sums of squares are [n, D + 1] and [m, D + 1].
    """
    loss, left_gradient, right_gradient = gradients(left, right, cell)
    _adagrad(left[:, 1:], left_squares, left_gradient, recipe.learning_rate)
    _adagrad(right[:, :-1], right_squares, right_gradient, recipe.learning_rate)
    return loss


def gradients(left: np.ndarray, right: np.ndarray, cell: Cell) -> tuple[float, np.ndarray, np.ndarray]:
    """Half of J over a cell, and its gradients by [w, b] and [b~, w~].

    left [n, D + 2] is [1, w, b], right [m, D + 2] is [b~, w~, 1]; the gradients are [n, D + 1] and [m, D + 1].
    """
    rows = np.repeat(np.arange(cell.shape[0]), np.diff(cell.indptr))
    error = np.einsum("pd,pd->p", left[rows], right[cell.indices]) - cell.log  # [pairs]
    weighted = cell.weight * error  # dJ/2 by the prediction
    matrix = sparse.csr_array((weighted, cell.indices, cell.indptr), cell.shape)
    loss = 0.5 * np.sum(weighted * error, dtype=np.float64)
    return float(loss), (matrix @ right)[:, 1:], (matrix.T @ left)[:, :-1]


def _adagrad(values: np.ndarray, squares: np.ndarray, gradient: np.ndarray, learning_rate: float) -> None:
    squares += gradient * gradient
    values -= learning_rate * gradient / np.sqrt(squares)


def _row_of_cells(counts: sparse.csr_array, columns: list[slice], recipe: Glove) -> list[Cell]:
    by_column = counts.tocsc()  # whose blocks of columns are cut without searching
    return [make_cell(by_column[:, part].tocsr(), recipe) for part in columns]


def make_cell(counts: sparse.csr_array, recipe: Glove) -> Cell:
    """A cell from its counts: f(X) = min(1, (X / x_max)^alpha) (eq. 9) and log X."""
    weight = np.minimum(1, (counts.data / recipe.x_max) ** recipe.alpha)
    return Cell(
        counts.shape, counts.indptr, counts.indices, weight.astype(np.float32), np.log(counts.data).astype(np.float32)
    )
