"""Tables of polygons: GeoPackage, FlatGeobuf, GeoParquet, and GeoJSON of places on Earth.

Features go from memory to GDAL (pyogrio) or Arrow as columns; no geometry library is needed, and
batches can come from a stream.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from segment.errors import ExtraError, FileError, InputError
from segment.files import display_name
from segment.kernels.shapes import encoding
from segment.shapes.polygons import Polygons

DRIVERS = {".gpkg": "GPKG", ".fgb": "FlatGeobuf", ".geojson": "GeoJSON"}
OPTIONS = {".geojson": {"RFC7946": "YES"}}
DATASET_OPTIONS = {".gpkg": {"VERSION": "1.2"}}  # software of the last years warns of newer ones
GEOMETRY = "geometry"
MOST_POINTS = 8_000_000  # in one batch: Arrow counts the bytes of a column in 31 bits


def write_table(path: Path, batches: Iterable[Polygons], crs: Any = None) -> None:
    """Write polygons to a file, its format by its suffix: .gpkg, .fgb, .parquet or .geojson.

    Parameters
    ----------
    path : Path
        Is written directly; `segment.shapes.write_shapes` makes it whole or absent.
    batches : iterable of Polygons
        All with the same fields.
    crs : optional
        Coordinate reference system: what rasterio takes, such as ``"EPSG:32633"`` or WKT.

    Raises
    ------
    ExtraError
        If pyogrio or pyarrow is missing.
    InputError
        If `crs` is unknown.
    FileError
        If the file cannot be written.
    """
    arrow = _pyarrow()
    failed: list[BaseException] = []
    stream = _record_batches(_noting(batches, failed), arrow)
    first = next(stream)
    reader = arrow.RecordBatchReader.from_batches(first.schema, chain([first], stream))
    try:
        if path.suffix == ".parquet":
            _write_parquet(path, reader, crs)
        else:
            _write_ogr(path, reader, crs)
    except Exception as error:
        if failed:  # in words of its own, which do not come through the libraries
            raise failed[0] from error
        raise


def _noting(batches: Iterable[Polygons], failed: list[BaseException]) -> Iterator[Polygons]:
    """Yield what comes; note what is raised."""
    try:
        yield from batches
    except BaseException as error:
        failed.append(error)
        raise


def _pyarrow() -> Any:
    try:
        import pyarrow
    except ImportError as error:
        raise ExtraError("writing tables of polygons", "scene") from error
    return pyarrow


def _record_batches(batches: Iterable[Polygons], arrow: Any) -> Iterator[Any]:
    """Yield the polygons as record batches; at least one, so that the columns are known."""
    none = Polygons(*(np.zeros(0, np.int64),) * 2, np.zeros((0, 2)), *(np.zeros(1, np.int64),) * 3)
    seen = False
    for found in batches:
        if len(found):
            for part in _parts(found):
                yield _record_batch(part, arrow)
            seen = True
        none = found if len(found) == 0 else none
    if not seen:
        yield _record_batch(none, arrow)


def _parts(found: Polygons) -> Iterator[Polygons]:
    """Yield runs of regions that have so few points that their bytes can be counted."""
    ends = found.ring_offsets[found.polygon_offsets[found.region_offsets]]
    first = 0
    while first < len(found):
        last = int(np.searchsorted(ends, ends[first] + MOST_POINTS, "right")) - 1
        last = max(last, first + 1)
        yield found if last - first == len(found) else found.part(first, last)
        first = last


def _record_batch(found: Polygons, arrow: Any) -> Any:
    points = np.ascontiguousarray(found.coordinates.astype("<f8", copy=False))
    data, offsets = encoding.encode_wkb(
        points.view(np.uint8).reshape(-1, 16),
        found.ring_offsets,
        found.polygon_offsets,
        found.region_offsets,
    )
    shapes = arrow.Array.from_buffers(
        arrow.binary(),
        len(found),
        [None, arrow.py_buffer(offsets.astype(np.int32)), arrow.py_buffer(data)],
    )
    columns = {"label": found.labels, "area": found.area, **found.fields}
    arrays = [arrow.array(column) for column in columns.values()]
    fields = [arrow.field(name, array.type) for name, array in zip(columns, arrays, strict=True)]
    wkb = {"ARROW:extension:name": "geoarrow.wkb"}
    fields.append(arrow.field(GEOMETRY, arrow.binary(), metadata=wkb))
    return arrow.record_batch([*arrays, shapes], schema=arrow.schema(fields))


def _write_ogr(path: Path, reader: Any, crs: Any) -> None:
    try:
        import pyogrio
        from pyogrio.errors import CRSError, DataLayerError, DataSourceError
    except ImportError as error:
        raise ExtraError(f"writing {path.suffix}", "scene") from error
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "'crs' was not provided", UserWarning)
        try:
            pyogrio.write_arrow(
                reader,
                path,
                layer="regions",
                driver=DRIVERS[path.suffix],
                geometry_name=GEOMETRY,
                geometry_type="MultiPolygon",
                crs=None if crs is None else _wkt(crs),
                layer_options=OPTIONS.get(path.suffix, {}),
                dataset_options=DATASET_OPTIONS.get(path.suffix, {}),
            )
        except CRSError as error:
            raise InputError(
                f"crs={crs!r} is unknown: {error}; give one such as EPSG:32633"
            ) from error
        except (DataSourceError, DataLayerError) as error:
            raise FileError(
                f"cannot write {display_name(path)}: {error}; check the place"
            ) from error


def _wkt(crs: Any) -> str:
    return str(crs.to_wkt()) if hasattr(crs, "to_wkt") else str(crs)


def _write_parquet(path: Path, reader: Any, crs: Any) -> None:
    """Write GeoParquet 1.1 (https://geoparquet.org)."""
    import pyarrow.parquet as parquet

    column = {
        "encoding": "WKB",
        "geometry_types": ["MultiPolygon"],
        "crs": None if crs is None else _projjson(crs),
        "orientation": "counterclockwise",
    }
    about = {"version": "1.1.0", "primary_column": GEOMETRY, "columns": {GEOMETRY: column}}
    schema = reader.schema.with_metadata({"geo": json.dumps(about)})
    try:
        with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
            for batch in reader:
                writer.write_batch(batch)
    except OSError as error:
        raise FileError(f"cannot write {display_name(path)}: {error}; check the place") from error


def _projjson(crs: Any) -> Any:
    try:
        from rasterio.crs import CRS
        from rasterio.errors import CRSError
    except ImportError as error:
        raise ExtraError("GeoParquet with a CRS", "scene") from error
    try:
        return CRS.from_user_input(crs).to_dict(projjson=True)
    except CRSError as error:
        raise InputError(f"crs={crs!r} is unknown: {error}; give one such as EPSG:32633") from error
