"""``segment image``: pictures in; label maps, flat colours and outlines out."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from segment.cli import options
from segment.cli.progress import Display, explain
from segment.errors import FileError, InputError, SegmentError
from segment.files import display_name, file_error
from segment.params import MeanShiftOptions

if TYPE_CHECKING:
    from segment.workflow import Recipe

DEFAULT = MeanShiftOptions()


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
    engine: options.Engine = DEFAULT.engine,
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
    from segment.images import MAX_PIXELS
    from segment.threads import resolve_n_threads
    from segment.workflow import Recipe

    spatial_bandwidth, range_bandwidth, cut = options.scale(
        context, spatial_bandwidth, range_bandwidth, level, regions
    )
    params = MeanShiftOptions(
        spatial_bandwidth=spatial_bandwidth,
        range_bandwidth=range_bandwidth,
        min_size=min_size,
        kernel=kernel,
        color_space=color_space,
        engine=engine,
        connectivity=connectivity,
        max_iter=max_iter,
        tol=tol,
    )
    n_threads = resolve_n_threads(n_threads)
    kinds = tuple(exports.KINDS) if save == "all" else exports.parse_kinds(save)
    jobs = plan(images, output, kinds, overwrite=overwrite)
    recipe = Recipe(
        params=params,
        cut=cut,
        kinds=kinds,
        page=page,
        max_pixels=MAX_PIXELS if max_pixels is None else max_pixels,
        accept_damaged=accept_damaged,
    )
    if json and output == exports.STDOUT:
        raise InputError("--json and -o - would both write to standard output; drop one of them")
    display = Display(quiet=quiet)
    worker = Worker(recipe, n_threads, overwrite, display)
    failed = False
    for job in jobs:
        try:
            facts = worker.run(job)
        except SegmentError as error:
            failed = True
            name = display_name(job.source)
            text = str(error)
            display.error(text if name in text else f"{name}: {explain(error)}")
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
    """Does one picture after another, and shows it."""

    recipe: Recipe
    n_threads: int
    overwrite: bool
    display: Display

    def run(self, job: Job) -> dict[str, Any]:
        """Do one job and return the facts about it."""
        from segment.workflow import make

        name = display_name(job.source)
        with self.display.working(f"{name}: reading"), self.display.compiling():
            product = make(
                job.source,
                job.stem,
                self.recipe,
                n_threads=self.n_threads,
                overwrite=self.overwrite,
                show=self.display,
            )
        outputs = {kind: str(path) for kind, path in product.outputs.items()}
        return {**product.facts, "outputs": outputs}


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
