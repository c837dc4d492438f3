"""What the readers yield, and what they found on the way."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from visner.errors import VisnerError

# Everything that a reader leaves out or mends: what is counted, and what became of it.
FINDINGS = {
    "documents_rejected": "documents with <rejectedBlock>: left out",
    "sentences_rejected": "sentences whose spans contradict their text: left out",
    "sentences_empty": "lines without any text: left out",
    "mentions_empty": "tags around nothing: left out",
    "mentions_nested": "mentions inside a mention of a wanted class: left out",
    "mentions_mixed": "mentions with two wanted classes on identical borders: MIX",
    "lines_joined": "lines joined because a mention goes on over their break",
    "markup_stray": "`&` and `<` that are no markup: kept as text",
    "labels_orphaned": "I- labels that continue nothing: kept as they are",
    "labels_inconsistent": "labels that break the scheme: their mentions are read as seqeval reads them",
    "columns_differing": "lines with another number of columns than most lines of their file: read all the same (if a "
    "token has a space in it, separate columns by tabs and set `separator: tab`)",
    "comments": "lines that begin as `comment` says: left out",
    "tweets_empty": "tweets without a token: left out",
    "sentences_repeated": "sentences with exactly the units of a sentence of another split: kept",
    "files_unread": "files whose names don't end as those of the format: left out (rename them, or name them in the "
    "recipe, if they belong to the corpus)",
    "files_unopened": "files and folders that can't be opened: left out",
    "sentences_split": "lines of several sentences: cut at 。！？",
    "sentences_long": "sentences of more than max_units: cut",
    "mentions_long": "mentions of more than max_units: kept whole, so that their sentence stays longer",
}
EXAMPLES = 20  # of each finding, listed; the others are only counted
NO_UTF8 = {  # how a file begins -> what it is, and what helps
    b"\x1f\x8b": "compressed with gzip; decompress it (gunzip)",
    b"BZh": "compressed with bzip2; decompress it (bunzip2)",
    b"\xfd7zXZ": "compressed with xz; decompress it (unxz)",
    b"PK\x03\x04": "a zip archive; unpack it",
    b"\xff\xfe": "UTF-16, not UTF-8; convert it (iconv -f UTF-16 -t UTF-8)",
    b"\xfe\xff": "UTF-16, not UTF-8; convert it (iconv -f UTF-16 -t UTF-8)",
}
NO_TEXT = {
    b"\0": "NUL; is the file UTF-16? Convert it to UTF-8, or delete the character",
    b"\r": "a carriage return without a line feed; end lines with LF or CRLF (tr '\\r' '\\n'), or delete the character",
}


class Sentence(NamedTuple):
    """A sentence: what gets labels (code points or tokens), and their BIO labels."""

    sentence_id: str
    line: int  # of the document's file, where it begins
    units: list[str]
    labels: list[str]


class Document(NamedTuple):
    """A document, whose sentences are read as they are asked for: once, and before the next document's."""

    document_id: str
    path: Path
    line: int
    sentences: Iterable[Sentence]
    attachment: str | None = None  # the file name of a tweet's picture


class Findings:
    """What was left out or mended, counted by kind (`FINDINGS`), with the first examples of each.

    `other_classes` counts the mentions of classes that the recipe doesn't want: they are plain text. `schemes` counts
    each file's mentions, and the labels that break each scheme. `corpus` is the corpus' key, for messages.
    """

    def __init__(self, corpus: str = "corpora.NAME"):
        self.corpus = corpus
        self.other_classes: Counter[str] = Counter()
        self.schemes: defaultdict[Path, Counter[str]] = defaultdict(Counter)
        self._counts = dict.fromkeys(FINDINGS, 0)
        self._examples: dict[str, list[dict]] = {kind: [] for kind in FINDINGS}

    def add(self, kind: str, path: Path, line: int | None, text: str, count: int = 1) -> None:
        """One more of a kind, at a line of a file or in the whole of it; `text` shows it. Or `count`, as this one."""
        self._counts[kind] += count
        if len(self._examples[kind]) < EXAMPLES:
            shown = text if len(text) <= 80 else text[:79] + "…"
            self._examples[kind].append({"at": str(path) if line is None else f"{path}:{line}", "text": shown})

    def to_json(self) -> dict[str, Any]:
        """Kind -> its meaning, its count, its examples; also the kinds that were not met, with 0."""
        return {
            kind: {"meaning": meaning, "count": self._counts[kind], "examples": self._examples[kind]}
            for kind, meaning in FINDINGS.items()
        }


def lines(path: Path, comment: str | None = None, findings: Findings | None = None) -> Iterator[tuple[int, str]]:
    """The lines of a UTF-8 file with their numbers, from 1, without LF or CRLF; a byte order mark is dropped.

    Only line feeds end a line: U+2028, U+0085 and the like are text. Lines that begin with `comment` are left out, and
    counted in `findings`. VisnerError where a byte is not UTF-8, and where a line holds a NUL or a carriage return,
    which are no text: the file is UTF-16, or ends its lines otherwise.
    """
    with open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            line = line.removesuffix(b"\n").removesuffix(b"\r")
            if number == 1:
                _refuse_other_files(path, line)
                line = line.removeprefix(b"\xef\xbb\xbf")
            for byte, remedy in NO_TEXT.items():
                if byte in line:
                    raise VisnerError(f"{path}:{number}: byte {line.index(byte) + 1} of the line is {remedy}")
            try:
                text = line.decode("utf-8")
            except UnicodeDecodeError as error:
                raise VisnerError(
                    f"{path}:{number}: byte {error.start + 1} of the line (0x{line[error.start]:02x}) is not UTF-8; "
                    "convert the file to UTF-8"
                ) from None
            if comment is not None and text.startswith(comment):
                findings.add("comments", path, number, text)
            else:
                yield number, text


def comment_remedy(line: str) -> str:
    """What the error on a line says besides, where the line may be a comment."""
    return '; if it is a comment, set `comment: "#"`: lines that begin so are left out' if line.startswith("#") else ""


def _refuse_other_files(path: Path, line: bytes) -> None:
    """VisnerError where the first line is that of a file which is no UTF-8 text at all."""
    for magic, remedy in NO_UTF8.items():
        if line.startswith(magic):
            raise VisnerError(f"{path}: {remedy}")
