"""``segment image``: pictures in; label maps, flat colours and outlines out."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from segment.cli import options
from segment.cli.progress import Display
from segment.errors import FileError, InputError, SegmentError
from segment.files import display_name, file_error
from segment.params import LEAF_BANDWIDTHS, Cut, MeanShiftParams

if TYPE_CHECKING:
    from segment.images import Image
    from segment.segmentation import Segmentation

DEFAULT = MeanShiftParams()


@dataclass(frozen=True)
class Job:
    """One picture to segment, and where its outputs go."""

    source: Path
    stem: Path


def image(
    context: typer.Context,
    images: options.Images,
    output: options.Output = Path("outputs"),
    save: options.Save = "labels,posterized,overlay,json",
    spatial_bandwidth: options.SpatialBandwidth = DEFAULT.spatial_bandwidth,
    range_bandwidth: options.RangeBandwidth = DEFAULT.range_bandwidth,
    min_size: options.MinSize = DEFAULT.min_size,
    regions: options.Regions = None,
    level: options.Level = None,
    kernel: options.Kernel = DEFAULT.kernel,
    color_space: options.ColorSpace = DEFAULT.color_space,
    connectivity: options.Connectivity = DEFAULT.connectivity,
    max_iter: options.MaxIter = DEFAULT.max_iter,
    tol: options.Tol = DEFAULT.tol,
    n_threads: options.NThreads = None,
    page: options.Page = 0,
    max_pixels: options.MaxPixels = None,
    accept_damaged: options.AcceptDamaged = False,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
    json: options.Json = False,
) -> None:
    """Segment pictures: label map, flat colours, outlines and facts of each.

    Transparent pixels are left out and get label 0. IMAGE - reads standard input; -o - writes to
    standard output what one --save names.

    \b
    Examples:
      segment image photo.jpg
      segment image photo.jpg --regions 12
      segment image *.jpg -o results --range-bandwidth 10 --min-size 200
      segment image photo.jpg --save all --overwrite
      segment image - -o - --save overlay < photo.jpg > outlined.png
    """
    from segment import exports
    from segment.threads import resolve_n_threads

    cut = Cut(level, regions)
    if cut.wanted and not options.given(context, "spatial_bandwidth", "range_bandwidth"):
        spatial_bandwidth, range_bandwidth = LEAF_BANDWIDTHS
    params = MeanShiftParams(
        spatial_bandwidth=spatial_bandwidth,
        range_bandwidth=range_bandwidth,
        min_size=min_size,
        kernel=kernel,
        color_space=color_space,
        connectivity=connectivity,
        max_iter=max_iter,
        tol=tol,
    )
    n_threads = resolve_n_threads(n_threads)
    kinds = tuple(exports.KINDS) if save == "all" else exports.parse_kinds(save)
    jobs = plan(images, output, kinds, overwrite=overwrite)
    reading: dict[str, Any] = {"page": page, "accept_damaged": accept_damaged}
    if max_pixels is not None:
        reading["max_pixels"] = max_pixels
    if json and output == exports.STDOUT:
        raise InputError("--json and -o - would both write to standard output; drop one of them")
    display = Display(quiet=quiet)
    worker = Worker(params, cut, n_threads, kinds, reading, overwrite, display)
    failed = False
    for job in jobs:
        try:
            facts = worker.run(job)
        except SegmentError as error:
            failed = True
            name = display_name(job.source)
            text = str(error)
            display.error(text if name in text else f"{name}: {text}")
            continue
        if output == exports.STDOUT:
            continue
        if json:
            display.print(exports.to_json(facts, indent=None))
        elif not quiet:
            display.print(summary_line(job, facts))
    if failed:
        raise typer.Exit(1)


def plan(
    sources: Sequence[Path], output: Path, kinds: Sequence[str], *, overwrite: bool
) -> list[Job]:
    """Return the jobs, or raise if two of them, or what exists, would be written over."""
    from segment import exports

    if output == exports.STDOUT:
        if len(sources) > 1 or len(kinds) > 1:
            raise InputError(
                f"-o - writes one file of one picture, not {len(kinds)} of {len(sources)}; "
                "give one IMAGE and one kind, such as --save labels"
            )
        return [Job(sources[0], exports.STDOUT)]
    inputs = {os.path.realpath(source) for source in sources}
    writers: dict[str, Path] = {}
    jobs = []
    for source in sources:
        stem = exports.output_stem(output, source)
        jobs.append(Job(source, stem))
        for path in exports.output_paths(stem, kinds):
            # Names that differ in case are one file on many disks.
            other = writers.setdefault(str(path).casefold(), source)
            if other is not source:
                raise InputError(
                    f"{display_name(other)} and {display_name(source)} would both write "
                    f"{display_name(path)}; run them with different -o"
                )
            if os.path.realpath(path) in inputs:
                raise InputError(
                    f"{display_name(path)} is an input and would be written over; "
                    "choose another folder with -o"
                )
            if not overwrite and os.path.lexists(path):
                raise FileError(
                    f"{display_name(path)} exists; add --overwrite to replace it, "
                    "or choose another folder with -o"
                )
    prepare_folder(output)
    return jobs


def prepare_folder(folder: Path) -> None:
    """Make the folder, and make sure that it can be written to."""
    try:
        if folder.exists() and not folder.is_dir():
            raise FileError(
                f"cannot write to {display_name(folder)}: it is a file; choose a folder with -o"
            )
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise file_error(folder, error, "write to") from error


@dataclass(frozen=True)
class Worker:
    """Reads, segments and saves one picture after another."""

    params: MeanShiftParams
    cut: Cut
    n_threads: int
    kinds: Sequence[str]
    reading: dict[str, Any]
    overwrite: bool
    display: Display

    def run(self, job: Job) -> dict[str, Any]:
        """Do one job and return the facts about it."""
        from segment import exports
        from segment.images import read_image

        name = display_name(job.source)
        with self.display.working(f"{name}: reading"), self.display.compiling():
            clock = Clock(self.display)
            image = read_image(job.source, **self.reading)
            for note in image.notes:
                self.display.note(f"{name}: {note}")
            clock.lap("read")
            height, width = image.shape
            self.display.stage(f"{name}: segmenting {width}x{height}")
            segmentation = self._segment(image)
            clock.lap("segment")
            hierarchy = None
            if self.cut.wanted or {"contours", "hierarchy"}.intersection(self.kinds):
                self.display.stage(f"{name}: merging {segmentation.n_regions:,} regions")
                hierarchy = segmentation.hierarchy(n_threads=self.n_threads)
                if self.cut.wanted:
                    segmentation = hierarchy.cut(self.cut.level, self.cut.n_regions)
                clock.lap("merge")
            filtered = None
            if "filtered" in self.kinds:
                self.display.stage(f"{name}: filtering {width}x{height}")
                filtered = self._filter(image)
                clock.lap("filter")
            self.display.stage(f"{name}: saving")
            record: dict[str, Any] = {"input": str(job.source), "seconds": clock.laps}
            if self.cut.wanted:
                record["cut"] = {"level": self.cut.level, "n_regions": self.cut.n_regions}
            outputs = exports.save(
                segmentation,
                image,
                job.stem,
                self.kinds,
                filtered=filtered,
                hierarchy=hierarchy,
                record=record,
                overwrite=self.overwrite,
            )
            clock.lap("save")
        return {
            **exports.summary(segmentation),
            **record,
            "outputs": {kind: str(path) for kind, path in outputs.items()},
        }

    def _segment(self, image: Image) -> Segmentation:
        from segment.segmentation import mean_shift
        from segment.threads import watched

        with watched(self.display.watch):
            return mean_shift(
                image.pixels, mask=image.mask, n_threads=self.n_threads, **self.params.as_dict()
            )

    def _filter(self, image: Image) -> Any:
        from segment.filtering import mean_shift_filter
        from segment.threads import watched

        given = self.params.as_dict()
        for only_of_regions in ("min_size", "connectivity"):
            del given[only_of_regions]
        with watched(self.display.watch):
            return mean_shift_filter(
                image.pixels, mask=image.mask, n_threads=self.n_threads, **given
            )


class Clock:
    """Seconds between laps, without what was spent on compiling."""

    def __init__(self, display: Display) -> None:
        self.laps: dict[str, float] = {}
        self._display = display
        self._last = self._now()

    def lap(self, name: str) -> None:
        now = self._now()
        self.laps[name] = round(now - self._last, 4)
        self._last = now

    def _now(self) -> float:
        return time.perf_counter() - self._display.compile_seconds


def summary_line(job: Job, facts: dict[str, Any]) -> str:
    """Return what is printed of a picture; a shell expands the names at its end."""
    ends = [Path(path).name[len(job.stem.name) + 1 :] for path in facts["outputs"].values()]
    names = ends[0] if len(ends) == 1 else "{" + ",".join(ends) + "}"
    n = facts["n_regions"]
    return (
        f"{display_name(job.source)}: {n:,} region{'s' * (n != 1)}, "
        f"{facts['width']}x{facts['height']}, {facts['seconds']['segment']:.2f} s"
        f" -> {display_name(job.stem)}.{names}"
    )
