"""Tables of a study, each written three ways: Markdown for the page, TSV for a spreadsheet, JSON for a program."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from visner.runtime import tables

Cell = str | Callable[[dict], str]  # the key of a row, or what writes the row's cell
UNDEFINED = "–"


@dataclass(frozen=True)
class Table:
    """A table with raw values in `rows`; a value that isn't defined is None, and is written as a dash.

    A column is a heading and what stands below it, or only a key, which is its heading, too.
    """

    name: str  # of its files
    title: str
    columns: Sequence[str | tuple[str, Cell]]
    rows: Sequence[dict[str, Any]]
    notes: Sequence[str] = ()

    def markdown(self) -> str:
        """The table as a section of a GitHub-flavoured Markdown page; without rows only its notes."""
        columns = self._cells()
        lines = [
            [heading for heading, _ in columns],
            ["---" if any(_is_text(cell, row) for row in self.rows) else "--:" for _, cell in columns],
            *([_written(cell, row) for _, cell in columns] for row in self.rows),
        ]
        body = "\n".join("| " + " | ".join(line) + " |" for line in lines)
        return "\n\n".join([f"### {self.title}", *([body] if self.rows else []), *self.notes])

    def _cells(self) -> list[tuple[str, Cell]]:
        return [(column, column) if isinstance(column, str) else column for column in self.columns]

    def tsv(self) -> str:
        """All values of the rows, deviations included, with a line of keys; an undefined value is empty."""
        keys = list(self.rows[0]) if self.rows else [cell for _, cell in self._cells() if isinstance(cell, str)]
        lines = [keys, *(["" if row[key] is None else str(row[key]) for key in keys] for row in self.rows)]
        return "\n".join("\t".join(line) for line in lines) + "\n"

    def content(self) -> dict[str, Any]:
        """The table for JSON."""
        return {"title": self.title, "rows": list(self.rows), "notes": list(self.notes)}

    def save(self, folder: Path) -> None:
        """Write `{name}.json` and `{name}.tsv` into a folder."""
        tables.write_json(folder / f"{self.name}.json", self.content())
        tables.write_text(folder / f"{self.name}.tsv", self.tsv())


def written(row: dict, key: str) -> str:
    """A value of a row: a number with two decimals, and with the deviation over seeds where the row has one."""
    value, deviation = row[key], row.get(f"{key}_deviation")
    if value is None:
        return UNDEFINED
    if isinstance(value, float):
        return f"{value:.2f}" + (f" ± {deviation:.2f}" if deviation is not None else "")
    return f"{value:,}" if isinstance(value, int) else str(value)


def _written(cell: Cell, row: dict) -> str:
    return (written(row, cell) if isinstance(cell, str) else cell(row)).replace("|", "\\|")


def _is_text(cell: Cell, row: dict) -> bool:
    return isinstance(row[cell], str) if isinstance(cell, str) else cell(row)[:1].isalpha()
