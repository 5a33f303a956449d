"""Bytes of tables: regular files and standard input, their encoding, and NPY headers checked."""

from __future__ import annotations

import codecs
import io
import math
import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.errors import FileError
from segment.files import display_name, file_error

SUFFIXES = (".csv", ".tsv", ".txt", ".npy")
STDIN = "-"
NPY_MAGIC = b"\x93NUMPY"
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True)
class Source:
    """The bytes of a table, the name to call it by, and the suffix of its file, if any."""

    name: str
    suffix: str
    data: bytes

    @property
    def is_npy(self) -> bool:
        """Whether it is, or claims to be, an NPY file."""
        return self.suffix == ".npy" or self.data.startswith(NPY_MAGIC)

    def text(self) -> tuple[str, list[str]]:
        """Return the text, and what there is to say about its encoding.

        UTF-8, UTF-16 where a byte-order mark says so, else Windows-1252, in which old spreadsheets
        write.

        Raises
        ------
        FileError
            If it is no text.
        """
        if self.data.startswith(UTF_16):
            try:
                return self.data.decode("utf-16"), []
            except UnicodeDecodeError:
                raise FileError(
                    f"{self.name} is not text in UTF-16; save it as UTF-8 CSV"
                ) from None
        try:
            text, notes = self.data.decode("utf-8-sig"), []
        except UnicodeDecodeError:
            try:
                text, notes = (
                    self.data.decode("cp1252"),
                    ["text is read as Windows-1252, not UTF-8"],
                )
            except UnicodeDecodeError:
                raise FileError(f"{self.name} is not text in UTF-8; save it as UTF-8 CSV") from None
        if "\0" in text:
            raise FileError(f"{self.name} is not text; save it as UTF-8 CSV")
        return text, notes


def open_source(path: str | os.PathLike[str]) -> Source:
    """Read a table's bytes, from standard input if `path` is "-".

    Raises
    ------
    FileError
        If the file is of no known kind, is no regular file, or cannot be read.
    """
    if os.fspath(path) == STDIN:
        return Source("standard input", "", sys.stdin.buffer.read())
    name = display_name(path)
    suffix = Path(path).suffix.lower()
    try:
        mode = os.stat(path).st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise FileError(f"{name} is no regular file; give a file, or pipe it in and give -")
        if suffix not in SUFFIXES and not stat.S_ISDIR(mode):
            raise FileError(f"{name}: points are read from {', '.join(SUFFIXES)} files; convert it")
        return Source(name, suffix, Path(path).read_bytes())
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise file_error(path, error) from None


def read_npy(source: Source) -> NDArray[Any]:
    """Return the 2-D array of numbers in an NPY file, whose header is held against its size.

    Raises
    ------
    FileError
        If it is no such file.
    """
    data, name = source.data, source.name
    if not data.startswith(NPY_MAGIC):
        raise FileError(f"{name} is no NPY file of numbers; save it with numpy.save")
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        read = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, fortran, dtype = read(stream)
    except Exception as error:  # a crafted header is literal Python, whose parser raises anything
        raise FileError(f"{name} is no NPY file of numbers: {_line(error)}") from None
    if len(shape) != 2 or dtype.kind not in "biuf" or min(shape) < 1:
        raise FileError(f"{name} holds no 2-D array of numbers; save one of shape (rows, columns)")
    begin, wanted = stream.tell(), math.prod(shape)
    if len(data) - begin < wanted * dtype.itemsize:
        raise FileError(
            f"{name} is cut off: its header promises {wanted} numbers, which need "
            f"{wanted * dtype.itemsize} bytes, and {len(data) - begin} follow; copy it again"
        )
    array = np.frombuffer(data, dtype, wanted, begin)
    return array.reshape(shape, order="F" if fortran else "C")


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
