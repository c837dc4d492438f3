"""How `visner tag` reads its lines; what it makes of them is in tests/workflow/test_tag.py."""

import contextlib
import os
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visner.errors import VisnerError
from visner.tagging import command as tag_command

ENDS = ("\r", "\n", "\r\n")


@settings(max_examples=60)
@given(parts=st.lists(st.sampled_from(["東", "a", *ENDS, "\u2028", "\0", "\x0b"]), max_size=40), read=st.integers(1, 9))
def test_case_lines_end_as_in_pythons_text_files(tmp_path_factory, parts, read):
    """Whatever is read at once; Python's own reader is the judge."""
    path = tmp_path_factory.mktemp("lines") / "text"
    text = "".join(parts)
    path.write_bytes(text.encode())
    with open(path, encoding="utf-8") as file:
        expected = [line.rstrip("\n") for line in file]
    before, tag_command.READ = tag_command.READ, read
    try:
        batches = list(tag_command.read_lines([str(path)]))
    finally:
        tag_command.READ = before
    assert [line for lines, _ in batches for line in lines] == expected
    assert sum(size for _, size in batches) == len(text.encode())


def test_case_byte_order_marks_are_dropped_also_of_files_that_were_joined(tmp_path):
    (tmp_path / "joined").write_bytes(2 * "\ufeff東京\n".encode())
    assert list(tag_command.read_lines([str(tmp_path / "joined")])) == [(["東京", "東京"], 20)]


def test_many_lines_come_in_lists_of_sixty_four(tmp_path):
    (tmp_path / "many").write_text("a\n" * 200)
    assert [len(lines) for lines, _ in tag_command.read_lines([str(tmp_path / "many")])] == [64, 64, 64, 8]


def test_lines_before_one_that_is_not_utf8_are_read_and_it_is_named(tmp_path):
    (tmp_path / "mixed").write_bytes(b"a\n" * 70 + b"ab\x82\n")
    lines = tag_command.read_lines([str(tmp_path / "mixed")])
    assert [len(next(lines)[0]) for _ in range(2)] == [64, 6]
    with pytest.raises(VisnerError, match="mixed:71: not UTF-8 .* at byte 2"):
        next(lines)


def test_a_line_of_too_many_characters_is_named(tmp_path):
    (tmp_path / "long").write_text("a\n" + "山" * 50_000 + "\n" + "a" * 50_001 + "\n")
    found = []
    with pytest.raises(VisnerError, match="long:3: more than 50,000 characters; give a sentence a line"):
        for lines, _ in tag_command.read_lines([str(tmp_path / "long")]):
            found += lines
    assert found == ["a", "山" * 50_000]


def test_a_line_without_an_end_is_refused_before_it_fills_the_memory(tmp_path):
    reader, writer = os.pipe()

    def write():
        with contextlib.suppress(BrokenPipeError):
            while True:
                os.write(writer, b"a" * 4096)

    thread = threading.Thread(target=write)
    thread.start()
    with pytest.raises(VisnerError, match="1: more than 50,000 characters; give a sentence a line"):
        list(tag_command.read_lines([f"/dev/fd/{reader}"]))
    os.close(reader)
    thread.join()
    os.close(writer)
