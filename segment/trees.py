"""Hierarchies as files: one ``.npz`` holds the tree, its leaves and the image."""

from __future__ import annotations

import io
import json
import math
import stat
import zipfile
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.errors import FileError
from segment.files import display_name, file_error
from segment.kernels.regions import adjacency
from segment.memory import refuse_beyond
from segment.params import MeanShiftParams
from segment.regions.checks import LARGEST, Pixels
from segment.regions.cuts import by_merges
from segment.regions.hierarchy import Hierarchy
from segment.regions.ranges import check_range
from segment.regions.segmentation import Segmentation

FORMAT = 1
NEEDED = ("about", "image", "labels", "modes", "parents", "levels")
OPTIONAL = ("mask",)


@dataclass(frozen=True)
class Source:
    """What a tree remembers of the file that its image came from.

    Attributes
    ----------
    name : str
        The name of the file, without folders; empty where there was none.
    crs : str
        The coordinate reference system as WKT; empty where the image lies on no map.
    transform : tuple of 6 floats
        From column and row to coordinates, as in rasterio; pixels where it lies on no map.
    """

    name: str = ""
    crs: str = ""
    transform: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


NOWHERE = Source()


def to_bytes(hierarchy: Hierarchy, source: Source = NOWHERE) -> bytes:
    """Return a tree, its leaves and the image as the content of one ``.npz`` file."""
    pixels, leaves = hierarchy.leaves._pixels, hierarchy.leaves
    about = {
        "format": FORMAT,
        "params": leaves.params.as_dict(),
        "gray": pixels.gray,
        "channel_axis": pixels.channel_axis,
        "value_range": pixels.value_range,
        "source": asdict(source),
    }
    arrays = {
        "parents": hierarchy.parents,
        "levels": hierarchy.levels,
        "labels": leaves.labels,
        "modes": leaves.modes,
        "image": pixels.values,
        "about": np.array(json.dumps(about)),
    }
    if pixels.mask is not None:
        arrays["mask"] = pixels.mask
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]
    return stream.getvalue()


def load(path: str | PathLike[str]) -> Hierarchy:
    """Read what `Hierarchy.save` wrote.

    Raises
    ------
    FileError
        If the file cannot be read, or is no hierarchy.
    """
    return load_with_source(path)[0]


def load_with_source(path: str | PathLike[str]) -> tuple[Hierarchy, Source]:
    """Read a hierarchy, and what is known of the file that its image came from.

    Raises
    ------
    FileError
        If the file cannot be read, or is no hierarchy.
    """
    name = display_name(path)
    try:
        arrays = _read(Path(path), name)
        about = json.loads(str(arrays["about"]))
        if type(about["format"]) is not int:
            raise ValueError("the format is no number")
        if about["format"] != FORMAT:
            raise FileError(
                f"{name} is a hierarchy of format {about['format']} and this version reads "
                f"format {FORMAT}; save it again"
            )
        return _assemble(arrays, about), _source(about.get("source", {}))
    except FileError:
        raise
    except OSError as error:
        if error.errno:
            raise file_error(path, error) from error
        raise _no_hierarchy(name) from error
    except Exception as error:  # zlib, zipfile, NumPy and JSON fail in more ways than they document
        raise _no_hierarchy(name) from error


def _source(known: dict[str, Any]) -> Source:
    source = Source(**known | {"transform": tuple(known.get("transform", NOWHERE.transform))})
    _require(type(source.name) is str and type(source.crs) is str, "the source")
    _require("/" not in source.name, "the name of the source")
    _require(
        len(source.transform) == 6
        and all(type(part) in (int, float) and math.isfinite(part) for part in source.transform),
        "the transform",
    )
    return source


def _no_hierarchy(name: str) -> FileError:
    return FileError(f"{name} is no saved hierarchy; give a file that Hierarchy.save wrote")


