"""Hierarchies as files: one ``.npz`` holds the tree, its leaves and the image."""

from __future__ import annotations

import io
import json
import zipfile
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.errors import FileError
from segment.files import display_name, file_error
from segment.params import MeanShiftParams
from segment.regions.checks import Pixels
from segment.regions.hierarchy import Hierarchy
from segment.regions.segmentation import Segmentation

FORMAT = 1


def to_bytes(hierarchy: Hierarchy) -> bytes:
    """Return a tree, its leaves and the image as the content of one ``.npz`` file."""
    pixels, leaves = hierarchy.leaves._pixels, hierarchy.leaves
    about = {
        "format": FORMAT,
        "params": leaves.params.as_dict(),
        "gray": pixels.gray,
        "channel_axis": pixels.channel_axis,
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
    name = display_name(path)
    try:
        with Path(path).open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
        about = json.loads(str(arrays["about"]))
        if about["format"] != FORMAT:
            raise FileError(
                f"{name} is a hierarchy of format {about['format']} and this version reads "
                f"format {FORMAT}; save it again"
            )
        return _assemble(arrays, about)
    except FileError:
        raise
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        EOFError,
        zipfile.BadZipFile,
    ) as error:
        raise FileError(
            f"{name} is no saved hierarchy; give a file that Hierarchy.save wrote"
        ) from error
    except OSError as error:
        raise file_error(path, error) from error


def _assemble(arrays: dict[str, NDArray[Any]], about: dict[str, Any]) -> Hierarchy:
    image, labels, modes = arrays["image"], arrays["labels"], arrays["modes"]
    parents, levels = arrays["parents"], arrays["levels"]
    n, m = len(modes), len(parents)
    nodes = np.arange(m)
    # The kernels do not check indices: a file from elsewhere must not make them leave the arrays.
    sound = (
        image.ndim == 3
        and labels.shape == image.shape[:2]
        and labels.dtype == parents.dtype == np.int32
        and levels.dtype == modes.dtype == np.float32
        and levels.shape == parents.shape
        and n <= m < max(2 * n, 1)
        and bool((labels >= 0).all() and (labels <= n).all())
        and bool(((parents == -1) | ((parents > nodes) & (parents >= n) & (parents < m))).all())
    )
    if not sound:
        raise ValueError("arrays do not fit together")
    pixels = Pixels(image, arrays.get("mask"), bool(about["gray"]), int(about["channel_axis"]))
    return Hierarchy(
        Segmentation(labels, modes, MeanShiftParams(**about["params"]), pixels), parents, levels
    )
