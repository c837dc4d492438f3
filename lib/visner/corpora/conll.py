"""Reads CoNLL-style columns: a token a line, an empty line after each sentence.

Where documents are marked (`-DOCSTART-` lines, or comments `# newdoc id = X`), a document is what stands between
the marks. A sentence before the first mark, and so every sentence of a file without marks, is a document by itself:
nothing says which belong together.
"""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain, groupby
from pathlib import Path

from visner.config.corpora import ConllCorpus
from visner.corpora.labels import Labels
from visner.corpora.records import EXAMPLES, Document, Findings, Sentence, comment_remedy, lines
from visner.errors import VisnerError

# A comment opens a document or paragraph, or has a key and a value; #tag and `# O` are tokens, as tweets have them.
COMMENT = re.compile(r"# +(?:new(?:doc|par)\b|[A-Za-z_][\w.:-]*[ \t]*=)")
NEW_DOCUMENT = re.compile(r"# +newdoc(?:[ \t]+id)?(?:[ \t]*=[ \t]*(.*[^ \t]))?[ \t]*")


def read(path: Path, name: str, recipe: ConllCorpus, findings: Findings) -> Iterator[Document]:
    """The documents of a file. Tokens are kept as they are: only ASCII spaces and tabs separate columns.

    Labels become BIO; I- labels of BIO that continue nothing stay, and are counted. So are lines with another number of
    columns than most. VisnerError with file and line where a line has too few columns, no token, or a label that the
    recipe doesn't know.
    """
    for (document_id, line), group in groupby(_sentences(path, name, recipe, findings), lambda found: found[0]):
        yield Document(document_id, path, line, (sentence for _, sentence in group))


def _sentences(
    path: Path, name: str, recipe: ConllCorpus, findings: Findings
) -> Iterator[tuple[tuple[str, int], Sentence]]:
    """The sentences, each with the id and the first line of its document."""
    marked: tuple[str, int] | None = None  # the document that was marked last
    known, widths = Labels(path, recipe, findings), _Widths()
    for number, rows in _blocks(path, name, recipe, findings, known, widths):
        if isinstance(rows, str):
            marked = rows, number
            continue
        document = marked or (f"{name}:{number}", number)
        sentence_id = f"{marked[0]}:{number}" if marked else document[0]
        numbers, tokens, labels = map(list, zip(*rows, strict=True))
        labels = known.read(numbers, tokens, labels)
        if recipe.units == "characters":
            labels = [one for row in zip(tokens, labels, strict=True) for one in _repeated(*row)]
            tokens = list("".join(tokens))
        yield document, Sentence(sentence_id, number, tokens, labels)
    widths.report(path, findings)


def _blocks(
    path: Path, name: str, recipe: ConllCorpus, findings: Findings, known: Labels, widths: "_Widths"
) -> Iterator[tuple[int, str | list[tuple[int, str, str]]]]:
    """What lines make up, with the first one's number: a document's id, or a sentence's lines, tokens and labels."""
    first, rows = 0, []
    for number, line in chain(lines(path), [(0, "")]):  # the last sentence may have no empty line after it
        start = line.startswith("-DOCSTART-")
        if rows and (start or not line.strip(" \t")):
            yield first, rows
            rows = []
        if start:
            yield number, f"{name}:{number}"
        elif not rows and COMMENT.match(line):
            if new := NEW_DOCUMENT.fullmatch(line):
                yield number, new[1] or f"{name}:{number}"
        elif recipe.comment and line.startswith(recipe.comment):
            findings.add("comments", path, number, line)
        elif line.strip(" \t"):
            columns = line.split("\t") if recipe.separator == "tab" else re.split("[ \t]+", line.strip(" \t"))
            token, label = _columns(path, number, line, columns, recipe)
            known.check(number, label, line)
            widths.add(number, line, len(columns))
            first = first if rows else number
            rows.append((number, token, label))


def _columns(path: Path, number: int, line: str, columns: list[str], recipe: ConllCorpus) -> tuple[str, str]:
    """A line's token and label."""
    places = [index + len(columns) if index < 0 else index for index in (recipe.token_column, recipe.label_column)]
    if places[0] == places[1] or not all(0 <= place < len(columns) for place in places):
        raise VisnerError(
            f"{path}:{number}: the line has {len(columns)} column(s), separated by {recipe.separator}: no columns "
            f"{recipe.token_column} (token_column) and {recipe.label_column} (label_column){comment_remedy(line)}"
        )
    token, label = (columns[place] for place in places)
    if not token:
        raise VisnerError(f"{path}:{number}: the token is empty")
    return token, label


def _repeated(token: str, label: str) -> list[str]:
    """A token's label as labels of its characters: B- only for the first."""
    return [label] + [label.replace("B-", "I-", 1)] * (len(token) - 1)


class _Widths:
    """How many columns the lines of a file have."""

    def __init__(self):
        self._counts: Counter[int] = Counter()
        self._first: dict[int, list[tuple[int, str]]] = {}  # columns -> the first lines that have as many

    def add(self, number: int, line: str, columns: int) -> None:
        """One more line."""
        self._counts[columns] += 1
        first = self._first.setdefault(columns, [])
        if len(first) < EXAMPLES:
            first.append((number, line))

    def report(self, path: Path, findings: Findings) -> None:
        """Count and list the lines with another number of columns than most."""
        (usual, _), *others = self._counts.most_common() or [(0, 0)]
        listed = sorted((*one, columns) for columns, _ in others for one in self._first[columns])[:EXAMPLES]
        rest = sum(count for _, count in others) - len(listed)
        for place, (number, line, columns) in enumerate(listed):
            more = rest if place == len(listed) - 1 else 0
            findings.add("columns_differing", path, number, f"{columns}, not {usual}: {line}", 1 + more)
