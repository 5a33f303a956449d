"""Small runs that make every kernel compile, and land in the cache, before it is needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from segment.params import COLOR_SPACES, ENGINES, KERNELS

DTYPES = ("uint8", "uint16", "uint32", "int16", "int32", "float32", "float64")
BANDS = (
    1,
    2,
    3,
    4,
    5,
)  # 5 stands for any more: see `segment.kernels.regions.window.band_tuple_of`
SHAPE = (40, 50)  # larger than a tile of the fast engine at SPATIAL_BANDWIDTH
SPATIAL_BANDWIDTH = 3.0

Compilation = tuple[str, Callable[[], object]]


def compilations() -> Iterator[Compilation]:
    """Yield runs that together compile everything, with a name for each."""
    yield from _image_compilations()
    yield "outlines", _trace
    yield "points", _cluster
    yield "palettes", _gather_colors


def cache_folder() -> str | None:
    """Return where compiled kernels are kept; None if no folder can be written to."""
    from segment.kernels.regions.exact import climb_rows

    stats = getattr(climb_rows, "stats", None)  # none where NUMBA_DISABLE_JIT is set
    return getattr(stats, "cache_path", None)


def _image_compilations() -> Iterator[Compilation]:
    for space in COLOR_SPACES:
        yield f"colours, {space}", partial(_segment, _image("uint8", 3), color_space=space)
        yield f"gray, {space}", partial(_segment, _image("uint8", 1), color_space=space)
    for kernel in KERNELS:
        yield f"{kernel} kernel", partial(_segment, _image("uint8", 3), kernel=kernel)
    for engine in ENGINES:
        for bands in BANDS:
            image = _image("uint8", bands)
            for weights in (None, np.linspace(0.5, 1, SHAPE[0] * SHAPE[1]).reshape(SHAPE)):
                name = f"{engine} engine, {bands} band{'s' * (bands > 1)}"
                name += ", weighted" * (weights is not None)
                options = {"color_space": "none", "engine": engine, "weights": weights}
                yield name, partial(_segment, image, **options)
    yield "wide windows", partial(_segment, _image("uint8", 3), spatial_bandwidth=12.0)
    yield "a tall picture", partial(_segment, np.tile(_image("uint8", 3), (4, 1, 1)))
    yield "a small picture", partial(_segment, _image("uint8", 3)[:20, :20])
    for dtype in DTYPES:
        yield f"{dtype} pixels", partial(_segment, _image(dtype, 3), color_space="none")
    yield "uint16 colours", partial(_segment, _image("uint16", 3))
    yield "hierarchies", _merge
    for dtype in ("uint8", "uint16", "float32"):
        yield f"large {dtype} pictures", partial(_look_at_large, dtype)
    yield "masks", partial(_segment, _image("uint8", 3), mask=np.eye(*SHAPE, dtype=bool))


def _image(dtype: str, bands: int) -> np.ndarray[Any, Any]:
    """Return a noisy picture, so that no stage finds nothing to do."""
    values = np.random.default_rng(0).uniform(0, 200, (*SHAPE, bands))
    if dtype == "uint16":
        values *= 256
    return values.astype(dtype)


def _merge() -> None:
    from segment.regions.segmenting import mean_shift

    tree = mean_shift(_image("uint8", 3), min_size=2, range_bandwidth=3.0).hierarchy()
    tree.cut(level=0.5)
    tree.contours()


def _look_at_large(dtype: str) -> None:
    """Cut a picture of more pixels than details are sought at, with a mask and without."""
    from segment.regions.leaves import hierarchy

    image = _image(dtype, 3) / np.array(300 if dtype == "float32" else 1, dtype)
    large = image.astype(dtype).repeat(52, axis=0).repeat(42, axis=1)
    mask = np.ones(large.shape[:2], bool)
    mask[:5] = False
    for given in (None, mask):
        hierarchy(large, mask=given, n_threads=1).cut(n_regions=2)


def _cluster() -> None:
    from segment.points.bandwidth import estimate_bandwidth
    from segment.points.clustering import MeanShift
    from segment.points.densities import density

    points = np.random.default_rng(0).normal(size=(6000, 2))  # so many that climbs are shared
    estimate_bandwidth(points)
    density(points, 1.0)
    for kernel in KERNELS:
        MeanShift(bandwidth=1.0, kernel=kernel, n_jobs=1).fit(points).score_samples(points)


def _trace() -> None:
    from segment.shapes import polygons
    from segment.shapes.annotating import coco_annotations
    from segment.shapes.stream import trace
    from segment.shapes.svg import to_svg

    labels = np.arange(48).reshape(6, 8).repeat(5, axis=0).repeat(5, axis=1) % 7
    image = _image("uint8", 3)[: len(labels), : labels.shape[1]]
    for tolerance in (0.0, 1.0):
        polygons(labels, tolerance=tolerance)
    polygons(labels, smooth=True, image=image)
    coco_annotations(labels)
    list(trace([labels[:9], labels[9:]]))
    to_svg(labels, np.zeros((6, 3), np.uint8), image=image)


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
