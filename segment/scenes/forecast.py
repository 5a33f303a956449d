"""What a scene will take, said before work begins, and the tiles that keep it within bounds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from segment.errors import InputError
from segment.memory import size_text
from segment.params import MeanShiftParams
from segment.regions.climbing import climb_window
from segment.regions.fields import reach
from segment.regions.pieces import join, label_piece, merge
from segment.scenes.looks import HALO
from segment.scenes.options import DEFAULT_TILE, DESCRIBED, SIDE, STRIP, SceneOptions
from segment.scenes.sources import Layout, Source
from segment.scenes.statistics import Statistics
from segment.scenes.tiles import Tiles, sample_windows
from segment.scenes.work import Scaling, Work

# Measured; what is not listed here is small, or does not grow.
BASE = 450 << 20  # Python, its libraries, the compiled kernels, GDAL's cache
OF_CORE = 44  # bytes a pixel of a tile, beside its features: modes, components, contacts
OF_COMPONENT = 150  # bytes of a component in the graph, and
OF_BAND = 36  # for each band
OF_NUMBER = 8  # bytes of a component once regions are known
OF_WINDOW = 24  # bytes a pixel of a window that is written
OF_STRIP = 40  # bytes a pixel of a strip that is traced
OF_LEAF = 900  # bytes of a leaf in the tree: counts of words, three contacts, the heap
OF_LOOK, OF_LOOK_BAND = 70, 24  # bytes a pixel of a window that is described, and for each band
OF_PREVIEW = 400 << 20  # of a picture of 2,000 x 2,000
SCRATCH = 1.2  # bytes a pixel: labels, compressed, and what a component takes
PROBE = 192  # pixels of a side
PROBES = 4  # each way
MARGIN = 1.25  # probes are few
SMALLEST_TILE = 256


@dataclass(frozen=True)
class Forecast:
    """What a scene will take.

    Attributes
    ----------
    tiles : Tiles
    jobs : int
        Tiles at once.
    memory, scratch, limit : int
        Bytes, and those that may be used.
    """

    tiles: Tiles
    jobs: int
    memory: int
    scratch: int
    limit: int

    def __str__(self) -> str:
        tiles = self.tiles
        size = f"{tiles.width}x{tiles.height}, {tiles.height * tiles.width / 1e6:,.1f} MP"
        return (
            f"{size} in {len(tiles):,} tile{'s' * (len(tiles) != 1)} of "
            f"{tiles.side}, {self.jobs} at once; about {size_text(self.memory)} of memory "
            f"({size_text(self.limit)} may be used) and {size_text(self.scratch)} of scratch"
        )


class Density(NamedTuple):
    """How many components, and regions of them, there are a pixel."""

    components: float
    regions: float


def density(work: Work) -> Density:
    """Count components and regions in windows spread over the scene."""
    layout, params = work.source.layout, work.params
    n_components, n_regions = 0, 0
    windows = sample_windows(layout.height, layout.width, PROBE, PROBES)
    for window in windows:
        part = work.source.read(window)
        if part.valid is not None and not part.valid.any():
            continue
        climbed = climb_window(
            work.climbing(part.values),
            params,
            (0, window.height),
            (0, window.width),
            mask=part.valid,
            value_range=work.value_range,
            origin=work.origin,
            n_threads=1,
        )
        _, piece = label_piece(climbed.modes, params, at=(0, 0), width=window.width)
        n_components += len(piece.areas)
        n_regions += len(merge(join([piece], params), params).areas)
    n_pixels = sum(window.n_pixels for window in windows)
    return Density(n_components / n_pixels, n_regions / n_pixels)


def forecast(
    options: SceneOptions,
    layout: Layout,
    params: MeanShiftParams,
    per_pixel: Density,
    corner: tuple[int, int] = (0, 0),
) -> Forecast:
    """Choose tiles and jobs that the memory holds, the largest first.

    Parameters
    ----------
    options : SceneOptions
    layout : Layout
    params : MeanShiftParams
    per_pixel : Density
        From `density`.
    corner : tuple of two int
        The first row and column with a value.

    Raises
    ------
    InputError
        If there is not enough memory.
    """
    limit = options.n_bytes
    n, n_regions = (math.ceil(MARGIN * each * layout.n_pixels) for each in per_pixel)
    graph = n * (OF_COMPONENT + OF_BAND * len(layout.bands)) + writing(options, layout, n_regions)
    graph = max(graph, cutting(options, layout, n, n_regions))
    sides = [options.tile] if options.tile is not None else _sides()
    least = None
    for jobs in range(options.n_jobs, 0, -1):
        for side in sides:
            tiles = tiles_of(layout, params, side, corner)
            jobs_used = min(jobs, len(tiles))
            memory = BASE + max(jobs_used * of_tile(tiles, layout, params, options), graph)
            least = memory if least is None else min(least, memory)
            if memory <= limit:
                scratch = _scratch(options, layout)
                return Forecast(tiles, jobs_used, memory, scratch, limit)
    assert least is not None
    what = "the graph of its regions" if BASE + graph > limit else "one tile with its margin"
    raise InputError(
        f"memory={size_text(limit)!r} does not hold {what}: {size_text(least)} are needed; give "
        "more, or a larger range_bandwidth, or a smaller tile or spatial_bandwidth"
    )


def _sides() -> list[int]:
    """Return sides of tiles to try."""
    sides, side = [], DEFAULT_TILE
    while side >= SMALLEST_TILE:
        sides.append(side)
        side = side * 3 // 4
    return sides


def tiles_of(layout: Layout, params: MeanShiftParams, side: int, corner: tuple[int, int]) -> Tiles:
    """Return tiles of about that side, on the grid of the engine."""
    margin, grid = reach(params)
    side = max(1, round(side / grid)) * grid
    return Tiles(layout.height, layout.width, side, margin, corner)


def of_tile(tiles: Tiles, layout: Layout, params: MeanShiftParams, options: SceneOptions) -> int:
    """Return the bytes that one tile takes while it is worked on."""
    n_bands, itemsize = len(layout.bands), layout.dtype.itemsize
    if options.scale:
        itemsize += 4
    height = min(tiles.side + 2 * tiles.margin, layout.height)
    width = min(tiles.side + 2 * tiles.margin, layout.width)
    core = min(tiles.side, layout.height) * min(tiles.side, layout.width)
    of_core = OF_CORE + 2 * n_bands * itemsize * (options.filtered is not None)
    if params.engine == "exact":
        of_core += 4 * (n_bands + 2)  # a mode a pixel
    return height * width * (2 * n_bands * itemsize + 4 * n_bands + 3) + core * of_core


def writing(options: SceneOptions, layout: Layout, n_regions: int) -> int:
    """Return the bytes that writing takes, of which there are as many as threads."""
    n_bands, itemsize = len(layout.bands), layout.dtype.itemsize
    window = min(layout.n_pixels, SIDE**2) * (OF_WINDOW + 2 * n_bands * itemsize)
    total = (options.n_jobs + 1) * window
    if {"table", "vector", "posterized"} & options.outputs.keys():
        total += n_regions * Statistics.bytes_of_region(n_bands, itemsize)
    if "vector" in options.outputs:
        total += STRIP * layout.width * OF_STRIP
    if "preview" in options.outputs:
        total += OF_PREVIEW
    return total


def cutting(options: SceneOptions, layout: Layout, n: int, n_leaves: int) -> int:
    """Return the bytes that a cut of the hierarchy takes, if there is to be one."""
    if not options.cut.wanted:
        return 0
    window = min(layout.n_pixels, (DESCRIBED + 2 * HALO) ** 2)
    looks = window * (OF_LOOK + OF_LOOK_BAND * len(layout.bands))
    return n * OF_NUMBER + n_leaves * OF_LEAF + options.n_jobs * looks


def _scratch(options: SceneOptions, layout: Layout) -> int:
    bytes_a_pixel = SCRATCH
    if options.filtered is not None:
        bytes_a_pixel += len(layout.bands) * layout.dtype.itemsize
    return int(bytes_a_pixel * layout.n_pixels)


def check_space(path: str, needed: int) -> None:
    """Raise InputError if a disk does not hold what is needed."""
    import shutil

    free = shutil.disk_usage(path).free
    if free < needed:
        raise InputError(
            f"{size_text(needed)} of scratch do not fit: {path} has {size_text(free)} free; free "
            "some space, or choose another place with scratch"
        )


def find_scaling(source: Source) -> Scaling:
    """Return the 2nd percentile of each band, and how far the 98th is, in a fixed sample.

    Raises
    ------
    InputError
        If a band is constant there.
    """
    layout = source.layout
    samples = []
    for window in sample_windows(layout.height, layout.width, 128, 16):
        part = source.read(window)
        keep = np.ones(part.values.shape[:2], bool) if part.valid is None else part.valid
        samples.append(part.values[keep].astype(np.float64))
    values = np.concatenate(samples)
    if not len(values):
        return ((0.0, 100.0),) * len(layout.bands)
    low, high = np.percentile(values, [2, 98], axis=0)
    for name, span in zip(layout.bands, high - low, strict=True):
        if span <= 0:
            raise InputError(
                f"scale=True: {name} of {layout.name} is constant; leave it out with bands"
            )
    return tuple(zip(low.tolist(), (high - low).tolist(), strict=True))
