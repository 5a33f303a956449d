"""Black and white: which values of an image are the ends of its scale, and what is sure of that.

A dtype is a scale only where the values use it: 12 bits of a camera lie in 16, and float rasters
hold 0..255, kelvins or reflectances. What the caller or the file says is taken; else what the
values themselves make sure.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.errors import InputError

Range = tuple[float, float]

AUTO = "auto"
# Bits that integers of larger dtypes may stand for, the fewest that hold the largest value.
# Between 12 and 16 nothing is sure: a dark picture of 16 bits looks like a bright one of 14.
DEPTHS = (8, 10, 12, 16, *range(20, 65, 4))
# Images whose largest value is below white by this factor are called dark.
DARK = 4
# Floats this far beyond 0..1 are still of that scale: filters overshoot.
OVERSHOOT = 0.25
# Percentiles that become black and white where nothing else is known, and pixels looked at.
TAILS = (0.1, 99.9)
SAMPLES = 1 << 20


def check_range(value: object) -> Range | str | None:
    """Return a value range as two floats, "auto" or None.

    Raises
    ------
    InputError
        If it is none of these, or not two finite numbers, the second above the first.
    """
    if value is None or (isinstance(value, str) and value == AUTO):
        return value
    remedy = "give two numbers, such as (0, 4095), or 'auto'"
    try:
        low, high = (float(v) for v in value)  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        raise InputError(f"value_range={value!r} is no range; {remedy}") from None
    if not (math.isfinite(low) and math.isfinite(high)):
        raise InputError(f"value_range={value!r} is not finite; {remedy}")
    if not low < high:
        raise InputError(f"value_range={value!r} does not rise; {remedy}")
    return low, high


def dtype_range(dtype: np.dtype[Any]) -> Range:
    """Return black and white at the scale of a dtype: 0..1 for bool and floats, else 0..max."""
    return (0.0, 1.0) if dtype.kind in "bf" else (0.0, float(np.iinfo(dtype).max))


def find_range(
    values: NDArray[Any],
    mask: NDArray[np.bool_] | None,
    wanted: Range | str | None,
    span: tuple[Any, Any],
) -> tuple[Range, str | None]:
    """Decide which values are black and white.

    Parameters
    ----------
    values : ndarray, shape (H, W, C)
        Finite wherever `mask` is true.
    mask : ndarray of bool, shape (H, W), or None
        False where a pixel is ignored.
    wanted : (float, float), "auto" or None
        What the caller or the file says. "auto" stretches from the 0.1th to the 99.9th percentile.
    span : (scalar, scalar)
        What `extremes` returns.

    Returns
    -------
    range : (float, float)
    word : str or None
        What was assumed, if it was not sure; to be followed by what settles it.

    Notes
    -----
    Without `wanted`, uint8 and bool are 0..255 and 0..1. Of larger integers the largest value
    decides between 8, 10, 12 and 16 bits (then 20, 24, ... to those of the dtype), and what is then
    dark is said to be; floats are
    0..1, or 0..255 and so on where they fill such a scale. Where values are negative or fill none,
    they are stretched like "auto".
    """
    own = dtype_range(values.dtype)
    if isinstance(wanted, tuple):
        return wanted, None
    if wanted == AUTO:
        return stretched(values, mask), None
    if values.dtype.kind == "b" or values.dtype == np.uint8:
        return own, None
    low, high = (value.item() if isinstance(value, np.generic) else value for value in span)
    if values.dtype.kind == "f":
        low, high = float(low), float(high)
    if low == high == 0 or (values.dtype.kind == "f" and low >= 0 and high <= 1):
        return own, None
    if values.dtype.kind == "f" and low >= -OVERSHOOT and high <= 1 + OVERSHOOT:
        return own, f"values from {low:.4g} to {high:.4g} are cut to 0..1"
    found = _depth(values, mask, low, high)
    if found is None:
        black, white = stretched(values, mask)
        word = f"black is taken to be {black:.6g} and white {white:.6g}"
        return (black, white), f"{_about(values, low, high)}: {word}"
    if found >= own[1] and values.dtype.kind != "f":
        dark = high < own[1] / DARK
        return own, f"{_about(values, low, high)}, dark at its scale" if dark else None
    bits = round(math.log2(found + 1))
    word = f"white is taken to be {found:.0f} ({bits} bits)"
    return (0.0, found), f"{_about(values, low, high)}: {word}"


def extremes(values: NDArray[Any], mask: NDArray[np.bool_] | None) -> tuple[Any, Any]:
    """Return the smallest and the largest value of the pixels that are not masked; 0, 0 of none."""
    if mask is None:
        return values.min(), values.max()
    inside = values[mask]
    return (inside.min(), inside.max()) if inside.size else (values.dtype.type(0),) * 2


def band_extremes(
    values: NDArray[Any], mask: NDArray[np.bool_] | None
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return what `extremes` does for each band of (H, W, C), as two arrays (C,)."""
    if mask is None:  # whole rows at once, where bands alone lie far apart
        return values.min(axis=0).min(axis=0), values.max(axis=0).max(axis=0)
    ends = [extremes(band, mask) for band in np.moveaxis(values, -1, 0)]
    low, high = np.array(ends, values.dtype).reshape(-1, 2).T
    return low, high


def stretched(values: NDArray[Any], mask: NDArray[np.bool_] | None) -> Range:
    """Return the range of all values but the rarest at both ends; of all where those are one."""
    step = max(1, math.isqrt(values.shape[0] * values.shape[1] // SAMPLES))
    sample = values[::step, ::step]
    sample = sample.reshape(-1) if mask is None else sample[mask[::step, ::step]].reshape(-1)
    ends = np.percentile(sample.astype(np.float64), TAILS) if sample.size else (0.0, 0.0)
    low, high = (float(end) for end in ends)
    if not low < high:
        low, high = (float(v) for v in extremes(values, mask))
    return (low, high) if low < high else (low, max(low + 1.0, math.nextafter(low, math.inf)))


def _depth(
    values: NDArray[Any], mask: NDArray[np.bool_] | None, low: Any, high: Any
) -> float | None:
    """Return the largest value of the bits that values from 0 seem to have, or None."""
    if low < 0:
        return None
    whole = values.dtype.kind != "f" or (high < 2**53 and _are_whole(values, mask))
    depths = DEPTHS if values.dtype.kind != "f" else DEPTHS[:4]
    for bits in depths:
        white = 2.0**bits - 1
        if high <= white:
            # Not even all of them whole: a scale must be filled to be believed.
            return white if whole or (low <= white / 4 and high > white / 2) else None
    return None


def _are_whole(values: NDArray[Any], mask: NDArray[np.bool_] | None) -> bool:
    inside = values if mask is None else values[mask]
    return bool((inside == np.floor(inside)).all())


def _about(values: NDArray[Any], low: Any, high: Any) -> str:
    if values.dtype.kind == "f" or low < 0:
        return f"the image is {values.dtype} with values from {low:.6g} to {high:.6g}"
    return f"the image is {values.dtype} with values up to {high}"
