"""The stage, from a table of sentences to its three files."""

import hashlib
import json

import pytest

from visner.config.corpora import Nouns
from visner.errors import VisnerError
from visner.nouns import find
from visner.nouns.finder import NounFinder
from visner.runtime import tables

TEXTS = ["京都に行く。", "", "今日は ３月だ。", "京都の水、水。", "ﾛﾝﾄﾞﾝ\u3000へ"]
SPLITS = ["train", "test", "train", "dev", "train"]


@pytest.fixture
def run(tmp_path):
    """A function that runs the stage in `tmp_path` on sentences with these units, and returns what it made."""

    def run_on(units, texts, splits, recipe=None, processes=1):
        rows = [
            {
                "sentence_id": f"s{number}",
                "document_id": "d",
                "split": split,
                "text": text,
                "units": list(unit),
                "labels": ["O"] * len(unit),
                "attachment": None,
            }
            for number, (unit, text, split) in enumerate(zip(units, texts, splits, strict=True))
        ]
        tables.write_table(tmp_path / "sentences.parquet", tables.SENTENCES, rows)
        files = [tmp_path / name for name in ("words.parquet", "queries.parquet", "statistics.json")]
        find.find(
            sentences=tmp_path / "sentences.parquet",
            **{file.stem: file for file in files},
            shards=tmp_path / "queries",
            recipe=recipe or Nouns(),
            workers=processes,
        )
        return files

    return run_on


def test_the_three_files(run):
    words, queries, statistics = run(TEXTS, TEXTS, SPLITS, Nouns(exclude=["名詞-数詞"], shards=3))
    finder = NounFinder(Nouns(exclude=["名詞-数詞"]))
    expected = [{"sentence_id": f"s{n}", "words": finder.words(text)} for n, text in enumerate(TEXTS)]
    assert list(tables.iterate_rows(words, tables.WORDS)) == expected

    assert list(tables.iterate_rows(queries, tables.QUERIES)) == [
        {"query": query, "occurrences": n, "shard": int(hashlib.sha256(query.encode()).hexdigest()[:16], 16) % 3}
        for query, n in [("ロンドン", 1), ("京都", 2), ("今日", 1), ("月", 1), ("水", 2)]
    ]

    names = [f"{shard}.parquet" for shard in range(3)]
    assert sorted(file.name for file in queries.with_suffix("").iterdir()) == names
    of_shards = {}
    for shard, name in enumerate(names):
        file = queries.with_suffix("") / name
        own = [row["query"] for row in tables.iterate_rows(file, tables.SHARD_QUERIES)]
        assert own == sorted(own)
        of_shards |= dict.fromkeys(own, shard)
    assert of_shards == {row["query"]: row["shard"] for row in tables.iterate_rows(queries, tables.QUERIES)}

    counts = tables.read_json(statistics)
    # 京都 に 行く 。 | 今日 は ３ 月 だ 。 | ﾛﾝﾄﾞﾝ へ, and in dev 京都 の 水 、 水 。
    train = {"words": 12, "lexicon": 11, "nouns": 4, "coverage": 4 / 12, "queries": 4}
    dev = {"words": 6, "lexicon": 5, "nouns": 3, "coverage": 0.5, "queries": 2}
    test = {"words": 0, "lexicon": 0, "nouns": 0, "coverage": 0.0, "queries": 0}
    assert counts["splits"] == {"train": train, "dev": dev, "test": test}
    assert list(counts["splits"]) == ["train", "dev", "test"]
    assert [counts[key] for key in train] == [18, 14, 7, 7 / 18, 5]
    assert counts["units"] == "characters"
    assert sum(counts["parts_of_speech"].values()) == 18
    assert counts["recipe"]["exclude"] == ["名詞-数詞"]
    assert counts["dictionary"]["version"]
    assert tables.read_provenance(words)["dictionary"] == counts["dictionary"]


def test_the_same_bytes_from_any_number_of_processes(run, monkeypatch):
    monkeypatch.setattr(find, "CHUNK", 3)  # more chunks than the processes may hold at a time
    texts, splits = TEXTS * 9, SPLITS * 9
    one = [file.read_bytes() for file in run(texts, texts, splits)]
    assert [file.read_bytes() for file in run(texts, texts, splits, processes=2)] == one
    assert len(json.loads(one[2])["splits"]) == 3


def test_a_shards_file_changes_only_with_its_own_queries(run):
    def files():
        return {file.name: file.read_bytes() for file in (queries.with_suffix("")).iterdir()}

    recipe = Nouns(shards=3)
    _, queries, _ = run(TEXTS, TEXTS, SPLITS, recipe)
    before = files()
    run([*TEXTS, "京都。"], [*TEXTS, "京都。"], [*SPLITS, "dev"], recipe)  # no new noun
    assert files() == before
    run([*TEXTS, "鎌倉"], [*TEXTS, "鎌倉"], [*SPLITS, "dev"], recipe)
    assert [name for name, content in files().items() if content != before[name]] == [
        f"{tables.shard_of('鎌倉', 3)}.parquet"
    ]


def test_tokens_are_words_without_queries(run, caplog):
    units = [["I", "saw", "New York", "!"], ["I"], []]
    caplog.set_level("INFO")
    words, queries, statistics = run(units, [" ".join(unit) for unit in units], ["train"] * 3)
    rows = list(tables.iterate_rows(words, tables.WORDS))
    assert [[word["surface"] for word in row["words"]] for row in rows] == units
    assert rows[0]["words"][2] == {"surface": "New York", "pos": "", "start": 2, "stop": 3, "queries": []}
    assert tables.read_table(queries, tables.QUERIES).num_rows == 0
    assert tables.read_json(statistics)["units"] == "tokens"
    assert tables.read_json(statistics)["coverage"] == 0
    assert "units are tokens" in caplog.text


def test_an_excluded_part_of_speech_that_no_word_has_is_named(run, caplog):
    run(TEXTS, TEXTS, SPLITS, Nouns(exclude=["名詞-数", "名詞-数詞"]))
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [
        "nouns.exclude: no word of this corpus is a 名詞-数"
    ]


def test_a_missing_dictionary_stops_before_anything_is_made(run, tmp_path):
    with pytest.raises(VisnerError, match="holds no MeCab dictionary"):
        run(TEXTS, TEXTS, SPLITS, Nouns(dictionary="nowhere"))
    assert not list(tmp_path.glob("*.json"))


def test_an_empty_corpus(run):
    words, _, statistics = run([], [], [])
    assert tables.read_table(words, tables.WORDS).num_rows == 0
    assert tables.read_json(statistics)["words"] == 0


def test_sentences_as_they_are_can_be_the_queries(run):
    texts = ["Eiffel Tower", "ｃａｔ", "cat", "新宿 御苑"]
    words, queries, statistics = run(texts, texts, ["train", "test", "dev", "train"], Nouns(queries="sentences"))
    found = [row["words"] for row in tables.iterate_rows(words, tables.WORDS)]
    assert found[0] == [{"surface": "Eiffel Tower", "pos": "", "start": 0, "stop": 12, "queries": ["Eiffel Tower"]}]
    asked = {row["query"]: row["occurrences"] for row in tables.iterate_rows(queries, tables.QUERIES)}
    assert asked == {"Eiffel Tower": 1, "cat": 2, "新宿 御苑": 1}
    assert tables.read_json(statistics)["queries"] == 3
