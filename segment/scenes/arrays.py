"""Scenes that are arrays: zarr and OME-Zarr, Dask, xarray, NumPy and what is sliced like it."""

from __future__ import annotations

import math
import os
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.errors import ExtraError, FileError, InputError
from segment.files import display_name
from segment.scenes.sources import (
    Layout,
    Part,
    Source,
    check_band_numbers,
    choose_bands,
    common_dtype,
    missing_values,
)
from segment.scenes.tiles import Window, blocks, sample_windows

ROWS = {"y", "lat", "latitude", "row", "rows", "northing"}
COLUMNS = {"x", "lon", "longitude", "col", "column", "columns", "easting"}
MOST_BANDS = 512  # an axis that is longer holds no bands, unless it is said to
BLOCK = 512
EVEN = 1e-3  # coordinates may be off an even grid by this share of a pixel


class ArraySource(Source):
    """An array that gives its pixels when it is sliced."""

    def __init__(
        self,
        array: Any,
        name: str,
        axes: tuple[int, int, int | None],
        *,
        bands: Sequence[int] | None,
        nodata: float | None,
        accept_damaged: bool = False,
        path: str | None = None,
        crs: str | None = None,
        transform: tuple[float, ...] | None = None,
    ) -> None:
        self.array, self.axes, self.accept_damaged = array, axes, accept_damaged
        self.path = path
        rows, columns, channels = axes
        count = 1 if channels is None else array.shape[channels]
        self.bands = choose_bands(bands, range(1, count + 1))
        check_band_numbers(self.bands, count, name)
        self.nodata = [nodata] * len(self.bands)
        self.consecutive = self.bands == list(range(1, count + 1))
        dtype = common_dtype([str(array.dtype)], name)
        if 0 in array.shape:
            raise InputError(f"{name} of shape {array.shape} is empty; give at least one pixel")
        self.layout = Layout(
            name=name,
            height=array.shape[rows],
            width=array.shape[columns],
            bands=tuple(f"band {band}" for band in self.bands),
            dtype=dtype.newbyteorder("="),
            block=_block(array, rows, columns),
            crs=crs,
            transform=transform,
            masked=dtype.kind == "f" or nodata is not None,
        )

    @property
    def is_dask(self) -> bool:
        return hasattr(self.array, "dask")

    def lazy(self, window: Window) -> Any:
        """Return the part of the array that holds a window, as the array gives it."""
        index: list[Any] = [0] * len(self.array.shape)
        rows, columns, channels = self.axes
        index[rows], index[columns] = window.slices
        if channels is not None:
            index[channels] = slice(None)
        return self.array[tuple(index)]

    def arrange(self, found: Any) -> Part:
        """Return what `lazy` gave, computed, as pixels."""
        values = np.asarray(found)
        rows, columns, channels = self.axes
        if channels is None:
            values = values[..., None]
            order = [rows, columns]
        else:
            order = [rows, columns, channels]
        kept = [sorted(order).index(axis) for axis in order]
        values = values.transpose(*kept, *range(len(kept), values.ndim))
        if not self.consecutive:
            values = values[..., [band - 1 for band in self.bands]]
        values = np.ascontiguousarray(values, self.layout.dtype)
        if not self.layout.masked:
            return Part(values, None)
        return Part(values, ~missing_values(values, self.nodata))

    def read(self, window: Window) -> Part:
        try:
            return self._read(window)
        except Exception as error:  # whatever a codec raises
            if not self.accept_damaged:
                raise self._damage(window, error) from error
        values = np.zeros((*window[2:], len(self.bands)), self.layout.dtype)
        valid = np.zeros(window[2:], bool)
        damaged = []
        for block in blocks(window, *self.layout.block):
            at = block.moved(-window.top, -window.left).slices
            try:
                part = self._read(block)
            except Exception:
                damaged.append(self.layout.block_at(block))
                continue
            values[at], valid[at] = part.values, True if part.valid is None else part.valid
        return Part(values, valid, tuple(damaged))

    def _read(self, window: Window) -> Part:
        found = self.lazy(window)
        if self.is_dask:
            found = found.compute(scheduler="synchronous")  # tiles are what runs side by side
        return self.arrange(found)

    def _damage(self, window: Window, error: Exception) -> Exception:
        for block in blocks(window, *self.layout.block):
            try:
                self._read(block)
            except Exception as found:
                words = " ".join(str(found).split()) or type(found).__name__
                return FileError(
                    f"cannot read {self.layout.name}: the block at "
                    f"{self.layout.block_at(block)} is damaged ({words}); "
                    "accept_damaged=True takes it as nodata"
                )
        return error

    def fingerprint(self) -> dict[str, Any]:
        return {
            "name": self.layout.name,
            "bands": self.bands,
            "nodata": [None if value is None else repr(float(value)) for value in self.nodata],
            "accept_damaged": self.accept_damaged,
            "size": [self.layout.height, self.layout.width],
            "dtype": str(self.layout.dtype),
            "content": self._content(),
        }

    def files(self) -> list[str]:
        return [] if self.path is None else [self.path]

    def _content(self) -> Any:
        if self.path is not None:
            return _files_of(self.path) or repr(self.array.metadata.to_dict())
        if self.is_dask:
            return self.array.name  # a token of the whole graph
        height, width = self.layout.height, self.layout.width
        if isinstance(self.array, np.ndarray):
            parts = [Window(k, 0, min(1024, height - k), width) for k in range(0, height, 1024)]
        else:
            parts = sample_windows(height, width, 128, 8)
        code = 0
        for part in parts:
            code = zlib.crc32(np.ascontiguousarray(self.lazy(part)).data, code)
        return code


