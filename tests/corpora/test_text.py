"""Plain text: lines as sentences of the training split."""


def test_each_line_is_a_sentence_of_train(write, read):
    write("texts/one.txt", "広島へ\n\n \u3000\nParis\u2028です\n")
    write("texts/two.txt", "京都")
    corpus = read(format="text", paths=["texts"])
    assert [(row["sentence_id"], row["text"], row["split"]) for row in corpus.rows] == [
        ("one.txt:1", "広島へ", "train"),
        ("one.txt:4", "Paris\u2028です", "train"),
        ("two.txt:1", "京都", "train"),
    ]
    assert corpus.rows[0]["labels"] == ["O"] * 3
    assert corpus.count("sentences_empty") == 2
    assert corpus.statistics["documents"] == 2


def test_files_may_have_other_splits(write, read):
    write("a.txt", "広島")
    write("b.txt", "京都")
    corpus = read(format="text", split={"by": "files", "train": ["a.txt"], "test": ["b.txt"]})
    assert [(row["text"], row["split"]) for row in corpus.rows] == [("広島", "train"), ("京都", "test")]
