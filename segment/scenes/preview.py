"""A quick look at a scene: its picture made small, with the outlines of regions large enough."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.drawing import overlay, to_rgb
from segment.images import write_image
from segment.kernels.regions import tallies
from segment.scenes.sources import Layout
from segment.scenes.tiles import Window

WIDEST = 2000
SMALLEST = 36  # pixels of the preview that a region must have to be outlined


class Preview:
    """A small picture of a scene, which takes windows as they come.

    Parameters
    ----------
    layout : Layout
        Of the scene.
    areas : ndarray, shape (n,), int64
        Pixels of each region.
    """

    def __init__(self, layout: Layout, areas: NDArray[np.int64]) -> None:
        self.step = -(-max(layout.width, layout.height) // WIDEST)
        shape = -(-layout.height // self.step), -(-layout.width // self.step)
        n_bands = 3 if len(layout.bands) >= 3 else 1
        self._dtype, self._areas = layout.dtype, areas
        self._sums = np.zeros((*shape, n_bands), np.float64)
        self._counts = np.zeros(shape, np.int64)
        self._labels = np.zeros(shape, np.int64)

    def add(
        self,
        window: Window,
        values: NDArray[Any],
        valid: NDArray[np.bool_] | None,
        labels: NDArray[Any],
    ) -> None:
        """Add a window of pixels (H, W, C), where they are valid, and their labels (H, W)."""
        seen = np.ones(labels.shape, bool) if valid is None else valid
        tallies.shrink(
            values, seen, labels, window.top, window.left, self.step, self._sums, self._counts,
            self._labels,
        )  # fmt: skip

    def picture(self) -> NDArray[np.uint8]:
        """Return the picture with the outlines, (H, W, 3)."""
        seen = self._counts > 0
        means = self._sums / np.maximum(self._counts, 1)[..., None]
        if self._dtype.kind == "b":
            means *= 255
        pixels = np.rint(means).astype(np.uint8) if self._dtype.itemsize == 1 and (
            self._dtype.kind in "bu"
        ) else means  # fmt: skip
        least = SMALLEST * self.step**2 if self.step > 1 else 0
        large = np.append(0, np.where(self._areas >= least, 1, 0))
        outlined = np.where(large[self._labels] > 0, self._labels, 0)
        return overlay(to_rgb(pixels, seen), outlined)

    def write(self, path: Path) -> None:
        """Write the picture as PNG."""
        write_image(path, self.picture())
