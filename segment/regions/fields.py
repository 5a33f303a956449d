"""What the fast engine climbs on, in float32 or in 16 bits, and how far it looks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from segment.kernels.arrays import Float32Array, Int16Array
from segment.kernels.regions import fast, shorts, window, window16
from segment.params import KERNELS, MeanShiftParams
from segment.regions.checks import Pixels
from segment.regions.features import color_range, feature_planes, short_planes

PLAIN = ("none", "rgb")  # color spaces of which one is the other where values are 0 to 255
MAX_TRAVEL = 8.0  # spatial bandwidths of a trajectory
BLOCK_OF_BANDWIDTH = 0.22
LARGEST_BLOCK = 32
TILE_OF_BANDWIDTH = 16
SCALE_STEP = 0.9  # from one scale of 16-bit planes to the next
GROUP = 2  # tiles each way that share 16-bit planes of their own
LARGEST_GROUP = 1 << 21  # pixels of a group and what it depends on


def reach(params: MeanShiftParams) -> tuple[int, int]:
    """Return how far, in pixels, a window's modes depend on others, and the grid of the engine.

    Returns
    -------
    margin : int
        How far around a window pixels are needed for `climb_window`.
    grid : int
        The rows and columns in the whole image on which windows begin and end are multiples of
        this, but for the ends of the image.
    """
    kind = KERNELS.index(params.kernel)
    window_reach = window.window_reach(kind, params.spatial_bandwidth) + 1
    if params.engine == "exact":
        return params.max_iter * window_reach, 1
    margin = int(np.ceil(MAX_TRAVEL * params.spatial_bandwidth)) + 2 * window_reach
    side = tiling(params)[1]
    group = GROUP * side if params.color_space in PLAIN and suits_shorts(params) else side
    return margin, group if (group + 2 * margin) ** 2 <= LARGEST_GROUP else side


def suits_shorts(params: MeanShiftParams) -> bool:
    """Return whether windows of 16-bit planes may be quicker."""
    bandwidth = params.spatial_bandwidth
    return params.kernel == "flat" and window.LANES / 2 < bandwidth < window16.MAX_BANDWIDTH


def tiling(params: MeanShiftParams) -> tuple[int, int]:
    """Return the sides of the blocks and of the tiles of the fast engine, in pixels."""
    bandwidth = params.spatial_bandwidth
    smallest = min(4, int(np.ceil(bandwidth / 2)))
    block = int(np.clip(round(BLOCK_OF_BANDWIDTH * bandwidth), smallest, LARGEST_BLOCK))
    tile = round(TILE_OF_BANDWIDTH * bandwidth / block) * block
    return block, int(np.clip(tile, 16 * block, 96 * block))


def padding(pixels: Pixels, params: MeanShiftParams) -> tuple[int, int]:
    """Return a distance that no two pixels are apart, and the padding that the windows need."""
    extent = sum(pixels.values.shape[:2])
    kind = KERNELS.index(params.kernel)
    return extent, window.window_reach(kind, params.spatial_bandwidth, extent) + 1


def pad_weights(
    weights: Float32Array | None, pad: int, shape: tuple[int, ...]
) -> Float32Array | None:
    """Return the weights in the layout of one plane of the features."""
    if weights is None:
        return None
    padded = np.zeros(shape, np.float32)
    padded[pad : pad + weights.shape[0], pad : pad + weights.shape[1]] = weights
    return padded


class Tile(NamedTuple):
    """What the fast engine climbs on in one tile.

    Attributes
    ----------
    features : ndarray, shape (C, h, w), float32
        The tile, in units of the planes; infinite where masked.
    wide, short : Field and ShortField
        One of them is None.
    corner : tuple of two int
        Row and column of the tile in the planes.
    unit : float
        Of the planes, in one unit of the features.
    offsets : ndarray, shape (C,), float32, or None
        Features where the planes are 0.
    """

    features: Float32Array
    wide: fast.Field | None
    short: fast.ShortField | None
    corner: tuple[int, int]
    unit: float = 1.0
    offsets: Float32Array | None = None

    @property
    def band_tuple(self) -> window.BandTuple:
        """As kernels take it: windows in 16 bits know the number of bands when compiled."""
        n_bands = len(self.features)
        return window.band_tuple_of(n_bands) if self.short is None else (0,) * n_bands

    def absolute(self, values: Float32Array) -> Float32Array:
        """Return values (n, C) of the planes as features."""
        return values if self.offsets is None else values / np.float32(self.unit) + self.offsets


class Wide:
    """Planes in float32."""

    def __init__(
        self, pixels: Pixels, params: MeanShiftParams, weights: Float32Array | None, n_threads: int
    ) -> None:
        kind = KERNELS.index(params.kernel)
        extent, self.pad = padding(pixels, params)
        self.planes = feature_planes(
            pixels, params.color_space, pad=self.pad, pad_right=window.LANES, n_threads=n_threads
        )
        padded_weights = pad_weights(weights, self.pad, self.planes.shape[1:])
        radius = window.window_shape(kind, params.spatial_bandwidth, params.radius, extent)
        self._field = fast.Field(kind, self.planes, padded_weights, radius)

    def tile(self, top: int, left: int, height: int, width: int) -> Tile:
        """Return a tile of the image."""
        y, x = self.pad + top, self.pad + left
        features = self.planes[:, y : y + height, x : x + width].copy()
        return Tile(features, self._field, None, (y, x))


class Short:
    """Planes in 16 bits: ``round((feature - offset) * scale)``.

    Parameters
    ----------
    planes : ndarray, shape (C, PH, PW), int16
        `MISSING` where there is nothing.
    discs : Discs
    at : tuple of two int
        Row and column of the image's first pixel in the planes.
    scale, offsets
    """

    def __init__(
        self, planes: Int16Array, discs: window16.Discs, at: tuple[int, int], scale: float,
        offsets: Float32Array,
    ) -> None:  # fmt: skip
        self._field = fast.ShortField(planes, discs)
        self._at, self._scale, self._offsets = at, scale, offsets

    def tile(self, top: int, left: int, height: int, width: int) -> Tile:
        """Return a tile of the image."""
        y, x = self._at[0] + top, self._at[1] + left
        values = self._field.planes[:, y : y + height, x : x + width]
        features = values.astype(np.float32)
        features[:, values[0] == window16.MISSING] = np.inf
        return Tile(features, None, self._field, (y, x), self._scale, self._offsets)


Field = Wide | Short


class Shortened:
    """Planes in float32, which become 16 bits part by part where all within reach fit.

    Bands in their own units may spread as they will. Within reach of most tiles they spread over no
    more than 90 range bandwidths; scale and offset are chosen there, by what a tile depends on
    anyway. What values count from changes nothing therefore.
    """

    def __init__(self, pixels: Pixels, params: MeanShiftParams, n_threads: int) -> None:
        self._wide = Wide(pixels, params, None, n_threads)
        self._shape, self._radius = pixels.values.shape[:2], params.radius
        self._bandwidth = min(params.spatial_bandwidth, sum(self._shape))
        self._margin = reach(params)[0]
        self._discs: dict[float, window16.Discs] = {}

    def around(self, top: int, left: int, height: int, width: int) -> Field:
        """Return planes for the tiles of a part of the image."""
        planes, pad = self._wide.planes, self._wide.pad
        n_bands = len(planes)
        low, high = np.empty(n_bands, np.float32), np.empty(n_bands, np.float32)
        rows, columns = (
            (pad + max(first - self._margin, 0), pad + min(first + size + self._margin, end))
            for first, size, end in zip((top, left), (height, width), self._shape, strict=True)
        )
        shorts.extents(planes, *rows, *columns, low, high)
        scale = self._scale(low, high)
        if not scale:
            return self._wide
        offsets = np.asarray(0.5 * (low.astype(np.float64) + high), np.float32)
        # Windows are loaded in groups of lanes, and two rows at a time.
        more = self._margin + window16.LANES16
        part = np.empty((n_bands, height + 2 * more, width + 2 * more + window16.LANES16), np.int16)
        shorts.shorten(
            planes, pad + top - more, pad + left - more, offsets, np.float32(scale), part
        )
        return Short(
            part, self._discs_of(scale, n_bands), (more - top, more - left), scale, offsets
        )

    def _scale(self, low: Float32Array, high: Float32Array) -> float:
        """Return the scale of the planes, one of a few, or 0 where 16 bits do not do."""
        spans = 0.5 * (high.astype(np.float64) - low)
        if not np.isfinite(spans).all():  # nothing there, or too much
            return 0.0
        most = window16.window_scale16(self._bandwidth, self._radius, spans.max(), spans[0])
        return next((scale for scale in self._scales() if scale <= most), 0.0)

    def _scales(self) -> Iterator[float]:
        """Yield the scales there are, the largest first."""
        units = float(window16.MOST_UNITS)
        while units >= window16.LEAST_UNITS:
            yield units / self._radius
            units *= SCALE_STEP

    def _discs_of(self, scale: float, n_bands: int) -> window16.Discs:
        """Return the discs for a scale; two threads that make them at once make the same."""
        if scale not in self._discs:
            self._discs[scale] = window16.make_discs(self._bandwidth, self._radius, scale, n_bands)
        return self._discs[scale]


def field_for(
    pixels: Pixels, params: MeanShiftParams, weights: Float32Array | None, n_threads: int
) -> Field | Shortened:
    """Return the planes to climb on: in 16 bits where that will do, and is quicker."""
    n_bands = pixels.values.shape[2]
    if weights is not None or not suits_shorts(params) or n_bands > window16.MAX_BANDS:
        return Wide(pixels, params, weights, n_threads)
    margin, side = reach(params)
    if params.color_space in PLAIN and (side + 2 * margin) ** 2 <= LARGEST_GROUP:
        return Shortened(pixels, params, n_threads)
    if params.color_space == "none":
        return Wide(pixels, params, None, n_threads)
    offsets, spans = color_range(params.color_space, n_bands)
    scale = window16.window_scale16(params.spatial_bandwidth, params.radius, max(spans), spans[0])
    if not scale:
        return Wide(pixels, params, None, n_threads)
    extent, pad = padding(pixels, params)
    discs = window16.make_discs(
        min(params.spatial_bandwidth, extent), params.radius, scale, n_bands
    )
    planes = short_planes(
        pixels, params.color_space, scale, pad=pad, pad_right=window16.LANES16, n_threads=n_threads
    )
    return Short(planes, discs, (pad, pad), scale, np.array(offsets, np.float32))
