"""Keyed vectors on disk, and reading other programs' files: gensim writes them and is the judge."""

import gzip
import pickle

import numpy as np
import pytest
from gensim.models import KeyedVectors

from visner.config.vectors import Glove
from visner.errors import VisnerError
from visner.runtime.keyed_vectors import load_keyed_vectors, read_vectors, write_vectors
from visner.vectors.ready_vectors import import_vectors

KEYS = ["の", "\u3000", " ", "a b", "1", '"', "が", "京"]


def some_vectors(count, dimensions=4):
    return np.random.default_rng(0).normal(size=(count, dimensions)).astype(np.float32)


def test_what_is_written_is_read_and_the_same_bytes_each_time(tmp_path):
    vectors = some_vectors(len(KEYS))
    for name in ("one", "two"):
        write_vectors(tmp_path / name, KEYS, vectors, {"recipe": 1, "data": "x", "unit": "character"})
    keys, found = read_vectors(tmp_path / "one")
    assert keys == KEYS
    assert found.tobytes() == vectors.tobytes()
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["one", "two"]


def test_gensim_sees_the_same_vectors(tmp_path):
    vectors = some_vectors(len(KEYS))
    write_vectors(tmp_path / "file", KEYS, vectors, {})
    keyed = load_keyed_vectors(tmp_path / "file")
    assert isinstance(keyed, KeyedVectors)
    for key, vector in zip(KEYS, vectors, strict=True):
        np.testing.assert_array_equal(keyed[key], vector)


def test_vectors_that_are_not_finite_are_refused(tmp_path):
    vectors = some_vectors(len(KEYS))
    vectors[3, 1] = np.nan
    with pytest.raises(VisnerError, match="'a b'.*not finite"):
        write_vectors(tmp_path / "file", KEYS, vectors, {})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("binary", [False, True])
def test_word2vec_files_as_gensim_writes_them(tmp_path, binary):
    keys = [key for key in KEYS if " " not in key]  # gensim cannot write those
    keyed = KeyedVectors(4)
    keyed.add_vectors(keys, some_vectors(len(keys)))
    keyed.save_word2vec_format(tmp_path / "file", binary=binary)
    found_keys, found = import_vectors(tmp_path / "file", 4)
    assert found_keys == keys
    np.testing.assert_allclose(found, keyed.vectors, rtol=1e-6)


def test_keys_with_spaces(tmp_path):
    vectors = some_vectors(len(KEYS))
    lines = [" ".join([key, *map(repr, vector.tolist())]) for key, vector in zip(KEYS, vectors, strict=True)]
    (tmp_path / "glove").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "word2vec").write_text(f"{len(KEYS)} 4\n" + "\n".join(lines) + "\n", encoding="utf-8")
    for name in ("glove", "word2vec"):
        keys, found = import_vectors(tmp_path / name, 4)
        assert keys == KEYS
        np.testing.assert_array_equal(found, vectors)


@pytest.mark.parametrize("keys", [[" ", "\u3000"], ["\u3000", " "]])
def test_a_space_as_key_of_a_binary_file_is_refused_not_read_as_other_numbers(tmp_path, keys):
    content = b"2 4\n" + b"".join(
        key.encode() + b" " + vector.tobytes() + b"\n" for key, vector in zip(keys, some_vectors(2), strict=True)
    )
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(VisnerError, match="A key that is a space itself can be in text only"):
        import_vectors(tmp_path / "file", 4)


@pytest.mark.parametrize("end", [b"", b"\n"])  # gensim's writer, word2vec's
def test_case_a_key_cut_inside_a_character_is_left_out_and_counted(tmp_path, caplog, end):
    vectors = some_vectors(4)
    keys = ["京都".encode(), "広島".encode()[:4], "\ufffd".encode(), "広島".encode()[:5]]
    rows = [key + b" " + vector.tobytes() + end for key, vector in zip(keys, vectors, strict=True)]
    (tmp_path / "file").write_bytes(b"4 4\n" + b"".join(rows))
    found, read = import_vectors(tmp_path / "file", 4)
    assert found == ["京都", "\ufffd"]  # the second is UTF-8, and a key of its own
    assert read.tobytes() == vectors[[0, 2]].tobytes()
    assert "2 keys are not UTF-8, as where they are cut inside a character, and are left out; 2 stay" in caplog.text


