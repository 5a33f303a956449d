"""Damaged tables, made at random: ``python -m tests.points.fuzz [COUNT [SEED]]`` tries them."""

from __future__ import annotations

import io
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

MARKS = (",", ";", "\t", "|", " ", ", ")
CELLS = (
    "", "nan", "inf", "-1e309", "1,5", "1.234,5", "#", "x", "NULL", "1e5", " 7 ", "0x10", "1_000",
    "\x1b[31m", "\x00", "\u202e", '"', '""', '"a', "a" * 300, "9" * 400, "\r", "\n", "\u0661",
)  # fmt: skip


def damaged(seed: int, count: int) -> Iterator[tuple[str, bytes]]:
    """Yield `count` suffixes and contents of files: tables with odd cells and flipped bytes."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        suffix = str(rng.choice([".csv", ".tsv", ".txt", ".npy"], p=[0.5, 0.1, 0.2, 0.2]))
        data = bytearray(_npy(rng) if suffix == ".npy" else _table(rng))
        for _ in range(int(rng.integers(0, 4)) if rng.random() < 0.5 else 0):
            data[int(rng.integers(len(data)))] = int(rng.integers(256))
        if rng.random() < 0.1:
            data = data[: int(rng.integers(len(data)))]
        yield suffix, bytes(data)


def _npy(rng: np.random.Generator) -> bytes:
    shape = tuple(int(n) for n in rng.integers(0, 5, size=rng.integers(0, 4)))
    stream = io.BytesIO()
    dtype = str(rng.choice(["f8", "f4", ">f8", "i2", "?", "c16", "U3", "M8[s]", "f2"]))
    np.save(stream, np.ones(shape).astype(dtype))
    return stream.getvalue()


def _table(rng: np.random.Generator) -> bytes:
    mark = MARKS[rng.integers(len(MARKS))]
    rows, columns = int(rng.integers(1, 9)), int(rng.integers(1, 5))
    lines = [[f"{x:.3g}" for x in rng.normal(0, 100, columns)] for _ in range(rows)]
    if rng.random() < 0.5:
        lines.insert(0, [f"c{j}" for j in range(columns)])
    for _ in range(int(rng.integers(0, 4)) if rng.random() < 0.6 else 0):
        lines[rng.integers(len(lines))][rng.integers(columns)] = CELLS[rng.integers(len(CELLS))]
    if rng.random() < 0.1:
        lines[rng.integers(len(lines))].append("1")
    text = str(rng.choice(["\n", "\r\n", "\r"])).join(mark.join(line) for line in lines)
    if rng.random() < 0.2 and mark != ",":
        text = text.replace(".", ",")
    return (text or " ").encode(
        str(rng.choice(["utf-8", "utf-8-sig", "utf-16", "cp1252"])), "replace"
    )


def main(count: int = 20_000, seed: int = 1) -> None:
    """Read, cluster and write every damaged table; count what became of them."""
    from segment import MeanShift, SegmentError
    from segment.points.tables import read_table, write_labelled

    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for suffix, data in damaged(seed, count):
            path = Path(folder, f"a{suffix}")
            path.write_bytes(data)
            try:
                table = read_table(path)
                found = MeanShift(10.0).fit(table.points)
                write_labelled(Path(folder, "o.csv"), table, found.labels_, overwrite=True)
                counts["clustered"] += 1
            except SegmentError as error:
                counts["refused" if str(error).isprintable() else "REFUSED UNPRINTABLY"] += 1
            except Exception as error:
                counts[f"ESCAPED {type(error).__name__}"] += 1
                print(repr(error)[:200], suffix, data[:300])
    print(*(f"{number:6d} {what}" for what, number in sorted(counts.items())), sep="\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
