"""Tables of a scene's regions: CSV and Parquet, written part by part."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from segment.errors import ExtraError
from segment.files import file_error
from segment.scenes.statistics import Columns, Statistics

ROWS = 100_000  # of a part


def parts(statistics: Statistics) -> Iterator[Columns]:
    """Yield the table of the regions part by part; one without rows if there are none."""
    n = len(statistics.areas)
    for start in range(0, max(n, 1), ROWS):
        yield statistics.columns(np.arange(start, min(start + ROWS, n)))


def write_table(path: Path, statistics: Statistics) -> None:
    """Write the table of the regions to a file ending with .csv or .parquet.

    Raises
    ------
    FileError, ExtraError
        If it cannot be written.
    """
    try:
        import pyarrow
        from pyarrow import csv, parquet
    except ImportError as error:
        raise ExtraError("a table of a scene", "scene") from error
    writer: Any = None
    try:
        for columns in parts(statistics):
            table = pyarrow.table(columns)
            if writer is None and path.suffix.lower() == ".csv":
                options = csv.WriteOptions(quoting_style="none")
                writer = csv.CSVWriter(path, table.schema, write_options=options)
            elif writer is None:
                writer = parquet.ParquetWriter(path, table.schema, compression="zstd")
            writer.write_table(table)
    except OSError as error:
        raise file_error(path, error, "write") from error
    finally:
        if writer is not None:
            writer.close()