def test_case_a_key_of_text_cut_inside_a_character(tmp_path, caplog):
    (tmp_path / "file").write_bytes("京都 1 2\n".encode() + "広島".encode()[:4] + b" 3 4\n")
    keys, vectors = import_vectors(tmp_path / "file", 2)
    assert (keys, vectors.tolist()) == (["京都"], [[1, 2]])
    assert "1 keys are not UTF-8" in caplog.text


def test_binary_vectors_of_more_than_one_chunk_of_gensims_and_keys_that_come_again(tmp_path, caplog):
    vectors, names = some_vectors(3000, 50), [f"鍵{number % 2900}" for number in range(3000)]
    rows = [name.encode() + b" " + vector.tobytes() for name, vector in zip(names, vectors, strict=True)]
    (tmp_path / "file").write_bytes(b"3000 50\n" + b"".join(rows))
    keys, found = import_vectors(tmp_path / "file", 50)
    assert keys == names[:2900]
    assert found.tobytes() == vectors[:2900].tobytes()
    assert "100 keys come again" in caplog.text


def test_case_vectors_that_gensim_saved_itself_are_read(tmp_path, caplog):
    vectors = some_vectors(2000, 50)
    for count, limit in ((len(KEYS), 1 << 30), (2000, 1000)):  # the second with its arrays beside it
        keyed = KeyedVectors(50)
        keyed.add_vectors([*KEYS, *map(str, range(2000))][:count], vectors[:count])
        keyed.save(str(tmp_path / f"{count}.kv"), sep_limit=limit)
        keys, found = import_vectors(tmp_path / f"{count}.kv", 50)
        assert keys == keyed.index_to_key
        assert found.tobytes() == vectors[:count].tobytes()
        assert f"{count}.kv: a pickle, which is code that runs now" in caplog.text
    assert (tmp_path / "2000.kv.vectors.npy").exists()
    with pytest.raises(VisnerError, match="set `dimensions: 50`"):
        import_vectors(tmp_path / "2000.kv", 4)
    (tmp_path / "2000.kv.vectors.npy").unlink()
    with pytest.raises(VisnerError, match=r"2000\.kv: no KeyedVectors that .*\.npy"):
        import_vectors(tmp_path / "2000.kv", 50)


def test_what_is_no_keyed_vectors_is_refused_under_their_name_too(tmp_path):
    (tmp_path / "list.kv").write_bytes(pickle.dumps([1, 2]))
    (tmp_path / "cut.kv").write_bytes(pickle.dumps(list(range(99)))[:50])
    for name in ("list.kv", "cut.kv"):
        with pytest.raises(VisnerError, match=rf"{name}: no KeyedVectors that this version of gensim can load"):
            import_vectors(tmp_path / name, 4)


def test_a_header_that_announces_more_than_memory_takes_none(tmp_path):
    (tmp_path / "binary").write_bytes(b"99999999999 300\n" + b"\0" * 2000)
    (tmp_path / "text").write_text("99999999999 1\na 1\n")
    with pytest.raises(VisnerError, match="ends before its 99999999999 vectors"):
        import_vectors(tmp_path / "binary", 300)
    with pytest.raises(VisnerError, match="text:1: 99999999999 vectors are announced, and 1 follow"):
        import_vectors(tmp_path / "text", 1)


def test_double_precision_is_not_read_as_other_numbers(tmp_path):
    rows = [
        f"k{number} ".encode() + vector.astype(np.float64).tobytes() for number, vector in enumerate(some_vectors(9))
    ]
    (tmp_path / "file").write_bytes(b"9 4\n" + b"".join(rows))
    with pytest.raises(VisnerError, match="isn't 9 vectors of 4 float32|not finite|no key is UTF-8"):
        import_vectors(tmp_path / "file", 4)


