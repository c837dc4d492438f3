"""Any compiled MeCab dictionary in UTF-8 will do; any other is refused in one line."""

import shutil

import pytest

from visner.config.corpora import Nouns
from visner.errors import VisnerError
from visner.nouns.dictionary import describe
from visner.nouns.finder import NounFinder


def test_a_folder_with_the_fields_of_ipadic(compile_dictionary):
    folder = compile_dictionary("utf-8")
    finder = NounFinder(Nouns(dictionary=folder.name, exclude=["名詞-代名詞"]), folder.parent)
    assert finder.words("京都 に1,000☺\0") == [
        {"surface": "京都", "pos": "名詞-固有名詞-地域-一般", "start": 0, "stop": 2, "queries": ["京都"]},
        {"surface": "に", "pos": "助詞-格助詞-一般,時", "start": 3, "stop": 4, "queries": []},
        {"surface": "1,000", "pos": "名詞-数", "start": 4, "stop": 9, "queries": ["1,000"]},
        {"surface": "☺\0", "pos": "記号-一般", "start": 9, "stop": 11, "queries": []},
    ]
    described = describe(folder.name, folder.parent)
    (folder / "unk.dic").write_bytes(b"other")
    assert describe(folder.name, folder.parent) != described


def test_a_dictionary_in_another_charset_is_refused(compile_dictionary):
    with pytest.raises(VisnerError, match="is in EUC-JP"):
        NounFinder(Nouns(dictionary=str(compile_dictionary("EUC-JP"))))


def test_a_broken_dictionary_is_refused(compile_dictionary, tmp_path):
    folder = shutil.copytree(compile_dictionary("utf-8"), tmp_path / "broken")
    (folder / "matrix.bin").unlink()
    with pytest.raises(VisnerError, match="matrix.bin"):
        NounFinder(Nouns(dictionary="broken"), tmp_path)
