"""Tables of numbers: points from CSV, TSV, TXT and NPY files, and back with a label on each row."""

from __future__ import annotations

import csv
import io
import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segment.errors import FileError, InputError
from segment.files import display_name, write_bytes
from segment.points.cells import COMMAS, Layout, Record, find_layout, is_number, number_of, records
from segment.points.inputs import Source, open_source, read_npy

Floats = NDArray[np.float64]

# Records parsed at a time.
BLOCK = 65_536
SEPARATOR = re.compile(r"\A\ufeff?sep=[^\r\n](?=\r?\n)", re.IGNORECASE)  # as Excel writes it
# Records looked at to tell columns of numbers from text, evenly spread.
LOOKED_AT = 1_000
# What stands for a missing value, and is no header either.
MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "-", "?"})


@dataclass(frozen=True)
class Table:
    """Points read from a file.

    Attributes
    ----------
    points : ndarray of shape (n_samples, n_features), float64
        The chosen columns.
    names : tuple of str
        Their names: from the header, or x0, x1, ...
    records : tuple of Record
        The rows as they were, without the header; empty for NPY.
    header : Record or None
        The header.
    layout : Layout
        How cells and numbers are written.
    notes : tuple of str
        What was decided that may surprise, a line each.
    """

    points: Floats
    names: tuple[str, ...]
    records: tuple[Record, ...] = ()
    header: Record | None = None
    layout: Layout = COMMAS
    notes: tuple[str, ...] = ()


def read_table(path: str | os.PathLike[str], columns: str = "") -> Table:
    """Read points, one a row.

    Parameters
    ----------
    path : path-like
        A CSV, TSV or TXT file, with or without a header (a first line with text over a column of
        numbers), separated by commas, semicolons, bars, tabs or blanks, with decimal points or
        commas; an NPY file of a 2-D array; or ``-`` for either from standard input.
    columns : str
        Names from the header, numbers from 1, and ranges of these such as 2-4, with commas between.
        By default every column of numbers; columns of text are left out, which `Table.notes` says.

    Raises
    ------
    FileError
        If the file cannot be read, is empty or ragged, or holds text where numbers are wanted.
    InputError
        If a column does not exist.
    """
    source = open_source(path)
    if source.is_npy:
        points = read_npy(source)
        names = _numbered(points.shape[1])
        chosen = _choose(names, columns) if columns else list(range(len(names)))
        wanted = points[:, chosen].astype(np.float64)
        _refuse_infinite(source.name, wanted, [names[j] for j in chosen], range(len(points)), "row")
        return Table(wanted, tuple(names[j] for j in chosen))
    try:
        return _read_text(source, columns)
    except csv.Error as error:
        raise FileError(f"{source.name} is no table of cells: {error}; check its quotes") from None


def _read_text(source: Source, columns: str) -> Table:
    name = source.name
    text, notes = source.text()
    if SEPARATOR.match(text):  # of which the layout is sure anyway; rows keep their numbers
        text = SEPARATOR.sub("#", text, count=1)
    layout = find_layout(text, source.suffix)
    rows = list(records(text, layout))
    if not rows:
        raise FileError(f"{name} is empty; give at least one row of numbers")
    header = _last_comment(rows, layout)
    width = len(layout.cells(rows[0])) if rows else 0
    numeric = _numeric_columns(rows if header else rows[1:] or rows, layout, width)
    if rows and header is None and _is_header(layout.cells(rows[0]), numeric, layout):
        header = rows.pop(0)
    if not rows:
        raise FileError(f"{name} holds a header but no rows; give at least one row of numbers")
    names = _numbered(width) if header is None else tuple(layout.names(header))
    chosen = _choose(names, columns) if columns else [j for j in range(width) if numeric[j]]
    if not chosen:
        chosen = list(range(width))  # the message names the first cell that is no number
    points = _numbers(name, rows, layout, width, chosen, names)
    if not columns and len(chosen) > 1 and names[chosen[0]] == "" and _counts(points[:, 0]):
        points, chosen = np.ascontiguousarray(points[:, 1:]), chosen[1:]
        notes.append("the first column has no name and counts the rows: it is left out")
    if layout.decimal == ",":
        notes.append("numbers are read with decimal commas")
    if ignored := [names[j] for j in range(width) if not numeric[j] and not columns]:
        listed = ", ".join(shown(n) for n in ignored[:6]) + ", ..." * (len(ignored) > 6)
        plural = "s" * (len(ignored) > 1)
        notes.append(f"column{plural} without numbers left out: {listed}")
    return Table(points, tuple(names[j] for j in chosen), tuple(rows), header, layout, tuple(notes))


