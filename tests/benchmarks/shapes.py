"""Pixels to polygons, against those who do it one region at a time; and the size of SVGs.

    python -m tests.benchmarks.shapes [--images FOLDER] [--megapixels 4]

Label maps come from photographs (or crops of those in images/) side by side. Seconds of the
processor on one thread, medians of runs that take turns. `rasterio.features.shapes` gives one
polygon a region as GeoJSON dictionaries, as ours do when they are asked for; find_contours is
called on the crop around each region, as people do, and gives no polygons with holes yet.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
import rasterio.features
from numpy.typing import NDArray
from skimage.measure import find_contours, regionprops

import segment
from segment.shapes import polygons, trace
from segment.shapes.svg import to_svg
from tests.benchmarks._measure import busy, mosaic, parser, photographs, table

REPEATS = 5


def label_map(image: NDArray[Any], per_megapixel: int) -> segment.Segmentation:
    """Regions of a photograph, about so many a megapixel."""
    leaves = segment.mean_shift(image, spatial_bandwidth=5, range_bandwidth=4, min_size=20)
    wanted = min(round(per_megapixel * image[..., 0].size / 1e6), leaves.n_regions)
    return leaves.hierarchy().cut(n_regions=max(wanted, 1))


def with_rasterio(labels: NDArray[Any]) -> int:
    return len(list(rasterio.features.shapes(labels, connectivity=4)))


def with_contours(labels: NDArray[Any]) -> int:
    return sum(
        len(find_contours(np.pad(region.image, 1).astype(float), 0.5))
        for region in regionprops(labels)
    )


def in_strips(labels: NDArray[Any]) -> int:
    return sum(map(len, trace(labels[k : k + 512] for k in range(0, len(labels), 512))))


def as_dictionaries(labels: NDArray[Any]) -> int:
    return len(polygons(labels).geometries())


def medians(jobs: dict[str, Callable[[], float]]) -> dict[str, float]:
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    for job in jobs.values():
        job()
    for _ in range(REPEATS):
        for name, job in jobs.items():
            seconds[name].append(job())
    return {name: median(values) for name, values in seconds.items()}


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--megapixels", type=float, default=4)
    chosen = options.parse_args()
    image = mosaic(photographs(chosen.images, chosen.count), chosen.megapixels)
    rows = []
    for per_megapixel in (100, 1000, 4000):
        found = label_map(image, per_megapixel)
        labels = np.array(found.labels)
        size = labels.size / 1e6
        smooth = {"smooth": True, "image": image, "tolerance": 1.0}
        seconds = medians(
            {
                "polygons": busy(polygons, labels),
                "dictionaries": busy(as_dictionaries, labels),
                "strips": busy(in_strips, labels),
                "tolerance": busy(polygons, labels, tolerance=1.0),
                "smooth": busy(polygons, labels, **smooth),
                "rasterio": busy(with_rasterio, labels),
                "find_contours": busy(with_contours, labels),
            }
        )
        rows.append(
            [f"{found.n_regions / size:,.0f}", *(size / value for value in seconds.values())]
        )
        rows[-1].append(seconds["rasterio"] / seconds["polygons"])
        rows[-1].append(seconds["find_contours"] / seconds["polygons"])
    head = ["regions a MP", "polygons, MP/s", "as GeoJSON", "in strips", "tolerance=1", "smooth"]
    print(table([*head, "rasterio", "find_contours", "x rasterio", "x find_contours"], rows))
    rows = []
    for photo in photographs(chosen.images, 3):
        for n in (60, 500):
            found = label_map(photo, round(n / (photo[..., 0].size / 1e6)))
            colors = np.rint(found.colors).astype(np.uint8)
            sizes = [
                len(to_svg(found.labels, colors, image=photo, style=style)) / found.n_regions
                for style in ("fill", "outline", "numbered")
            ]
            rows.append([f"{photo.shape[1]}x{photo.shape[0]}", found.n_regions, *sizes])
    print()
    print(table(["picture", "regions", "SVG bytes a region: fill", "outline", "numbered"], rows))


if __name__ == "__main__":
    main()
