"""Projects: what was cut and marked in the explorer, applied to the same tree in Python."""

from __future__ import annotations

import json
import zlib
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from segment.errors import FileError, InputError
from segment.files import display_name, file_error
from segment.regions import cuts

if TYPE_CHECKING:
    from segment.regions.hierarchy import Hierarchy
    from segment.regions.segmentation import Segmentation

FORMAT = "segment project 1"


def read_project(path: str | PathLike[str]) -> dict[str, Any]:
    """Read a project that the explorer exported.

    Raises
    ------
    FileError
        If the file cannot be read, or is no project.
    """
    try:
        project = json.loads(Path(path).read_bytes())
    except OSError as error:
        raise file_error(path, error) from error
    except ValueError:
        project = None
    if not isinstance(project, dict) or project.get("format") != FORMAT:
        raise FileError(
            f"{display_name(path)} is no project; give a file that the page exported as Project"
        )
    return project


def class_names(project: dict[str, Any]) -> dict[int, str]:
    """Return what the regions of a project are called: label -> class, where classes are shown."""
    if project.get("result") != "classes":
        return {}
    return {k: str(entry["name"]) for k, entry in enumerate(project["classes"], 1)}


def apply_project(hierarchy: Hierarchy, project: dict[str, Any]) -> Segmentation:
    """Return the segmentation that the explorer showed when the project was exported.

    Label for label: regions in raster order, or, where classes were shown, label k is the k-th
    class, whether or not it has a mark.

    Parameters
    ----------
    hierarchy : Hierarchy
        The tree that the page was made of.
    project : dict
        From `read_project`.

    Raises
    ------
    InputError
        If the project is of another tree, or its entries make no sense.
    """
    try:
        return _apply(hierarchy, project)
    except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError("the project is damaged; export it from the page again") from error


def _apply(hierarchy: Hierarchy, project: dict[str, Any]) -> Segmentation:
    check = zlib.crc32(hierarchy.levels.tobytes(), zlib.crc32(hierarchy.parents.tobytes()))
    if project["tree"] != {"n_leaves": hierarchy.n_leaves, "check": check}:
        raise InputError(
            f"the project is of another picture or run ({project['image']['name']!r}); give the "
            "hierarchy that its page was made with"
        )
    n_classes = len(project["classes"])
    marks = _marks(hierarchy, project["strokes"], n_classes)
    if project["result"] == "classes":
        return hierarchy._segmentation(marks, n_classes)
    table, count = cuts.by_nodes(hierarchy.parents, hierarchy.n_leaves, project["nodes"])
    if marks.any():  # marks of two classes part a region
        table, count = cuts.number(table[1:].astype(np.int64) * (n_classes + 1) + marks[1:])
    return hierarchy._segmentation(table, count)


def _marks(hierarchy: Hierarchy, strokes: list[dict[str, Any]], n_classes: int) -> cuts.Table:
    """Return the class that each leaf meets first, 0 for none."""
    labels = hierarchy.leaves.labels
    marked = np.zeros(labels.shape, np.int64)
    for stroke in strokes:
        if not 0 <= stroke["class"] <= n_classes:
            raise ValueError("no such class")
        draw_stroke(marked, stroke["points"], float(stroke["radius"]), int(stroke["class"]))
    seen = (marked > 0) & (labels > 0)
    votes = labels[seen].astype(np.int64) * (n_classes + 1) + marked[seen]
    values, counts = np.unique(votes, return_counts=True)
    return cuts.by_votes(hierarchy.parents, hierarchy._areas, values, counts, n_classes)


def draw_stroke(marked: NDArray[np.int64], points: Any, radius: float, value: int) -> None:
    """Put `value` where pixels' centres lie no farther than `radius` from a line of points (x, y).

    The same steps in the same precision as in ``static/marks.js``.
    """
    height, width = marked.shape
    corners = np.asarray(points, np.float64).reshape(-1, 2)
    ends = corners[1:] if len(corners) > 1 else corners
    for (ax, ay), (bx, by) in zip(corners, ends, strict=False):
        top = max(int(np.floor(min(ay, by) - radius)), 0)
        bottom = min(int(np.ceil(max(ay, by) + radius)), height - 1)
        left = max(int(np.floor(min(ax, bx) - radius)), 0)
        right = min(int(np.ceil(max(ax, bx) + radius)), width - 1)
        if top > bottom or left > right:
            continue
        dx, dy = bx - ax, by - ay
        px = np.arange(left, right + 1) - ax
        py = (np.arange(top, bottom + 1) - ay)[:, None]
        length2 = dx * dx + dy * dy
        t = np.clip((px * dx + py * dy) / length2, 0, 1) if length2 > 0 else 0.0
        near = (px - t * dx) ** 2 + (py - t * dy) ** 2 <= radius * radius
        marked[top : bottom + 1, left : right + 1][near] = value
