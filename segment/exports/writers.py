"""The writers of the kinds that are pictures, tables and facts."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from segment import __version__, drawing, images
from segment.errors import ExtraError
from segment.files import write_bytes
from segment.notices import say
from segment.regions.arrays import holds
from segment.regions.ranges import dtype_range
from segment.trees import Source, to_bytes

if TYPE_CHECKING:
    from segment.exports.product import Product
    from segment.regions.segmentation import Segmentation

STDOUT = Path("-")


def write_labels(product: Product, path: Path, overwrite: bool) -> Path:
    """Write the label map; a TIFF where a PNG of 16 bits cannot hold it."""
    return images.write_labels(path, product.segmentation.labels, overwrite=overwrite)


def write_posterized(product: Product, path: Path, overwrite: bool) -> Path:
    """Write the picture in flat colours, with all that the input's file said."""
    return _write_like_input(product, path, product.segmentation.posterized, overwrite)


def write_filtered(product: Product, path: Path, overwrite: bool) -> Path:
    """Write the picture as mean shift filters it, with all that the input's file said."""
    return _write_like_input(product, path, product.filtered, overwrite)


def _write_like_input(
    product: Product, path: Path, pixels: npt.NDArray[Any], overwrite: bool
) -> Path:
    image, nodata = product.image, None
    if path.suffix == ".tif" and image.alpha is None:
        pixels, nodata = with_nodata(pixels, image)
    return images.write_image(
        path,
        pixels,
        alpha=image.alpha,
        icc=image.icc,
        resolution=image.resolution,
        nodata=nodata,
        overwrite=overwrite,
    )


def with_nodata(
    pixels: npt.NDArray[Any], image: images.Image
) -> tuple[npt.NDArray[Any], float | None]:
    """Return pixels with the nodata of their image where that is hidden, and its value."""
    nodata = image.nodata
    if nodata is None and image.hidden is not None and pixels.dtype.kind == "f":
        nodata = math.nan
    if nodata is None or not holds(pixels.dtype, nodata):
        return pixels, None
    if image.hidden is not None:
        pixels = pixels.copy()
        with np.errstate(over="ignore"):
            pixels[image.hidden] = pixels.dtype.type(nodata)
    return pixels, nodata


def write_boundaries(product: Product, path: Path, overwrite: bool) -> Path:
    """Write where regions meet, white on black."""
    return images.write_image(path, product.boundaries, overwrite=overwrite)


def write_overlay(product: Product, path: Path, overwrite: bool) -> Path:
    """Write the outlines over the picture, transparent where that is."""
    alpha = product.image.alpha
    if alpha is not None and alpha.dtype != np.uint8:
        alpha = drawing.to_rgb(alpha, value_range=dtype_range(alpha.dtype))[..., 0]
    written = images.write_image(path, product.overlay, alpha=alpha, overwrite=overwrite)
    if "sheet" not in product.kinds:
        del product.overlay  # nothing else shows it
    return written


def write_preview(product: Product, path: Path, overwrite: bool) -> Path:
    """Write the label map in colours."""
    return images.write_image(path, product.preview, overwrite=overwrite)


def write_sheet(product: Product, path: Path, overwrite: bool) -> Path:
    """Write picture, flat colours and outlines side by side."""
    return images.write_image(path, product.sheet, overwrite=overwrite)


def write_contours(product: Product, path: Path, overwrite: bool) -> Path:
    """Write the level at which each boundary vanishes, as gray of 16 bits."""
    return images.write_image(path, product.contours, overwrite=overwrite)


def write_hierarchy(product: Product, path: Path, overwrite: bool) -> Path:
    """Write the tree of every level, and where its picture came from."""
    source = Source(product.file_name)
    try:
        place = images.placement(product.image)
    except ExtraError as error:
        say(f"the tree will not know where on a map the picture lies: {error}")
    else:
        if place is not None:
            source = replace(source, crs=place.crs, transform=place.transform)
    return write_data(path, to_bytes(product.hierarchy, source), overwrite)


def write_page(product: Product, path: Path, overwrite: bool) -> Path:
    """Write the explorer, beginning at the segmentation where it was cut from the hierarchy."""
    from segment.page import build_page, page_name

    data = build_page(
        product.hierarchy,
        product.image,
        name=page_name(product.image) or path.name.removesuffix(".page.html"),
        n_regions=None if product.tree is None else product.segmentation.n_regions,
    )
    return write_data(path, data, overwrite)


def write_regions(product: Product, path: Path, overwrite: bool) -> Path:
    """Write the table of the regions."""
    return write_text(
        path, to_csv(product.segmentation.regions(product.options.get("properties", ()))), overwrite
    )


def write_json(product: Product, path: Path, overwrite: bool) -> Path:
    """Write the facts, and the names of the other files."""
    names = {kind: path.name for kind, path in product.written.items()}
    facts = {**summary(product.segmentation), **product.record, "outputs": names}
    return write_text(path, to_json(facts), overwrite)


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


def rows(table: Mapping[str, npt.NDArray[Any]]) -> list[dict[str, Any]]:
    """Return columns as a list of rows, fit for JSON: what is no number is None."""
    columns = [
        [None if isinstance(value, float) and not math.isfinite(value) else value for value in kept]
        for kept in (column.tolist() for column in table.values())
    ]
    return [dict(zip(table, row, strict=True)) for row in zip(*columns, strict=True)]


def to_json(content: Mapping[str, Any], *, indent: int | None = 2) -> str:
    """Return `content` as JSON in ASCII, so that any file name survives."""
    return json.dumps(content, indent=indent, allow_nan=False)


def to_csv(table: Mapping[str, npt.NDArray[Any]]) -> str:
    """Return columns as CSV, floats with nine digits."""
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


def write_data(path: Path, data: bytes, overwrite: bool) -> Path:
    """Write bytes to a file, whole or not at all, or to standard output."""
    if path == STDOUT:
        return images.write_stdout(data)
    return write_bytes(path, data, overwrite=overwrite)


def write_text(path: Path, text: str, overwrite: bool) -> Path:
    """Write text to a file, whole or not at all, or to standard output."""
    if path == STDOUT:
        return images.write_stdout((text if text.endswith("\n") else text + "\n").encode())
    return write_bytes(path, text.encode(), overwrite=overwrite)
