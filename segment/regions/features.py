"""Images to feature planes: what the kernels compare, and back to pixels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.kernels.arrays import Float32Array
from segment.kernels.regions import color
from segment.kernels.regions.window16 import MISSING
from segment.regions.checks import Pixels
from segment.regions.ranges import Range
from segment.threads import chunks, run

# Middle and half range of the bands of the sRGB gamut.
_RANGES = {
    "luv": ((50.0, 46.0, -13.0), (50.0, 129.1, 121.2)),
    "lab": ((50.0, 6.0, -7.0), (50.0, 92.3, 101.6)),
    "rgb": ((127.5, 127.5, 127.5), (127.5, 127.5, 127.5)),
}

CHUNK_PIXELS = 1 << 15  # a chunk of colours stays in the second-level cache


def feature_planes(
    pixels: Pixels, color_space: str, *, pad: int = 0, pad_right: int = 0, n_threads: int = 1
) -> Float32Array:
    """Return the features of an image as float32 planes, padded with infinity.

    Parameters
    ----------
    pixels : Pixels
        From `check_image`.
    color_space : {"luv", "lab", "rgb", "none"}
        "luv" and "lab": CIE, L in 0..100. "rgb": 0..255 whatever the dtype. "none": as they are.
    pad : int
        Columns and rows of padding on each side.
    pad_right : int
        Further columns of padding on the right; where not 0, a few more may be added.
    n_threads : int
        Threads to use; the result does not depend on it.

    Returns
    -------
    planes : ndarray, shape (C, H + 2 pad, >= W + 2 pad + pad_right), float32
        Infinite where padded or masked.
    """
    planes: Float32Array = _planes(
        pixels, color_space, pad, pad_right, n_threads, np.dtype(np.float32), np.inf, lambda x: x
    )
    return planes


def _planes(
    pixels: Pixels,
    color_space: str,
    pad: int,
    pad_right: int,
    n_threads: int,
    dtype: np.dtype[Any],
    missing: float,
    convert: Callable[[Float32Array], NDArray[Any]],
) -> NDArray[Any]:
    height, width, n_bands = pixels.values.shape
    columns = width + 2 * pad + pad_right
    if pad_right:
        columns = _spread_rows(columns, dtype.itemsize)
    planes = np.empty((n_bands, height + 2 * pad, columns), dtype)
    planes[:, :pad] = planes[:, pad + height :] = missing
    planes[:, :, :pad] = planes[:, :, pad + width :] = missing
    scale = pixels.scale
    cie = color_space in ("luv", "lab")
    table = linear_table(pixels.values.dtype, scale) if cie else None

    def fill(rows: tuple[int, int]) -> None:
        first, last = rows
        out = planes[:, pad + first : pad + last, pad : pad + width]
        flat = np.array(pixels.values[first:last], order="C").reshape(-1, n_bands)  # a copy
        if pixels.mask is not None:
            flat[~pixels.mask[first:last].ravel()] = 0  # NaN, say
        if color_space == "none":
            features = _above(flat.T, pixels)
        elif color_space == "rgb":
            features = (_fractions(flat.T, scale) * 255).astype(np.float32)
        else:
            features = _cie(flat, table, color_space, scale)
        out[:] = convert(features).reshape(out.shape)
        if pixels.mask is not None:
            out[:, ~pixels.mask[first:last]] = missing

    run(fill, chunks(height, _rows_of_chunk(width)), n_threads)
    return planes


def short_planes(
    pixels: Pixels, color_space: str, scale: float, *, pad: int, pad_right: int, n_threads: int = 1
) -> NDArray[np.int16]:
    """Return the features of `feature_planes` in 16 bits: ``round((feature - offset) * scale)``.

    `color_range` has the offsets; what is padded or masked is `window16.MISSING` in all bands.
    """
    offsets = np.array(color_range(color_space, pixels.values.shape[2])[0], np.float32)

    def convert(features: Float32Array) -> NDArray[np.int16]:
        out = np.empty(features.shape, np.int16)
        color.quantize(np.ascontiguousarray(features), offsets, np.float32(scale), out)
        return out

    planes: NDArray[np.int16] = _planes(
        pixels, color_space, pad, pad_right, n_threads, np.dtype(np.int16), MISSING, convert
    )
    return planes


def color_range(color_space: str, n_bands: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the middle of each band's range in a colour space, and the half of the range."""
    offsets, spans = _RANGES[color_space]
    return offsets[:n_bands], spans[:n_bands]


def unit(values: NDArray[Any], scale: Range) -> Float32Array:
    """Return values as fractions of the way from black to white, which are equal in any dtype."""
    return _fractions(values, scale).astype(np.float32)


def _fractions(values: NDArray[Any], scale: Range) -> NDArray[np.float64]:
    black, white = scale
    return np.clip((values.astype(np.float64) - black) / (white - black), 0, 1)


def linear_table(dtype: np.dtype[Any], scale: Range) -> Float32Array | None:
    """Return linear light for each value of a small unsigned dtype, None for larger dtypes."""
    if dtype.kind not in "bu" or dtype.itemsize > 2:
        return None
    values = np.arange(2 if dtype.kind == "b" else np.iinfo(dtype).max + 1).astype(dtype)
    table: Float32Array = color.linear_from_srgb(unit(values, scale))
    return table


