"""Saving what is wanted of a segmentation."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from segment.exports.kinds import KINDS, check_options, parse_kinds
from segment.exports.names import output_path
from segment.exports.product import Product
from segment.files import is_whole
from segment.params import DEFAULT_KINDS
from segment.threads import run

if TYPE_CHECKING:
    from segment.images import Image
    from segment.regions.hierarchy import Hierarchy
    from segment.regions.segmentation import Segmentation


def save(
    segmentation: Segmentation,
    image: Image,
    stem: str | os.PathLike[str],
    kinds: Sequence[str] = DEFAULT_KINDS,
    *,
    filtered: npt.NDArray[Any] | None = None,
    hierarchy: Hierarchy | None = None,
    record: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
    target: Path | None = None,
    overwrite: bool = False,
    resume: bool = False,
) -> dict[str, Path]:
    """Write what is wanted of a segmentation, each file whole or not at all.

    If one cannot be written, the new ones before it are removed.

    Parameters
    ----------
    segmentation : Segmentation
        What to save.
    image : Image
        The image it is of.
    stem : path-like
        Folder and beginning of the names; the folder must exist. ``"-"`` writes to standard
        output, which only makes sense for one kind.
    kinds : sequence of str
        Names from `KINDS`.
    filtered : ndarray, optional
        What `segment.mean_shift_filter` returned, for the kind of that name.
    hierarchy : Hierarchy, optional
        What the segmentation was cut from, for the kinds that need it; by default the hierarchy of
        the segmentation itself.
    record : mapping, optional
        Put into the JSON file beside what `summary` says.
    options : mapping, optional
        How kinds are written; see `Kind.options`.
    target : Path, optional
        The one file to write, for one kind, whatever the stem.
    overwrite : bool
        Whether existing files may be replaced.
    resume : bool
        Whether files that exist stay as they are, and only the others are written.

    Returns
    -------
    dict
        Kind -> file.

    Raises
    ------
    FileError
        If a file exists and may not be replaced, or cannot be written.
    InputError
        If a kind is unknown, or `filtered` is wanted and missing.
    """
    names = parse_kinds(",".join(kinds))
    product = Product(segmentation, image, hierarchy, filtered, record or {}, options or {}, names)
    check_options(names, product.options)
    new: list[Path] = []

    def write(name: str) -> None:
        kind = KINDS[name]
        suffix = kind.suffixes[0] if kind.suffix is None else kind.suffix(product)
        path = output_path(Path(stem), name, suffix) if target is None else target
        if resume and is_whole(path):
            product.written[name] = path
            return
        product.written[name] = kind.write(product, path, overwrite or resume)
        new.append(path)

    try:
        run(write, names, 1)  # one after another, which a watcher sees
    except BaseException:
        if not overwrite:
            for path in new:
                _remove(path)
        raise
    return product.written


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()