def _block(array: Any, rows: int, columns: int) -> tuple[int, int]:
    sizes: Any = getattr(array, "chunks", None)
    if sizes is None:
        return min(BLOCK, array.shape[rows]), min(BLOCK, array.shape[columns])
    height, width = sizes[rows], sizes[columns]
    if isinstance(height, tuple):  # Dask lists the size of each
        height, width = max(height), max(width)
    return int(height), int(width)


def open_array(
    array: Any,
    bands: Sequence[int] | None,
    nodata: float | None,
    channel_axis: int | None,
    accept_damaged: bool,
) -> ArraySource:
    """Open an array of NumPy, Dask, zarr or xarray."""
    given: dict[str, Any] = {"bands": bands, "accept_damaged": accept_damaged}
    if hasattr(array, "dims") and hasattr(array, "coords"):
        names = [str(name) for name in array.dims]
        attributes = dict(array.attrs)
        for coordinate in ("spatial_ref", "crs"):
            if coordinate in array.coords:
                attributes |= dict(array.coords[coordinate].attrs)
        if nodata is None:
            nodata = _fill_value({**array.encoding, **array.attrs})

        def coordinates(name: str) -> Any:
            return np.asarray(array.coords[name]) if name in array.coords else None

        crs, transform = georeference(names, attributes, coordinates)
        label = f"the array {array.name!r}" if array.name else "the array"
        axes = find_axes(array.shape, names, channel_axis, label)
        return ArraySource(
            array.data, label, axes, nodata=nodata, crs=crs, transform=transform, **given
        )
    axes = find_axes(array.shape, None, channel_axis, "the array")
    return ArraySource(array, "the array", axes, nodata=nodata, **given)


def open_zarr(
    name: str,
    bands: Sequence[int] | None,
    nodata: float | None,
    channel_axis: int | None,
    accept_damaged: bool,
) -> ArraySource:
    """Open a zarr array (version 2 or 3), the largest level of an OME-Zarr image, or a group with
    one array."""
    try:
        import zarr
    except ImportError as error:
        raise ExtraError("a zarr array", "scene") from error
    label = display_name(name)
    try:
        node = zarr.open(name, mode="r")
    except Exception as error:
        words = " ".join(str(error).split())
        raise FileError(f"cannot read {label}: it is no zarr array ({words})") from error
    names, attributes, group = None, dict(node.attrs), None
    if isinstance(node, zarr.Group):
        group, node, names = node, *_array_of(node, label)
        attributes |= dict(node.attrs)
    names = names or _dimension_names(node)
    if group is not None:
        for coordinate in ("spatial_ref", "crs"):
            if coordinate in group:
                attributes |= dict(group[coordinate].attrs)

    def coordinates(dimension: str) -> Any:
        if group is None or dimension not in group:
            return None
        found: Any = group[dimension]
        return np.asarray(found[...])

    crs, transform = (None, None) if names is None else georeference(names, attributes, coordinates)
    if nodata is None:
        nodata = _fill_value(attributes)
    axes = find_axes(node.shape, names, channel_axis, label)
    return ArraySource(
        node,
        label,
        axes,
        bands=bands,
        nodata=nodata,
        accept_damaged=accept_damaged,
        path=name,
        crs=crs,
        transform=transform,
    )


def _array_of(group: Any, label: str) -> tuple[Any, list[str] | None]:
    """Return the array of a group that is the picture, and the names of its axes if it has any."""
    described = dict(group.attrs)
    described = described.get("ome", described)
    if described.get("multiscales"):
        scales = described["multiscales"][0]
        axes = [axis if isinstance(axis, str) else axis["name"] for axis in scales.get("axes", ())]
        return group[scales["datasets"][0]["path"]], axes or None
    found = {key: array for key, array in group.arrays() if array.ndim >= 2}
    if len(found) == 1:
        return next(iter(found.values())), None
    if not found:
        raise InputError(f"{label} is a zarr group without an array of pixels; give the array")
    sizes = ", ".join(
        f"{key} ({'x'.join(map(str, array.shape))})" for key, array in sorted(found.items())[:8]
    )
    first = sorted(found)[0]
    raise InputError(
        f"{label} is a zarr group of several arrays: {sizes}; give one of them, such as "
        f"{label.rstrip('/')}/{first}"
    )


