"""Rasters that GDAL opens, through rasterio."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from segment.errors import ExtraError, FileError, InputError
from segment.files import display_name
from segment.notices import no_warnings
from segment.scenes.sources import (
    Layout,
    Part,
    Source,
    check_band_numbers,
    choose_bands,
    common_dtype,
    is_remote,
    missing_values,
)
from segment.scenes.tiles import Window, blocks

CACHE_BYTES = 64 << 20  # GDAL would take 5 % of memory and keep it
ENVIRONMENT = {
    "GDAL_CACHEMAX": CACHE_BYTES,
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",  # remote folders are not listed
    "GDAL_HTTP_TIMEOUT": 30,
    "GDAL_HTTP_CONNECTTIMEOUT": 10,
    "GDAL_HTTP_MAX_RETRY": 3,
    "GDAL_HTTP_RETRY_DELAY": 1,
}


def rasterio() -> Any:
    """Import rasterio, or say what to install."""
    try:
        import rasterio as module
    except ImportError as error:
        raise ExtraError("segment scene", "scene") from error
    return module


@contextlib.contextmanager
def environment(**options: Any) -> Iterator[None]:
    """Set GDAL up as needed here, and keep silent about rasters without coordinates."""
    module = rasterio()
    silent = no_warnings(module.errors.NotGeoreferencedWarning)
    with module.Env(**{**ENVIRONMENT, **options}), silent:
        yield


class RasterSource(Source):
    """A raster file. Datasets of GDAL belong to one thread, so each thread opens its own."""

    def __init__(
        self,
        name: str,
        *,
        bands: Sequence[int] | None,
        nodata: float | None,
        accept_damaged: bool,
    ) -> None:
        self.name = name if is_remote(name) else os.path.abspath(name)
        self.accept_damaged = accept_damaged
        with environment():
            dataset = _open(self.name)
            with dataset:
                self._describe(dataset, bands, nodata)
        self._opened = threading.local()
        self._all: list[Any] = []

    def _describe(self, dataset: Any, bands: Sequence[int] | None, nodata: float | None) -> None:
        name = display_name(self.name)
        if not dataset.count:
            inside = dataset.subdatasets
            raise InputError(
                f"{name} has no bands of its own"
                + (
                    f"; name one of its {len(inside)} rasters, such as {inside[0]}"
                    if inside
                    else ""
                )
            )
        roles = [color.name for color in dataset.colorinterp]
        alpha = [k + 1 for k, role in enumerate(roles) if role == "alpha"]
        known = [k for k in range(1, dataset.count + 1) if k not in alpha]
        if not known:
            raise InputError(f"{name} has nothing but an alpha band; give a raster with pixels")
        self.bands = choose_bands(bands, known)
        check_band_numbers(self.bands, dataset.count, name)
        self.alpha = next((band for band in alpha if band not in self.bands), None)
        roles = [roles[band - 1] for band in self.bands]
        if "palette" in roles:
            raise InputError(
                f"{name} holds numbers of colours in a table, not colours; expand it with  "
                "gdal_translate -expand rgb"
            )
        dtype = common_dtype([dataset.dtypes[band - 1] for band in self.bands], name)
        self.nodata = [
            dataset.nodatavals[band - 1] if nodata is None else nodata for band in self.bands
        ]
        flags = [{flag.name for flag in dataset.mask_flag_enums[band - 1]} for band in self.bands]
        self.internal = any("per_dataset" in each and "alpha" not in each for each in flags) or any(
            not each & {"nodata", "all_valid", "per_dataset"} for each in flags
        )
        height, width = dataset.block_shapes[self.bands[0] - 1]
        self.layout = Layout(
            name=name,
            height=dataset.height,
            width=dataset.width,
            bands=tuple(dataset.descriptions[band - 1] or f"band {band}" for band in self.bands),
            dtype=dtype,
            block=(height, width),
            crs=dataset.crs.to_wkt() if dataset.crs else None,
            transform=None if dataset.transform.is_identity else tuple(dataset.transform)[:6],
            masked=self.internal
            or self.alpha is not None
            or dtype.kind == "f"
            or any(value is not None for value in self.nodata),
        )

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k not in {"_opened", "_all"}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._opened = threading.local()
        self._all = []

    def _dataset(self) -> Any:
        if not hasattr(self._opened, "dataset"):
            self._opened.dataset = _open(self.name)
            self._all.append(self._opened.dataset)
        return self._opened.dataset

    def close(self) -> None:
        for dataset in self._all:
            dataset.close()
        self._all.clear()
        self._opened = threading.local()

    def read(self, window: Window) -> Part:
        errors = rasterio().errors
        with environment():
            dataset = self._dataset()
            try:
                return self._read(dataset, window)
            except errors.RasterioIOError as error:
                if not self.accept_damaged:
                    raise self._damage(dataset, window, error) from error
            return self._read_blocks(dataset, window)

    def _read(self, dataset: Any, window: Window) -> Part:
        from rasterio.windows import Window as RasterWindow

        part = RasterWindow(window.left, window.top, window.width, window.height)
        values = np.empty((*window[2:], len(self.bands)), self.layout.dtype)
        for k, band in enumerate(self.bands):
            values[..., k] = dataset.read(band, window=part)
        if not self.layout.masked:
            return Part(values, None)
        missing = missing_values(values, self.nodata)
        if self.alpha is not None:
            missing |= dataset.read(self.alpha, window=part) == 0
        if self.internal:
            for band in self.bands:
                missing |= dataset.read_masks(band, window=part) == 0
        return Part(values, ~missing)

    def _read_blocks(self, dataset: Any, window: Window) -> Part:
        """Read what can be read, block by block; the rest has no value."""
        errors = rasterio().errors
        values = np.zeros((*window[2:], len(self.bands)), self.layout.dtype)
        valid = np.zeros(window[2:], bool)
        damaged = []
        for block in blocks(window, *self.layout.block):
            at = block.moved(-window.top, -window.left).slices
            try:
                part = self._read(dataset, block)
            except errors.RasterioIOError:
                damaged.append(self.layout.block_at(block))
                continue
            values[at] = part.values
            valid[at] = True if part.valid is None else part.valid
        return Part(values, valid, tuple(damaged))

    def _damage(self, dataset: Any, window: Window, error: Exception) -> FileError:
        """Return the error that names the block that cannot be read."""
        errors = rasterio().errors
        for block in blocks(window, *self.layout.block):
            try:
                self._read(dataset, block)
            except errors.RasterioIOError as found:
                return FileError(
                    f"cannot read {self.layout.name}: the block at "
                    f"{self.layout.block_at(block)} is damaged ({_reason(found)}); "
                    "accept_damaged=True takes it as nodata"
                )
        return FileError(f"cannot read {self.layout.name} at {window}: {_reason(error)}")

    def files(self) -> list[str]:
        with environment(), _open(self.name) as dataset:
            return [*dataset.files] or [self.name]

    def fingerprint(self) -> dict[str, Any]:
        facts: dict[str, Any] = {
            "name": self.name,
            "bands": self.bands,
            "nodata": [None if value is None else repr(float(value)) for value in self.nodata],
            "accept_damaged": self.accept_damaged,
            "size": [self.layout.height, self.layout.width],
            "dtype": str(self.layout.dtype),
        }
        facts["files"] = {}
        for name in self.files():
            with contextlib.suppress(OSError):  # remote
                status = os.stat(name)
                facts["files"][name] = [status.st_size, status.st_mtime_ns]
        return facts


def _open(name: str) -> Any:
    module = rasterio()
    try:
        return module.open(name, sharing=False)
    except module.errors.RasterioIOError as error:
        raise FileError(f"cannot read {display_name(name)}: {_why(name, error)}") from error


def _why(name: str, error: Exception) -> str:
    if is_remote(name):
        return f"it does not answer, or is no raster ({_reason(error)})"
    if not os.path.lexists(name) and ":" not in name:
        return "no such file; check the name"
    if os.path.isdir(name):
        return "it is a folder; give a raster in it"
    if os.path.exists(name) and not os.access(name, os.R_OK):
        return "permission denied; change its permissions"
    return "it is no raster of a format that GDAL knows, or it is damaged"


def _reason(error: Exception) -> str:
    """Return the words of GDAL's own error on one line."""
    cause = error.__cause__ or error
    return " ".join(str(cause).split()).rstrip(".")
