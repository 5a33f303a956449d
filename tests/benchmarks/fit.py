"""Whether polygons fit: valid, without gaps or overlaps, and exact, over many label maps.

    python -m tests.benchmarks.fit [--images FOLDER] [--count N]

Each picture is segmented at three settings; the awkward maps of tests/shapes come first. Counted
are faults, which should all be 0: regions whose polygon is not valid or empty, those whose area is
wrong (for simplified and smooth polygons: that are none), label maps that the union of their
polygons does not fill or in which polygons overlap, and pixels that differ when the polygons are
painted again.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import rasterio.features
import shapely
from numpy.typing import NDArray
from shapely.geometry import shape

import segment
from segment.shapes import Polygons, polygons
from tests.benchmarks._measure import parser, photographs, table
from tests.shapes.maps import awkward, nested, spiral

SETTINGS = ((7, 6.5), (16, 8), (32, 12))
WAYS: dict[str, dict[str, Any]] = {
    "exact": {},
    "tolerance=1": {"tolerance": 1.0},
    "tolerance=3": {"tolerance": 3.0},
    "smooth": {"smooth": True},
    "smooth, tolerance=1": {"smooth": True, "tolerance": 1.0},
    "smooth, tolerance=4": {"smooth": True, "tolerance": 4.0},
}


def faults(labels: NDArray[Any], found: Polygons, way: str) -> Counter[str]:
    """Count what is wrong with the polygons of a label map."""
    shapes = np.array([shape(item.geometry) for item in found], object)
    areas = shapely.area(shapes)
    wanted = np.bincount(labels.ravel())[1:]
    wanted = wanted[wanted > 0]
    inside = int(wanted.sum())
    exact = way == "exact"
    count: Counter[str] = Counter(maps=1, regions=len(found))
    count["invalid"] += int((~shapely.is_valid(shapes) | shapely.is_empty(shapes)).sum())
    if len(wanted) != len(found):
        count["missing"] += abs(len(wanted) - len(found))
    count["wrong area"] += int((areas != wanted if exact else areas <= 0).sum())
    # Neighbours meet in edges that are the same, so there is neither gap nor overlap.
    count["not covering"] += not shapely.coverage_is_valid(shapes)
    if not count["invalid"]:
        union = shapely.union_all(shapes).area
        tight = 0 if exact else 1e-9 * labels.size
        # Along masked pixels, where there is no neighbour, simplified borders may move.
        if exact or (labels > 0).all():
            count["union is not the image"] += abs(union - inside) > tight
        count["overlaps"] += abs(areas.sum() - union) > tight
    if exact and len(found):
        pairs = zip(shapes, found.labels.tolist(), strict=True)
        painted = rasterio.features.rasterize(pairs, labels.shape, dtype=np.int32)
        count["differing pixels"] += int((painted != labels).sum())
    return count


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--ways", nargs="*", default=list(WAYS), help="some of the kinds")
    chosen = options.parse_args()
    maps: list[tuple[NDArray[Any], NDArray[Any] | None]] = [
        (m, None) for m in awkward().values() if min(m.shape) > 4
    ]
    maps += [(spiral(201), None), (nested(200), None)]
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (120, 160, 3), np.uint8)
    maps += [(np.arange(1, 120 * 160 + 1).reshape(120, 160), noise)]
    maps += [(rng.integers(0, n, (120, 160)), noise) for n in (2, 3, 9)]
    totals = {way: Counter[str]() for way in chosen.ways}

    def check(labels: NDArray[Any], image: NDArray[Any] | None, name: str) -> None:
        for way in chosen.ways:
            extra = {"image": image} if "smooth" in way else {}
            one = faults(labels, polygons(labels, **WAYS[way], **extra), way)
            totals[way].update(one)
            if sum(one.values()) > one["maps"] + one["regions"]:
                print(f"{name}, {way}: {dict(one)}", flush=True)

    for k, (labels, image) in enumerate(maps):
        check(np.asarray(labels), image, f"map {k}")
    for k, photo in enumerate(photographs(chosen.images, chosen.count)):
        for spatial, radius in SETTINGS:
            found = segment.mean_shift(
                photo, spatial_bandwidth=spatial, range_bandwidth=radius, min_size=5
            )
            check(np.array(found.labels), photo, f"picture {k} at ({spatial}, {radius})")
    columns = ["maps", "regions", "invalid", "missing", "wrong area", "not covering"]
    columns += ["union is not the image", "overlaps", "differing pixels"]
    print(table(["polygons", *columns], [[w, *(c[n] for n in columns)] for w, c in totals.items()]))


if __name__ == "__main__":
    main()
