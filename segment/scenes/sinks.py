"""Where rasters go: tiled, compressed GeoTIFF or COG, or zarr; whole or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.errors import ExtraError, FileError
from segment.files import display_name, file_error
from segment.scenes.rasters import environment, rasterio
from segment.scenes.tiles import Window

BLOCK = 512
BIG = 2 << 30  # bytes of pixels from which 32-bit offsets may not do


@dataclass(frozen=True)
class Form:
    """What a raster is like.

    Attributes
    ----------
    height, width : int
    dtype : dtype
    n_bands : int or None
        None for a raster (H, W).
    crs, transform
        As in `sources.Layout`.
    nodata : float or None
        The value that means that there is none.
    masked : bool
        Whether a mask says so.
    name : str
        What the values are.
    """

    height: int
    width: int
    dtype: np.dtype[Any]
    n_bands: int | None = None
    crs: str | None = None
    transform: tuple[float, ...] | None = None
    nodata: float | None = None
    masked: bool = False
    name: str = "labels"


def staged(path: Path) -> Path:
    """Return the name that an output bears until it is complete; its suffix is the same."""
    return path.with_name(f".{path.stem}.segment-part{path.suffix}")


def discard(path: Path) -> None:
    """Remove a file or folder, if it is there."""
    with contextlib.suppress(FileNotFoundError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def publish(path: Path) -> None:
    """Give a complete output its name, in place of what had it.

    Raises
    ------
    FileError
        If the system refuses.
    """
    part, old = staged(path), path.with_name(f".{path.stem}.segment-old{path.suffix}")
    try:
        if path.is_dir():  # a folder cannot be replaced in one step
            discard(old)
            path.rename(old)
        os.replace(part, path)
        discard(old)
    except OSError as error:
        raise file_error(path, error, "write") from error


class Sink(ABC):
    """A raster that is being written, window by window, by one thread."""

    @abstractmethod
    def write(
        self, window: Window, values: NDArray[Any], valid: NDArray[np.bool_] | None = None
    ) -> None:
        """Write a window: (H, W) or (H, W, C), and where it is valid, if the form is masked."""

    @abstractmethod
    def close(self) -> None:
        """Complete the raster."""

    def __enter__(self) -> Sink:
        return self

    def __exit__(self, kind: Any, *_: Any) -> None:
        self.close()


def open_sink(path: Path, form: Form, *, cog: bool = False, n_threads: int = 1) -> Sink:
    """Begin a raster under its staged name.

    Parameters
    ----------
    path : Path
        The name that it shall have; the suffix tells the format.
    form : Form
    cog : bool
        Whether a TIFF is to be a cloud-optimised one, with overviews.
    n_threads : int
        Threads that compress.
    """
    discard(staged(path))
    if path.suffix.lower() == ".zarr":
        return ZarrSink(path, form)
    return TiffSink(path, form, cog=cog, n_threads=n_threads)


class TiffSink(Sink):
    """A tiled, compressed GeoTIFF; BigTIFF where it may grow beyond 4 GB."""

    def __init__(self, path: Path, form: Form, *, cog: bool, n_threads: int) -> None:
        self._path, self._form, self._cog, self._n_threads = path, form, cog, n_threads
        part = staged(path)
        self._file = part.with_name(f"{part.stem}.plain{part.suffix}") if cog else part
        discard(self._file)
        n_bytes = form.height * form.width * (form.n_bands or 1) * form.dtype.itemsize
        profile: dict[str, Any] = {
            "driver": "GTiff",
            "height": form.height,
            "width": form.width,
            "count": form.n_bands or 1,
            "dtype": "uint8" if form.dtype.kind == "b" else str(form.dtype),
            "nodata": form.nodata,
            "tiled": True,
            "blockxsize": BLOCK,
            "blockysize": BLOCK,
            "interleave": "pixel",
            "compress": "deflate",
            "zlevel": 1 if cog else 6,
            "predictor": 3 if form.dtype.kind == "f" else 2 if form.dtype.itemsize <= 8 else 1,
            "bigtiff": "yes" if n_bytes > BIG else "if_safer",
            "num_threads": n_threads,
        }
        if form.crs is not None:
            profile["crs"] = form.crs
        if form.transform is not None:
            profile["transform"] = rasterio().Affine(*form.transform)
        self._dataset: Any = None
        with self._refusals():
            self._dataset = rasterio().open(self._file, "w", **profile)
            self._dataset.set_band_description(1, form.name) if form.n_bands is None else None

    @contextlib.contextmanager
    def _refusals(self) -> Any:
        """Turn the errors of GDAL and the system into ours."""
        with environment(GDAL_TIFF_INTERNAL_MASK=True):
            try:
                yield
            except OSError as error:
                if error.errno:
                    raise file_error(self._path, error, "write") from error
                words = " ".join(str(error.__cause__ or error).split())
                if not _has_room(self._path.parent):
                    words = "the disk is full; free some space and run again"
                raise FileError(f"cannot write {display_name(self._path)}: {words}") from error

    def write(
        self, window: Window, values: NDArray[Any], valid: NDArray[np.bool_] | None = None
    ) -> None:
        from rasterio.windows import Window as RasterWindow

        at = RasterWindow(window.left, window.top, window.width, window.height)
        if values.dtype.kind == "b":
            values = values.view(np.uint8)
        with self._refusals():
            if values.ndim == 2:
                self._dataset.write(values, 1, window=at)
            else:
                self._dataset.write(np.moveaxis(values, -1, 0), window=at)
            if self._form.masked:
                keep = np.ones(window[2:], bool) if valid is None else valid
                self._dataset.write_mask(keep, window=at)

    def close(self) -> None:
        with self._refusals():
            self._dataset.close()

    def __exit__(self, kind: Any, *_: Any) -> None:
        self.close()
        if kind is None and self._cog:
            self._optimise()
        if self._cog:
            discard(self._file)

    def _optimise(self) -> None:
        from rasterio.shutil import copy

        with self._refusals():
            copy(
                self._file,
                staged(self._path),
                driver="COG",
                blocksize=BLOCK,
                compress="deflate",
                predictor="yes",
                bigtiff="if_safer",
                overviews="auto",
                overview_resampling="nearest" if self._form.n_bands is None else "average",
                num_threads=self._n_threads,
            )


class ZarrSink(Sink):
    """A zarr group (version 3) with the raster, its coordinates and its CRS, as xarray reads it."""

    def __init__(self, path: Path, form: Form) -> None:
        try:
            import zarr
        except ImportError as error:
            raise ExtraError("a zarr output", "scene") from error
        self._path, self._form = path, form
        bands = () if form.n_bands is None else (form.n_bands,)
        names = ("y", "x", "band")[: 2 + len(bands)]
        with self._refusals():
            group = zarr.open_group(staged(path), mode="w")
            self._array = group.create_array(
                form.name,
                shape=(form.height, form.width, *bands),
                chunks=(min(2 * BLOCK, form.height), min(2 * BLOCK, form.width), *bands),
                dtype=form.dtype,
                fill_value=0 if form.nodata is None else form.nodata,
                dimension_names=names,
            )
            if form.masked:
                self._mask = group.create_array(
                    "mask",
                    shape=(form.height, form.width),
                    chunks=(min(2 * BLOCK, form.height), min(2 * BLOCK, form.width)),
                    dtype="bool",
                    dimension_names=names[:2],
                )
            self._georeference(group)

    def _georeference(self, group: Any) -> None:
        form = self._form
        if form.nodata is not None:
            self._array.attrs["nodata"] = form.nodata
        if form.crs is None and form.transform is None:
            return
        self._array.attrs["grid_mapping"] = "spatial_ref"
        reference = group.create_array("spatial_ref", shape=(), dtype="int64")
        if form.crs is not None:
            reference.attrs["crs_wkt"] = reference.attrs["spatial_ref"] = form.crs
        if form.transform is None:
            return
        a, b, c, d, e, f = form.transform
        reference.attrs["GeoTransform"] = " ".join(repr(float(x)) for x in (c, a, b, f, d, e))
        if b == d == 0:  # else there are no coordinates of rows and columns
            for name, start, step, count in (
                ("x", c, a, form.width),
                ("y", f, e, form.height),
            ):
                centers = start + step * (np.arange(count) + 0.5)
                group.create_array(name, data=centers, dimension_names=(name,))

    @contextlib.contextmanager
    def _refusals(self) -> Any:
        try:
            yield
        except OSError as error:
            raise file_error(self._path, error, "write") from error

    def write(
        self, window: Window, values: NDArray[Any], valid: NDArray[np.bool_] | None = None
    ) -> None:
        with self._refusals():
            self._array[window.slices] = values
            if self._form.masked and valid is not None:
                self._mask[window.slices] = valid
            elif self._form.masked:
                self._mask[window.slices] = True

    def close(self) -> None:
        pass


def _has_room(folder: Path) -> bool:
    """Return whether there is space for more than a few blocks."""
    with contextlib.suppress(OSError):
        return shutil.disk_usage(folder).free > BLOCK * BLOCK * 8
    return True
