"""Small runs that make every kernel compile, and land in the cache, before it is needed.

Runs that need the same kernels make a unit, which `segment.warmup.helpers` does in other processes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from segment.compiling import Meter
from segment.kernels.arrays import Int32Array
from segment.notices import listening
from segment.params import COLOR_SPACES, ENGINES, KERNELS, LEAF_BANDWIDTHS, MeanShiftParams

if TYPE_CHECKING:
    from segment.regions.checks import Pixels

DTYPES = ("uint8", "uint16", "uint32", "int16", "int32", "float32", "float64")
BANDS = (1, 2, 3, 4, 5)  # 5 stands for any more: see `segment.kernels.regions.window.band_tuple_of`
SHORT_BANDS = 8  # `segment.kernels.regions.window16.MAX_BANDS`
SHAPE = (40, 50)  # larger than a tile of the fast engine at SPATIAL_BANDWIDTH
SPATIAL_BANDWIDTH = 3.0

Compilation = tuple[str, Callable[[], object]]


class Unit(NamedTuple):
    """Runs that need the same kernels, and one kernel by which to see whether they are compiled."""

    name: str
    runs: Sequence[Compilation]
    kernel: str = ""  # "module:function" in `segment.kernels`; "" if that is not known


def units() -> list[Unit]:
    """Return all units, which together compile everything: `usual_units`, and what they leave."""
    return [*usual_units(), *_later_units()]


def usual_units() -> list[Unit]:
    """Return what commands need by default: `first_units`, gray, mean shift, palettes, points."""
    gray = [("modes of gray pictures", partial(_climb, 1)), ("gray labels", partial(_label, 1))]
    plain = [("plain mean shift", partial(_segment, _image("uint8", 3)))]
    return [
        *first_units(),
        Unit("tables and 16 bits", [("tables", _measure)]),
        Unit("gray pictures", gray),
        Unit("plain mean shift", plain),
        Unit("palettes", [("palettes", _gather_colors)]),
        Unit("points, gaussian", [("points, gaussian", partial(_cluster, "gaussian"))]),
    ]


def first_units(outlines: bool = False) -> list[Unit]:
    """Return what ``segment image`` needs for photographs in colour, the longest units first.

    With `outlines` also what SVG and other files of outlines need.
    """
    found = [
        Unit("merging", [("trees", _merge)], "regions.merging:_merge_all"),
        Unit("drawing borders", [("borders", _draw)], "regions.refining:weigh"),
        Unit("climbing", [("modes", partial(_climb, 3))], "regions.fast:shift_tile"),
        Unit("labelling", [("labels", partial(_label, 3))], "regions.labels:find_runs"),
        Unit("saving", [("files", _save)], "regions.coloring:_color"),
    ]
    if outlines:
        found.insert(0, _OUTLINES)
    return found


def _later_units() -> Iterator[Unit]:
    yield _OUTLINES
    yield Unit("outlines", [("outlines", _trace)])
    for kernel in sorted(set(KERNELS) - {"gaussian"}):
        name = f"points, {kernel}"
        yield Unit(name, [(name, partial(_cluster, kernel))])
    spaces: list[Compilation] = [
        (f"{name}, {space}", partial(_segment, _image("uint8", bands), color_space=space))
        for name, bands in (("colours", 3), ("gray", 1))
        for space in COLOR_SPACES
    ]
    spaces.append(("uint16 colours", partial(_segment, _image("uint16", 3))))
    yield Unit("colour spaces", [*spaces, *_other_runs()])
    for engine in ENGINES:
        for bands in BANDS:
            image = _image("uint8", bands)
            name = f"{engine} engine, {bands} band{'s' * (bands > 1)}"
            options = {"color_space": "none", "engine": engine}
            found: list[Compilation] = [(name, partial(_segment, image, **options))]
            if bands == 3:
                found += [
                    (f"{name}, {dtype}", partial(_segment, _image(dtype, 3), **options))
                    for dtype in DTYPES
                ]
            weights = np.linspace(0.5, 1, SHAPE[0] * SHAPE[1]).reshape(SHAPE)
            found.append(
                (f"{name}, weighted", partial(_segment, image, weights=weights, **options))
            )
            yield Unit(name, found)
    for bands in range(1, SHORT_BANDS + 1):
        image, name = _image("uint8", bands), f"windows in 16 bits, {bands} band{'s' * (bands > 1)}"
        wide: dict[str, Any] = {"spatial_bandwidth": 5.0, "range_bandwidth": 30.0}
        yield Unit(name, [(name, partial(_segment, image, color_space="none", **wide))])


def _other_runs() -> Iterator[Compilation]:
    for kernel in KERNELS:
        yield f"{kernel} kernel", partial(_segment, _image("uint8", 3), kernel=kernel)
    yield "wide windows", partial(_segment, _image("uint8", 3), spatial_bandwidth=12.0)
    yield "a tall picture", partial(_segment, np.tile(_image("uint8", 3), (4, 1, 1)))
    yield "a small picture", partial(_segment, _image("uint8", 3)[:20, :20])
    for dtype in ("uint8", "uint16", "float32"):
        yield f"large {dtype} pictures", partial(_look_at_large, dtype)
    yield "masks", partial(_segment, _image("uint8", 3), mask=np.eye(*SHAPE, dtype=bool))


def cold(some: Sequence[Unit]) -> list[Unit]:
    """Return the units of which nothing is in the cache."""
    import importlib

    found = []
    for unit in some:
        module, _, name = unit.kernel.partition(":")
        kernel = getattr(importlib.import_module(f"segment.kernels.{module}"), name)
        cache = getattr(kernel, "_cache", None)  # none where NUMBA_DISABLE_JIT is set
        if cache is not None and getattr(cache, "is_empty", bool)():
            found.append(unit)
    return found


def compile_unit(unit: Unit) -> float:
    """Return the seconds of compiling that it took."""
    meter = Meter()
    for _, run in unit.runs:
        with meter.running(), listening(_ignore):  # about pictures that nobody has given
            run()
    return meter.seconds


def cache_folder() -> str | None:
    """Return where compiled kernels are kept; None if no folder can be written to."""
    from segment.kernels.regions.exact import climb_rows

    stats = getattr(climb_rows, "stats", None)  # none where NUMBA_DISABLE_JIT is set
    return getattr(stats, "cache_path", None)


def _image(dtype: str, bands: int) -> np.ndarray[Any, Any]:
    """Return a noisy picture, so that no stage finds nothing to do."""
    values = np.random.default_rng(0).uniform(0, 200, (*SHAPE, bands))
    if dtype == "uint16":
        values *= 256
    return values.astype(dtype)


def _pixels(dtype: str, bands: int, enlarged: int = 1) -> Pixels:
    from segment.regions.checks import check_image

    white = 1 if dtype == "float32" else 200 * (257 if dtype == "uint16" else 1)
    image = _image(dtype, bands) / np.array(200, np.float32) if white == 1 else _image(dtype, bands)
    image = image.astype(dtype).repeat(enlarged, axis=0).repeat(enlarged, axis=1)
    return check_image(image, color_space="luv")


def _params() -> MeanShiftParams:
    spatial, color = LEAF_BANDWIDTHS
    return MeanShiftParams(spatial_bandwidth=spatial, range_bandwidth=color)


def _blocks(height: int, width: int) -> Int32Array:
    """Return labels from 1 on."""
    side = 5
    rows, columns = np.indices((height, width)) // side
    return (rows * (-(-width // side)) + columns + 1).astype(np.int32)


def _tiles(dtype: str) -> Any:
    """Return a picture cut into blocks."""
    from segment.regions.segmentation import Segmentation

    labels = _blocks(*SHAPE)
    modes = np.random.default_rng(0).uniform(0, 50, (labels.max(), 5)).astype(np.float32)
    return Segmentation(labels, modes, _params(), _pixels(dtype, 3))


def _draw() -> None:
    """Find borders and details of a picture of several levels."""
    from segment.kernels.regions import details as detail_kernels
    from segment.kernels.regions import labels as label_kernels
    from segment.regions import details, pyramid

    levels, _ = pyramid.averaged(_pixels("uint8", 3, enlarged=21), "luv", 1)
    assert len(levels) == 3  # the one is halved, the other more than halved
    labels = _blocks(*levels[-1].shape)
    n = int(labels.max())
    labels, border = pyramid.bring_up(labels, levels, 1.0, 1, 1)
    details.part_details(labels, n, levels[0].plain(), border, 1.0, 9, 1)
    n = int(labels.max())
    number, areas = np.empty(n + 1, np.int32), np.empty(n + 1, np.int64)
    label_kernels.number_in_order(labels, number, areas)
    detail_kernels.origins(labels, labels.copy(), number)


def _climb(bands: int) -> None:
    from segment.regions.engines import find_modes

    for dtype in ("uint8", "float32"):
        find_modes(_pixels(dtype, bands), _params(), None, 1)


def _label(bands: int) -> None:
    """Label pictures of several strips."""
    from segment.regions.engines import Modes
    from segment.regions.labelling import label_modes

    owner = np.tile(_blocks(*SHAPE), (4, 1)) - np.int32(1)
    table = np.random.default_rng(0).uniform(0, 9, (owner.max() + 1, 2 + bands))
    label_modes(Modes(owner, table.astype(np.float32)), _params(), 1)


def _merge() -> None:
    from segment.kernels.regions import adjacency

    adjacency.move_cracks(np.zeros(1, np.int64), 9, (1.0, 1.0), (2, 2))  # of larger pictures
    _tiles("uint8").hierarchy(n_threads=1).cut(level=0.5)


def _measure() -> None:
    """Do what other kinds of files ask for, and 16 bits."""
    for dtype in ("uint8", "uint16"):
        _tiles(dtype).regions(("perimeter",))
    _tiles("uint8").hierarchy(n_threads=1).contours()


def _save() -> None:
    found = _tiles("uint8")
    with tempfile.TemporaryDirectory() as folder:
        found.save(Path(folder, "found"))
    found.regions()


def _look_at_large(dtype: str) -> None:
    """Cut a picture of more pixels than details are sought at, with a mask and without."""
    from segment.regions.leaves import hierarchy

    image = _image(dtype, 3) / np.array(300 if dtype == "float32" else 1, dtype)
    large = image.astype(dtype).repeat(52, axis=0).repeat(42, axis=1)
    mask = np.ones(large.shape[:2], bool)
    mask[:5] = False
    for given in (None, mask):
        hierarchy(large, mask=given, n_threads=1).cut(n_regions=2)


def _cluster(kernel: str) -> None:
    from segment.points.bandwidth import estimate_bandwidth
    from segment.points.clustering import MeanShift
    from segment.points.densities import density

    points = np.random.default_rng(0).normal(size=(6000, 2))  # so many that climbs are shared
    estimate_bandwidth(points)
    density(points, 1.0)
    MeanShift(bandwidth=1.0, kernel=kernel, n_jobs=1).fit(points).score_samples(points)


def _outlined() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return a label map, and colours."""
    labels = np.arange(48).reshape(6, 8).repeat(5, axis=0).repeat(5, axis=1) % 7
    return labels, _image("uint8", 3)[: len(labels), : labels.shape[1]]


def _outline() -> None:
    from segment.shapes.svg import to_svg

    labels, image = _outlined()
    to_svg(labels, np.zeros((6, 3), np.uint8), image=image)


def _trace() -> None:
    from segment.shapes import polygons
    from segment.shapes.annotating import coco_annotations
    from segment.shapes.stream import trace

    labels, image = _outlined()
    for tolerance in (0.0, 1.0):
        polygons(labels, tolerance=tolerance)
    polygons(labels, smooth=True, image=image)
    coco_annotations(labels)
    list(trace([labels[:9], labels[9:]]))


def _gather_colors() -> None:
    from segment.palettes import palette

    palette(_image("uint8", 3))


def _segment(image: np.ndarray[Any, Any], **options: Any) -> None:
    from segment.regions.segmenting import mean_shift

    options = {"spatial_bandwidth": SPATIAL_BANDWIDTH, **options}
    result = mean_shift(image, n_threads=1, **options)
    result.regions()
    result.posterized  # noqa: B018
    tree = result.hierarchy(n_threads=1)
    tree.cut(n_regions=2)
    tree.contours()


_OUTLINES = Unit("drawings", [("drawings", _outline)], "shapes.fitting:_fit_all")


def _ignore(text: str) -> None:
    pass
