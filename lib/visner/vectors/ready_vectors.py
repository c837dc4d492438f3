"""Ready vectors from other programs, read by gensim: word2vec's text and binary formats, GloVe's text, gensim's `.kv`.

Our own files are ready vectors, too. What gensim would read as other numbers than the file has is refused here first.
"""

import logging
import re
import tempfile
from pathlib import Path

import numpy as np

from visner.errors import VisnerError
from visner.runtime.keyed_vectors import is_safetensors, read_vectors
from visner.runtime.stages import log

PICKLE = b"\x80"
NATIVE = ".kv"  # the one ending under which a pickle is read, and its code run
REMEDIES = {
    PICKLE: f"a pickle, and pickles run code. If gensim saved it as KeyedVectors, and you trust it, name it *{NATIVE}; "
    "if it is a whole model, save its `wv` so",
    b"PK\x03\x04": "a zip archive; unpack it",
    b"\x1f\x8b": "compressed with gzip; decompress it",
    b"BZh": "compressed with bzip2; decompress it",
    b"\xfd7zXZ": "compressed with xz; decompress it",
    b"\x28\xb5\x2f\xfd": "compressed with zstd; decompress it",
    b"\xba\x16\x4f\x2f": "fastText's own format; take the file of its vectors (.vec)",
}
SURROGATE = re.compile("[\ud800-\udfff]")
SPACE = b"\xff\xff"  # for a space in a key while gensim reads it: no UTF-8, and no part of any


def import_vectors(path: str | Path, dimensions: int) -> tuple[list[str], np.ndarray]:
    """Keys and vectors [V, `dimensions`] float32 of a file, of whichever known format it is.

    Keys are taken as they are, U+3000 and (in text) U+0020 too. A key that comes twice counts where it comes first, and
    keys that aren't UTF-8 (programs in C cut them inside a character) are left out, both with a warning. A pickle runs
    code: it is read where the file ends in `.kv`. VisnerError, in text with the line, where the file is of no known
    format or is damaged.
    """
    path = Path(path)
    try:
        with open(path, "rb") as file:
            start = file.read(16)
            if start.startswith(PICKLE) and path.suffix == NATIVE:
                return _read_native(path, dimensions)
            for magic, remedy in REMEDIES.items():
                if start.startswith(magic):
                    raise VisnerError(f"{path}: {remedy}")
            if is_safetensors(path):
                keys, vectors = read_vectors(path)
                _expect_dimensions(path, vectors.shape[1], dimensions)
                return keys, vectors
            file.seek(0)
            header = _header(file.readline())
            if header is None:
                return _read_text(path, dimensions, None)
            _expect_dimensions(path, header[1], dimensions)
            start = file.tell()
            if _ends_with_number(file.readline()):
                return _read_text(path, dimensions, header[0])
            return _read_binary(path, dimensions, start, header[0])
    except FileNotFoundError:
        raise VisnerError(f"{path}: no such file of vectors") from None


def _header(line: bytes) -> tuple[int, int] | None:
    """(V, D) of word2vec's first line; None where the line is none, as in GloVe's files."""
    fields = line.split()
    return (int(fields[0]), int(fields[1])) if len(fields) == 2 and all(map(bytes.isdigit, fields)) else None


def _ends_with_number(line: bytes) -> bool:
    """Whether a line is a key and numbers in text: bytes of binary numbers don't read so."""
    try:
        return float(line.split()[-1]) is not None
    except (ValueError, IndexError):
        return False


def _read_text(path: Path, dimensions: int, announced: int | None) -> tuple[list[str], np.ndarray]:
    """Vectors in text, behind a header that announces how many there are, or without one (GloVe's)."""
    count, have_spaces = _look_at_lines(path, dimensions, announced is not None)
    if not count:
        raise VisnerError(f"{path}: holds no vectors")
    if announced is not None and count != announced:
        remedy = "is the file cut off?" if count < announced else "mend the first line"
        raise VisnerError(f"{path}:1: {announced} vectors are announced, and {count} follow; {remedy}")
    with tempfile.TemporaryDirectory() as folder:
        file = path
        if have_spaces:
            file = Path(folder) / "vectors"
            _without_spaces(path, file, dimensions)
        try:
            keys, vectors = _load(file, no_header=announced is None)
        except ValueError as error:
            raise _fault(path, _line_without_numbers(path, dimensions, announced), dimensions, error) from None
    if have_spaces:
        keys = [key.replace("\udcff\udcff", " ") for key in keys]
    return _checked(path, keys, vectors, count)


def _look_at_lines(path: Path, dimensions: int, has_header: bool) -> tuple[int, bool]:
    """How many vectors a text file has, and whether a space is part of a key.

    VisnerError where a line is too short: gensim would give one number to all dimensions.
    """
    fewest, most, number = 1 << 62, 0, 0
    with open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            if number == 1 and has_header:
                continue
            spaces = line.rstrip().count(b" ")
            fewest, most = min(fewest, spaces), max(most, spaces)
            if spaces < dimensions:
                raise _fault(path, number, dimensions, f"the line has {len(line.split())} fields")
    if most and fewest > dimensions:  # not some keys with a space, but all: numbers would be read as keys
        _expect_dimensions(path, fewest, dimensions)
    return number - has_header, most > dimensions


def _without_spaces(path: Path, copy: Path, dimensions: int) -> None:
    """A copy of a text file in which no key has a space: gensim ends a key at the first."""
    with open(path, "rb") as file, open(copy, "wb") as output:
        for line in file:
            key, *numbers = line.rstrip().rsplit(b" ", dimensions)  # from the right: a key can hold or be a space
            output.write(b" ".join([key.replace(b" ", SPACE), *numbers]) + b"\n")


