"""The result of a segmentation."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from segment.errors import InputError
from segment.files import make_folder
from segment.kernels.regions import measuring
from segment.params import (
    DEFAULT_KINDS,
    MeanShiftParams,
)
from segment.regions.checks import Pixels
from segment.regions.features import to_dtype

if TYPE_CHECKING:
    from segment.images import Image
    from segment.regions.hierarchy import Hierarchy
    from segment.shapes.polygons import Polygons

Float64Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Segmentation:
    """An image cut into regions.

    Two are equal where image, labels, modes, parameters and level are.

    Attributes
    ----------
    labels : ndarray, shape (H, W), int32, read-only
        Region of each pixel, 1..n in raster order; 0 where masked.
    modes : ndarray, shape (n, C + 2), float32
        Mean mode of each region: row, column, features in the colour space.
    params : MeanShiftParams
        The parameters of the run.
    level : float or None
        Where in its hierarchy it was cut; None if it was not cut at a level.
    """

    _labels: NDArray[np.int32]  # writable: kernels are compiled for arrays that are
    modes: NDArray[np.float32]
    params: MeanShiftParams
    _pixels: Pixels
    level: float | None = None

    @cached_property
    def labels(self) -> NDArray[np.int32]:
        """Region of each pixel, (H, W) int32, read-only: 1..n in raster order, 0 where masked."""
        view = self._labels.view()
        view.flags.writeable = False
        return view

    def __repr__(self) -> str:
        height, width = self._labels.shape
        at = "" if self.level is None else f", level {self.level:.3g}"
        return f"<Segmentation: {width}x{height}, {self.n_regions:,} regions{at}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Segmentation):
            return NotImplemented
        return self is other or (
            (self.params, self.level) == (other.params, other.level)
            and all(map(np.array_equal, self._content, other._content))
        )

    def __hash__(self) -> int:
        return self._hash

    @property
    def _content(self) -> tuple[Any, ...]:
        mask, values = self._pixels.mask, self._pixels.values
        return self._labels, self.modes, mask, values if mask is None else values[mask]

    @cached_property
    def _hash(self) -> int:
        digest = hashlib.blake2b(self._labels.tobytes(), digest_size=8)
        return hash((digest.digest(), self._labels.shape, self.params, self.level))

    @property
    def n_regions(self) -> int:
        """Number of regions."""
        return len(self.modes)

    @property
    def colors(self) -> Float64Array:
        """Mean of the image over each region, (n, C) float64, in the image's own units."""
        _, origin, sums, _ = self._moments
        return origin + sums

    @cached_property
    def _moments(self) -> tuple[NDArray[np.int64], Float64Array, Float64Array, Float64Array]:
        """Areas (n,), then first pixel, mean and mean square of the differences from it, (n, C)."""
        values = self._pixels.values
        count = np.zeros(self.n_regions, np.int64)
        shape = (self.n_regions, values.shape[2])
        origin, sums, squares = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        measuring.region_moments(_plain(values), self._labels, count, origin, sums, squares)
        per_pixel = 1 / np.maximum(count, 1)[:, None]
        return count, origin, sums * per_pixel, squares * per_pixel

    @cached_property
    def posterized(self) -> NDArray[Any]:
        """The image with each region in its mean colour; same shape and dtype, 0 where masked."""
        values = self._pixels.values
        palette = np.zeros((self.n_regions + 1, values.shape[2]), values.dtype)
        palette[1:] = to_dtype(self.colors, values.dtype)
        out = np.empty(values.shape, values.dtype)
        n, size = values.shape[0] * values.shape[1], values.shape[2] * values.itemsize
        measuring.paint(
            self._labels.reshape(n),
            palette.view(np.uint8).reshape(-1, size),
            out.view(np.uint8).reshape(n, size),
        )
        return self._pixels.like_input(out)

    def boundaries(self) -> NDArray[np.bool_]:
        """Return where regions meet: bool (H, W), True where the pixel right or below is another's.

        The lines are one pixel wide; those that follow the mask are included.
        """
        out = np.zeros(self._labels.shape, bool)
        out[:, :-1] = self._labels[:, :-1] != self._labels[:, 1:]
        out[:-1] |= self._labels[:-1] != self._labels[1:]
        return out

    def regions(self, properties: Sequence[str] = ()) -> dict[str, NDArray[Any]]:
        """Return a table of the regions, as columns of length n.

        Parameters
        ----------
        properties : sequence of str
            Further ones, by their names in `skimage.measure.regionprops`, such as
            ``"eccentricity"`` or ``"solidity"``; their columns have the names that
            `skimage.measure.regionprops_table` gives them.

        Returns
        -------
        dict
            The columns described below, then those of `properties`.

        Raises
        ------
        InputError
            If a property is unknown, or is no number, or several, a region.

        Notes
        -----
        ``label``, ``area`` (pixels), ``centroid-0``, ``centroid-1`` (row, column), ``bbox-0`` to
        ``bbox-3`` (first row, first column, one past the last row, column), ``mean-k`` and
        ``std-k`` of each band of the image in its own units, ``perimeter`` (pixels, 4-neighbour
        estimate). The values are those of `skimage.measure.regionprops_table`, and so are the names
        but for mean and std, there ``intensity_mean`` and ``intensity_std``.
        """
        area, origin, mean, square = self._moments
        n = self.n_regions
        corners, box = np.zeros((n, 3), np.int64), np.zeros((n, 4), np.int64)
        centers = np.zeros((n, 2))
        border = np.zeros([side + 2 for side in self._labels.shape], np.uint8)
        measuring.region_shapes(self._labels, corners, box, centers, border)
        table: dict[str, NDArray[Any]] = {"label": np.arange(1, n + 1), "area": area}
        table |= {f"centroid-{k}": centers[:, k] / np.maximum(area, 1) for k in range(2)}
        table |= {f"bbox-{k}": box[:, k] for k in range(4)}
        std = np.sqrt(np.maximum(square - mean**2, 0))
        table |= {f"mean-{k}": origin[:, k] + mean[:, k] for k in range(mean.shape[1])}
        table |= {f"std-{k}": std[:, k] for k in range(mean.shape[1])}
        table["perimeter"] = corners @ np.array([1, np.sqrt(2), (1 + np.sqrt(2)) / 2])
        return table | self._further(properties)

    def _further(self, properties: Sequence[str]) -> dict[str, NDArray[Any]]:
        """Return columns that scikit-image measures."""
        if isinstance(properties, str):
            raise InputError(f"properties={properties!r} is one text; give a list of names")
        if not properties:
            return {}
        from skimage import measure

        measured: Any = measure.regionprops_table  # it has no types
        values = self._shown(self._pixels.values)
        found: dict[str, NDArray[Any]] = {}
        for name in properties:
            try:
                columns = measured(self._labels, values, properties=(name,))
            except (AttributeError, KeyError, TypeError) as error:
                raise InputError(
                    f"properties={name!r} is unknown; see skimage.measure.regionprops for names"
                ) from error
            if any(column.dtype == object for column in columns.values()):
                raise InputError(
                    f"properties={name!r} is no number a region; choose one such as 'eccentricity'"
                )
            found |= columns
        return found

    def adjacency(self) -> dict[str, NDArray[Any]]:
        """Return a table of the pairs of regions that touch at an edge, as columns.

        ``label-0`` < ``label-1``, sorted; ``border``, the length of their common border (pixel
        edges); ``contrast``, the mean distance between the pixels on its two sides (Euclidean over
        the bands, in the image's own units).
        """
        pairs, steps = [], []
        labels, values = self._labels, self._pixels.values
        for axis in (0, 1):
            first, second = (
                (labels[:-1], labels[1:]) if axis == 0 else (labels[:, :-1], labels[:, 1:])
            )
            at = np.nonzero((first != second) & (first > 0) & (second > 0))
            beyond = (at[0] + (axis == 0), at[1] + (axis == 1))
            across = values[at].astype(np.float64) - values[beyond].astype(np.float64)
            pairs.append(np.sort(np.stack([labels[at], labels[beyond]], axis=1), axis=1))
            steps.append(np.sqrt((across**2).sum(axis=1)))
        keys, number, border = np.unique(
            np.concatenate(pairs), axis=0, return_inverse=True, return_counts=True
        )
        total = np.bincount(number.ravel(), np.concatenate(steps), minlength=len(keys))
        return {
            "label-0": keys[:, 0],
            "label-1": keys[:, 1],
            "border": border,
            "contrast": total / np.maximum(border, 1),
        }

    def overlay(
        self, *, color: Sequence[int] = (255, 232, 64), width: float | None = None
    ) -> NDArray[np.uint8]:
        """Return the outlines over the image, (H, W, 3) uint8; see `segment.drawing.overlay`."""
        from segment import drawing

        picture = drawing.to_rgb(self._shown(self._pixels.values), self._pixels.mask)
        return drawing.overlay(picture, self._labels, color=color, width=width)

    def preview(self) -> NDArray[np.uint8]:
        """Return the labels in colours, (H, W, 3) uint8; neighbours never look alike."""
        from segment import drawing

        return drawing.preview(self._labels)

    def save(
        self,
        stem: str | os.PathLike[str],
        kinds: Sequence[str] = DEFAULT_KINDS,
        *,
        overwrite: bool = False,
        **options: Any,
    ) -> dict[str, Path]:
        """Write what is wanted to files, each whole or not at all, as ``segment image`` does.

        Parameters
        ----------
        stem : path-like
            Folder, made if needed, and beginning of the files' names, as ``"outputs/coffee"``.
        kinds : sequence of str
            What to write; see `segment.exports.KINDS`.
        overwrite : bool
            Whether existing files may be replaced.
        **options
            How kinds are written, such as ``svg_style="outline"``.

        Returns
        -------
        dict
            Kind -> file.

        Raises
        ------
        FileError
            If a file exists and may not be replaced, or cannot be written.
        InputError
            If a kind or an option is unknown.
        """
        from segment.exports import save

        make_folder(Path(stem).parent)
        return save(self, self.image(), stem, kinds, options=options, overwrite=overwrite)

    def image(self) -> Image:
        """Return what was segmented, as if read from a file: transparent where masked."""
        from segment.images import Image

        pixels, mask = self._shown(self._pixels.values), self._pixels.mask
        alpha = None if mask is None else to_dtype(mask * self._pixels.scale[1], pixels.dtype)
        return Image(np.ascontiguousarray(pixels), alpha=alpha)

    def _shown(self, values: NDArray[Any]) -> NDArray[Any]:
        return values[..., 0] if self._pixels.gray else values

    def _repr_png_(self) -> bytes:
        """The overlay, for notebooks."""
        from segment.drawing import fitted
        from segment.images import encode_png

        return encode_png(fitted(self.overlay(), 1200))

    def hierarchy(self, *, n_threads: int | None = None) -> Hierarchy:
        """Merge the regions two by two, most alike first, and return the tree.

        Small bandwidths make the best leaves: about (5, 4) with 20 pixels at least, which is some
        1,400 regions of a 481 x 321 photograph. In larger images they are compared as they are at
        that size; `segment.hierarchy` also seeks them at it.

        Parameters
        ----------
        n_threads : int, optional
            Threads to use, every core by default. The result does not depend on it.
        """
        from segment.regions.hierarchy import build_hierarchy

        return build_hierarchy(self, n_threads)

    def polygons(
        self,
        tolerance: float = 0.0,
        *,
        smooth: bool = False,
        transform: Sequence[float] | None = None,
    ) -> Polygons:
        """Return the regions as polygons that share their borders; see `segment.polygons`."""
        from segment.shapes.polygons import polygons

        image = self._pixels.values if smooth else None
        return polygons(
            self._labels, tolerance=tolerance, smooth=smooth, image=image, transform=transform
        )


def _plain(values: NDArray[Any]) -> NDArray[Any]:
    """Return values as a contiguous, writable-typed array that the kernels are compiled for."""
    if values.dtype.kind == "b":
        values = values.view(np.uint8)
    elif values.dtype == np.float16:
        values = values.astype(np.float32)
    elif values.dtype.kind == "f" and values.itemsize > 8:
        values = values.astype(np.float64)
    return np.ascontiguousarray(values) if values.flags.writeable else np.array(values)
