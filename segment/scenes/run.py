"""One run over a scene: its stages, one after the other, and what is kept between runs."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from segment.errors import FileError
from segment.files import FULL, display_name
from segment.notices import listening, no_warnings
from segment.scenes import store as stores
from segment.scenes.cutting import cut_regions, find_tree
from segment.scenes.doubting import doubts_after, doubts_before
from segment.scenes.forecast import Density, Forecast, check_space, density, forecast
from segment.scenes.opening import open_source
from segment.scenes.options import SceneOptions, check_outputs
from segment.scenes.outputs import Tell, label_reader, write_outputs
from segment.scenes.parameters import Settled, settle
from segment.scenes.rasters import rasterio
from segment.scenes.report import Progress, SceneReport
from segment.scenes.runner import Runner
from segment.scenes.sinks import discard, publish, staged
from segment.scenes.sources import Source
from segment.scenes.store import MANIFEST, Store
from segment.scenes.tiles import Tiles
from segment.scenes.work import Done, Regions, TileTask, Work, connect, done_of, key_of

Watch = Callable[[Progress], None]


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
    silent = no_warnings(rasterio().errors.NotGeoreferencedWarning)
    with contextlib.closing(source), silent, listening(notes.append):
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
            per_pixel = density(work)
            plan = self._plan(work, manifest, per_pixel)
            doubts = list(doubts_before(work, per_pixel))
        for text in (str(plan), *doubts):
            self._note(text)
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
            for doubt in doubts_after(work, leaves.n):
                doubts.append(doubt)
                self._note(doubt)
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
            doubts=tuple(doubts),
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

    def _plan(self, work: Work, manifest: Mapping[str, Any], per_pixel: Density) -> Forecast:
        """Return the forecast; tiles are those of the run that this one goes on with."""
        options, layout = self._options, self._source.layout
        plan = forecast(options, layout, work.params, per_pixel, work.corner)
        before = manifest.get("fingerprint", {})
        side = before.get("tile")
        if options.tile is not None or not isinstance(side, int):
            return plan
        wanted = {**self._fingerprint(work), "tile": side, "format": stores.FORMAT}
        if wanted != before:
            return plan
        return forecast(options.with_tile(side), layout, work.params, per_pixel, work.corner)

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
                "achromatic": work.achromatic,
                "corner": work.corner,
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
        with self._stage("climbing"):
            started = time.perf_counter()
            self._progress(Progress("climbing", reused, total, reused))
            tasks = (TileTask(k, work.tiles.surroundings(k)) for k in todo)
            tiles = self._runner(jobs).run(work, tasks)
            with self._interruptions(lambda: len(done), total), contextlib.closing(tiles):
                for each in tiles:
                    done.append(each)
                    for block in each.damaged:
                        self._note(f"the block at {block} is damaged and counts as nodata")
                    seconds = time.perf_counter() - started
                    self._progress(Progress("climbing", len(done), total, reused, seconds))
        return done, reused

    def _runner(self, jobs: int) -> Runner:
        return Runner(jobs, self._options.scheduler, self._options.client, self._note)

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
                work, leaves, label_reader(work, leaves), self._runner(self._options.n_jobs),
                self._teller(),
            )  # fmt: skip
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
