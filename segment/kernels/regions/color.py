"""Colour conversion of whole planes: sRGB (D65, 2 degrees) to CIE Luv and Lab, and back.

The formulas and constants are those of `skimage.color`; the cube root is a bit trick and two Halley
steps (relative error below 3e-7), which LLVM vectorises.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from segment.kernels.arrays import AnyArray, Float32Array, Int16Array
from segment.kernels.jit import kernel

F = np.float32

# sRGB primaries to XYZ (IEC 61966-2-1), and the D65 white of the 2 degree observer.
_X = (F(0.412453), F(0.357580), F(0.180423))
_Y = (F(0.212671), F(0.715160), F(0.072169))
_Z = (F(0.019334), F(0.119193), F(0.950227))
WHITE_X, WHITE_Z = 0.95047, 1.08883
_PER_WHITE_X, _PER_WHITE_Z = F(1 / WHITE_X), F(1 / WHITE_Z)
_WHITE_SUM = WHITE_X + 15 + 3 * WHITE_Z
WHITE_U, WHITE_V = F(4 * WHITE_X / _WHITE_SUM), F(9 / _WHITE_SUM)

_RGB_FROM_XYZ = np.linalg.inv(
    np.array(
        [
            [0.412453, 0.357580, 0.180423],
            [0.212671, 0.715160, 0.072169],
            [0.019334, 0.119193, 0.950227],
        ]
    )
).astype(F)

_EPSILON, _KAPPA = F(0.008856), F(903.3)
_LAB_SLOPE, _LAB_OFFSET = F(7.787), F(16 / 116)


def linear_from_srgb(value: Any) -> Any:
    """Return linear light, float32, for sRGB values in [0, 1]; float64 inside."""
    value = np.asarray(value, np.float64)
    return np.where(value > 0.04045, ((value + 0.055) / 1.055) ** 2.4, value / 12.92).astype(F)


def srgb_from_linear(value: Any) -> Any:
    """Inverse of `linear_from_srgb`, clipped to [0, 1], float64."""
    value = np.clip(value, 0, 1).astype(np.float64)
    return np.where(value > 0.0031308, 1.055 * value ** (1 / 2.4) - 0.055, 12.92 * value)


@kernel(inline="always")
def _halley(x: np.float32, y: np.float32) -> np.float32:
    """One step towards the cube root of x."""
    cube = y * y * y
    return y * (cube + x + x) / (cube + cube + x)


@kernel(inline="always")
def _cube_root(x: np.float32) -> np.float32:
    guess = F(np.float32(x).view(np.int32)) * F(1 / 3) + F(709921077.0)
    return _halley(x, _halley(x, np.int32(guess).view(np.float32)))


@kernel(bare=True)
def look_up(values: AnyArray, table: Float32Array, out: Float32Array) -> None:
    """Put ``table[values[i, band]]`` into ``out[band, i]``; `values` is unsigned (n, C)."""
    for i in range(values.shape[0]):
        for band in range(values.shape[1]):
            out[band, i] = table[values[i, band]]


@kernel(bare=True)
def luv_from_linear(linear: Float32Array, out: Float32Array) -> None:
    """Convert linear RGB light, float32 (3, n), into L, u, v, float32 (3, n)."""
    for i in range(linear.shape[1]):
        r, g, b = linear[0, i], linear[1, i], linear[2, i]
        x = _X[0] * r + _X[1] * g + _X[2] * b
        y = _Y[0] * r + _Y[1] * g + _Y[2] * b
        z = _Z[0] * r + _Z[1] * g + _Z[2] * b
        root = F(116) * _cube_root(y) - F(16)
        lightness = root if y > _EPSILON else _KAPPA * y
        scale = F(1) / (x + F(15) * y + F(3) * z + F(1e-12))
        out[0, i] = lightness
        out[1, i] = F(13) * lightness * (F(4) * x * scale - WHITE_U)
        out[2, i] = F(13) * lightness * (F(9) * y * scale - WHITE_V)


@kernel(bare=True)
def lab_from_linear(linear: Float32Array, out: Float32Array) -> None:
    """Convert linear RGB light, float32 (3, n), into L, a, b, float32 (3, n)."""
    for i in range(linear.shape[1]):
        r, g, b = linear[0, i], linear[1, i], linear[2, i]
        x = (_X[0] * r + _X[1] * g + _X[2] * b) * _PER_WHITE_X
        y = _Y[0] * r + _Y[1] * g + _Y[2] * b
        z = (_Z[0] * r + _Z[1] * g + _Z[2] * b) * _PER_WHITE_Z
        fx = _cube_root(x) if x > _EPSILON else _LAB_SLOPE * x + _LAB_OFFSET
        fy = _cube_root(y) if y > _EPSILON else _LAB_SLOPE * y + _LAB_OFFSET
        fz = _cube_root(z) if z > _EPSILON else _LAB_SLOPE * z + _LAB_OFFSET
        out[0, i] = F(116) * fy - F(16)
        out[1, i] = F(500) * (fx - fy)
        out[2, i] = F(200) * (fy - fz)


@kernel(bare=True)
def lightness_from_linear(linear: Float32Array, out: Float32Array) -> None:
    """Convert linear gray light, float32 (1, n), into CIE L, float32 (1, n)."""
    for i in range(linear.shape[1]):
        y = linear[0, i]
        root = F(116) * _cube_root(y) - F(16)
        out[0, i] = root if y > _EPSILON else _KAPPA * y


@kernel(bare=True)
def quantize(
    features: Float32Array, offsets: Float32Array, scale: np.float32, out: Int16Array
) -> None:
    """Put ``round((features - offset) * scale)`` of float32 (C, n) into int16 (C, n)."""
    for band in range(features.shape[0]):
        offset = offsets[band]
        for i in range(features.shape[1]):
            out[band, i] = np.int16(np.rint((features[band, i] - offset) * scale))


def linear_from_luv(luv: Any) -> Any:
    """Return linear RGB, float32 (3, n), of L, u, v (3, n)."""
    lightness, u, v = luv.astype(np.float64)
    y = np.where(lightness > 7.999592, ((lightness + 16) / 116) ** 3, lightness / 903.3)
    safe = 13 * np.maximum(lightness, 1e-9)
    u1, v1 = u / safe + float(WHITE_U), np.maximum(v / safe + float(WHITE_V), 1e-9)
    x = 9 * u1 * y / (4 * v1)
    z = y * (12 - 3 * u1 - 20 * v1) / (4 * v1)
    return _RGB_FROM_XYZ @ np.stack([x, y, z]).astype(F)


def linear_from_lab(lab: Any) -> Any:
    """Return linear RGB, float32 (3, n), of L, a, b (3, n)."""
    lightness, a, b = lab.astype(np.float64)
    fy = (lightness + 16) / 116
    f = np.stack([fy + a / 500, fy, fy - b / 200])
    xyz = np.where(f > 0.2068966, f**3, (f - 16 / 116) / 7.787)
    xyz *= np.array([WHITE_X, 1, WHITE_Z])[:, None]
    return _RGB_FROM_XYZ @ xyz.astype(F)