def test_our_own_files_are_ready_vectors_too(tmp_path):
    write_vectors(tmp_path / "file", KEYS, some_vectors(len(KEYS)), {})
    keys, found = import_vectors(tmp_path / "file", 4)
    assert keys == KEYS
    assert found.tobytes() == some_vectors(len(KEYS)).tobytes()


def test_a_key_that_comes_twice_counts_where_it_comes_first(tmp_path, caplog):
    (tmp_path / "file").write_text("a 1 2\nb 3 4\na 5 6\n")
    keys, found = import_vectors(tmp_path / "file", 2)
    assert (keys, found.tolist()) == (["a", "b"], [[1, 2], [3, 4]])
    assert "1 keys come again" in caplog.text


def test_pickles_under_another_name_are_refused_with_the_remedy(tmp_path):
    keyed = KeyedVectors(4)
    keyed.add_vectors(["a"], some_vectors(1))
    keyed.save(str(tmp_path / "file.model"))
    with pytest.raises(VisnerError, match=r"file\.model: a pickle, and pickles run code.*name it \*\.kv"):
        import_vectors(tmp_path / "file.model", 4)
    (tmp_path / "file.model").rename(tmp_path / "file.kv")
    assert import_vectors(tmp_path / "file.kv", 4)[0] == ["a"]


@pytest.mark.parametrize(
    "content, message",
    [
        (b"a 1 2\nb 3\n", r"file:2: not a key and 2 numbers"),
        (b"a 1 2\nb 3 x\n", r"file:2: not a key"),
        (b"a 1 2 3\nb 1 2 3\n", r"set `dimensions: 3`"),
        (b"2 3\na 1 2 3\nb 1 2 3\n", r"set `dimensions: 3`"),
        (b"3 2\na 1 2\nb 1 2\n", r"3 vectors are announced, and 2 follow"),
        (b"a 1 2\nb nan 2\n", r"file:2: the vector of 'b' is not finite"),
        (b"2 2\na 1 2\nb 3 1e999\n", r"file:3: the vector of 'b' is not finite"),
        (b"1 2\na 1 2\nb 1 2\n", r"file:1: 1 vectors are announced, and 2 follow; mend the first line"),
        (b"2 2\na 1 2\nb 3\n", r"file:3: not a key and 2 numbers"),
        (b"a\t1\t2\n", r"file:1: not a key and 2 numbers, with a space between"),
        (b"2 2\na " + bytes(8) + b"b " + bytes(5), r"ends before its 2 vectors"),
        (b"2 2\na " + bytes(8) + b"b" * 30, r"ends before its 2 vectors"),
        (b"1 2\na " + bytes(8) + b"b " + bytes(8), r"isn't 1 vectors of 2 float32"),
        (b"\xff 1 2\n", r"no key is UTF-8; convert the keys"),
        (b"\xba\x16\x4f\x2f" + bytes(40), r"fastText's own format"),
        (b"", r"holds no vectors"),
        (b"0 2\n", r"holds no vectors"),
        (gzip.compress(b"a 1 2\n", mtime=0), r"decompress it"),
    ],
)
def test_damaged_files_are_named_with_the_place(tmp_path, content, message):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(VisnerError, match=message):
        import_vectors(tmp_path / "file", 2)


def test_missing_files(tmp_path):
    with pytest.raises(VisnerError, match="no such file"):
        import_vectors(tmp_path / "file", 2)
    with pytest.raises(VisnerError, match="no such file"):
        read_vectors(tmp_path / "file")


def test_the_arrays_beside_gensims_file_are_inputs_too(tmp_path):
    for name in ("a.kv", "a.kv.vectors.npy", "a.kv.txt", "b.kv"):
        (tmp_path / name).touch()
    assert Glove(path="a.kv").files(tmp_path) == [tmp_path / "a.kv", tmp_path / "a.kv.vectors.npy"]
    assert Glove(corpora=["x"]).files(tmp_path) == []
