"""The writers of the kinds that are outlines, annotations and cutouts."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from segment import drawing, images
from segment.errors import ExtraError
from segment.exports.writers import STDOUT, write_data, write_text
from segment.notices import say
from segment.regions.features import to_dtype
from segment.shapes import annotating
from segment.shapes.coloring import hex_color
from segment.shapes.geojson import geojson_chunks
from segment.shapes.naming import REGION, Naming, check_names
from segment.shapes.polygons import Polygons, polygons
from segment.shapes.svg import to_svg
from segment.shapes.writing import write_shapes

if TYPE_CHECKING:
    from segment.exports.product import Product


def write_svg(product: Product, path: Path, overwrite: bool) -> Path:
    """Write flat colours, outlines, or a sheet to paint by numbers."""
    options = product.options
    text = to_svg(
        product.segmentation.labels,
        region_colors(product),
        image=product.original,
        style=options.get("svg_style", "fill"),
        palette=options.get("palette"),
        tolerance=options.get("tolerance"),
    )
    return write_text(path, text, overwrite)


def write_geojson(product: Product, path: Path, overwrite: bool) -> Path:
    """Write the regions in longitude and latitude where the picture lies on a map; else in pixel
    coordinates, as QuPath reads them."""
    texts = [hex_color(color, short=False) for color in region_colors(product).tolist()]
    place = find_place(product)
    if place is not None:
        found = traced(product, place.transform).with_fields(color=texts, **named(product))
        return _write_shapes(path, found, ".geojson", place.crs, overwrite)
    found = traced(product).with_fields(color=texts, **named(product))
    return write_text(path, "".join(geojson_chunks([found], naming=naming(product))), overwrite)


def write_table(product: Product, path: Path, overwrite: bool) -> Path:
    """Write the regions for a GIS: in the coordinates of the picture, or where it has none, pixels
    below the x axis."""
    place = find_place(product)
    found = traced(product, (1, 0, 0, 0, -1, 0) if place is None else place.transform)
    table = product.segmentation.regions()
    found = found.with_fields(
        **named(product),
        **{name: column for name, column in table.items() if name.startswith(("mean", "std"))},
    )
    (kind,) = set(product.kinds) - set(product.written) if path == STDOUT else (path.suffix[1:],)
    return _write_shapes(path, found, f".{kind}", None if place is None else place.crs, overwrite)


def _write_shapes(path: Path, found: Polygons, suffix: str, crs: Any, overwrite: bool) -> Path:
    if path != STDOUT:
        return write_shapes(path, found, crs=crs, overwrite=overwrite)
    with tempfile.TemporaryDirectory() as folder:
        made = write_shapes(Path(folder, f"regions{suffix}"), found, crs=crs)
        return write_data(path, made.read_bytes(), overwrite)


def find_place(product: Product) -> images.Placement | None:
    """Return where the picture lies on a map; None, with a word, if that cannot be read here."""
    try:
        return images.placement(product.image)
    except ExtraError as error:
        say(f"polygons are in pixels, though the picture lies on a map: {error}")
        return None


def write_coco(product: Product, path: Path, overwrite: bool) -> Path:
    """Write the regions as COCO annotations: run lengths, or polygons where asked for."""
    labels = product.segmentation.labels
    height, width = labels.shape
    shapes = traced(product) if product.options.get("coco_polygons") else None
    names = naming(product)
    content = annotating.coco_file(
        [{"id": 1, "file_name": product.file_name, "width": width, "height": height}],
        annotating.coco_annotations(labels, shapes=shapes, naming=names),
        categories=names.categories(np.unique(labels[labels > 0]).tolist()),
    )
    return write_text(path, annotating.to_text(content), overwrite)


def write_labelme(product: Product, path: Path, overwrite: bool) -> Path:
    """Write the regions as LabelMe shapes."""
    content = annotating.labelme_file(
        traced(product), product.image.shape, product.file_name, naming=naming(product)
    )
    return write_text(path, annotating.to_text(content), overwrite)


def write_yolo(product: Product, path: Path, overwrite: bool) -> Path:
    """Write the regions as YOLO segmentation lines."""
    text = annotating.yolo_text(traced(product), product.image.shape, naming=naming(product))
    return write_text(path, text, overwrite)


def write_cutouts(product: Product, path: Path, overwrite: bool) -> Path:
    """Write every region as a picture of its own, transparent around it, into one ZIP archive."""
    labels, original = product.segmentation.labels, product.original
    table = product.segmentation.regions()
    boxes = np.stack([table[f"bbox-{k}"] for k in range(4)], axis=1).tolist()
    digits = len(str(len(boxes)))
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_STORED) as archive:
        for label, (top, left, bottom, right) in enumerate(boxes, 1):
            inside = labels[top:bottom, left:right] == label
            crop = original[top:bottom, left:right] * inside[..., None]
            alpha = inside.astype(np.uint8) * np.uint8(255)
            name = f"{label:0{digits}}-x{left}-y{top}.png"
            # No time of day, so that the same picture gives the same bytes.
            entry = zipfile.ZipInfo(name)
            archive.writestr(entry, images.encode_png(np.dstack([crop, alpha])))
    return write_data(path, data.getvalue(), overwrite)


def traced(product: Product, transform: tuple[float, ...] | None = None) -> Polygons:
    """Return the polygons as the options ask for them."""
    options = product.options
    return polygons(
        product.segmentation.labels,
        tolerance=options.get("tolerance", 0.0),
        smooth=options.get("smooth", False),
        image=product.original if options.get("smooth") else None,
        transform=transform,
    )


def region_colors(product: Product) -> NDArray[Any]:
    """Return the colour of each region as it is seen, (n, 3) uint8."""
    image = product.image
    colors = to_dtype(product.segmentation.colors, image.pixels.dtype)
    seen = drawing.shown_range(image.pixels, image.mask)
    found: NDArray[Any] = drawing.to_rgb(colors[None], value_range=seen)[0]
    return found


def naming(product: Product) -> Naming:
    """Return what the regions are called."""
    names = check_names(product.options["names"]) if "names" in product.options else {}
    n = product.segmentation.n_regions
    if unused := [label for label in names if label > n]:
        labels = ", ".join(map(str, unused[:3])) + (", ..." if len(unused) > 3 else "")
        say(f"there are {n} regions, so that the names of labels {labels} are not used")
    return Naming(names, str(product.options.get("category", REGION)))


def named(product: Product) -> dict[str, list[str]]:
    """Return a column of names, where names were given."""
    if "names" not in product.options:
        return {}
    names = naming(product)
    return {"name": [names.of(k) for k in range(1, product.segmentation.n_regions + 1)]}