def _read(path: Path, name: str) -> dict[str, NDArray[Any]]:
    """Return the arrays in the file that belong to a hierarchy."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise FileError(f"{name} is no regular file; give one that Hierarchy.save wrote")
    with path.open("rb") as stream, zipfile.ZipFile(stream) as members:
        size = sum(info.file_size for info in members.infolist())
    refuse_beyond(size, name, "use a machine with more")
    with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
        return {key: file[key] for key in (*NEEDED, *OPTIONAL) if key in file.files}


def _assemble(arrays: dict[str, NDArray[Any]], about: dict[str, Any]) -> Hierarchy:
    """Return the hierarchy, or raise ValueError if its parts do not fit together."""
    image, labels, modes, parents, levels = (arrays[name] for name in NEEDED[1:])
    labels, parents, levels = (np.ascontiguousarray(array) for array in (labels, parents, levels))
    mask = arrays.get("mask")
    _require(_is_image(image, mask, about), "the image")
    params = MeanShiftParams(**about["params"])
    value_range = check_range(about.get("value_range"))
    if isinstance(value_range, str):
        raise ValueError("a value range cannot be a word")
    _require(_are_labels(labels, modes, image, mask), "the labels")
    _require(_is_tree(parents, levels, len(modes)), "the tree")
    # Regions that touch must meet: whoever climbs from both would not end.
    pairs, _, _ = adjacency.touching(labels, len(modes))
    parts, _ = by_merges(parents, len(modes), len(parents) - len(modes))
    _require(bool((parts[pairs[:, 0]] == parts[pairs[:, 1]]).all()), "the roots of the tree")
    pixels = Pixels(image, mask, about["gray"], about["channel_axis"], value_range)
    return Hierarchy(
        Segmentation(labels, np.ascontiguousarray(modes), params, pixels), parents, levels
    )


def _require(sound: bool, what: str) -> None:
    if not sound:
        raise ValueError(f"{what} cannot be")


def _is_image(image: NDArray[Any], mask: NDArray[Any] | None, about: dict[str, Any]) -> bool:
    axis = about["channel_axis"]
    return (
        image.ndim == 3
        and image.size > 0
        and image.dtype.kind in "biuf"
        and image.dtype.isnative
        and type(about["gray"]) is bool
        and (not about["gray"] or image.shape[2] == 1)
        and type(axis) is int
        and -3 <= axis <= 2
        and (mask is None or (mask.dtype == np.bool_ and mask.shape == image.shape[:2]))
        and (image.dtype.kind != "f" or _are_moderate(image if mask is None else image[mask]))
    )


def _are_moderate(values: NDArray[Any]) -> bool:
    """Whether these are the numbers that an image may have."""
    return bool((np.abs(values) <= LARGEST).all())  # NaN is not


def _are_labels(
    labels: NDArray[Any], modes: NDArray[Any], image: NDArray[Any], mask: NDArray[Any] | None
) -> bool:
    """Whether labels are 1..n, each used, and 0 just where the mask hides."""
    if (
        labels.dtype != np.int32
        or modes.dtype not in (np.float32, np.float64)
        or labels.shape != image.shape[:2]
        or modes.ndim != 2
        or modes.shape[1] != 2 + image.shape[2]
        or not np.isfinite(modes).all()
        or labels.min() < 0
        or labels.max() > len(modes)
    ):
        return False
    used = np.bincount(labels.ravel(), minlength=len(modes) + 1)
    hidden = labels == 0
    fits = not hidden.any() if mask is None else np.array_equal(hidden, ~mask)
    return bool(fits and (used[1:] > 0).all())


def _is_tree(parents: NDArray[Any], levels: NDArray[Any], n: int) -> bool:
    """Whether every merge joins two nodes that were there before, at no lower level than they."""
    m = len(parents)
    if (
        parents.dtype != np.int32
        or levels.dtype != np.float32
        or parents.ndim != 1
        or levels.shape != parents.shape
        or not n <= m < max(2 * n, 1)
    ):
        return False
    inner = parents[parents != -1]
    rising = (parents == -1) | (parents > np.arange(m))
    two = np.bincount(inner, minlength=m)[n:] == 2 if (inner >= n).all() else np.zeros(1, bool)
    return bool(
        rising.all()
        and (inner < m).all()
        and two.all()
        and (levels[:n] == 0).all()
        and (np.diff(levels) >= 0).all()
        and (m == 0 or 0 <= levels[-1] <= 1)
    )
