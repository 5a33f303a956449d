"""Tables of numbers: points from CSV, TSV and NPY files, and back with a label on each row."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segment.errors import FileError, InputError
from segment.files import display_name, file_error, write_bytes

Floats = NDArray[np.float64]

SUFFIXES = (".csv", ".tsv", ".txt", ".npy")


@dataclass(frozen=True)
class Table:
    """Points read from a file.

    Attributes
    ----------
    points : ndarray of shape (n_samples, n_features), float64
        The chosen columns.
    names : tuple of str
        Their names: from the header, or x0, x1, ...
    rows : tuple of str
        The lines as they were, without the header; empty for NPY.
    header : str or None
        The header line.
    delimiter : str
        What separates the cells.
    """

    points: Floats
    names: tuple[str, ...]
    rows: tuple[str, ...] = ()
    header: str | None = None
    delimiter: str = ","


def read_table(path: str | os.PathLike[str], columns: Sequence[str] = ()) -> Table:
    """Read points, one a row.

    Parameters
    ----------
    path : path-like
        A CSV, TSV or TXT file, with or without a header (a first line with a cell that is no
        number), separated by commas, semicolons, tabs or blanks; or an NPY file of a 2-D array.
    columns : sequence of str
        Names from the header or numbers from 1; all columns by default.

    Raises
    ------
    FileError
        If the file cannot be read, is empty or ragged, or holds text where numbers are wanted.
    InputError
        If a column does not exist.
    """
    name = display_name(path)
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise FileError(f"{name}: points are read from {', '.join(SUFFIXES)} files; convert it")
    return _read_npy(path, columns) if suffix == ".npy" else _read_text(path, suffix, columns)


def _read_npy(path: str | os.PathLike[str], columns: Sequence[str]) -> Table:
    try:
        with open(path, "rb") as file:
            array = np.load(file, allow_pickle=False)
    except OSError as error:
        raise file_error(path, error) from None
    except (ValueError, EOFError) as error:
        raise FileError(f"{display_name(path)} is no NPY file of numbers: {_line(error)}") from None
    if not isinstance(array, np.ndarray) or array.ndim != 2 or array.dtype.kind not in "biuf":
        raise FileError(
            f"{display_name(path)} holds no 2-D array of numbers; save one of shape (rows, columns)"
        )
    names = tuple(f"x{j}" for j in range(array.shape[1]))
    chosen = _choose(names, columns)
    return Table(array[:, chosen].astype(np.float64), tuple(names[j] for j in chosen))


def _read_text(path: str | os.PathLike[str], suffix: str, columns: Sequence[str]) -> Table:
    name = display_name(path)
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise file_error(path, error) from None
    except UnicodeDecodeError:
        raise FileError(f"{name} is not text in UTF-8; save it as UTF-8 CSV") from None
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise FileError(f"{name} is empty; give at least one row of numbers")
    delimiter = "\t" if suffix == ".tsv" else _delimiter(lines[0])
    first = _cells(lines[0], delimiter)
    header = None if all(_is_number(cell) for cell in first) else lines.pop(0)
    if not lines:
        raise FileError(f"{name} holds a header but no rows; give at least one row of numbers")
    names = tuple(cell.strip() for cell in first) if header else _numbered(len(first))
    chosen = _choose(names, columns)
    width = len(first)
    for number, line in enumerate(lines, start=1 if header is None else 2):
        count = len(_cells(line, delimiter)) if '"' in line else _count(line, delimiter)
        if count != width:
            raise FileError(
                f"{name} is ragged: row {number} has {count} columns, not {width}; complete or "
                "remove it"
            )
    points = np.empty((len(lines), len(chosen)))
    try:
        points[:] = np.loadtxt(
            lines, delimiter=None if delimiter == " " else delimiter, usecols=chosen, ndmin=2,
            comments=None, quotechar='"',
        )  # fmt: skip
    except ValueError:
        raise _text_error(name, lines, delimiter, chosen, names, header is not None) from None
    return Table(points, tuple(names[j] for j in chosen), tuple(lines), header, delimiter)


def _delimiter(line: str) -> str:
    return next((mark for mark in ("\t", ";", ",") if mark in line), " ")


def _cells(line: str, delimiter: str) -> list[str]:
    if delimiter == " ":
        return line.split()
    return next(csv.reader([line], delimiter=delimiter))


def _count(line: str, delimiter: str) -> int:
    return len(line.split()) if delimiter == " " else line.count(delimiter) + 1


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _numbered(count: int) -> tuple[str, ...]:
    return tuple(f"x{j}" for j in range(count))


def _choose(names: Sequence[str], columns: Sequence[str]) -> list[int]:
    """Return the positions of the wanted columns; a name goes before a number."""
    if not columns:
        return list(range(len(names)))
    chosen = []
    for wanted in (column.strip() for column in columns):
        if wanted in names:
            chosen.append(names.index(wanted))
        elif wanted.isascii() and wanted.isdigit() and 1 <= int(wanted) <= len(names):
            chosen.append(int(wanted) - 1)
        else:
            raise InputError(
                f"column {wanted!r} does not exist; choose among {', '.join(names)} or 1 to "
                f"{len(names)}"
            )
    return chosen


def _text_error(
    name: str,
    lines: Sequence[str],
    delimiter: str,
    chosen: Sequence[int],
    names: Sequence[str],
    has_header: bool,
) -> FileError:
    """Find the cell that is no number, and say what to do about it."""
    for number, line in enumerate(lines, start=2 if has_header else 1):
        cells = _cells(line, delimiter)
        for j in chosen:
            if not _is_number(cells[j]):
                return FileError(
                    f"{name} holds {cells[j]!r} in row {number}, column {names[j]!r}, which is no "
                    "number; choose other columns with --columns, or complete the row"
                )
    return FileError(f"{name} holds text where numbers are wanted; choose columns with --columns")


def write_labelled(
    path: str | os.PathLike[str], table: Table, labels: NDArray[np.int64], *, overwrite: bool
) -> Path:
    """Write the rows as they were, each with its label in a last column."""
    mark = table.delimiter
    rows = table.rows or [mark.join(map(_short, point)) for point in table.points]
    header = table.header or mark.join(table.names if not table.rows else _numbered(_width(table)))
    body = [f"{header}{mark}label"]
    body += [f"{row}{mark}{label}" for row, label in zip(rows, labels, strict=True)]
    return write_bytes(path, ("\n".join(body) + "\n").encode(), overwrite=overwrite)


def write_centers(
    path: str | os.PathLike[str], table: Table, centers: Floats, counts: NDArray[np.int64],
    *, overwrite: bool,
) -> Path:  # fmt: skip
    """Write one row a cluster: its label, its number of points and its centre."""
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=table.delimiter, lineterminator="\n")
    writer.writerow(["label", "points", *table.names])
    for label, (count, center) in enumerate(zip(counts, centers, strict=True)):
        writer.writerow([label, int(count), *map(_short, center)])
    return write_bytes(path, stream.getvalue().encode(), overwrite=overwrite)


def _width(table: Table) -> int:
    return len(_cells(table.rows[0], table.delimiter))


def _short(value: float) -> str:
    return f"{value:.10g}"


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
