"""Tables of the same sentences, row beside row."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

import pyarrow as pa

from visner.errors import VisnerError
from visner.runtime.tables import SENTENCES, iterate_rows

Other = tuple[Path | list[Path], pa.Schema, Sequence[str] | None]  # a table or its shards, its schema, its columns


def aligned_rows(sentences: Path, columns: Sequence[str], others: Sequence[Other]) -> Iterator[tuple[dict, ...]]:
    """Columns of each sentence, with its row in every other table; VisnerError where the tables disagree."""
    read = [iterate_rows(sentences, SENTENCES, ["sentence_id", *columns])]
    read += [iterate_rows(*other) for other in others]
    for row, *rest in zip_longest(*read, fillvalue={"sentence_id": None}):
        for (path, *_), other in zip(others, rest, strict=True):
            if other["sentence_id"] != row["sentence_id"]:
                table = path if isinstance(path, Path) else path[0].parent
                place = f"{other['sentence_id']}, {row['sentence_id']}"
                raise VisnerError(
                    f"{table}: its sentences are not those of {sentences} ({place}); delete it, run again"
                )
        yield row, *rest
