"""`segment.scene`: a raster of any size in, a raster of regions out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from segment.notices import say
from segment.scenes.options import SceneOptions
from segment.scenes.report import SceneReport
from segment.scenes.run import Watch, run

PathLike = str | os.PathLike[str]


def scene(
    src: Any,
    dst: PathLike,
    *,
    bands: Sequence[int] | None = None,
    mask: PathLike | None = None,
    nodata: float | None = None,
    channel_axis: int | None = None,
    value_range: tuple[float, float] | None = None,
    scale: bool = False,
    range_bandwidth: float | None = None,
    level: float | None = None,
    n_regions: int | None = None,
    posterized: PathLike | None = None,
    filtered: PathLike | None = None,
    table: PathLike | None = None,
    vector: PathLike | None = None,
    preview: PathLike | None = None,
    cog: bool = False,
    memory: int | str | None = None,
    tile: int | None = None,
    jobs: int | None = None,
    scratch: PathLike | None = None,
    scheduler: str | None = None,
    client: Any = None,
    overwrite: bool = False,
    accept_damaged: bool = False,
    progress: Watch | None = None,
    **params: Any,
) -> SceneReport:
    """Segment a raster that may be larger than memory, tile by tile.

    The labels are those of `segment.mean_shift` on the whole, bit for bit, whatever the tiles, jobs
    or machines. A run that was stopped, by whatever, goes on when it is started again; `dst`
    appears when it is complete.

    Parameters
    ----------
    src : path-like, URL or array
        A raster that rasterio opens; a zarr array, of a group the only one, or an OME-Zarr image;
        an array of Dask, zarr or NumPy, or an xarray DataArray.
    dst : path-like
        Label raster to write: ``.tif``, tiled and compressed, or ``.zarr``. 1..n in raster order,
        0 where there is no value; uint32 (uint64 beyond), with CRS and transform.
    bands : sequence of int, optional
        Bands to use, from 1; all but alpha by default.
    mask : path-like, optional
        Raster of the same size, 0 where pixels are left out.
    nodata : float, optional
        Value that means that there is none, instead of what the source says.
    channel_axis : int, optional
        Axis of the bands of an array that does not name its axes.
    value_range : (float, float), optional
        Black and white for the colour spaces; the range of the dtype by default.
    scale : bool
        Compare bands in units of their spread: a range bandwidth of 100 is what lies between the
        2nd and the 98th percentile of each band, in a fixed sample of the scene.
    range_bandwidth : float, optional
        As in `segment.mean_shift`; where bands are colours or scaled 6.5 by default, or, with
        `level` or `n_regions`, the 4 of finer leaves, whose spatial bandwidth is 5.
    level : float, optional
        Merge regions up to this level of their hierarchy, 0 to 1, as in `Hierarchy.cut`. Regions
        are compared at the scene's own resolution, whatever its extent: a level means the same on a
        part of a scene as on the whole.
    n_regions : int, optional
        Merge down to so many regions instead.
    posterized, filtered : path-like, optional
        Rasters to write, as `dst`: each region in its mean colour; the filtered pixels.
    table : path-like, optional
        Table of the regions, ``.csv`` or ``.parquet``.
    vector : path-like, optional
        Outlines of the regions with the table: ``.gpkg``, ``.fgb``, ``.parquet`` or ``.geojson``.
    preview : path-like, optional
        A small picture with outlines, ``.png``.
    cog : bool
        Write rasters as cloud-optimised GeoTIFF.
    memory : int or str, optional
        What may be used, such as ``"4GB"``; half of what is free by default.
    tile : int, optional
        Side of a tile, about; 2,048 or what `memory` allows by default.
    jobs : int, optional
        Tiles at once; one a core by default.
    scratch : path-like, optional
        Folder for what tiles leave, which is removed at the end; beside `dst` by default.
    scheduler : str, optional
        Address of a Dask scheduler whose workers do the tiles; they must see source and scratch.
    client : distributed.Client, optional
        The same, of a cluster at hand.
    overwrite : bool
        Whether existing outputs may be replaced.
    accept_damaged : bool
        Whether blocks that cannot be decoded count as nodata.
    progress : callable, optional
        Called with a `Progress` now and then.
    **params
        Further parameters of `segment.mean_shift`. `color_space` is ``"luv"`` by default for one or
        three bands of 8 bits, else ``"none"``.

    Returns
    -------
    SceneReport

    Raises
    ------
    InputError
        If an option is wrong, or the scene does not fit into the memory.
    FileError
        If a file cannot be read or written, another run is at work on `dst`, or the disk is full.
    ExtraError
        If the ``scene`` extra is missing.

    Examples
    --------
    >>> report = segment.scene("sentinel.tif", "regions.tif", scale=True, table="regions.csv")
    >>> report.n_regions
    48211
    """
    options = SceneOptions(
        dst=Path(dst),
        params=params,
        range_bandwidth=range_bandwidth,
        value_range=value_range,
        scale=scale,
        level=level,
        n_regions=n_regions,
        bands=bands,
        mask=mask,
        nodata=nodata,
        channel_axis=channel_axis,
        posterized=_path(posterized),
        filtered=_path(filtered),
        table=_path(table),
        vector=_path(vector),
        preview=_path(preview),
        cog=cog,
        memory=memory,
        tile=tile,
        jobs=jobs,
        scratch=_path(scratch),
        scheduler=scheduler,
        client=client,
        overwrite=overwrite,
        accept_damaged=accept_damaged,
    )
    report = run(src, options, progress)
    for doubt in report.doubts:
        say(doubt)
    return report


def _path(name: PathLike | None) -> Path | None:
    return None if name is None else Path(name)
