"""The stage `images` on real files: both sources, coverage, and memory."""

import csv
import io
import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from local_shard import counts_of, covered, fetched, write_shard
from PIL import Image
from pydantic import TypeAdapter

from visner.config.images import FolderImages, Images
from visner.errors import VisnerError
from visner.images.sources import open_source
from visner.runtime import tables

ROOT = Path(__file__).resolve().parents[2]


def picture(path: Path, colour: str, size=(20, 10)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)


def addresses(recipe, root: Path, query: str) -> list[str]:
    return [candidate.source_url for candidate in open_source(recipe, root).candidates(query)]


@pytest.fixture
def pool(tmp_path) -> Path:
    """Pictures a.png ... d.png, one of them broken, and a web page called page.jpg."""
    for name, colour in zip("abcd", ("red", "green", "blue", "white"), strict=True):
        picture(tmp_path / "pool" / f"{name}.png", colour)
    broken = tmp_path / "pool" / "broken.png"
    broken.write_bytes((tmp_path / "pool" / "a.png").read_bytes()[:-30])
    (tmp_path / "pool" / "page.jpg").write_text("<html>not found</html>")
    return tmp_path


def manifest(path: Path, rows: dict[str, str]) -> None:
    lines = ["word\tkind\tfiles", *(f"{query}\tx\t{files}" for query, files in rows.items())]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


FOLDER = {"source": "folder", "folder": "pool", "manifest": "manifest.tsv", "query_column": "word"}


def test_the_next_candidate_takes_the_turn_of_a_rejected_one(pool):
    manifest(pool / "manifest.tsv", {"色": "broken.png|a.png|gone.png|page.jpg|b.png|c.png", "無": ""})
    rows = fetched(pool, FolderImages(**FOLDER, depth=2), ["色", "無", "未知"])
    assert [(row["rank"], row["source_url"], row["reason"]) for row in rows] == [
        (0, "broken.png", "broken"),
        (1, "a.png", None),
        (2, "gone.png", "missing"),
        (3, "page.jpg", "not-a-picture"),
        (4, "b.png", None),
    ]
    for row in rows:
        usable = row["reason"] is None
        assert all((row[key] is not None) == usable for key in ("image_id", "bytes", "width", "height"))
    assert (rows[1]["width"], rows[1]["height"]) == (20, 10)
    assert Image.open(io.BytesIO(rows[4]["bytes"])).getpixel((5, 5))[1] > 100  # green
    assert counts_of(pool) == {
        "queries": 3,
        "queries_covered": 1,
        "pictures": 2,
        "bytes": sum(len(row["bytes"]) for row in rows if row["bytes"]),
        "rejected": {"broken": 1, "missing": 1, "not-a-picture": 1},
    }
    made_by = tables.read_provenance(pool / "0.parquet")
    assert (made_by["recipe"]["depth"], made_by["kept"]["side"]) == (2, 256)


def test_queries_and_manifest_meet_after_nfkc(pool):
    manifest(pool / "manifest.tsv", {"ＡＢＣ": "a.png|b.png", "abc": "c.png", "ABC": "b.png|d.png", "ｶﾞｽ": "a.png"})
    recipe = FolderImages(**FOLDER)
    assert addresses(recipe, pool, "ABC") == ["a.png", "b.png", "d.png"]
    assert addresses(recipe, pool, "abc") == ["c.png"]
    assert addresses(recipe, pool, unicodedata.normalize("NFD", "ガス")) == ["a.png"]


@pytest.mark.parametrize("kind", ["list", "joined"])
def test_a_parquet_manifest_says_the_same_as_its_tsv(pool, kind):
    content = {"色": ["b.png", "a.png"], "空": []}
    files = list(content.values()) if kind == "list" else ["|".join(names) for names in content.values()]
    pq.write_table(pa.table({"word": list(content), "files": files}), pool / "manifest.parquet")
    recipe = FolderImages(**{**FOLDER, "manifest": "manifest.parquet"})
    assert addresses(recipe, pool, "色") == ["b.png", "a.png"]
    assert addresses(recipe, pool, "空") == []


def test_without_a_manifest_each_query_has_a_folder(tmp_path):
    picture(tmp_path / "pool" / "山" / "2.png", "red")
    picture(tmp_path / "pool" / "山" / "10.png", "blue")
    (tmp_path / "pool" / "山" / ".hidden").write_text("no picture")
    picture(tmp_path / "pool" / unicodedata.normalize("NFD", "ガス") / "x.png", "red")
    recipe = FolderImages(source="folder", folder="pool")
    assert addresses(recipe, tmp_path, "山") == ["山/10.png", "山/2.png"]
    assert len(addresses(recipe, tmp_path, "ガス")) == 1
    assert addresses(recipe, tmp_path, "..") == addresses(recipe, tmp_path, "山/2.png") == []


