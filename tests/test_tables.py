"""Files appear whole or not at all, and wrong ones are named."""

import os
import stat

import pytest

from visner import tables
from visner.errors import VisnerError

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
    with pytest.raises(VisnerError, match="no such table; the stage that makes it has not run"):
        tables.read_table(tmp_path / "none", tables.QUERIES)
    (tmp_path / "text").write_text("hello, this is no table")
    with pytest.raises(VisnerError, match="text: not a Parquet file"):
        tables.read_table(tmp_path / "text", tables.QUERIES)
    tables.write_table(tmp_path / "q", tables.QUERIES, ROWS)
    with pytest.raises(VisnerError, match="the columns are .*not query, rank"):
        tables.read_table(tmp_path / "q", tables.IMAGES)
    (tmp_path / "bad.json").write_text('{"a": 1,\n}')
    with pytest.raises(VisnerError, match="bad.json:2: not JSON"):
        tables.read_json(tmp_path / "bad.json")
