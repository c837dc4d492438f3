"""A MeCab dictionary of a few words, in IPADIC's fields, compiled for the tests."""

import subprocess
import sys

import pytest

# surface,left id,right id,cost,features: two nouns (one with quoted commas), a particle
ENTRIES = """京都,0,0,10,名詞,固有名詞,地域,一般,*,*,京都,キョウト,キョート
"1,000",0,0,10,名詞,数,*,*,*,*,"1,000",セン,セン
に,0,0,10,助詞,格助詞,"一般,時",*,*,*,に,ニ,ニ
"""
SOURCES = {
    "dicrc": "cost-factor = 800\nbos-feature = BOS/EOS,*\neval-size = 8\nunk-eval-size = 4\nconfig-charset = UTF-8\n",
    "char.def": "DEFAULT 0 1 0\nSPACE 0 1 0\n0x0020 SPACE\n0x0009 SPACE\n0x000A SPACE\n",
    "unk.def": "DEFAULT,0,0,5000,記号,一般,*,*,*,*,*\nSPACE,0,0,5000,記号,空白,*,*,*,*,*\n",
    "matrix.def": "1 1\n0 0 0\n",
    "left-id.def": "0 BOS/EOS\n",
    "right-id.def": "0 BOS/EOS\n",
    "pos-id.def": "*,*,*,* 0\n",
    "rewrite.def": "[unigram rewrite]\n*,*,*,* $1,$2,$3,$4\n[left rewrite]\n*,*,*,* $1\n[right rewrite]\n*,*,*,* $1\n",
    "words.csv": ENTRIES,
}


@pytest.fixture(scope="session")
def compile_dictionary(tmp_path_factory):
    """A function that compiles the dictionary for a charset and returns its folder."""

    def compile_for(charset):
        source = tmp_path_factory.mktemp("source")
        folder = tmp_path_factory.mktemp("dictionary")
        for name, text in SOURCES.items():
            (source / name).write_text(text, encoding="utf-8")
        (folder / "dicrc").write_text(SOURCES["dicrc"], encoding="utf-8")
        arguments = f"mecab-dict-index -f utf-8 -t {charset} -d {source} -o {folder}"
        program = f"from fugashi.fugashi import build_dictionary; build_dictionary({arguments!r})"
        subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
        return folder

    return compile_for