@pytest.mark.parametrize(
    "content, message",
    [
        ("word\tfile\nx\ta.png\n", r"manifest.tsv:1: there is no column 'files' \(files_column\).*word, file"),
        ("word\tfiles\nx\ta.png\ny\n", r"manifest.tsv:3: 1 columns, the header has 2"),
        ("", r"manifest.tsv:1: it is empty"),
    ],
)
def test_a_wrong_manifest_is_named_with_its_line(pool, content, message):
    (pool / "manifest.tsv").write_text(content)
    with pytest.raises(VisnerError, match=message):
        open_source(FolderImages(**FOLDER), pool)


def test_case_one_name_that_is_not_utf_8_is_a_row_with_a_reason(tmp_path, caplog):
    """As a zip made on a Japanese Windows is unpacked elsewhere."""
    folder = tmp_path / "pool" / "色"
    picture(folder / "a.png", "red")
    picture(folder / "z.png", "blue")
    shift_jis = os.fsdecode("富士山.png".encode("shift_jis"))
    picture(folder / shift_jis, "green")
    picture(tmp_path / "pool" / os.fsdecode("山".encode("shift_jis")) / "a.png", "green")
    rows = fetched(tmp_path, FolderImages(source="folder", folder="pool"), ["色"])
    counts = counts_of(tmp_path)
    assert (counts["pictures"], counts["rejected"]) == (2, {"name-not-utf-8": 1})
    escaped = "\\x95x\\x8em\\x8eR.png"
    (row,) = (row for row in rows if row["reason"])
    assert (row["reason"], row["source_url"]) == ("name-not-utf-8", f"色/{escaped}")
    covered(tmp_path, {"色": 5})
    assert (tmp_path / "rejected.tsv").read_text().splitlines()[1] == f"色\t{row['rank']}\tname-not-utf-8\t色/{escaped}"
    assert "the names of 1 folders aren't UTF-8" in caplog.text


@pytest.mark.parametrize("on_disk", ["NFC", "NFD"])
@pytest.mark.parametrize("named", ["NFC", "NFD"])
def test_case_names_in_nfc_and_nfd_find_each_other(pool, named, on_disk):
    name = "ガス灯/ベルリン é.png"
    written = unicodedata.normalize(on_disk, name)
    picture(pool / "pool" / written, "red")
    # Half of it is in the other form: folders and files come by different ways.
    picture(pool / "pool" / unicodedata.normalize("NFC", "ガス灯") / unicodedata.normalize("NFD", "é2.png"), "red")
    files = [unicodedata.normalize(named, one) for one in (name, "ガス灯/é2.png", "ガス灯/é3.png")]
    manifest(pool / "manifest.tsv", {"灯": "|".join(files)})
    rows = fetched(pool, FolderImages(**FOLDER), ["灯"])
    assert [row["source_url"] for row in rows] == files
    assert [row["reason"] for row in rows] == [None, None, "missing"]


def test_of_two_files_of_one_name_the_very_one_is_taken(pool):
    for form, colour in (("NFC", "red"), ("NFD", "blue")):
        picture(pool / "pool" / unicodedata.normalize(form, "é.png"), colour)
    manifest(pool / "manifest.tsv", {form: unicodedata.normalize(form, "é.png") for form in ("NFC", "NFD")})
    source = open_source(FolderImages(**FOLDER), pool)
    for form, colour in (("NFC", (255, 0, 0)), ("NFD", (0, 0, 255))):
        (candidate,) = source.candidates(form)
        with candidate.open() as file:
            assert Image.open(file).getpixel((0, 0)) == colour


@pytest.mark.parametrize("name", ["x" * 300, "a\0b", "loop", "a.png/b.png", "../../nowhere.png", "/no/such.png"])
def test_names_that_no_file_can_have_are_missing(pool, name):
    (pool / "pool" / "loop").symlink_to("loop")
    manifest(pool / "manifest.tsv", {"色": f"{name}|a.png"})
    fetched(pool, FolderImages(**FOLDER), ["色"])
    counts = counts_of(pool)
    assert (counts["pictures"], counts["rejected"]) == (1, {"missing": 1})


