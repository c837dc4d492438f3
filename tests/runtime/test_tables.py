"""Files appear whole or not at all, and wrong ones are named."""

import os
import random
import stat

import numpy as np
import pytest

from visner.errors import VisnerError
from visner.runtime import tables
from visner.runtime.keyed_vectors import read_vectors, write_vectors

ROWS = [{"query": "山", "occurrences": 3, "shard": 0}, {"query": "川", "occurrences": 1, "shard": 1}]


def test_rows_and_provenance_survive(tmp_path):
    assert tables.write_table(tmp_path / "q", tables.QUERIES, iter(ROWS), {"sha256": "ab"}) == 2
    assert list(tables.iterate_rows(tmp_path / "q", tables.QUERIES)) == ROWS
    assert tables.read_table(tmp_path / "q", tables.QUERIES, ["shard"]).column_names == ["shard"]
    assert tables.read_provenance(tmp_path / "q") == {"sha256": "ab"}


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    tables.write_table(tmp_path / "q", tables.QUERIES, ROWS)
    before = (tmp_path / "q").read_bytes()
    with pytest.raises(RuntimeError), tables.table_writer(tmp_path / "q", tables.QUERIES) as append:
        append(ROWS[:1])
        raise RuntimeError
    assert (tmp_path / "q").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["q"]


def test_files_have_the_rights_that_the_umask_leaves(tmp_path):
    before = os.umask(0o027)
    try:
        with tables.atomic_path(tmp_path / "file") as temporary:
            temporary.touch(mode=0o600)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640


def test_wrong_files_are_named(tmp_path):
    with pytest.raises(VisnerError, match="none: no such file; the stage that makes it has not run"):
        tables.read_table(tmp_path / "none", tables.QUERIES)
    (tmp_path / "text").write_text("hello, this is no table")
    with pytest.raises(VisnerError, match="text: not a table of visner's, or damaged .*; delete it and run again"):
        tables.read_table(tmp_path / "text", tables.QUERIES)
    tables.write_table(tmp_path / "q", tables.QUERIES, ROWS)
    with pytest.raises(VisnerError, match="the columns are .*not query, rank"):
        tables.read_table(tmp_path / "q", tables.IMAGES)
    (tmp_path / "bad.json").write_text('{"a": 1,\n}')
    with pytest.raises(VisnerError, match="bad.json:2: not JSON"):
        tables.read_json(tmp_path / "bad.json")
    (tmp_path / "bad.json").write_bytes(b'{"a": "\xff"}')
    with pytest.raises(VisnerError, match="bad.json: not JSON: byte 8 is not UTF-8"):
        tables.read_json(tmp_path / "bad.json")


SENTENCES = [
    {"sentence_id": f"s{n}", "document_id": "d", "split": "train", "text": "京都", "units": ["京", "都"]}
    | {"labels": ["B-City", "I-City"], "attachment": None}
    for n in range(30)
]


def write_each(folder):
    """A file of each kind, and what reads it."""
    tables.write_table(folder / "s.parquet", tables.SENTENCES, SENTENCES, {"sha256": "ab"})
    np.save(folder / "a.npy", np.arange(60, dtype=np.float32).reshape(20, 3))
    write_vectors(folder / "v.safetensors", list("abcdefgh"), np.ones((8, 3), np.float32), {})
    return {
        "s.parquet": [
            lambda path: list(tables.iterate_rows(path, tables.SENTENCES)),
            lambda path: tables.read_table(path, tables.SENTENCES).to_pylist(),
            tables.read_provenance,
            tables.count_rows,
            lambda path: tables.shard_rows(path, 0, 2),
        ],
        "a.npy": [tables.load_array, lambda path: tables.load_array(path, "r")],
        "v.safetensors": [read_vectors],
    }


@pytest.mark.parametrize("name", ["s.parquet", "a.npy", "v.safetensors"])
def test_case_a_damaged_file_of_ours_is_one_line_that_names_it(tmp_path, name):
    """Cut off or with a flipped bit, at many places: read all the same, or one line with file and remedy."""
    readers = write_each(tmp_path)[name]
    whole, damaged, refused = (tmp_path / name).read_bytes(), tmp_path / f"damaged-{name}", 0
    for place in range(0, len(whole), 3):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << random.Random(place).randrange(8)
        for content in (flipped, whole[:place]):
            damaged.write_bytes(content)
            for read in readers:
                said = refusal(read, damaged)
                if said is None:
                    assert content is flipped  # what is cut off is never read
                    continue
                refused += 1
                assert said.startswith(f"{damaged}: ")
                assert len(said.splitlines()) == 1
                assert "delete it and run again" in said or "the columns are" in said
    assert refused > len(whole) / 3


def refusal(read, path):
    try:
        read(path)
    except VisnerError as error:
        return str(error)
    return None


def test_flipped_bits_in_the_data_of_a_table_are_never_read_as_other_data(tmp_path):
    tables.write_table(tmp_path / "q", tables.QUERIES, [{**row, "query": row["query"] * 50} for row in ROWS])
    whole = (tmp_path / "q").read_bytes()
    start = whole.index(b"\xb1")  # of the data of the first page: 山
    for place in range(start, start + 8):
        (tmp_path / "q").write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        with pytest.raises(VisnerError, match="CRC"):
            tables.read_table(tmp_path / "q", tables.QUERIES)


def test_a_file_that_the_system_does_not_give_is_not_called_damaged(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(VisnerError, match="folder: can't be read: Is a directory$"):
        tables.load_array(tmp_path / "folder")
    with pytest.raises(VisnerError, match="none: no such file"):
        tables.read_provenance(tmp_path / "none")
