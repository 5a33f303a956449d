"""Arrays from outside: what may pass for one, and which of its values mean "nothing there"."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.errors import InputError

Nodata = int | float
# Modes of Pillow whose numbers are gray or red, green and blue, or are refused by their number.
PLAIN_MODES = ("1", "L", "I", "F", "RGB", "LA", "RGBA")
NODATA_NAMES = ("_FillValue", "missing_value", "nodata")  # attributes of xarray and zarr


def as_array(name: str, image: object) -> NDArray[Any]:
    """Return the values of an array_like; those that a masked array hides are there, too.

    Raises
    ------
    InputError
        If it is none, or its numbers are no colours.
    """
    if np.ma.isMaskedArray(image):
        data: NDArray[Any] = np.ma.getdata(image)
        return data
    mode = getattr(image, "mode", None) if hasattr(image, "getbands") else None
    if mode is not None and mode not in PLAIN_MODES and not mode.startswith("I;"):
        raise InputError(
            f"{name} is a Pillow image of mode {mode!r}, whose numbers are not gray, nor red, "
            "green and blue; give image.convert('RGB')"
        )
    try:
        values = np.asarray(image)
    except (TypeError, ValueError) as error:
        reason = str(error).partition(". ")[0]
        raise InputError(
            f"{name} of type {type(image).__name__} is no array ({reason}); give numbers, "
            "(H, W) or (H, W, C)"
        ) from None
    if values.dtype == np.bool_ and (values.view(np.uint8) > 1).any():
        return np.asarray(values.view(np.uint8) != 0)  # Pillow's mode 1 has true as 255
    return values


def nodata_of(image: object) -> Nodata | None:
    """Return the value that an array of xarray's says to mean that nothing is there."""
    attributes = getattr(image, "attrs", None)
    if not isinstance(attributes, Mapping):
        return None
    for key in NODATA_NAMES:
        value = attributes.get(key)
        if isinstance(value, int | float | np.number) and not isinstance(value, bool):
            return value.item() if isinstance(value, np.number) else value
    return None


def is_nodata(values: NDArray[Any], nodata: Nodata) -> NDArray[np.bool_]:
    """Return where pixels (H, W, C) are nodata, compared at the precision of their dtype.

    One band is enough, unless it is a value that measurements have, too, 0 or the largest of an
    unsigned dtype: those must fill every band.
    """
    same = _equal(values, nodata)
    largest = values.dtype.kind == "u" and nodata == np.iinfo(values.dtype).max
    return np.asarray(same.all(axis=2) if nodata == 0 or largest else same.any(axis=2))


def holds(dtype: np.dtype[Any], nodata: Nodata) -> bool:
    """Whether pixels of a dtype can have that value."""
    if dtype.kind == "f":
        return True
    info = np.iinfo(np.uint8 if dtype.kind == "b" else dtype)
    whole = not isinstance(nodata, float) or nodata.is_integer()
    return bool(whole and info.min <= nodata <= info.max)


def _equal(values: NDArray[Any], nodata: Nodata) -> Any:
    dtype = values.dtype
    if not holds(dtype, nodata):
        return np.zeros(values.shape, bool)
    if dtype.kind != "f":
        return values == dtype.type(int(nodata))
    if math.isnan(nodata):
        return np.isnan(values)
    with np.errstate(over="ignore"):
        return values == np.asarray(float(nodata)).astype(dtype)
