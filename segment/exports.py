"""What is saved of one segmentation: which files, under which names, with what in them."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from segment import __version__, drawing, images
from segment.errors import InputError
from segment.files import write_bytes

if TYPE_CHECKING:
    from segment.images import Image
    from segment.regions.hierarchy import Hierarchy
    from segment.regions.segmentation import Segmentation

_LIKE_INPUT = (".png", ".tif", ".webp", ".bmp", ".ppm", ".pgm")

# What can be saved -> the suffixes it may get; which one depends on the image.
KINDS: dict[str, tuple[str, ...]] = {
    "labels": (".png", ".tif"),
    "posterized": _LIKE_INPUT,
    "filtered": _LIKE_INPUT,
    "boundaries": (".png",),
    "overlay": (".png",),
    "preview": (".png",),
    "sheet": (".png",),
    "contours": (".png",),
    "hierarchy": (".npz",),
    "regions": (".csv",),
    "json": (".json",),
}
DEFAULT_KINDS = ("labels", "posterized", "overlay", "json")

STDOUT = Path("-")
_LONGEST_NAME = 255  # bytes, on every file system of note
_LONGEST_ENDING = 32  # of an output's name, with room to spare


def parse_kinds(text: str) -> tuple[str, ...]:
    """Return the kinds named in a list such as ``"labels,overlay"``, in the order of `KINDS`.

    Raises
    ------
    InputError
        If a name is unknown, or there is none.
    """
    names = {name.strip() for name in text.split(",") if name.strip()}
    unknown = sorted(names - set(KINDS))
    if unknown or not names:
        raise InputError(
            f"{', '.join(map(repr, unknown)) or 'nothing'} cannot be saved; "
            f"choose from {', '.join(KINDS)}"
        )
    return tuple(kind for kind in KINDS if kind in names)


def output_stem(folder: str | os.PathLike[str], source: str | os.PathLike[str]) -> Path:
    """Return where the outputs for `source` go: its name without suffix, in `folder`."""
    return Path(folder) / fitting("stdin" if os.fspath(source) == "-" else Path(source).stem)


def fitting(name: str) -> str:
    """Return the beginning of outputs' names as it fits a file system.

    What would grow too long is cut and made unique by a hash.
    """
    encoded = os.fsencode(name)
    if len(encoded) + _LONGEST_ENDING <= _LONGEST_NAME:
        return name
    digest = hashlib.sha256(encoded).hexdigest()[:12]
    head = encoded[: _LONGEST_NAME - _LONGEST_ENDING - 13].decode("utf-8", "ignore")
    return f"{head}-{digest}"


def output_paths(stem: Path, kinds: Iterable[str]) -> list[Path]:
    """Return every file that saving `kinds` under `stem` may write."""
    return [_path(stem, kind, suffix) for kind in kinds for suffix in KINDS[kind]]


def _path(stem: Path, kind: str, suffix: str) -> Path:
    if stem == STDOUT:
        return STDOUT
    middle = "" if kind == "json" else f".{kind}"
    return stem.parent / f"{stem.name}{middle}{suffix}"


def save(
    segmentation: Segmentation,
    image: Image,
    stem: str | os.PathLike[str],
    kinds: Sequence[str] = DEFAULT_KINDS,
    *,
    filtered: npt.NDArray[Any] | None = None,
    hierarchy: Hierarchy | None = None,
    record: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> dict[str, Path]:
    """Write what is wanted of a segmentation, each file whole or not at all.

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
        What the segmentation was cut from, for the kinds "contours" and "hierarchy"; by default the
        hierarchy of the segmentation itself.
    record : mapping, optional
        Put into the JSON file beside what `summary` says.
    overwrite : bool
        Whether existing files may be replaced.

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
    stem = Path(stem)
    pictures = _Pictures(segmentation, image, hierarchy)
    written: dict[str, Path] = {}
    for kind in parse_kinds(",".join(kinds)):
        if kind == "labels":
            path = _path(stem, kind, ".png")
            written[kind] = images.write_labels(path, segmentation.labels, overwrite=overwrite)
        elif kind in ("posterized", "filtered"):
            written[kind] = images.write_image(
                _path(stem, kind, images.posterized_suffix(image)),
                segmentation.posterized if kind == "posterized" else _given(filtered),
                alpha=image.alpha,
                icc=image.icc,
                resolution=image.resolution,
                overwrite=overwrite,
            )
        elif kind == "hierarchy":
            written[kind] = _write_bytes(
                _path(stem, kind, ".npz"), pictures.hierarchy.to_bytes(), overwrite
            )
        elif kind in ("regions", "json"):
            if kind == "regions":
                text = _csv(segmentation.regions())
            else:  # comes last, so that it can list the others
                names = {kind: path.name for kind, path in written.items()}
                text = to_json({**summary(segmentation), **(record or {}), "outputs": names})
            written[kind] = _write_text(_path(stem, kind, KINDS[kind][0]), text, overwrite)
        else:
            written[kind] = images.write_image(
                _path(stem, kind, ".png"), getattr(pictures, kind), overwrite=overwrite
            )
    return written