@pytest.mark.parametrize(
    "content, message",
    [
        (
            "word\tfiles\n色\ta.png\n".encode() + "山\tb.png\n".encode("shift_jis"),
            r":3: byte 1 of the line \(0x8e\) is",
        ),
        ("word\tfiles\n色\ta.png\n".encode("utf-16"), r":1: byte 1 of the line \(0xff\) is not UTF-8; convert"),
    ],
)
def test_case_a_manifest_that_is_not_utf_8_is_named_with_line_and_byte(pool, content, message):
    (pool / "manifest.tsv").write_bytes(content)
    with pytest.raises(VisnerError, match=f"^{pool}/manifest.tsv{message}"):
        open_source(FolderImages(**FOLDER), pool)


PARQUET = {**FOLDER, "manifest": "manifest.parquet"}


@pytest.mark.parametrize(
    "columns, message",
    [
        (
            {"word": [1, 2], "files": ["a.png", "b.png"]},
            r"the column 'word' \(query_column\) holds int64; write it as text$",
        ),
        ({"word": [b"x"], "files": ["a.png"]}, r"the column 'word' \(query_column\) holds binary; write it as text$"),
        (
            {"word": ["x"], "files": [[1]]},
            r"the column 'files' \(files_column\) holds list<.*int64>; .* or lists of text$",
        ),
    ],
    ids=["integers", "bytes", "lists of integers"],
)
def test_case_a_parquet_manifest_whose_queries_are_no_text_is_named_with_its_column(pool, columns, message):
    pq.write_table(pa.table(columns), pool / "manifest.parquet")
    with pytest.raises(VisnerError, match=f"^{pool}/manifest.parquet: {message}"):
        open_source(FolderImages(**PARQUET), pool)


def test_a_parquet_manifest_may_hold_categories(pool):
    """As pandas writes them."""
    queries = pa.array(["色", "色"]).dictionary_encode()
    pq.write_table(pa.table({"word": queries, "files": pa.array(["a.png", None])}), pool / "manifest.parquet")
    assert addresses(FolderImages(**PARQUET), pool, "色") == ["a.png"]


def test_case_a_damaged_parquet_manifest_is_named(pool):
    table = pa.table({"word": [f"word {number}" for number in range(2000)], "files": ["a.png"] * 2000})
    pq.write_table(table, pool / "manifest.parquet")
    whole = (pool / "manifest.parquet").read_bytes()
    rng = np.random.default_rng(1)
    refused = []
    for length in (*rng.integers(0, len(whole), 20), *[len(whole)] * 40):
        content = bytearray(whole[:length])
        if length == len(whole):
            place = rng.integers(0, len(whole) - 30)
            content[place : place + 30] = rng.bytes(30)
        (pool / "manifest.parquet").write_bytes(content)
        try:
            open_source(FolderImages(**PARQUET), pool)
        except VisnerError as error:
            refused.append(str(error))
    assert len(refused) > 40
    assert all(line.startswith(f"{pool / 'manifest.parquet'}: ") and "\n" not in line for line in refused)


def test_a_folder_or_a_manifest_that_is_not_there(pool):
    with pytest.raises(VisnerError, match="no file .*manifest.tsv"):
        open_source(FolderImages(**FOLDER), pool)
    with pytest.raises(VisnerError, match="no folder .*nowhere"):
        open_source(FolderImages(source="folder", folder="nowhere"), pool)


def test_every_picture_of_the_sample_is_answered_and_usable(tmp_path):
    content = yaml.safe_load((ROOT / "config.yaml").read_text())["images"]["sample"]
    recipe = TypeAdapter(Images).validate_python(content)
    folder = ROOT / recipe.folder
    with open(ROOT / recipe.manifest, encoding="utf-8", newline="") as file:
        ranked = {row["query"]: row["files"].split("|") for row in csv.DictReader(file, delimiter="\t")}
    files = {path.name for path in folder.glob("*.webp")}
    assert {name for names in ranked.values() for name in names} == files
    assert sum(path.stat().st_size for path in folder.parent.rglob("*") if path.is_file()) < 1_000_000
    assert {name[:-7] for name in ranked["ワシントン"][:2]} == {"skyline", "portrait"}  # ambiguous: in turns
    rows = fetched(tmp_path, recipe, [*ranked, "絵のない語"], root=ROOT, workers=2)
    assert {row["reason"] for row in rows} == {None}
    assert {row["source_url"] for row in rows} == files
    for query in ("タイ", "ワシントン"):
        assert [row["source_url"] for row in rows if row["query"] == query] == ranked[query][: recipe.depth]


