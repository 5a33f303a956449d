"""The picture as people see it: averaged down to a reference size, and labels brought up again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.kernels.arrays import Float32Array
from segment.kernels.regions import averaging, color, refining, sweeping
from segment.regions.bandwidths import REFERENCE_PIXELS
from segment.regions.checks import Pixels
from segment.regions.features import linear_table, unit
from segment.threads import chunks, run

STRIP_ROWS = 64
CHUNK = 1 << 14  # border pixels of one job
# Local means are over so many coarse pixels either way.
REACH = 2
SWEEPS = 1
SMOOTHNESS = 0.1
SHARPNESS = 4.0
BLUR = 7
# Differences of this share of the picture's spread mean nothing.
NOISE_SHARE = 0.1

_EMPTY = np.empty(0, np.float32)
_NO_VALUES, _NO_INDICES = np.empty((0, 0, 0), np.float32), np.empty((0, 0, 0), np.uint8)
_EVERYTHING = np.empty((0, 0), bool)


@dataclass(frozen=True)
class Level:
    """A picture at one size.

    Attributes
    ----------
    values : ndarray, shape (H, W, C)
        float32, or uint8 that are looked up in `table`. In colour spaces the square roots of linear
        light, on which differences are about those that people see.
    table : ndarray, float32
        Empty where `values` are float32.
    mask : ndarray of bool, shape (H, W)
        Where there is anything; empty where that is everywhere.
    """

    values: NDArray[Any]
    table: Float32Array = field(default_factory=lambda: _EMPTY)
    mask: NDArray[np.bool_] = field(default_factory=lambda: _EVERYTHING)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        height, width = self.values.shape[:2]
        return height, width

    @property
    def n_bands(self) -> int:
        """Number of bands."""
        return int(self.values.shape[2])

    @property
    def looked_up(self) -> averaging.Values:
        """The values as kernels take them."""
        if self.table.size:
            return averaging.Values(self.values, self.table, _NO_VALUES)
        return averaging.Values(_NO_INDICES, _EMPTY, self.values)

    def plain(self) -> Level:
        """Return the same with values that need no table."""
        if not self.table.size:
            return self
        return Level(np.take(self.table, self.values), _EMPTY, self.mask)


def reference_shape(height: int, width: int, n_pixels: float = REFERENCE_PIXELS) -> tuple[int, int]:
    """Return the size at which a picture of this size is looked at: its own, or a smaller one.

    What people see in a picture of REFERENCE_PIXELS they see in larger ones.
    """
    scale = math.sqrt(height * width / n_pixels)
    if scale <= 1:
        return height, width
    return max(round(height / scale), 1), max(round(width / scale), 1)


def averaged(
    pixels: Pixels, color_space: str, n_threads: int, n_pixels: float = REFERENCE_PIXELS
) -> tuple[list[Level], NDArray[np.float64] | None]:
    """Return a picture at its own size, halved again and again, and last at its reference size.

    That has so many pixels.

    Also returned is what was subtracted from the bands, if anything: float32 would not hold it.
    """
    level, offsets = _full_level(pixels, color_space, n_threads)
    square = color_space != "none"
    levels = [level]
    last = reference_shape(*level.shape, n_pixels)
    while levels[-1].shape != last:
        height, width = levels[-1].shape
        if height < 2 * last[0] and width < 2 * last[1]:
            # From a picture of more than twice the size, if there is one: boxes of less than two
            # pixels would blur here and not there.
            source = levels[-2] if len(levels) > 1 else levels[-1]
            ratio = (source.shape[0] / last[0], source.shape[1] / last[1])
            levels.append(_shrink(source, last, ratio, square, n_threads))
        else:
            ratio = (2.0 if height >= 2 * last[0] else 1.0, 2.0 if width >= 2 * last[1] else 1.0)
            shape = (math.ceil(height / ratio[0]), math.ceil(width / ratio[1]))
            levels.append(_shrink(levels[-1], shape, ratio, square, n_threads))
    return levels, offsets


def _full_level(
    pixels: Pixels, color_space: str, n_threads: int
) -> tuple[Level, NDArray[np.float64] | None]:
    values = pixels.values
    mask = _EVERYTHING if pixels.mask is None else np.ascontiguousarray(pixels.mask)
    table = None if color_space == "none" else linear_table(values.dtype, pixels.scale)
    if table is not None:
        table = np.sqrt(table)
        if values.dtype.itemsize == 1:
            return Level(_writable(values).view(np.uint8), table, mask), None
    out = np.empty(values.shape, np.float32)
    offsets = None
    if color_space == "none":
        kept = values if pixels.mask is None else values[pixels.mask]
        offsets = kept.reshape(-1, values.shape[2])[:1].astype(np.float64)

    def fill(rows: tuple[int, int]) -> None:
        if table is not None:
            out[slice(*rows)] = table[values[slice(*rows)]]
            return
        part = np.array(values[slice(*rows)])
        if mask.size:
            part[~mask[slice(*rows)]] = 0
        if offsets is not None:
            out[slice(*rows)] = part - offsets
        else:
            out[slice(*rows)] = np.sqrt(color.linear_from_srgb(unit(part, pixels.scale)))

    run(fill, chunks(len(values), STRIP_ROWS), n_threads)
    return Level(out, _EMPTY, mask), offsets


def _writable(values: NDArray[Any]) -> NDArray[Any]:
    """Return values as the kernels are compiled for: contiguous, and not marked as read-only."""
    return np.ascontiguousarray(values) if values.flags.writeable else np.array(values)


def _shrink(
    level: Level, shape: tuple[int, int], ratio: tuple[float, float], square: bool, n_threads: int
) -> Level:
    out = np.empty((*shape, level.values.shape[2]), np.float32)
    mask = np.empty(shape if level.mask.size else (0, 0), bool)

    def fill(rows: tuple[int, int]) -> None:
        sums = np.empty(out.shape[2], np.float32)
        if not level.mask.size and ratio == (2.0, 2.0):
            averaging.shrink_twice(level.looked_up, square, *rows, out)
        else:
            averaging.shrink(level.looked_up, level.mask, ratio, square, *rows, sums, out, mask)

    run(fill, chunks(shape[0], STRIP_ROWS), n_threads)
    return Level(out, _EMPTY, mask)


def as_pixels(level: Level, pixels: Pixels, color_space: str) -> Pixels:
    """Return an averaged picture as an image: floats in 0..1, or bands less their offsets."""
    values: NDArray[Any] = level.values
    if color_space != "none":
        values = color.srgb_from_linear(values * values).astype(np.float32)
    mask = level.mask if level.mask.size else None
    return Pixels(values, mask, pixels.gray, pixels.channel_axis, achromatic=pixels.achromatic)


def at_reference_size(pixels: Pixels, color_space: str, n_threads: int) -> Pixels:
    """Return an image at its reference size; itself if it is not larger."""
    shape = pixels.values.shape[:2]
    if reference_shape(*shape) == shape:
        return pixels
    levels, _ = averaged(pixels, color_space, n_threads)
    return as_pixels(levels[-1], pixels, color_space)


def spread(level: Level) -> float:
    """Return the standard deviation of a picture, all bands together."""
    kept = level.values[level.mask] if level.mask.size else level.values.reshape(-1, level.n_bands)
    return float(np.sqrt(kept.var(axis=0, dtype=np.float64).sum())) if len(kept) else 0.0


def bring_up(
    labels: NDArray[np.int32],
    levels: Sequence[Level],
    deviation: float,
    connectivity: int,
    n_threads: int,
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Bring a label map of the last of several levels up to the first.

    `deviation` is the `spread` of the picture at its reference size.

    Also returned is where, on the last level but the first, pixels were near borders; empty where
    there is only one level.
    """
    removable = sweeping.removable_pixels(connectivity)
    noise2 = np.float32((NOISE_SHARE * deviation) ** 2 + 1e-12)
    border = _EVERYTHING
    for finer, coarser in zip(levels[-2::-1], levels[:0:-1], strict=True):
        labels, border = _refine(labels, coarser, finer, removable, noise2, n_threads)
    return labels, border


