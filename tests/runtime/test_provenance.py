"""Walking folders: all files below one, in the order of their parts, each once."""

from visner.runtime.provenance import files_below


def test_all_files_below_a_folder_come_once_in_the_order_of_their_parts(tmp_path):
    for name in ("b/1.jpg", "b.jpg", "b-c/2.jpg", "a/b/c/3.jpg", ".hidden", "山/1.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "link.jpg").symlink_to(tmp_path / "b.jpg")
    (tmp_path / "linked").symlink_to(tmp_path / "b")  # is there already
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "broken.jpg").symlink_to(tmp_path / "nothing")
    expected = [
        (str(path.relative_to(tmp_path)), path.stat().st_size)
        for path in sorted(path for path in tmp_path.rglob("*") if path.is_file())
    ]
    assert [(name, status.st_size) for name, status in files_below(tmp_path)] == expected
