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


def test_case_comment_lines_of_a_text(write, read):
    write("a.txt", "# from somewhere\n広島へ\n")
    assert len(read(format="text", paths=["a.txt"]).rows) == 2
    corpus = read(format="text", paths=["a.txt"], comment="#")
    assert ([row["text"] for row in corpus.rows], corpus.count("comments")) == (["広島へ"], 1)


def test_case_sentences_of_two_splits_are_counted_in_plain_text(write, read):
    write("a.txt", "広島\n京都\n")
    write("b.txt", "京都\n")
    corpus = read(format="text", split={"by": "files", "train": ["a.txt"], "test": ["b.txt"]})
    assert corpus.statistics["overlap"] == {"dev": {"train": 0}, "test": {"train": 1, "dev": 0}}
    assert corpus.count("sentences_repeated") == 1
    assert read(format="text", paths=["a.txt", "b.txt"]).count("sentences_repeated") == 0  # all are training text
