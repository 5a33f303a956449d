"""Where the pixels of a scene come from: one face of rasters, zarr, Dask and other arrays."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from segment.errors import InputError
from segment.regions.arrays import is_nodata
from segment.scenes.tiles import Window, block_at

REMOTE = ("http://", "https://", "s3://", "gs://", "az://", "abfs://", "memory://", "/vsi")


class Part(NamedTuple):
    """Pixels of a window.

    Attributes
    ----------
    values : ndarray, shape (H, W, C)
    valid : ndarray of bool, shape (H, W), or None
        False where there is no value in one of the bands; None if there is one everywhere.
    damaged : tuple of Window
        Blocks that could not be decoded, which are not valid.
    """

    values: NDArray[Any]
    valid: NDArray[np.bool_] | None
    damaged: tuple[Window, ...] = ()


@dataclass
class Layout:
    """What is known of a scene without reading it.

    Attributes
    ----------
    name : str
        For messages.
    height, width : int
    bands : tuple of str
        A name for each band that is used.
    dtype : dtype
        That all bands fit into.
    block : tuple of int
        Height and width of the pieces in which the source decodes.
    crs : str or None
        Coordinate reference system, as WKT.
    transform : tuple of 6 floats or None
        From column and row to map coordinates: x = a column + b row + c, y = d column + e row + f.
    masked : bool
        Whether there may be pixels without a value.
    """

    name: str
    height: int
    width: int
    bands: tuple[str, ...]
    dtype: np.dtype[Any]
    block: tuple[int, int]
    crs: str | None = None
    transform: tuple[float, ...] | None = None
    masked: bool = True

    @property
    def n_pixels(self) -> int:
        return self.height * self.width

    def block_at(self, window: Window) -> Window:
        """Return the whole block in which a window begins."""
        return block_at(window.top, window.left, self.block, self.height, self.width)

    @property
    def is_picture(self) -> bool:
        """Whether the values can be compared as colours: one or three bands of 8 bits."""
        return len(self.bands) in (1, 3) and self.dtype in (np.uint8, np.bool_)


class Source(ABC):
    """A scene that can be read window by window, from any thread, and sent to other machines."""

    layout: Layout

    @abstractmethod
    def read(self, window: Window) -> Part:
        """Return the pixels of a window.

        Raises
        ------
        FileError
            If a part cannot be decoded and damage is not accepted; the message names it.
        """

    @abstractmethod
    def fingerprint(self) -> dict[str, Any]:
        """Return what changes when the pixels do, fit for JSON."""

    def files(self) -> list[str]:
        """Return the files that are read, which must not be written to."""
        return []

    def close(self) -> None:  # noqa: B027
        """Let go of what is open, if anything is."""


def is_remote(name: str) -> bool:
    """Return whether a name leads to no file of this machine."""
    return name.startswith(REMOTE)


def choose_bands(bands: Sequence[int] | None, known: Sequence[int]) -> list[int]:
    """Return the bands to use, from 1, or raise InputError if one of them does not exist.

    Parameters
    ----------
    bands : sequence of int, optional
        As asked for.
    known : sequence of int
        Those used if nothing is asked for.
    """
    if bands is None:
        return list(known)
    chosen = list(bands)
    if not chosen:
        raise InputError("bands is empty; give numbers from 1, such as 4,3,2")
    for band in chosen:
        if isinstance(band, bool) or not hasattr(band, "__index__"):
            raise InputError(f"bands={chosen!r} are no whole numbers; give numbers from 1")
    return [int(band) for band in chosen]


def check_band_numbers(bands: Sequence[int], count: int, name: str) -> None:
    """Raise InputError unless every band exists and stands there once."""
    for band in bands:
        if not 1 <= band <= count:
            raise InputError(
                f"bands={','.join(map(str, bands))}: {name} has no band {band}; "
                f"give numbers from 1 to {count}"
            )
    if len(set(bands)) < len(bands):
        raise InputError(f"bands={','.join(map(str, bands))} names a band twice; give each once")


def common_dtype(dtypes: Sequence[str], name: str) -> np.dtype[Any]:
    """Return the dtype that holds all bands, or raise InputError if they are no real numbers."""
    for dtype in dtypes:
        if np.dtype(dtype).kind not in "biuf":
            raise InputError(
                f"{name} has values of type {dtype}; give integers or real numbers, "
                "such as the magnitude of complex ones"
            )
    return np.result_type(*dtypes)


def missing_values(values: NDArray[Any], nodata: Sequence[float | None]) -> NDArray[np.bool_]:
    """Return where (H, W, C) has no value: the nodata of its bands, NaN or infinity.

    One value for all bands means the same as in `segment.read_image`.
    """
    first = nodata[0]
    if first is not None and all(value == first for value in nodata):
        missing = is_nodata(values, first)
    else:
        missing = np.zeros(values.shape[:2], bool)
        for k, value in enumerate(nodata):
            if value is not None and not np.isnan(value):
                missing |= is_nodata(values[..., k : k + 1], value)
    if values.dtype.kind == "f":
        missing |= ~np.isfinite(values).all(axis=2)
    return missing