def _given(filtered: npt.NDArray[Any] | None) -> npt.NDArray[Any]:
    if filtered is None:
        raise InputError("'filtered' is to be saved and missing; pass mean_shift_filter(image)")
    return filtered


class _Pictures:
    """The pictures to look at, made when asked for."""

    def __init__(
        self, segmentation: Segmentation, image: Image, hierarchy: Hierarchy | None
    ) -> None:
        self._segmentation = segmentation
        self._image = image
        self._hierarchy = hierarchy

    @cached_property
    def hierarchy(self) -> Hierarchy:
        return self._segmentation.hierarchy() if self._hierarchy is None else self._hierarchy

    @property
    def contours(self) -> drawing.Picture:
        """Levels 0..1 as gray, 16 bits."""
        return np.rint(self.hierarchy.contours() * 65535).astype(np.uint16)

    @cached_property
    def original(self) -> drawing.Picture:
        return drawing.to_rgb(self._image.pixels, self._image.mask)

    @cached_property
    def overlay(self) -> drawing.Picture:
        return drawing.overlay(self.original, self._segmentation.labels)

    @property
    def preview(self) -> drawing.Picture:
        return drawing.preview(self._segmentation.labels)

    @property
    def boundaries(self) -> drawing.Picture:
        return self._segmentation.boundaries().astype(np.uint8) * np.uint8(255)

    @property
    def sheet(self) -> drawing.Picture:
        image = self._image
        flat = drawing.to_rgb(self._segmentation.posterized, image.mask, like=image.pixels)
        return drawing.contact_sheet([self.original, flat, self.overlay])


def summary(segmentation: Segmentation) -> dict[str, Any]:
    """Return the facts about a segmentation that go into its JSON file."""
    height, width = segmentation.labels.shape
    return {
        "program": f"segment {__version__}",
        "width": width,
        "height": height,
        "n_regions": segmentation.n_regions,
        "params": segmentation.params.as_dict(),
    }


def to_json(content: Mapping[str, Any], *, indent: int | None = 2) -> str:
    """Return `content` as JSON in ASCII, so that any file name survives."""
    return json.dumps(content, indent=indent, allow_nan=False)


def _csv(table: Mapping[str, npt.NDArray[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table)
    columns = (
        [format(value, ".9g") for value in column.tolist()]
        if column.dtype.kind == "f"
        else column.tolist()
        for column in table.values()
    )
    writer.writerows(zip(*columns, strict=True))
    return text.getvalue()


def _write_bytes(path: Path, data: bytes, overwrite: bool) -> Path:
    if path == STDOUT:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return path
    return write_bytes(path, data, overwrite=overwrite)


def _write_text(path: Path, text: str, overwrite: bool) -> Path:
    if path == STDOUT:
        print(text, end="" if text.endswith("\n") else "\n", flush=True)
        return path
    return write_bytes(path, text.encode(), overwrite=overwrite)