def _spread_rows(columns: int, itemsize: int) -> int:
    """Return a row length, `columns` or a little more, that is an odd number of cache lines.

    The rows of a window then fall into different sets of the first-level cache. At 4,096 bytes a
    row they would all fall into one, and windows take three times as long.
    """
    lines = -(-columns * itemsize // 64)
    return (lines | 1) * 64 // itemsize


def _rows_of_chunk(width: int) -> int:
    return max(CHUNK_PIXELS // width, 1)


def _cie(
    flat: NDArray[Any], table: Float32Array | None, color_space: str, scale: Range
) -> Float32Array:
    """Convert sRGB or gray pixels (n, 3) or (n, 1) into CIE features (3 or 1, n)."""
    if table is None:
        linear = np.ascontiguousarray(color.linear_from_srgb(unit(flat, scale)).T)
    else:
        linear = np.empty(flat.shape[::-1], np.float32)
        color.look_up(flat.view(np.uint8) if flat.dtype.kind == "b" else flat, table, linear)
    out = np.empty_like(linear)
    if len(linear) == 1:
        color.lightness_from_linear(linear, out)
    elif color_space == "luv":
        color.luv_from_linear(linear, out)
    else:
        color.lab_from_linear(linear, out)
    return out


def pixels_from_features(features: Float32Array, pixels: Pixels, color_space: str) -> NDArray[Any]:
    """Return features (C, H, W) as pixels (H, W, C) of the dtype of the image they came from.

    Colours outside the gamut are clipped. Masked pixels keep the value they had.
    """
    n_bands, height, width = features.shape
    out = np.empty(pixels.values.shape, pixels.values.dtype)  # gray may be there thrice
    black, white = pixels.scale
    values: NDArray[Any]
    for first, last in chunks(height, _rows_of_chunk(width)):
        flat = features[:, first:last].reshape(n_bands, -1)
        if pixels.mask is not None:
            flat = np.where(pixels.mask[first:last].ravel(), flat, 0)
        if color_space == "none":
            values = _lifted(flat, pixels)
        elif color_space == "rgb":
            values = black + np.clip(flat.astype(np.float64) / 255.0, 0, 1) * (white - black)
        else:
            if n_bands == 1:
                lightness = flat[0].astype(np.float64)
                y = np.where(lightness > 8, ((lightness + 16) / 116) ** 3, lightness / 903.3)
                linear = y[None]
            else:
                linear = (color.linear_from_luv if color_space == "luv" else color.linear_from_lab)(
                    flat
                )
            values = black + color.srgb_from_linear(linear) * (white - black)
        out[first:last] = to_dtype(values, out.dtype).T.reshape(last - first, width, n_bands)
        if pixels.mask is not None:
            hidden = ~pixels.mask[first:last]
            out[first:last][hidden] = pixels.values[first:last][hidden]
    return out


def _above(bands: NDArray[Any], pixels: Pixels) -> Float32Array:
    """Return bands (C, n) in their own units as features: less their origins, and scaled."""
    if pixels.origin is None:
        out = bands.astype(np.float32)
    else:
        out = np.empty(bands.shape, np.float32)
        for band, low, row in zip(bands, pixels.origin, out, strict=True):
            if bands.dtype.kind == "f":
                row[:] = band.astype(np.float64) - low
            else:  # modulo 2**64 the difference of integers is right, and it is not negative
                row[:] = band.astype(np.uint64) - np.uint64(int(low) % 2**64)
    if pixels.factors is not None:
        out *= np.array(pixels.factors, np.float32)[:, None]
    return out


def _lifted(features: NDArray[Any], pixels: Pixels) -> NDArray[Any]:
    """Return features (C, n) of bands in their own units as values, in their dtype or float64."""
    features = features.astype(np.float64)
    if pixels.factors is not None:
        features /= np.array(pixels.factors)[:, None]
    if pixels.origin is None:
        return features
    if pixels.values.dtype.kind == "f":
        lifted: NDArray[Any] = features + np.array(pixels.origin)[:, None]
        return lifted
    lifts = np.array([int(low) % 2**64 for low in pixels.origin], np.uint64)[:, None]
    whole = np.maximum(np.rint(features), 0).astype(np.uint64)
    summed: NDArray[Any] = (whole + lifts).astype(pixels.values.dtype)
    return summed


def absolute_modes(modes: NDArray[Any], pixels: Pixels) -> NDArray[Any]:
    """Return modes (n, 2 + C) in the units of the image: float64 if bands have an origin.

    Gray that is there thrice gets the coordinates that it was not compared by, which are 0.
    """
    if pixels.achromatic and modes.shape[1] == 3:
        return np.pad(modes, ((0, 0), (0, 2)))
    if pixels.factors is not None:
        modes = modes / np.array([1.0, 1.0, *pixels.factors], modes.dtype)
    if pixels.origin is None:
        return modes
    moved: NDArray[Any] = modes + np.array([0.0, 0.0, *pixels.origin])
    return moved


def to_dtype(values: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Round and clip float values into `dtype`."""
    if dtype.kind == "f" or values.dtype == dtype:
        return values.astype(dtype)
    if dtype.kind == "b":
        return values >= 0.5
    info = np.iinfo(dtype)
    # float(info.max) may round up past the largest 64-bit integer; nextafter stays inside.
    high = float(info.max) if dtype.itemsize < 8 else np.nextafter(float(info.max), 0)
    rounded: NDArray[Any] = np.clip(np.rint(values), float(info.min), high).astype(dtype)
    return rounded
