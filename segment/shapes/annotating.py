"""Regions as annotations: COCO, LabelMe and YOLO."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segment.kernels.shapes import encoding
from segment.shapes.naming import REGION, Naming
from segment.shapes.polygons import Polygon, Polygons, check_labels

PLAIN = Naming()
LABELME = "5.5.0"  # the version whose files these are like


def coco_annotations(
    labels: ArrayLike, *, shapes: Polygons | None = None, naming: Naming = PLAIN
) -> list[dict[str, Any]]:
    """Return the regions of a label map as annotations of a COCO file.

    Parameters
    ----------
    labels : array_like, shape (H, W), of integers
    shapes : Polygons, optional
        Of the same labels: masks are then written as polygons, in which a hole is reached through
        a slit. By default as compressed run lengths, which keep every pixel.
    naming : Naming
        What the regions are called; a category is the number of a name in `Naming.categories`,
        from 1 on.
    """
    array, values = check_labels(labels)
    n = int(array.max(initial=0))
    height, width = array.shape
    runs, offsets = encoding.find_columns_runs(array, n)
    data, ends = encoding.encode_rle(runs, offsets, array.size)
    text = data.tobytes().decode("ascii")
    found: list[dict[str, Any]] = []
    present = np.flatnonzero(np.diff(offsets)).tolist()
    own_labels = present if values is None else values[present].tolist()
    numbers = {name: k for k, name in enumerate(naming.categories(own_labels), 1)}
    for label, own_label in zip(present, own_labels, strict=True):
        own = runs[offsets[label] : offsets[label + 1]]
        rows, columns = _extent(own, height)
        counts = text[int(ends[label - 1]) : int(ends[label])]
        item = None if shapes is None else shapes[len(found)]
        found.append(
            {
                "id": len(found) + 1,
                "image_id": 1,
                "category_id": numbers[naming.of(own_label)],
                "segmentation": {"size": [height, width], "counts": counts}
                if item is None
                else [ring.ravel().round(2).tolist() for ring in slit_rings(item)],
                "area": int((own[:, 1] - own[:, 0]).sum()),
                "bbox": [columns[0], rows[0], columns[1] - columns[0], rows[1] - rows[0]],
                "iscrowd": 0,
                "label": own_label,
            }
        )
    return found


def _extent(runs: NDArray[np.int64], height: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return first and one past the last row and column of runs that go down columns."""
    first, last = runs[:, 0], runs[:, 1] - 1
    columns = int(first[0] // height), int(last[-1] // height) + 1
    if (first // height != last // height).any():  # a run that goes on in the next column
        return (0, height), columns
    return (int((first % height).min()), int((last % height).max()) + 1), columns


def coco_file(
    pictures: Iterable[Mapping[str, Any]],
    annotations: Iterable[Mapping[str, Any]],
    *,
    categories: Sequence[str] = (REGION,),
) -> dict[str, Any]:
    """Return the content of a COCO file.

    Parameters
    ----------
    pictures : iterable of mapping
        ``id``, ``file_name``, ``width``, ``height`` of each.
    annotations : iterable of mapping
        What `coco_annotations` returns, of all of them.
    categories : sequence of str
        What the regions are called; see `Naming.categories`.
    """
    return {
        "info": {"description": "regions by mean shift (segment)"},
        "images": list(pictures),
        "categories": [
            {"id": k, "name": name, "supercategory": ""} for k, name in enumerate(categories, 1)
        ],
        "annotations": list(annotations),
    }


def labelme_file(
    shapes: Polygons, size: tuple[int, int], file_name: str, *, naming: Naming = PLAIN
) -> dict[str, Any]:
    """Return regions as the content of a LabelMe file beside an image of height and width `size`.

    A region of several parts is several shapes of one group; a hole is reached through a slit.
    """
    drawn = []
    for item in shapes:
        group = item.label if len(item.polygons) > 1 else None
        drawn += [
            {
                "label": naming.of(item.label),
                "points": ring.round(2).tolist(),
                "group_id": group,
                "description": "",
                "shape_type": "polygon",
                "flags": {},
                "mask": None,
            }
            for ring in slit_rings(item)
        ]
    return {
        "version": LABELME,
        "flags": {},
        "shapes": drawn,
        "imagePath": file_name,
        "imageData": None,
        "imageHeight": size[0],
        "imageWidth": size[1],
    }


def yolo_text(shapes: Polygons, size: tuple[int, int], *, naming: Naming = PLAIN) -> str:
    """Return regions as the lines of a YOLO segmentation file for an image of height and width
    `size`: class and the points as shares of width and height, a polygon a line.

    A class is the number of a name in `Naming.categories`, from 0 on.
    """
    numbers = {n: k for k, n in enumerate(naming.categories(shapes.labels.tolist()))}
    scale = np.array(size[::-1], np.float64)
    lines = []
    for item in shapes:
        number = numbers[naming.of(item.label)]
        for ring in slit_rings(item):
            points = " ".join(f"{value:.6f}" for value in (ring / scale).ravel())
            lines.append(f"{number} {points}\n")
    return "".join(lines)


def slit_rings(item: Polygon) -> Iterator[NDArray[np.float64]]:
    """Yield each polygon of a region as one ring, open: (k, 2), with slits to its holes.

    A slit goes from the leftmost point of a hole straight to the left, to whatever is met there:
    the outer ring, or a hole that begins further left.
    """
    for rings in item.polygons:
        merged = rings[0][:-1]
        holes = sorted((hole[:-1] for hole in rings[1:]), key=lambda hole: float(hole[:, 0].min()))
        for hole in holes:
            k = int(hole[:, 0].argmin())
            x, y = hole[k]
            before, after = merged, np.roll(merged, -1, axis=0)
            rise = after[:, 1] - before[:, 1]
            with np.errstate(divide="ignore", invalid="ignore"):
                share = (y - before[:, 1]) / rise
                met = before[:, 0] + share * (after[:, 0] - before[:, 0])
            seen = (rise != 0) & (share >= 0) & (share <= 1) & (met <= x)
            edge = int(np.where(seen, met, -np.inf).argmax())
            slit = np.array([[met[edge], y]])
            around = np.concatenate([slit, hole[k:], hole[:k], hole[k : k + 1], slit])
            merged = np.concatenate([merged[: edge + 1], around, merged[edge + 1 :]])
        yield merged


def to_text(content: Mapping[str, Any]) -> str:
    """Return the text of a COCO or LabelMe file: ASCII, so that any file name survives."""
    return json.dumps(content, separators=(",", ":")) + "\n"
