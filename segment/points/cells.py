"""How a table is written: what separates its cells, which mark its decimals have, its records."""

from __future__ import annotations

import contextlib
import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import NamedTuple

# Tried in this order where they explain a table equally well.
MARKS = ("\t", ";", ",", "|", " ")
OWN_MARK = {".csv": ",", ".tsv": "\t", ".txt": " "}
# Lines by which the mark is told.
LOOKED_AT = 100

_DECIMAL_COMMA = re.compile(r"\s*[+-]?\d*,\d+(?:[eE][+-]?\d+)?\s*", re.ASCII)


class Record(NamedTuple):
    """A row of a table as it stands in the file, and the line it begins in, from 1."""

    text: str
    line: int


@dataclass(frozen=True)
class Layout:
    """How cells and numbers are written.

    Attributes
    ----------
    mark : str
        What separates the cells; " " stands for any run of blanks.
    decimal : {".", ","}
        The decimal mark.
    """

    mark: str = ","
    decimal: str = "."

    def cells(self, record: Record) -> list[str]:
        """Return the cells of a record.

        Raises
        ------
        csv.Error
            If a quoted cell is longer than `csv.field_size_limit`.
        """
        if self.mark == " ":
            return record.text.split()
        if '"' not in record.text:
            return record.text.split(self.mark)
        lines = io.StringIO(record.text, newline="")
        return next(csv.reader(lines, delimiter=self.mark, skipinitialspace=True))

    def names(self, header: Record) -> list[str]:
        """Return the names in a header; if it is a comment, without the mark of one."""
        if header.text.lstrip().startswith("#"):
            header = header._replace(text=header.text.lstrip().lstrip("#"))
        return [cell.strip() for cell in self.cells(header)]

    def joined(self, cells: Sequence[str]) -> str:
        """Return cells as one record, quoted where needed."""
        if self.mark == " ":
            return " ".join("_".join(cell.split()) or "_" for cell in cells)
        stream = io.StringIO()
        csv.writer(stream, delimiter=self.mark, lineterminator="").writerow(cells)
        return stream.getvalue()

    def rewritten(self, record: Record, layout: Layout) -> str:
        """Return a record of this layout in another: as it is where they separate alike."""
        return record.text if layout.mark == self.mark else layout.joined(self.cells(record))

    def for_suffix(self, suffix: str) -> Layout:
        """Return the layout for writing to a file of that kind: it is what its name says."""
        if suffix == ".tsv":
            return replace(self, mark="\t")
        if self.mark in ("\t", " ") or (self.mark == "," and self.decimal == ","):
            return replace(self, mark=";" if self.decimal == "," else ",")
        return self


COMMAS = Layout()


def number_of(cell: str, layout: Layout) -> float:
    """Return the number in a cell, or raise ValueError."""
    return float(cell if layout.decimal == "." else cell.replace(",", "."))


def is_number(cell: str, layout: Layout) -> bool:
    """Tell whether a cell holds a number."""
    try:
        number_of(cell, layout)
    except ValueError:
        return False
    return True


def records(text: str, layout: Layout) -> Iterator[Record]:
    """Yield the records of a table: every line that is not blank, and more where quotes say so."""
    lines = enumerate(io.StringIO(text, newline=None), start=1)
    for number, line in lines:
        line = line.rstrip("\n")
        while layout.mark != " " and line.count('"') % 2:
            more = next(lines, None)
            if more is None:
                raise csv.Error(f"the quote that opens in row {number} is never closed")
            line += "\n" + more[1].rstrip("\n")
        if line.strip():
            yield Record(line, number)


def find_layout(text: str, suffix: str) -> Layout:
    """Tell what separates the cells, and the decimal mark, from the first records.

    That mark wins under which most cells are numbers and rows equally wide; among equals, the one
    that makes more cells.
    """
    text = "".join(islice(io.StringIO(text, newline=None), LOOKED_AT))  # copies only these
    if suffix == ".tsv":
        return _with_decimal("\t", text)
    own = OWN_MARK.get(suffix, ",")
    marks = (own, *(mark for mark in MARKS if mark != own))
    # A column of decimal commas under a name without one.
    lines = [record.text for record in records(text, Layout(" "))]
    if len(lines) > 1 and not any(mark in lines[0] for mark in MARKS):
        commas = [_DECIMAL_COMMA.fullmatch(line) is not None for line in lines[1:]]
        whole = [is_number(line, Layout()) for line in lines[1:]]
        if any(commas) and all(a or b for a, b in zip(commas, whole, strict=True)):
            return Layout(";", ",")
    best, score = Layout(own), (-1.0, -1)
    for mark in marks:
        layout = _with_decimal(mark, text)
        found = _score(layout, text)
        if layout.decimal == "," and found[1] == 1:
            continue  # commas separate more often than they are decimal
        if found > score:
            best, score = layout, found
    return best


def _rows(text: str, layout: Layout) -> list[list[str]]:
    """Return the cells of the records up to the first broken one."""
    rows: list[list[str]] = []
    with contextlib.suppress(csv.Error):
        rows.extend(layout.cells(record) for record in records(text, layout))
    return rows


def _with_decimal(mark: str, text: str) -> Layout:
    """Return the layout of that mark under which more cells are numbers."""
    point, comma = Layout(mark, "."), Layout(mark, ",")
    if mark == ",":
        return point
    found = any(_DECIMAL_COMMA.fullmatch(cell) for row in _rows(text, point) for cell in row)
    return comma if found else point


def _score(layout: Layout, text: str) -> tuple[float, int]:
    """Return how well a layout explains the text, and the number of cells in the first record.

    Well is the share of cells that are numbers, times that of records as wide as the first.
    """
    rows = _rows(text, layout)
    total = sum(len(row) for row in rows)
    if not total:
        return (-1.0, -1)
    numbers = sum(is_number(cell, layout) for row in rows for cell in row)
    alike = sum(len(row) == len(rows[0]) for row in rows)
    return numbers / total * alike / len(rows), len(rows[0])
