"""What a window of a scene looks like: colours, and textures at half resolution.

They are those that `segment.regions.cues` measures, but what has no value, or lies beyond the
scene, counts for nothing; and windows that overlap by `HALO` agree to the bit.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from segment.kernels.arrays import Float32Array
from segment.kernels.regions import weighted
from segment.regions.cues import TEXTURE_UNITS

SIGMA = 1.0  # of the blur of colours, in their own pixels
# Textures are structure tensors of light blurred by the first, over the second, in half pixels.
TEXTURES = ((0.0, 1.5), (1.0, 2.5))
BLUR_REACH = 4.0  # in standard deviations
# How a pixel looks depends on others as far as this: 4 pixels of the blur of colours, or 2 (10 + 1
# + 4 half pixels) + 1 of textures.
NEAR = 32
# What is said of a crack depends on how pixels look 7 beyond it, and 8 blocks of 4 around those.
HALO = 80
ALIGN = 4  # windows with their halo begin at multiples of this


class Looks(NamedTuple):
    """What a window looks like; 0 where there is nothing to be seen.

    Attributes
    ----------
    colors : ndarray, shape (C, H, W), float32
        Blurred a little.
    slopes : ndarray, shape (H, W), float32
        Length of their gradient.
    joint : ndarray, shape (C + 1, h, w), float32
        Colours beside the strength of texture, at half resolution.
    textures : ndarray, shape (6, h, w), float32
        Strength and direction of the gradient at two scales.
    seen, half_seen : ndarray of bool
        Where there is something.
    """

    colors: Float32Array
    slopes: Float32Array
    joint: Float32Array
    textures: Float32Array
    seen: NDArray[np.bool_]
    half_seen: NDArray[np.bool_]


def look(planes: Float32Array, seen: NDArray[np.bool_], *, colored: bool) -> Looks:
    """Return what a window looks like.

    Parameters
    ----------
    planes : ndarray, shape (C, H, W), float32
        Its comparable bands, 0 where there is none; it begins at even rows and columns of the
        scene.
    seen : ndarray of bool, shape (H, W)
    colored : bool
        Whether the first band is lightness; the mean of all is taken else.
    """
    n_bands, height, width = planes.shape
    colors = blurred(planes, seen, SIGMA)
    squares = sum(slope(plane, axis) ** 2 for plane in colors for axis in (0, 1))
    slopes: Float32Array = np.sqrt(squares)
    slopes[~seen] = 0
    shape = -(-height // 2), -(-width // 2)
    half = np.empty((n_bands, *shape), np.float32)
    half_seen = np.empty(shape, np.bool_)
    weighted.halve(planes, seen, half, half_seen)
    light = np.float32(0.5) * (half[0] if colored else half.mean(axis=0))
    textures = np.concatenate(
        [
            texture(blurred(light[None], half_seen, first)[0] if first else light, half_seen, last)
            for first, last in TEXTURES
        ]
    )
    joint = np.concatenate(
        [blurred(half, half_seen, SIGMA), np.float32(TEXTURE_UNITS) * textures[:1]]
    )
    return Looks(colors, slopes, joint, textures, seen, half_seen)


def gaussian(sigma: float) -> Float32Array:
    """Return the taps of a Gaussian, which add up to 1."""
    reach = round(BLUR_REACH * sigma)
    taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    return np.asarray(taps / taps.sum(), np.float32)


def blurred(planes: Float32Array, seen: NDArray[np.bool_], sigma: float) -> Float32Array:
    """Return the weighted means around pixels (C, H, W) of those that are seen; 0 where none is.

    `planes` is 0 where nothing is seen.
    """
    width = planes.shape[2]
    stack = np.concatenate([planes, seen[None]]).astype(np.float32, copy=False)
    sums = convolved(stack.reshape(len(stack), -1), sigma, width)
    sums = convolved(sums.reshape(-1, width), sigma, 1).reshape(stack.shape)
    means: Float32Array = sums[:-1] / over(sums[-1])
    return means


def over(total: Float32Array) -> Float32Array:
    """Return what sums are divided by for their share of a total; 1 where that is 0."""
    return np.where(total > 0, total, 1).astype(np.float32)


def convolved(rows: Float32Array, sigma: float, step: int) -> Float32Array:
    """Return rows (N, M) convolved with a Gaussian whose taps are `step` values apart."""
    out = np.empty_like(rows)
    weighted.blur(rows, gaussian(sigma), step, out)
    return out


def slope(plane: Float32Array, axis: int, seen: NDArray[np.bool_] | None = None) -> Float32Array:
    """Return central differences along an axis; 0 where one of the two is not seen, or beyond."""
    out = np.zeros_like(plane)
    before, inner, after = (
        tuple(part if k == axis else slice(None) for k in range(2))
        for part in (slice(None, -2), slice(1, -1), slice(2, None))
    )
    out[inner] = np.float32(0.5) * (plane[after] - plane[before])
    if seen is not None:
        out[inner] *= seen[before] & seen[after]
    return out


def texture(light: Float32Array, seen: NDArray[np.bool_], sigma: float) -> Float32Array:
    """Return strength and direction of the gradient around each pixel, (3, H, W)."""
    dx, dy = slope(light, 1, seen), slope(light, 0, seen)
    products = np.stack([dx * dx, dy * dy, dx * dy])
    products *= seen
    xx, yy, xy = blurred(products, seen, sigma)
    energy = xx + yy
    strength = np.log1p(np.sqrt(energy))
    direction = np.float32(0.5) * strength / (energy + np.float32(0.5))
    found: Any = np.stack([strength, direction * (xx - yy), direction * 2 * xy])
    return np.asarray(found, np.float32)
