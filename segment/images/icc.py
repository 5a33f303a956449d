"""Matrix/TRC ICC profiles for 16-bit RGB, which Pillow's littleCMS binding reads at 8 bits only.

References
----------
ICC.1:2022, *Image technology colour management*, sections 8.3 and 10.6, 10.18, 10.31.
IEC 61966-2-1:1999 (sRGB).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segment.images.picture import Pixels

Curve = NDArray[np.float64]  # 65,536 linear values

# XYZ relative to D50 (the profile connection space) -> linear sRGB, Bradford-adapted.
XYZ_TO_SRGB = np.array(
    [
        [3.1338561, -1.6168667, -0.4906146],
        [-0.9787684, 1.9161415, 0.0334540],
        [0.0719453, -0.2289914, 1.4052427],
    ]
)


D50 = np.array([0.9642, 1.0, 0.8249])


@dataclass(frozen=True)
class MatrixProfile:
    """Three tone curves and a matrix to XYZ (D50)."""

    curves: tuple[Curve, Curve, Curve]
    matrix: NDArray[np.float64]

    def to_srgb(self, pixels: Pixels) -> Pixels:
        """Convert (H, W, 3) uint16 to sRGB uint16; colours out of gamut are clipped."""
        matrix = (XYZ_TO_SRGB @ self.matrix).T
        encoded = (_srgb_encode(np.arange(65536) / 65535) * 65535).round().astype(np.uint16)
        out = np.empty_like(pixels)
        for row, line in enumerate(pixels):  # row by row: the floats stay in the cache
            linear = np.stack([curve[line[:, i]] for i, curve in enumerate(self.curves)], axis=1)
            mixed = np.clip(linear @ matrix, 0, 1)
            # The encoding is steep near black, where a table of 65,536 linear steps is too coarse.
            fine = encoded[(mixed * 65535).round().astype(np.uint16)]
            dark = mixed < 0.02
            fine[dark] = (_srgb_encode(mixed[dark]) * 65535).round()
            out[row] = fine
        return out


def matrix_profile(icc: bytes) -> MatrixProfile | None:
    """Return the matrix profile in `icc`, or None if it is of another kind or damaged."""
    try:
        if icc[16:20] != b"RGB " or icc[20:24] != b"XYZ ":
            return None
        (count,) = struct.unpack_from(">I", icc, 128)
        tags = {}
        for i in range(min(count, 200)):
            name, offset, size = struct.unpack_from(">4sII", icc, 132 + 12 * i)
            tags[name] = icc[offset : offset + size]
        if b"A2B0" in tags:
            return None
        columns = [_xyz(tags[name]) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
        curves = (_curve(tags[b"rTRC"]), _curve(tags[b"gTRC"]), _curve(tags[b"bTRC"]))
    except (KeyError, ValueError, struct.error):
        return None
    return MatrixProfile(curves, np.array(columns).T)


def _xyz(tag: bytes) -> tuple[float, float, float]:
    x, y, z = struct.unpack_from(">3i", tag, 8)
    return x / 65536, y / 65536, z / 65536


def _curve(tag: bytes) -> Curve:
    x = np.arange(65536) / 65535
    if tag[:4] == b"curv":
        (count,) = struct.unpack_from(">I", tag, 8)
        if count == 0:
            return x
        points = np.frombuffer(tag, ">u2", count, 12).astype(float)
        if count == 1:
            return np.asarray(x ** (points[0] / 256))
        return np.interp(x, np.linspace(0, 1, count), points / 65535)
    if tag[:4] == b"para":
        (kind,) = struct.unpack_from(">H", tag, 8)
        n_values = (1, 3, 4, 5, 7)[kind] if kind < 5 else 0
        values = [v / 65536 for v in struct.unpack_from(f">{n_values}i", tag, 12)]
        return _parametric(kind, values, x)
    raise ValueError(f"unknown curve {tag[:4]!r}")


def _parametric(kind: int, values: list[float], x: Curve) -> Curve:
    if kind == 0:
        return np.asarray(x ** values[0])
    if kind > 4:
        raise ValueError(f"unknown parametric curve {kind}")
    # All kinds are the last one, y = (ax+b)^g + e where x >= d, cx + f below, with parts left out.
    g, a, b = values[:3]
    c = d = e = f = 0.0
    if kind == 1:
        d = -b / a
    elif kind == 2:
        d, e, f = -b / a, values[3], values[3]
    elif kind == 3:
        c, d = values[3:5]
    else:
        c, d, e, f = values[3:7]
    above = np.maximum(a * x + b, 0) ** g + e
    return np.clip(np.where(x >= d, above, c * x + f), 0, 1)


def srgb_from_lab(lab: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return sRGB in 0..1 of CIE Lab (..., 3) under D50; colours out of gamut are clipped."""
    fy = (lab[..., :1] + 16) / 116
    f = np.concatenate([fy + lab[..., 1:2] / 500, fy, fy - lab[..., 2:] / 200], axis=-1)
    xyz = np.where(f > 6 / 29, f**3, (f - 4 / 29) * 3 * (6 / 29) ** 2) * D50
    return np.asarray(_srgb_encode(np.clip(xyz @ XYZ_TO_SRGB.T, 0, 1)))


def _srgb_encode(linear: Curve) -> Curve:
    return np.where(
        linear <= 0.0031308,
        12.92 * linear,
        1.055 * np.maximum(linear, 0.0031308) ** (1 / 2.4) - 0.055,
    )
