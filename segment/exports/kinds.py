"""The table of what can be saved.

A new kind is one entry: the suffixes it may get, and the function that writes it.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segment.errors import InputError

if TYPE_CHECKING:
    from segment.exports.product import Product

    # Writes a product to a file ("-" for standard output): (product, path, overwrite) -> the file.
    Writer = Callable[[Product, Path, bool], Path]

_WRITERS = "segment.exports.writers"
_SHAPES = "segment.exports.shapes"
_POLYGONS = ("tolerance", "smooth")
_NAMES = ("category", "names")
_TABLE = (*_POLYGONS, *_NAMES)
_NEEDED = {"scene": ("pyogrio", "pyarrow")}
_OUTLINES = ("outline_color", "outline_width")
_LIKE_INPUT = (".png", ".tif", ".webp", ".bmp", ".ppm", ".pgm")


@dataclass(frozen=True)
class Kind:
    """One kind of file that can be saved of a segmentation.

    Attributes
    ----------
    suffixes : tuple of str
        The endings it may get, the usual one first.
    writer : str
        ``"module:function"`` of its `Writer`, imported when it is first used.
    summary : str
        What it is, in a few words, for ``--help``; nothing where the name says it.
    named : bool
        Whether the kind stands in the file's name, as in ``photo.labels.png``.
    needs : {None, "hierarchy", "filtered"}
        What must be computed for it beside the segmentation.
    suffix : callable, optional
        Chooses among `suffixes` by the product; else the first is taken.
    options : tuple of str
        Names of the entries of `Product.options` that it heeds.
    extra : str, optional
        The extra of the package that it needs.
    """

    suffixes: tuple[str, ...]
    writer: str
    summary: str = ""
    named: bool = True
    needs: str | None = None
    suffix: Callable[[Product], str] | None = None
    options: tuple[str, ...] = ()
    extra: str | None = None

    def write(self, product: Product, path: Path, overwrite: bool) -> Path:
        module, _, name = self.writer.partition(":")
        writer: Writer = getattr(importlib.import_module(module), name)
        return writer(product, path, overwrite)


def _suffix_of_image(product: Product) -> str:
    from segment.images import posterized_suffix

    return posterized_suffix(product.image)


KINDS: dict[str, Kind] = {
    "labels": Kind((".png", ".tif"), f"{_WRITERS}:write_labels"),
    "posterized": Kind(_LIKE_INPUT, f"{_WRITERS}:write_posterized", suffix=_suffix_of_image),
    "filtered": Kind(
        _LIKE_INPUT, f"{_WRITERS}:write_filtered", suffix=_suffix_of_image, needs="filtered"
    ),
    "boundaries": Kind((".png",), f"{_WRITERS}:write_boundaries"),
    "overlay": Kind((".png",), f"{_WRITERS}:write_overlay", options=_OUTLINES),
    "preview": Kind((".png",), f"{_WRITERS}:write_preview", "labels in colours"),
    "sheet": Kind((".png",), f"{_WRITERS}:write_sheet", "side by side", options=_OUTLINES),
    "contours": Kind(
        (".png",), f"{_WRITERS}:write_contours", "levels as 16-bit gray", needs="hierarchy"
    ),
    "hierarchy": Kind(
        (".npz",), f"{_WRITERS}:write_hierarchy", "every level, .npz", needs="hierarchy"
    ),
    "page": Kind(
        (".html",), f"{_WRITERS}:write_page", "to explore in a browser", needs="hierarchy"
    ),
    "regions": Kind((".csv",), f"{_WRITERS}:write_regions", "a table", options=("properties",)),
    "svg": Kind(
        (".svg",),
        f"{_SHAPES}:write_svg",
        "flat colours, outlines, or a sheet to paint by numbers",
        named=False,
        options=("svg_style", "palette", "tolerance"),
    ),
    "geojson": Kind(
        (".geojson",), f"{_SHAPES}:write_geojson", named=False, options=(*_POLYGONS, *_NAMES)
    ),
    "gpkg": Kind((".gpkg",), f"{_SHAPES}:write_table", named=False, options=_TABLE, extra="scene"),
    "fgb": Kind((".fgb",), f"{_SHAPES}:write_table", named=False, options=_TABLE, extra="scene"),
    "parquet": Kind(
        (".parquet",), f"{_SHAPES}:write_table", named=False, options=_TABLE, extra="scene"
    ),
    "coco": Kind(
        (".json",),
        f"{_SHAPES}:write_coco",
        "annotations with every pixel",
        options=("coco_polygons", *_NAMES, *_POLYGONS),
    ),
    "labelme": Kind((".json",), f"{_SHAPES}:write_labelme", options=(*_POLYGONS, *_NAMES)),
    "yolo": Kind((".txt",), f"{_SHAPES}:write_yolo", named=False, options=(*_POLYGONS, "names")),
    "cutouts": Kind((".zip",), f"{_SHAPES}:write_cutouts", "each region as a picture"),
    # Comes last, so that it can list the others.
    "json": Kind((".json",), f"{_WRITERS}:write_json", named=False),
}


def every_kind() -> tuple[str, ...]:
    """Return all kinds, but those that need an extra which is not installed."""
    return tuple(
        name for name, kind in KINDS.items() if kind.extra is None or is_installed(kind.extra)
    )


def is_installed(extra: str) -> bool:
    """Whether an extra of the package is installed, as far as saving needs it."""
    return all(importlib.util.find_spec(name) for name in _NEEDED[extra])


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


def check_options(kinds: Sequence[str], options: Mapping[str, Any]) -> None:
    """Raise InputError if an option is given that none of the kinds heeds."""
    heeded = {name for kind in kinds for name in KINDS[kind].options}
    for name in options:
        if name not in heeded:
            users = [kind for kind in KINDS if name in KINDS[kind].options]
            value = options[name]
            text = repr(value) if not isinstance(value, tuple) else repr(",".join(map(str, value)))
            raise InputError(
                f"{name}={text} goes with {' or '.join(users) or 'no kind'}, and "
                f"{', '.join(kinds)} is to be saved; add one of those, or leave it out"
            )
