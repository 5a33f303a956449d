"""What is said of the regions of a scene: colours, areas, boxes, perimeters, in pixels and map
units."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.kernels.regions import tallies
from segment.scenes.sources import Layout
from segment.scenes.tiles import Window

HALO = 2  # pixels around a window that its perimeters depend on
Columns = dict[str, NDArray[Any]]


class Statistics:
    """Sums over the pixels of each region, which take windows as they come.

    Parameters
    ----------
    layout : Layout
        Of the scene.
    areas : ndarray, shape (n,), int64
        Pixels of each region.
    """

    def __init__(self, layout: Layout, areas: NDArray[np.int64]) -> None:
        n, n_bands, dtype = len(areas), len(layout.bands), layout.dtype
        self._layout, self.areas = layout, areas
        # Integers add up exactly, whatever their order, and squares of 16 bits fit into 64.
        small = dtype.kind in "bui" and dtype.itemsize <= 2
        self._sum: Any = np.int64 if small else np.float64
        self._origin: NDArray[Any] | None = None if not small else np.zeros(n_bands, np.int64)
        self._sums = np.zeros((n, n_bands), self._sum)
        self._squares = np.zeros((n, n_bands), self._sum)
        lowest, highest = _limits(dtype)
        self._low = np.full((n, n_bands), highest, dtype)
        self._high = np.full((n, n_bands), lowest, dtype)
        self._corners = np.zeros((n, 3), np.int32)
        self._box = np.zeros((n, 4), np.int32)
        self._box[:, 0], self._box[:, 1] = layout.height, layout.width
        self._centers = np.zeros((n, 2), np.int64)

    @staticmethod
    def bytes_of_region(n_bands: int, itemsize: int) -> int:
        """Return what a region takes."""
        return n_bands * (16 + 2 * itemsize) + 12 + 16 + 16

    def add(self, window: Window, values: NDArray[Any], labels: NDArray[Any]) -> None:
        """Add a window.

        Parameters
        ----------
        window : Window
        values : ndarray, shape (H, W, C)
        labels : ndarray, shape (H + 4, W + 4)
            With a margin of `HALO` pixels, 0 outside the scene.
        """
        own = labels[HALO:-HALO, HALO:-HALO]
        if self._origin is None:
            self._choose_origin(values, own)
        if self._origin is not None:
            tallies.tally_values(
                values, own, self._origin, self._sums, self._squares, self._low, self._high
            )
        tallies.tally_shapes(
            labels, window.top, window.left, self._corners, self._box, self._centers
        )

    def _choose_origin(self, values: NDArray[Any], labels: NDArray[Any]) -> None:
        """Take the first window's mean as the origin, so that little is lost to large offsets."""
        inside = values[labels > 0].astype(np.float64)
        if len(inside):
            self._origin = inside.mean(axis=0)

    def means(self, regions: Any = slice(None)) -> NDArray[np.float64]:
        """Return the mean colour of regions, (n, C)."""
        origin = 0 if self._origin is None else self._origin
        means: NDArray[np.float64] = origin + self._sums[regions] / self.areas[regions, None]
        return means

    def columns(self, regions: NDArray[np.int64]) -> Columns:
        """Return the table of some regions, counted from 0.

        Names are those of `Segmentation.regions`, where both have them.
        """
        area, layout = self.areas[regions], self._layout
        shift = self._sums[regions] / area[:, None]
        variance = self._squares[regions] / area[:, None] - shift**2
        perimeter = self._corners[regions] @ np.array([1, np.sqrt(2), (1 + np.sqrt(2)) / 2])
        with np.errstate(divide="ignore"):
            compactness = np.minimum(4 * np.pi * area / perimeter**2, 1.0)
        row, column = (self._centers[regions] / area[:, None]).T
        box = self._box[regions]
        table: Columns = {
            "label": regions + 1,
            "area": area,
        }
        if layout.transform is not None:
            a, b, c, d, e, f = layout.transform
            table["area_map"] = area * abs(a * e - b * d)
        table |= {"centroid-0": row, "centroid-1": column}
        if layout.transform is not None:
            # Coordinates count from corners, pixels from their centres.
            table["x"] = a * (column + 0.5) + b * (row + 0.5) + c
            table["y"] = d * (column + 0.5) + e * (row + 0.5) + f
        table |= {f"bbox-{k}": box[:, k] for k in range(4)}
        if layout.transform is not None:
            table |= _map_box(box, layout.transform)
        for name, values in (
            ("mean", self.means(regions)),
            ("std", np.sqrt(np.maximum(variance, 0))),
            ("min", self._low[regions]),
            ("max", self._high[regions]),
        ):
            table |= {f"{name}-{k}": values[:, k] for k in range(values.shape[1])}
        return table | {"perimeter": perimeter, "compactness": compactness}


def _limits(dtype: np.dtype[Any]) -> tuple[Any, Any]:
    if dtype.kind == "b":
        return False, True
    if dtype.kind == "f":
        return -np.inf, np.inf
    return np.iinfo(dtype).min, np.iinfo(dtype).max


def _map_box(box: NDArray[np.int32], transform: tuple[float, ...]) -> Columns:
    """Return the bounding boxes of the boxes' corners in map coordinates."""
    a, b, c, d, e, f = transform
    rows, columns = box[:, [0, 0, 2, 2]], box[:, [1, 3, 1, 3]]
    x, y = a * columns + b * rows + c, d * columns + e * rows + f
    return {"xmin": x.min(1), "ymin": y.min(1), "xmax": x.max(1), "ymax": y.max(1)}