def _dimension_names(array: Any) -> list[str] | None:
    names = getattr(array.metadata, "dimension_names", None) or array.attrs.get("_ARRAY_DIMENSIONS")
    return None if names is None or None in names else [str(name) for name in names]


def _fill_value(attributes: Mapping[str, Any]) -> float | None:
    for key in ("_FillValue", "missing_value", "nodata"):
        value = attributes.get(key)
        if isinstance(value, int | float | np.number):
            return float(value)
    return None


def _files_of(name: str) -> str | None:
    """Return a code of the names, sizes and times of the files below a folder."""
    if not os.path.isdir(name):
        return None
    code = 0
    for folder, folders, files in os.walk(name):
        folders.sort()
        for file in sorted(files):
            path = os.path.join(folder, file)
            status = os.stat(path)
            text = f"{os.path.relpath(path, name)}:{status.st_size}:{status.st_mtime_ns}"
            code = zlib.crc32(text.encode("utf-8", "surrogateescape"), code)
    return f"{code:08x}"


def find_axes(
    shape: tuple[int, ...], names: Sequence[str] | None, channel_axis: int | None, label: str
) -> tuple[int, int, int | None]:
    """Return the axes of rows, columns and bands (None if there are none).

    Raises
    ------
    InputError
        If the shape has more axes than those, or it is not sure which is which.
    """
    if len(shape) < 2:
        raise InputError(f"{label} has shape {shape}; give (H, W), (C, H, W) or (H, W, C)")
    if names is not None:
        lower = [name.lower() for name in names]
        rows = next((k for k, name in enumerate(lower) if name in ROWS), None)
        columns = next((k for k, name in enumerate(lower) if name in COLUMNS), None)
        if rows is not None and columns is not None:
            others = [k for k in range(len(shape)) if k not in (rows, columns) and shape[k] > 1]
            if len(others) > 1:
                stacks = ", ".join(f"{shape[k]} along {names[k]}" for k in others)
                raise InputError(f"{label} holds {stacks}; give one picture of the stack")
            return rows, columns, others[0] if others else None
    long = [k for k in range(len(shape)) if shape[k] > 1 or k >= len(shape) - 2]
    if len(shape) > 3 and len(long) <= 3:
        found = find_axes(tuple(shape[k] for k in long), None, channel_axis, label)
        rows, columns, channels = found
        return long[rows], long[columns], None if channels is None else long[channels]
    if len(shape) == 2:
        return 0, 1, None
    if len(shape) > 3:
        raise InputError(f"{label} has shape {shape}; give one picture of the stack")
    if channel_axis is not None:
        if channel_axis not in (0, 2, -1, -3):
            raise InputError(
                f"channel_axis={channel_axis} of shape {shape}: bands come first or last; "
                "give 0 or -1"
            )
        return (1, 2, 0) if channel_axis in (0, -3) else (0, 1, 2)
    first, last = shape[0], shape[2]
    if min(first, last) > MOST_BANDS or first == last:
        raise InputError(
            f"{label} has shape {shape}: it is not sure which axis holds the bands; "
            "give channel_axis=0 or channel_axis=-1"
        )
    return (1, 2, 0) if first < last else (0, 1, 2)


def georeference(
    names: Sequence[str], attributes: Mapping[str, Any], coordinates: Callable[[str], Any]
) -> tuple[str | None, tuple[float, ...] | None]:
    """Return CRS and transform, from attributes as rioxarray writes them or even coordinates."""
    crs = attributes.get("crs_wkt") or attributes.get("spatial_ref")
    text = attributes.get("GeoTransform")
    if isinstance(text, str):
        c, a, b, f, d, e = map(float, text.split())
        return crs, (a, b, c, d, e, f)
    steps = {}
    for kind, known in (("x", COLUMNS), ("y", ROWS)):
        name = next((name for name in names if name.lower() in known), None)
        values = None if name is None else coordinates(name)
        steps[kind] = None if values is None else _even_step(values)
    if steps["x"] is None or steps["y"] is None:
        return crs, None
    (x, dx), (y, dy) = steps["x"], steps["y"]
    return crs, (dx, 0.0, x - dx / 2, 0.0, dy, y - dy / 2)


def _even_step(values: NDArray[Any]) -> tuple[float, float] | None:
    """Return the first of evenly spaced coordinates and their step."""
    if values.ndim != 1 or len(values) < 2 or values.dtype.kind not in "iuf":
        return None
    step = float(values[-1] - values[0]) / (len(values) - 1)
    even = float(values[0]) + step * np.arange(len(values))
    if not math.isfinite(step) or not step or np.abs(values - even).max() > EVEN * abs(step):
        return None
    return float(values[0]), step