def test_the_same_bytes_whatever_the_number_of_workers(pool):
    names = ["a.png", "broken.png", "b.png", "c.png", "d.png"]
    manifest(pool / "manifest.tsv", {f"q{place}": "|".join(names[place % 5 :]) for place in range(200)})
    queries = [f"q{place}" for place in range(200)]
    for workers in (1, 4):
        fetched(pool, FolderImages(**FOLDER, depth=3), queries, f"{workers}", workers=workers)
    assert (pool / "1.parquet").read_bytes() == (pool / "4.parquet").read_bytes()
    assert pq.ParquetFile(pool / "1.parquet").num_row_groups > 1


def test_coverage_sums_the_shards(pool):
    manifest(pool / "manifest.tsv", {"色": "broken.png|a.png", "赤": "a.png", "青": "c.png|gone.png", "無": "gone.png"})
    counts = {"色": 5, "無": 7, "赤": 3, "青": 1, "未知": 9}
    for shard in (0, 1):
        fetched(pool, FolderImages(**FOLDER), list(counts)[shard::2], f"{shard}")
    found = covered(pool, counts, "01")
    head, *listed = (pool / "rejected.tsv").read_text().splitlines()
    assert head == "query\trank\treason\tsource_url"
    rejected = ["色\t0\tbroken\tbroken.png", "無\t0\tmissing\tgone.png", "青\t1\tmissing\tgone.png"]
    assert sorted(listed) == sorted(rejected)
    assert {key: found[key] for key in ("queries", "queries_covered", "pictures", "distinct_pictures")} == {
        "queries": 5,
        "queries_covered": 3,
        "pictures": 3,
        "distinct_pictures": 2,
    }
    assert (found["occurrences"], found["occurrences_covered"]) == (25, 9)
    assert found["empty"] == [{"query": "未知", "occurrences": 9}, {"query": "無", "occurrences": 7}]
    assert found["rejected"] == {
        "broken": {"pictures": 1, "examples": [{"query": "色", "source_url": "broken.png"}]},
        "missing": {
            "pictures": 2,
            "examples": [{"query": "無", "source_url": "gone.png"}, {"query": "青", "source_url": "gone.png"}],
        },
    }
    with pytest.raises(VisnerError, match="give all shards"):
        covered(pool, counts, "0")
    with pytest.raises(VisnerError, match="give all shards"):
        covered(pool, counts, "010")


def test_memory_does_not_grow_with_the_number_of_pictures(tmp_path):
    """The peaks of 150 and of 600 pictures, in processes of their own, differ by less than what was kept."""
    (tmp_path / "pool").mkdir()
    rng = np.random.default_rng(1)
    for place in range(600):
        noise = rng.integers(0, 256, (256, 256, 3), np.uint8)  # no two alike, none compressible
        Image.fromarray(noise).save(tmp_path / "pool" / f"{place}.bmp")
    call = (
        "import resource, sys; from pathlib import Path; from visner.images.fetch import fetch; "
        "from visner.config.images import FolderImages; root = Path(sys.argv[1]); recipe = sys.argv[2]; "
        "fetch(queries=root / 'queries.parquet', images=root / '0.parquet', root=root, "
        "recipe=FolderImages.model_validate_json(recipe)); "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    )
    sizes, peaks = [], []
    for pictures in (150, 600):
        manifest(tmp_path / "manifest.tsv", {f"q{place}": f"{place}.bmp" for place in range(pictures)})
        write_shard(tmp_path / "queries.parquet", [f"q{place}" for place in range(pictures)])
        command = [sys.executable, "-c", call, str(tmp_path), FolderImages(**FOLDER).fingerprint()]
        peaks.append(float(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
        sizes.append((tmp_path / "0.parquet").stat().st_size / 2**20)
    assert sizes[1] - sizes[0] > 40  # MB: enough to be seen
    assert peaks[1] - peaks[0] < (sizes[1] - sizes[0]) / 3


def test_the_pool_of_emoji(shared_data, tmp_path):
    recipe = FolderImages(
        source="folder",
        folder="image-pool/images",
        manifest="image-pool/queries_ja.tsv",
        query_column="word",
        depth=3,
    )
    rows = fetched(tmp_path, recipe, ["日本", "山", "金メダル", "存在しない語"], root=shared_data, workers=2)
    counts = counts_of(tmp_path)
    assert (counts["queries_covered"], counts["rejected"]) == (3, {})
    medals = [row for row in rows if row["query"] == "金メダル"]
    assert medals[0]["source_url"] == "emoji_u1f947.png"
    assert max(medals[0]["width"], medals[0]["height"]) == 128