def _children(n_fine: int, n_coarse: int) -> NDArray[np.int64]:
    """Return the first fine row of each coarse one, and the end."""
    if n_coarse == n_fine or n_coarse == (n_fine + 1) // 2:
        step = 1 if n_coarse == n_fine else 2
        return np.minimum(step * np.arange(n_coarse + 1), n_fine)
    # Fine row i, whose centre is i + 1/2, is a child of the coarse row that holds it.
    edges = np.arange(n_coarse + 1) * (n_fine / n_coarse)
    first: NDArray[np.int64] = np.ceil(edges - 0.5).astype(np.int64)
    return first


def parents(n_fine: int, n_coarse: int) -> NDArray[np.intp]:
    """Return the coarse row of each fine one."""
    return np.repeat(np.arange(n_coarse), np.diff(_children(n_fine, n_coarse)))


def _blurred(level: Level) -> Float32Array:
    """Return the means of BLUR x BLUR pixels, of those where there is anything."""
    import cv2

    def blur(values: Float32Array) -> Float32Array:
        blurred = cv2.blur(values, (BLUR, BLUR), borderType=cv2.BORDER_REPLICATE)
        return np.asarray(blurred, np.float32).reshape(values.shape)

    if not level.mask.size:
        return blur(level.values)
    blurred = blur(level.values)
    blurred /= np.maximum(blur(level.mask.astype(np.float32)), np.float32(1e-6))[..., None]
    return blurred


