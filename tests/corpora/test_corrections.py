"""Corrections by hand: each applies, or stops with its file and line."""

import pytest

from visner.errors import VisnerError

HEADER = "document_id\tline\tmention\toccurrence\told\tnew\n"
TEXT = "<City>広島</City>と広島\n<Country>米</Country>の<City>ワシ\nントン</City>"


@pytest.fixture
def corrected(write, ene):
    def corrected(*lines, header=HEADER, **recipe):
        write("fix.tsv", header + "".join("\t".join(line.split()) + "\n" for line in lines))
        return ene({"A": TEXT}, corrections="fix.tsv", **recipe)

    return corrected


@pytest.mark.parametrize(
    "lines, mentions",
    [
        ([], [[("広島", "City")], [("米", "Country"), ("ワシントン", "City")]]),
        (["A 5 広島 1 City Province"], [[("広島", "Province")], [("米", "Country"), ("ワシントン", "City")]]),
        (["A 5 広島 2 - City"], [[("広島", "City"), ("広島", "City")], [("米", "Country"), ("ワシントン", "City")]]),
        (["A 6 ワシントン 1 City -"], [[("広島", "City")], [("米", "Country")]]),
        (["A 6 ワシントン 1 City MIX"], [[("広島", "City")], [("米", "Country"), ("ワシントン", "MIX")]]),
        (  # a border moves: one mention goes, another comes; after one another
            ["A 6 ワシントン 1 City -", "A 6 のワシントン 1 - City"],
            [[("広島", "City")], [("米", "Country"), ("のワシントン", "City")]],
        ),
    ],
)
def test_corrections_apply_and_are_counted(corrected, lines, mentions):
    corpus = corrected(*lines)
    assert corpus.mentions() == mentions
    assert corpus.statistics["corrections"] == len(lines)


@pytest.mark.parametrize(
    "line, message",
    [
        ("A 5 広島 1 Country City", "広島 is no mention of class Country there; the mentions are: 広島 .City."),
        ("A 5 広島 2 City Province", "広島 is no mention of class City there"),
        ("A 5 広島 3 - City", r"the sentence does not hold 広島 3 time\(s\): 広島と広島"),
        ("A 5 京都 1 - City", "the sentence does not hold 京都"),
        ("A 5 島と 1 - City", r"島と meets the mention 広島 \(City\)"),
        ("A 5 広島 1 - Province", "広島 meets the mention 広島"),
        ("A 7 ントン 1 - City", "no sentence begins on line 7 of the document A"),
        ("B 5 広島 1 City -", "no sentence begins on line 5 of the document B"),
        ("A 5 広島 1 City Provinz", "there is no class 'Provinz'; did you mean Province"),
        ("A 5 広島 1 City City", "old and new are both City"),
        ("A 5 広島 0 City -", "occurrence is '0', not a number from 1"),
        ("A ５ 広島 1 City -", "line is '５', not a number from 1"),
        ("A 5 広島 1 City", "5 columns, not 6"),
    ],
)
def test_a_correction_that_does_not_apply_stops_with_its_file_and_line(corrected, line, message):
    with pytest.raises(VisnerError, match=rf"fix\.tsv:3: {message}"):
        corrected("A 6 米 1 Country -", line)


def test_the_header_is_required(corrected):
    with pytest.raises(VisnerError, match=r"fix\.tsv:1: the header must be document_id line mention"):
        corrected(header="A\t5\t広島\t1\tCity\t-\n")


def test_corrections_are_part_of_the_data_sha256(corrected):
    before = corrected().statistics
    after = corrected("A 6 米 1 Country -").statistics
    assert before["files"] == after["files"] == 2
    assert before["sha256"] != after["sha256"]


def test_corrections_come_before_cutting(corrected):
    assert [row["text"] for row in corrected(max_units=3).rows][:2] == ["広島と", "広島"]
    corpus = corrected("A 5 と広 1 - City", max_units=3)  # the line's first three units would end inside it
    assert [row["text"] for row in corpus.rows][:2] == ["広島", "と広島"]
    assert corpus.mentions()[1] == [("と広", "City")]