def _line_without_numbers(path: Path, dimensions: int, announced: int | None) -> int:
    """The number of the first line that doesn't end with `dimensions` numbers."""
    with open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            if number > 1 or announced is None:
                try:
                    np.array(line.rstrip().rsplit(b" ", dimensions)[1:], np.float32)
                except ValueError:
                    return number
    return 1


def _fault(path: Path, number: int, dimensions: int, why: object) -> VisnerError:
    return VisnerError(
        f"{path}:{number}: not a key and {dimensions} numbers, with a space between ({why}); set `dimensions` to what "
        "the file has, or mend the line"
    )


def _read_binary(path: Path, dimensions: int, start: int, count: int) -> tuple[list[str], np.ndarray]:
    """`count` vectors after a header of `start` bytes."""
    if not count:
        raise VisnerError(f"{path}: holds no vectors")
    size, of_vector = path.stat().st_size - start, 4 * dimensions + 1  # bytes, with the space behind the key
    cut_off = VisnerError(f"{path}: ends before its {count} vectors; fetch it again")
    if size < count * of_vector:  # before memory is taken for them
        raise cut_off
    try:
        keys, vectors = _load(path, binary=True)
    except EOFError:
        raise cut_off from None
    lengths = [len(key.encode("utf-8", "surrogateescape")) for key in keys]
    repeated = count - len(lengths)
    rest = size - sum(lengths) - count * of_vector  # repeated keys, and a line feed a vector where the writer has them
    if not 0 <= rest <= repeated * max(lengths, default=0) + count + 1 or 0 in lengths:
        raise VisnerError(
            f"{path}: isn't {count} vectors of {dimensions} float32, each behind a key and one space; was it written "
            "by word2vec's or gensim's code? A key that is a space itself can be in text only"
        )
    return _checked(path, keys, vectors, count)


def _read_native(path: Path, dimensions: int) -> tuple[list[str], np.ndarray]:
    """What gensim's KeyedVectors saved: a pickle, and arrays beside it."""
    keyed_vectors = _gensim()
    log.warning("%s: a pickle, which is code that runs now: only for files that you trust", path)
    try:
        keyed = keyed_vectors.load(str(path), mmap="r")
        if not isinstance(keyed, keyed_vectors):
            raise TypeError(f"a {type(keyed).__name__}")
        keys, vectors = list(keyed.index_to_key), keyed.vectors
        if not all(isinstance(key, str) for key in keys) or vectors.shape[0] != len(keys):
            raise TypeError("its keys aren't words, each with a vector")
    except Exception as error:  # a pickle raises whatever its bytes lead it to
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise VisnerError(
            f"{path}: no KeyedVectors that this version of gensim can load ({reason}); save the vectors again, of a "
            "whole model its `wv`; large ones have arrays beside the file (*.npy)"
        ) from None
    _expect_dimensions(path, vectors.shape[1], dimensions)
    return _checked(path, keys, np.asarray(vectors, np.float32), len(keys))


def _load(path: Path, **options: bool) -> tuple[list[str], np.ndarray]:
    """What gensim finds in a file of word2vec's or GloVe's; bytes of a key that aren't UTF-8 become lone surrogates."""
    keyed = _gensim().load_word2vec_format(str(path), unicode_errors="surrogateescape", **options)
    count = keyed.next_index  # behind it are the places that keys have left which came again
    return keyed.index_to_key[:count], keyed.vectors[:count]


def _gensim():
    from gensim.models import KeyedVectors  # a second to import

    logging.getLogger("gensim").setLevel(logging.ERROR)  # a warning for each key that comes again
    return KeyedVectors


def _checked(path: Path, keys: list[str], vectors: np.ndarray, count: int) -> tuple[list[str], np.ndarray]:
    """Whole keys with finite vectors, of `count` that the file has."""
    with np.errstate(invalid="ignore"):
        broken = np.flatnonzero(~np.isfinite(vectors.sum(1, dtype=np.float64)))  # no array of V x D beside them
    if len(broken):
        key = keys[broken[0]]
        raise VisnerError(f"{path}{_line_of(path, key)}: the vector of {key!r} is not finite; remove it from the file")
    if count > len(keys):
        log.warning("%s: %s keys come again; their first vectors count", path, f"{count - len(keys):,}")
    whole = [row for row, key in enumerate(keys) if key.isascii() or not SURROGATE.search(key)]
    if len(whole) == len(keys):
        return keys, vectors
    log.warning(
        "%s: %s keys are not UTF-8, as where they are cut inside a character, and are left out; %s stay",
        *(path, f"{len(keys) - len(whole):,}", f"{len(whole):,}"),
    )
    if not whole:
        raise VisnerError(f"{path}: no key is UTF-8; convert the keys")
    return [keys[row] for row in whole], vectors[whole]


def _line_of(path: Path, key: str) -> str:
    """`:` and the line of a text file that begins with a key; nothing where none does."""
    start = key.encode("utf-8", "surrogateescape") + b" "
    with open(path, "rb") as file:
        return next((f":{number}" for number, line in enumerate(file, 1) if line.startswith(start)), "")


def _expect_dimensions(path: Path, found: int, expected: int) -> None:
    if found != expected:
        raise VisnerError(f"{path}: its vectors have {found} dimensions; set `dimensions: {found}` (it is {expected})")