def _refine(
    labels: NDArray[np.int32],
    coarse: Level,
    fine: Level,
    removable: NDArray[np.bool_],
    noise2: np.float32,
    n_threads: int,
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    height, width = coarse.shape
    rows, columns = _children(fine.shape[0], height), _children(fine.shape[1], width)
    strips = chunks(height, STRIP_ROWS)
    border = np.empty((height, width), bool)

    def search(part: tuple[int, int]) -> NDArray[np.int64]:
        found = np.empty((part[1] - part[0]) * width, np.int64)
        return found[: refining.list_border(labels, *part, found, border)].copy()

    pixels = np.concatenate(run(search, strips, n_threads))
    sides = np.empty((len(pixels), refining.SIDES), np.int32)
    n_bands = coarse.values.shape[2]
    means = np.empty((len(pixels), refining.SIDES, n_bands), np.float32)
    distances = np.empty((len(pixels), 4, refining.SIDES), np.float32)
    parts = chunks(len(pixels), CHUNK)
    around = _blurred(coarse)

    def compare(part: tuple[int, int]) -> None:
        sums = np.empty((2, refining.SIDES, n_bands), np.float32)
        counts = np.empty((2, refining.SIDES), np.int64)
        refining.near_means(
            labels, coarse.values, border, pixels, REACH, *part, sums, counts, sides, means
        )
        children = np.empty((part[1] - part[0], 4, n_bands), np.float32)
        averaging.child_means(fine.looked_up, fine.mask, rows, columns, pixels, *part, children)
        refining.weigh(
            children, fine.mask, around, rows, columns, pixels, sides, means,
            np.float32(SHARPNESS), *part, distances,
        )  # fmt: skip

    run(compare, parts, n_threads)
    out = np.empty(fine.shape, np.int32)
    run(
        lambda part: refining.expand(labels, rows, columns, fine.mask, *part, out),
        strips,
        n_threads,
    )

    def sweep(part: tuple[int, int], place: int) -> None:
        room = np.empty(8, np.int32), np.empty(refining.SIDES, np.float32)
        sweeping.sweep(
            out, rows, columns, pixels, sides, means, distances, removable,
            np.float32(SMOOTHNESS), noise2, place, *part, *room,
        )  # fmt: skip

    for _ in range(SWEEPS):
        for place in range(4):
            run(partial(sweep, place=place), parts, n_threads)
    return out, border
