"""Whatever holds a scene, opened as a `Source`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from segment.errors import InputError
from segment.scenes.arrays import open_array, open_zarr
from segment.scenes.rasters import RasterSource
from segment.scenes.sources import Part, Source
from segment.scenes.tiles import Window


def open_source(
    src: Any,
    *,
    bands: Sequence[int] | None = None,
    mask: str | os.PathLike[str] | None = None,
    nodata: float | None = None,
    channel_axis: int | None = None,
    accept_damaged: bool = False,
) -> Source:
    """Open a scene.

    Parameters
    ----------
    src : path-like, URL or array
        What rasterio opens; a zarr array or OME-Zarr image; a zarr, Dask or NumPy array, or an
        xarray DataArray.
    bands : sequence of int, optional
        Bands to use, from 1, in this order.
    mask : path-like, optional
        A raster of the same size: 0 where pixels are to be left out.
    nodata : float, optional
        Value that means that there is none, instead of what the file says.
    channel_axis : int, optional
        Axis of the bands of a zarr or other array that does not name its axes; without it, the
        short one of the first and the last.
    accept_damaged : bool
        Whether blocks that cannot be decoded count as nodata.

    Raises
    ------
    FileError, InputError, ExtraError
        If it cannot be used.
    """
    if isinstance(src, str | os.PathLike):
        name = os.fspath(src)
        if is_zarr(name):
            source: Source = open_zarr(name, bands, nodata, channel_axis, accept_damaged)
        else:
            source = RasterSource(name, bands=bands, nodata=nodata, accept_damaged=accept_damaged)
    elif hasattr(src, "shape") and hasattr(src, "dtype") and hasattr(src, "__getitem__"):
        source = open_array(src, bands, nodata, channel_axis, accept_damaged)
    else:
        raise InputError(
            f"src is of type {type(src).__name__}; give a file name, or an array of NumPy, zarr, "
            "Dask or xarray"
        )
    return source if mask is None else MaskedSource(source, os.fspath(mask))


def is_zarr(name: str) -> bool:
    """Return whether a name means a zarr array or group."""
    path = name.rstrip("/")
    inside = ".zarr/" in path or os.path.splitext(path)[1] == ".zarr"
    if inside or "://" in name:
        return inside
    return any(
        os.path.isfile(os.path.join(path, file)) for file in ("zarr.json", ".zarray", ".zgroup")
    )


class MaskedSource(Source):
    """A source with a mask from another file."""

    def __init__(self, source: Source, mask: str) -> None:
        self._source = source
        self._mask = RasterSource(mask, bands=(1,), nodata=None, accept_damaged=False)
        ours, theirs = source.layout, self._mask.layout
        if (ours.height, ours.width) != (theirs.height, theirs.width):
            raise InputError(
                f"mask={mask!r} is {theirs.width}x{theirs.height} and {ours.name} "
                f"{ours.width}x{ours.height}; give a mask of the same size"
            )
        self.layout = ours
        ours.masked = True

    def read(self, window: Window) -> Part:
        part, mask = self._source.read(window), self._mask.read(window)
        keep = mask.values[..., 0] != 0
        if mask.valid is not None:
            keep &= mask.valid
        return part._replace(valid=keep if part.valid is None else keep & part.valid)

    def fingerprint(self) -> dict[str, Any]:
        return {**self._source.fingerprint(), "mask": self._mask.fingerprint()}

    def files(self) -> list[str]:
        return self._source.files() + self._mask.files()

    def close(self) -> None:
        self._source.close()
        self._mask.close()
