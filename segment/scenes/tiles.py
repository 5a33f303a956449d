"""The tiles that a scene is worked in: windows on a grid, and what surrounds them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple


class Window(NamedTuple):
    """A rectangle of pixels: its first row and column, its height and width."""

    top: int
    left: int
    height: int
    width: int

    @property
    def bottom(self) -> int:
        """One past the last row."""
        return self.top + self.height

    @property
    def right(self) -> int:
        """One past the last column."""
        return self.left + self.width

    @property
    def n_pixels(self) -> int:
        return self.height * self.width

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns, to index an array with."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def moved(self, rows: int, columns: int) -> Window:
        """Return the same rectangle counted from another corner."""
        return Window(self.top + rows, self.left + columns, self.height, self.width)

    def grown(self, margin: int, height: int, width: int) -> Window:
        """Return the window with a margin, as far as the raster of that size has one."""
        top, left = max(self.top - margin, 0), max(self.left - margin, 0)
        bottom, right = min(self.bottom + margin, height), min(self.right + margin, width)
        return Window(top, left, bottom - top, right - left)

    def cut(self, other: Window) -> Window:
        """Return what both have in common, where there is such."""
        top, left = max(self.top, other.top), max(self.left, other.left)
        bottom, right = min(self.bottom, other.bottom), min(self.right, other.right)
        return Window(top, left, bottom - top, right - left)

    def __str__(self) -> str:
        return f"rows {self.top}-{self.bottom - 1}, columns {self.left}-{self.right - 1}"


@dataclass(frozen=True)
class Tiles:
    """The tiles of a scene, numbered row by row.

    Attributes
    ----------
    height, width : int
        Of the scene, in pixels.
    side : int
        Of a tile; those at the right and the bottom are smaller.
    margin : int
        How far around a tile pixels are needed to climb as in the whole scene.
    corner : tuple of two int
        The first row and column with a value, where tiles begin; what lies before is in smaller
        tiles, which are empty.
    """

    height: int
    width: int
    side: int
    margin: int
    corner: tuple[int, int] = (0, 0)

    @cached_property
    def _lines(self) -> tuple[list[int], list[int]]:
        """Rows and columns on which tiles begin, and the ends of the scene."""
        rows, columns = (
            sorted({0, length, *range(first % self.side, length, self.side)})
            for first, length in zip(self.corner, (self.height, self.width), strict=True)
        )
        return rows, columns

    @property
    def shape(self) -> tuple[int, int]:
        """How many tiles there are, downwards and across."""
        rows, columns = self._lines
        return len(rows) - 1, len(columns) - 1

    def __len__(self) -> int:
        rows, columns = self.shape
        return rows * columns

    def __iter__(self) -> Iterator[Window]:
        return (self.window(k) for k in range(len(self)))

    def window(self, k: int) -> Window:
        """Return tile `k`."""
        row, column = divmod(k, self.shape[1])
        rows, columns = self._lines
        top, left = rows[row], columns[column]
        return Window(top, left, rows[row + 1] - top, columns[column + 1] - left)

    def met_by(self, window: Window) -> list[int]:
        """Return the tiles that a window meets, which may reach beyond the scene."""
        begins, ends = (window.top, window.left), (window.bottom, window.right)
        rows, columns = (
            range(
                max(bisect_right(lines, begin) - 1, 0), min(bisect_left(lines, end), len(lines) - 1)
            )
            for lines, begin, end in zip(self._lines, begins, ends, strict=True)
        )
        return [row * self.shape[1] + column for row in rows for column in columns]

    def surroundings(self, k: int) -> Window:
        """Return tile `k` with its margin."""
        return self.window(k).grown(self.margin, self.height, self.width)


def blocks(window: Window, height: int, width: int) -> Iterator[Window]:
    """Cut a window along the grid of blocks of that size that starts at the raster's corner."""
    for top in range(window.top // height * height, window.bottom, height):
        first, last = max(top, window.top), min(top + height, window.bottom)
        for left in range(window.left // width * width, window.right, width):
            begin, end = max(left, window.left), min(left + width, window.right)
            yield Window(first, begin, last - first, end - begin)


def block_at(top: int, left: int, block: tuple[int, int], height: int, width: int) -> Window:
    """Return the whole block of a raster of that size in which a pixel lies."""
    first, begin = top // block[0] * block[0], left // block[1] * block[1]
    return Window(first, begin, min(block[0], height - first), min(block[1], width - begin))


def sample_windows(height: int, width: int, side: int, most: int) -> list[Window]:
    """Return windows spread evenly over a raster, `most` each way; only its size decides."""
    return [
        Window(top, left, min(side, height), min(side, width))
        for top in _spread(height, side, most)
        for left in _spread(width, side, most)
    ]


def _spread(length: int, side: int, most: int) -> list[int]:
    count = min(most, -(-length // side))
    room = max(length - side, 0)
    return [k * room // max(count - 1, 1) for k in range(count)]