def _counts(values: Floats) -> bool:
    """Whether a column counts its rows, as pandas and R write one beside a table's own."""
    return len(values) > 1 and bool((np.diff(values) == 1).all())


def _last_comment(rows: list[Record], layout: Layout) -> Record | None:
    """Take leading lines that begin with # out of `rows`; return the last if it names columns."""
    last = None
    while rows and rows[0].text.lstrip().startswith("#"):
        last = rows.pop(0)
    if last is None or not rows:
        return last
    return last if len(layout.names(last)) == len(layout.cells(rows[0])) else None


def _numeric_columns(rows: Sequence[Record], layout: Layout, width: int) -> list[bool]:
    """Tell which columns hold numbers in at least half of those cells that hold anything."""
    numbers, filled = [0] * width, [0] * width
    for record in rows[:: max(1, len(rows) // LOOKED_AT)]:
        for j, cell in enumerate(layout.cells(record)[:width]):
            if cell.strip().lower() not in MISSING:
                filled[j] += 1
                numbers[j] += is_number(cell, layout)
    return [filled[j] > 0 and 2 * numbers[j] >= filled[j] for j in range(width)]


def _is_header(cells: Sequence[str], numeric: Sequence[bool], layout: Layout) -> bool:
    """Tell whether the first row names the others' columns: text stands over numbers.

    Where no column holds numbers it does if it holds none itself.
    """
    words = [not is_number(cell, layout) and cell.strip().lower() not in MISSING for cell in cells]
    if not any(numeric):
        return all(not is_number(cell, layout) for cell in cells)
    return any(word for word, number in zip(words, numeric, strict=True) if number)


def _numbers(
    name: str,
    rows: Sequence[Record],
    layout: Layout,
    width: int,
    chosen: Sequence[int],
    names: Sequence[str],
) -> Floats:
    points = np.empty((len(rows), len(chosen)))
    for start in range(0, len(rows), BLOCK):
        block = [layout.cells(record) for record in rows[start : start + BLOCK]]
        for record, cells in zip(rows[start : start + BLOCK], block, strict=True):
            if len(cells) != width:
                raise FileError(
                    f"{name} is ragged: row {record.line} has {len(cells)} columns, not {width}; "
                    "complete or remove it"
                )
        try:
            for k, j in enumerate(chosen):
                values = (number_of(cells[j], layout) for cells in block)
                points[start : start + len(block), k] = np.fromiter(values, float, len(block))
        except ValueError:
            raise _text_error(name, rows[start : start + BLOCK], layout, chosen, names) from None
    lines = [record.line for record in rows]
    _refuse_infinite(name, points, [names[j] for j in chosen], lines, "row")
    return points


def _text_error(
    name: str,
    rows: Sequence[Record],
    layout: Layout,
    chosen: Sequence[int],
    names: Sequence[str],
) -> FileError:
    """Find the first cell that is no number, and say what to do about it."""
    record, j, cell = next(
        (record, j, cells[j])
        for record in rows
        for cells in (layout.cells(record),)
        for j in chosen
        if not is_number(cells[j], layout)
    )
    return FileError(
        f"{name} holds '{shown(cell)}' in row {record.line}, column '{shown(names[j])}', which is "
        "no number; choose other columns with --columns, or complete the row"
    )


def _refuse_infinite(
    name: str, points: Floats, names: Sequence[str], lines: Sequence[int] | range, what: str
) -> None:
    finite = np.isfinite(points)
    if finite.all():
        return
    row, column = np.argwhere(~finite)[0]
    first = 1 if isinstance(lines, range) else 0
    raise FileError(
        f"{name} holds {points[row, column]} in {what} {lines[row] + first}, column "
        f"'{shown(names[column])}'; remove such rows or fill them in"
    )


def _numbered(count: int) -> tuple[str, ...]:
    return tuple(f"x{j}" for j in range(count))


def _choose(names: Sequence[str], columns: str) -> list[int]:
    """Return the positions of the wanted columns; a name goes before a number or a range."""
    chosen: list[int] = []
    try:
        parts = next(csv.reader([columns], skipinitialspace=True))
    except csv.Error as error:
        raise InputError(f"columns '{shown(columns)}': {error}") from None
    for wanted in parts:
        chosen += _positions(names, wanted.strip())
    for j in chosen:
        if chosen.count(j) > 1:
            raise InputError(f"column '{shown(names[j])}' is chosen twice; name it once")
    return chosen


def _positions(names: Sequence[str], wanted: str) -> list[int]:
    if names.count(wanted) > 1:
        raise InputError(f"{names.count(wanted)} columns are named '{shown(wanted)}'; give numbers")
    if wanted in names:
        return [names.index(wanted)]
    count = len(names)
    if found := re.fullmatch(r"(\d{1,9})(?:\s*-\s*(\d{1,9})?)?", wanted, re.ASCII):
        first = int(found[1])
        last = int(found[2]) if found[2] else count if "-" in wanted else first
        if 1 <= first <= last <= count:
            return list(range(first - 1, last))
    listed = ", ".join(shown(name) for name in names[:12]) + ", ..." * (count > 12)
    raise InputError(
        f"column '{shown(wanted)}' does not exist; choose among {listed}, or numbers and ranges of "
        f"1 to {count}"
    )


def shown(text: str) -> str:
    """Return a cell as one short printable piece of a line."""
    text = display_name(text.replace("\0", "\\0"))
    return text if len(text) <= 40 else f"{text[:39]}…"


def write_labelled(
    path: str | os.PathLike[str], table: Table, labels: NDArray[np.int64], *, overwrite: bool
) -> Path:
    """Write the rows as they were, each with its label in a last column.

    Cells are separated as they were, unless the file's name promises otherwise: tabs in a .tsv, and
    neither tabs nor blanks in a .csv.
    """
    layout = table.layout.for_suffix(Path(path).suffix.lower())
    if table.records:
        names = _all_names(table)
        rows = [table.layout.rewritten(record, layout) for record in table.records]
    else:
        names = table.names
        rows = [layout.mark.join(exact(v, layout) for v in point) for point in table.points]
    if table.header is not None:
        head = table.layout.rewritten(table.header, layout)
    else:
        head = layout.joined(names)
    body = [f"{head}{layout.mark}{unused('label', names)}"]
    body += [f"{row}{layout.mark}{label}" for row, label in zip(rows, labels, strict=True)]
    return write_bytes(path, ("\n".join(body) + "\n").encode(), overwrite=overwrite)


def write_centers(
    path: str | os.PathLike[str], table: Table, centers: Floats, counts: NDArray[np.int64],
    *, overwrite: bool,
) -> Path:  # fmt: skip
    """Write one row a cluster: its label, its number of points and its centre.

    Numbers have as many digits as it takes to read the same ones back.
    """
    layout = table.layout.for_suffix(Path(path).suffix.lower())
    label, points = unused("label", _all_names(table)), unused("points", table.names)
    stream = io.StringIO()
    stream.write(layout.joined([label, points, *table.names]) + "\n")
    for number, (count, center) in enumerate(zip(counts, centers, strict=True)):
        stream.write(
            layout.mark.join([str(number), str(count), *(exact(v, layout) for v in center)])
        )
        stream.write("\n")
    return write_bytes(path, stream.getvalue().encode(), overwrite=overwrite)


def _all_names(table: Table) -> Sequence[str]:
    """Return the names of every column of the file, chosen or not."""
    if table.header is not None:
        return table.layout.names(table.header)
    if table.records:
        return _numbered(len(table.layout.cells(table.records[0])))
    return table.names


def unused(name: str, taken: Sequence[str]) -> str:
    """Return `name`, or `name_2`, `name_3`, ... if a column has that name in any case."""
    others = {other.strip().casefold() for other in taken}
    number = 1
    made = name
    while made in others:
        number += 1
        made = f"{name}_{number}"
    return made


def exact(value: float, layout: Layout = COMMAS) -> str:
    """Return the shortest text from which the same number is read back.

    >>> exact(1.5), exact(2.0), exact(0.1 + 0.2)
    ('1.5', '2', '0.30000000000000004')
    """
    text = repr(float(value))
    text = text[:-2] if text.endswith(".0") else text
    return text.replace(".", layout.decimal)


def rounded(value: float, bandwidth: float) -> str:
    """Return a coordinate with the digits that tell places apart at this bandwidth.

    >>> rounded(1_700_000_000_123.4, 1000.0), rounded(0.123456, 0.5), rounded(-1e-9, 0.5)
    ('1700000000123', '0.123', '0.000')
    """
    step = math.floor(math.log10(bandwidth)) - 2  # a hundredth of the bandwidth, or less
    if -9 <= step <= 9 and abs(value) < 1e16:
        text = f"{value:.{max(0, -step)}f}"
        return text.lstrip("-") if not float(text) else text
    size = math.floor(math.log10(abs(value))) if value else step
    return f"{value:.{min(max(size - step + 1, 1), 17)}g}"
