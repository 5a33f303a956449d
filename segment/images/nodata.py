"""Values that mean "nothing was measured here": GDAL's nodata, and what is no number."""

from __future__ import annotations

import contextlib
import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.errors import InputError
from segment.images.picture import Image
from segment.regions.arrays import Nodata, is_nodata

GDAL_NODATA = 42113  # a TIFF tag
NONE = "none"  # asks that what a file says be not heeded


def parse_nodata(text: str) -> Nodata | None:
    """Return the number in a text such as ``"-9999"``, ``"nan"`` or ``"-3.4e+38"``, or None.

    Whole numbers of any size stay exact.
    """
    text = text.strip(" \t\r\n\0").lower()
    with contextlib.suppress(ValueError):
        return int(text)
    with contextlib.suppress(ValueError):
        return float(text)
    # As C libraries have written it: "-nan", "nan(ind)", "1.#QNAN", "-1.#IND".
    return math.nan if "nan" in text or "#ind" in text else None


def check_nodata(value: object) -> Nodata | str | None:
    """Return a caller's nodata value: a number, "none" or None.

    Raises
    ------
    InputError
        If it is none of these.
    """
    if value is None or (isinstance(value, str) and value.strip().lower() == NONE):
        return None if value is None else NONE
    found = parse_nodata(value) if isinstance(value, str) else value
    if isinstance(found, np.generic):
        found = found.item()
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise InputError(f"nodata={value!r} is no number; give one such as -9999, nan, or 'none'")
    return found


def hide_nodata(image: Image, values: NDArray[Any], nodata: Nodata) -> tuple[Image, list[str]]:
    """Hide what is nodata in `values` (H, W, C), and return the image with a note of it."""
    where = is_nodata(values, nodata)
    image = replace(image, nodata=nodata)
    n = int(where.sum())
    if not n:
        return image, []
    return image.hide(where), [f"{n / where.size:.1%} of the pixels are nodata ({nodata:g})"]


def hide_no_numbers(image: Image) -> Image:
    """Return an image of floats with the pixels hidden that are NaN or infinite, and a note."""
    if image.pixels.dtype.kind != "f":
        return image
    finite = np.isfinite(image.pixels).reshape(*image.shape, -1)
    bad: NDArray[np.bool_] = np.logical_not(finite.all(axis=2))
    fresh = bad if image.hidden is None else bad & ~image.hidden
    if not fresh.any():
        return image.hide(bad) if bad.any() else image
    note = f"{fresh.mean():.1%} of the pixels are NaN or infinite"
    return replace(image.hide(bad), notes=(*image.notes, note))
