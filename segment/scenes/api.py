"""`segment.scene`: a raster of any size in, a raster of regions out."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from segment.errors import FileError
from segment.files import FULL, display_name
from segment.notices import listening
from segment.scenes import store as stores
from segment.scenes.cutting import cut_regions, find_tree
from segment.scenes.forecast import Forecast, check_space, density, forecast
from segment.scenes.opening import open_source
from segment.scenes.options import SceneOptions, check_outputs
from segment.scenes.outputs import Tell, label_reader, write_outputs
from segment.scenes.parameters import Settled, settle
from segment.scenes.report import Progress, SceneReport
from segment.scenes.runner import run as run_tiles
from segment.scenes.sinks import discard, publish, staged
from segment.scenes.sources import Source
from segment.scenes.store import MANIFEST, Store
from segment.scenes.tiles import Tiles
from segment.scenes.work import Done, Regions, Work, connect, done_of, key_of

Watch = Callable[[Progress], None]
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
    return run(src, options, progress)


def _path(name: PathLike | None) -> Path | None:
    return None if name is None else Path(name)


def run(src: Any, options: SceneOptions, progress: Watch | None = None) -> SceneReport:
    """Segment a scene; see `scene`."""
    notes: list[str] = []
    source = open_source(
        src,
        bands=options.bands,
        mask=options.mask,
        nodata=options.nodata,
        channel_axis=options.channel_axis,
        accept_damaged=options.accept_damaged,
    )
    with contextlib.closing(source), listening(notes.append):
        return _Run(source, options, progress or _ignore, notes).run()


def _ignore(_: Progress) -> None:
    pass


class _Run:
    """One run over an open scene."""

    def __init__(
        self, source: Source, options: SceneOptions, progress: Watch, notes: list[str]
    ) -> None:
        self._source, self._options = source, options
        self._progress, self._notes = progress, notes
        self._seconds: dict[str, float] = {}
        self._folder = stores.scratch_folder(options.dst.absolute(), options.scratch)

    def run(self) -> SceneReport:
        options, layout = self._options, self._source.layout
        manifest = stores.read_manifest(self._folder / MANIFEST) or {}
        check_outputs(options, self._source.files(), ours=bool(manifest.get("publishing")))
        work = self._work(settle(options, self._source), Tiles(layout.height, layout.width, 1, 0))
        with self._stage("forecasting"):
            plan = self._plan(work, manifest)
        self._note(str(plan))
        work = replace(work, tiles=plan.tiles)
        with stores.hold(self._folder):
            check_space(str(self._folder), plan.scratch)
            changed = stores.begin(self._folder, self._fingerprint(work))
            if changed:
                self._note(f"starting anew: {', '.join(changed)} changed since the last run")
            done, reused = self._climb(work, plan.jobs)
            with self._stage("merging"):
                self._progress(Progress("merging"))
                leaves = connect(work)
            regions, level = self._cut(work, leaves)
            self._write(work, regions)
            self._publish()
        stores.remove(self._folder)
        damaged = sorted({block for each in done for block in each.damaged})
        return SceneReport(
            dst=options.dst,
            outputs=options.outputs,
            n_regions=regions.n,
            height=layout.height,
            width=layout.width,
            n_pixels=sum(each.n_pixels for each in done),
            bands=layout.bands,
            params=work.params,
            value_range=work.value_range,
            scaling=work.scaling,
            crs=layout.crs,
            tile=plan.tiles.side,
            n_tiles=len(plan.tiles),
            reused=reused,
            n_leaves=leaves.n,
            level=level,
            damaged=tuple(damaged),
            notes=tuple(self._notes),
            seconds=self._seconds,
        )

    def _work(self, settled: Settled, tiles: Tiles) -> Work:
        filtered = self._options.filtered is not None
        return Work(
            source=self._source,
            tiles=tiles,
            folder=self._folder,
            filtered=filtered,
            **settled._asdict(),
        )

    def _plan(self, work: Work, manifest: Mapping[str, Any]) -> Forecast:
        """Return the forecast; tiles are those of the run that this one goes on with."""
        options, layout = self._options, self._source.layout
        per_pixel = density(work)
        plan = forecast(options, layout, work.params, per_pixel)
        before = manifest.get("fingerprint", {})
        side = before.get("tile")
        if options.tile is not None or not isinstance(side, int):
            return plan
        wanted = {**self._fingerprint(work), "tile": side, "format": stores.FORMAT}
        if wanted != before:
            return plan
        return forecast(options.with_tile(side), layout, work.params, per_pixel)

    def _fingerprint(self, work: Work) -> dict[str, Any]:
        """Return what tiles depend on."""
        from segment import __version__

        return stores.plain(
            {
                "version": __version__,
                "source": self._source.fingerprint(),
                **work.params.as_dict(),
                "min_size": 0,  # tiles do not depend on it
                "value_range": work.value_range,
                "scaling": work.scaling,
                "origin": work.origin,
                "filtered": work.filtered,
                "tile": work.tiles.side,
            }
        )

    def _climb(self, work: Work, jobs: int) -> tuple[list[Done], int]:
        """Do the tiles that no earlier run has done."""
        store, total = Store(work.folder), len(work.tiles)
        done = [done_of(store, k) for k in range(total) if store.is_sound(key_of(k))]
        finished = {each.tile for each in done}
        todo = [k for k in range(total) if k not in finished]
        reused = len(done)
        if reused:
            self._note(f"going on: {reused:,} of {total:,} tiles were done before")
        options = self._options
        with self._stage("climbing"):
            started = time.perf_counter()
            self._progress(Progress("climbing", reused, total, reused))
            tiles = run_tiles(work, todo, jobs, options.scheduler, options.client, self._note)
            with self._interruptions(lambda: len(done), total), contextlib.closing(tiles):
                for each in tiles:
                    done.append(each)
                    for block in each.damaged:
                        self._note(f"the block at {block} is damaged and counts as nodata")
                    seconds = time.perf_counter() - started
                    self._progress(Progress("climbing", len(done), total, reused, seconds))
        return done, reused

    @contextlib.contextmanager
    def _interruptions(self, done: Callable[[], int], total: int) -> Iterator[None]:
        """Say of a full disk that what is done is kept."""
        try:
            yield
        except FileError as error:
            if error.errno not in FULL:
                raise
            raise FileError(
                f"stopped after {done():,} of {total:,} tiles: {error}; what is done is kept in "
                f"{display_name(self._folder)}, and running the same again goes on from there"
            ) from error

    def _cut(self, work: Work, leaves: Regions) -> tuple[Regions, float | None]:
        """Merge leaves up to the level or down to the number that is asked for, if any is."""
        cut = self._options.cut
        if not cut.wanted or not leaves.n:
            return leaves, None
        with self._stage("cutting"):
            tree = find_tree(
                work, leaves, label_reader(work, leaves), self._options.n_jobs, self._teller()
            )
            regions, level = cut_regions(leaves, tree, cut)
        if cut.n_regions not in (None, regions.n):
            why = "leaves" if leaves.n == regions.n else "parts that nothing joins"
            self._note(f"n_regions={cut.n_regions} is not possible: there are {regions.n:,} {why}")
        return regions, level

    def _teller(self) -> Tell:
        """Return what is told how far stages are, and passes it on."""
        started: dict[str, float] = {}

        def tell(stage: str, done: int, total: int) -> None:
            begun = started.setdefault(stage, time.perf_counter())
            self._progress(Progress(stage, done, total, 0, time.perf_counter() - begun))

        return tell

    def _write(self, work: Work, regions: Regions) -> None:
        with self._stage("writing"):
            try:
                write_outputs(self._options, work, regions, self._teller())
            except BaseException:
                for path in self._options.outputs.values():
                    with contextlib.suppress(OSError):
                        discard(staged(path))
                raise

    def _publish(self) -> None:
        """Give all outputs their names; who dies here has them replaced by the next run."""
        path = self._folder / MANIFEST
        content = stores.read_manifest(path) or {}
        stores.write_manifest(path, {**content, "publishing": True})
        for output in self._options.outputs.values():
            publish(output)

    @contextlib.contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self._seconds[name] = round(time.perf_counter() - started, 3)

    def _note(self, text: str) -> None:
        self._notes.append(text)
        self._progress(Progress("note", note=text))
