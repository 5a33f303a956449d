"""`write_shapes`: polygons, also as a stream, into a file of the format that its suffix says."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from segment.errors import InputError
from segment.files import atomic_path, atomic_write, display_name
from segment.shapes.geojson import geojson_chunks
from segment.shapes.polygons import Polygons
from segment.shapes.tables import write_table

SUFFIXES = (".geojson", ".gpkg", ".fgb", ".parquet")


def write_shapes(
    path: str | os.PathLike[str],
    shapes: Polygons | Iterable[Polygons],
    *,
    crs: Any = None,
    overwrite: bool = False,
) -> Path:
    """Write polygons to a file, whole or not at all.

    Parameters
    ----------
    path : path-like
        Ends with ``.geojson``, ``.gpkg``, ``.fgb`` or ``.parquet``; all but GeoJSON in pixels need
        the ``scene`` extra.
    shapes : Polygons or iterable of Polygons
        What `segment.polygons` or `segment.shapes.trace` returned. Of an iterable, no more than a
        batch is held in memory.
    crs : optional
        Coordinate reference system of the coordinates: what rasterio takes, such as
        ``"EPSG:32633"`` or WKT. GeoJSON is then written in longitude and latitude (RFC 7946).
    overwrite : bool
        Whether an existing file may be replaced.

    Raises
    ------
    InputError
        If the suffix or `crs` is unknown.
    FileError
        If the file exists and may not be replaced, or cannot be written.
    ExtraError
        If the format needs an extra that is missing.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(
            f"cannot write polygons to {display_name(path)}: the name must end with one of "
            f"{', '.join(SUFFIXES)}"
        )
    batches = [shapes] if isinstance(shapes, Polygons) else shapes
    if suffix == ".geojson" and crs is None:
        with atomic_write(path, overwrite=overwrite) as stream:
            for chunk in geojson_chunks(batches):
                stream.write(chunk.encode())
    else:
        with atomic_path(path, overwrite=overwrite) as unfinished:
            write_table(unfinished, batches, crs)
    return path
