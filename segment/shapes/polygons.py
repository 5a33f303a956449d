"""`polygons`: a label map as polygons that fit together; `Polygons` and `Polygon`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise, repeat
from numbers import Real
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segment.errors import InputError
from segment.kernels.shapes import rings as ring_kernels
from segment.shapes import curves
from segment.shapes.curves import check_colors
from segment.shapes.graph import Layout, Lines, lay_out, simplify, trace_whole, twins

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Transform = tuple[float, float, float, float, float, float]

LARGEST_LABEL = np.iinfo(np.int32).max


@dataclass(frozen=True)
class Polygon:
    """One region: its polygons, with their holes.

    Attributes
    ----------
    label : int
        The region.
    area : int
        Pixels of it.
    polygons : tuple of tuples of ndarrays, shape (k, 2), float64
        The rings (x, y) of each polygon, the outer one first; closed: the last point is the first.
    properties : dict
        Whatever else is known of the region.
    """

    label: int
    area: int
    polygons: tuple[tuple[Floats, ...], ...]
    properties: Mapping[str, Any] = field(default_factory=dict)

    @property
    def geometry(self) -> dict[str, Any]:
        """The region as a GeoJSON geometry: a Polygon, or a MultiPolygon if it has parts."""
        return geometry_of([list(map(points_of, rings)) for rings in self.polygons])

    @property
    def __geo_interface__(self) -> dict[str, Any]:
        """The region as a GeoJSON feature, which shapely, GeoPandas and QGIS understand."""
        return feature_of(self.label, self.area, self.properties, self.geometry)


def points_of(coordinates: Floats) -> list[tuple[float, float]]:
    """Return points (N, 2) as tuples, which the garbage collector need not look into."""
    x, y = coordinates.T.tolist()
    return list(zip(x, y, strict=True))


def geometry_of(polygons: list[list[Any]]) -> dict[str, Any]:
    """Return a GeoJSON geometry, given the rings of each polygon."""
    if len(polygons) == 1:
        return {"type": "Polygon", "coordinates": polygons[0]}
    return {"type": "MultiPolygon", "coordinates": polygons}


def feature_of(
    label: int, area: int, properties: Mapping[str, Any], geometry: dict[str, Any]
) -> dict[str, Any]:
    """Return a GeoJSON feature."""
    return {
        "type": "Feature",
        "id": label,
        "properties": {"label": label, "area": area, **properties},
        "geometry": geometry,
    }


@dataclass(frozen=True, eq=False)
class Polygons(Sequence[Polygon]):
    """Regions as polygons, by rising label; a sequence of `Polygon`, stored as columns.

    Attributes
    ----------
    labels, area : ndarray, shape (n,), int64
        Label of each region, and its pixels.
    coordinates : ndarray, shape (N, 2), float64
        Points (x, y) of ring after ring, each closed.
    ring_offsets, polygon_offsets, region_offsets : ndarray of int64
        First point of each ring, first ring of each polygon, first polygon of each region; each
        with its end. The first ring of a polygon is the outer one, the others are holes.
    fields : dict of ndarrays of length n
        Further columns, such as mean colours.
    """

    labels: Ints
    area: Ints
    coordinates: Floats
    ring_offsets: Ints
    polygon_offsets: Ints
    region_offsets: Ints
    fields: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.labels)

    @overload
    def __getitem__(self, index: int) -> Polygon: ...
    @overload
    def __getitem__(self, index: slice) -> list[Polygon]: ...
    def __getitem__(self, index: int | slice) -> Polygon | list[Polygon]:
        if isinstance(index, slice):
            return [self[k] for k in range(*index.indices(len(self)))]
        k = range(len(self))[index]
        parts = []
        for polygon in range(self.region_offsets[k], self.region_offsets[k + 1]):
            ends = self.ring_offsets[
                self.polygon_offsets[polygon] : self.polygon_offsets[polygon + 1] + 1
            ].tolist()
            parts.append(tuple(self.coordinates[a:b] for a, b in pairwise(ends)))
        properties = {name: column[k].tolist() for name, column in self.fields.items()}
        return Polygon(int(self.labels[k]), int(self.area[k]), tuple(parts), properties)

    def __iter__(self) -> Iterator[Polygon]:
        return (self[k] for k in range(len(self)))

    def __repr__(self) -> str:
        return f"<Polygons: {len(self):,} regions, {len(self.coordinates):,} points>"

    def geometries(self) -> list[dict[str, Any]]:
        """Return the regions as GeoJSON geometries; much faster than one by one."""
        nested: list[Any] = points_of(self.coordinates)
        for offsets in (self.ring_offsets, self.polygon_offsets, self.region_offsets):
            nested = [nested[first:last] for first, last in pairwise(offsets.tolist())]
        return [geometry_of(parts) for parts in nested]

    @property
    def __geo_interface__(self) -> dict[str, Any]:
        """All regions as a GeoJSON feature collection."""
        columns = [column.tolist() for column in self.fields.values()]
        rows = zip(*columns, strict=True) if columns else repeat(())
        features = [
            feature_of(label, area, dict(zip(self.fields, row, strict=True)), geometry)
            for label, area, row, geometry in zip(
                self.labels.tolist(), self.area.tolist(), rows, self.geometries(), strict=False
            )
        ]
        return {"type": "FeatureCollection", "features": features}

    def part(self, first: int, last: int) -> Polygons:
        """Return the regions from one index up to another, as columns."""
        regions = self.region_offsets[first : last + 1]
        rings = self.polygon_offsets[regions[0] : regions[-1] + 1]
        points = self.ring_offsets[rings[0] : rings[-1] + 1]
        return Polygons(
            labels=self.labels[first:last],
            area=self.area[first:last],
            coordinates=self.coordinates[points[0] : points[-1]],
            ring_offsets=points - points[0],
            polygon_offsets=rings - rings[0],
            region_offsets=regions - regions[0],
            fields={name: column[first:last] for name, column in self.fields.items()},
        )

    def with_fields(self, **columns: ArrayLike) -> Polygons:
        """Return the same with further columns, each of one value a region."""
        added = {name: np.asarray(column) for name, column in columns.items()}
        for name, column in added.items():
            if column.shape != (len(self),):
                raise InputError(
                    f"{name!r} has shape {column.shape} for {len(self)} regions; "
                    "give one value a region"
                )
        return replace(self, fields={**self.fields, **added})


def polygons(
    labels: ArrayLike,
    *,
    tolerance: float = 0.0,
    smooth: bool = False,
    image: ArrayLike | None = None,
    transform: Sequence[float] | None = None,
) -> Polygons:
    """Trace the regions of a label map as polygons that fit together without gaps or overlaps.

    Each border between two regions is traced once and serves both. Polygons are those of
    4-connected pixels; a region with several parts has several polygons.

    Parameters
    ----------
    labels : array_like, shape (H, W), of integers or bool
        Region of each pixel, at least 1; 0 belongs to none. Numbers may be missing.
    tolerance : float
        Simplify borders: the largest distance in pixels of what is left out (Douglas-Peucker).
        Neighbours still share their borders, no two cross, and no region vanishes. 0: every crack.
    smooth : bool
        Fit curves (cubic Béziers) along borders, and corners where there are corners; `tolerance`
        is then how far they may be off, half a pixel at least. The polygons follow the curves to
        1/30 of a pixel, or 1/20 of the tolerance, and bound the same areas. Where curves would
        cross, cracks stay as they are.
    image : array_like, shape (H, W) or (H, W, C), optional
        The picture: smooth borders then lie where its edges are, to a fraction of a pixel.
    transform : sequence of 6 floats, optional
        Affine transform (a, b, c, d, e, f) from pixels to map coordinates, as in rasterio:
        ``x = a * column + b * row + c``, ``y = d * column + e * row + f``. By default the
        coordinates are those of pixels, with corners at whole numbers and y downward.

    Returns
    -------
    Polygons
        A sequence, by rising label. Rings are closed; outer rings run counterclockwise in their
        own coordinates (RFC 7946), holes clockwise.

    Raises
    ------
    InputError
        If the labels, the tolerance or the transform cannot be used.

    Examples
    --------
    >>> import numpy as np, segment
    >>> found = segment.polygons(np.array([[1, 1, 2], [1, 1, 2]]))
    >>> found[1].geometry["coordinates"]
    [[[2.0, 0.0], [3.0, 0.0], [3.0, 2.0], [2.0, 2.0], [2.0, 0.0]]]
    """
    array, values = check_labels(labels)
    tolerance = check_tolerance(tolerance, array.shape)
    affine = check_transform(transform)
    colors = check_colors(image, array.shape) if smooth else None
    arcs, codes = trace_whole(array)
    layout = lay_out(arcs, arcs.sides > 0)
    if colors is not None:
        lines = curves.smooth(arcs, codes, layout, array, colors, tolerance).lines(tolerance)
    elif tolerance:
        lines = simplify(arcs, twins(arcs), codes, 0, tolerance)
    else:
        lines = Lines.of(arcs)
    found = draw(lines, layout, affine)
    return found if values is None else replace(found, labels=values[found.labels])


def draw(lines: Lines, layout: Layout, transform: Transform | None = None) -> Polygons:
    """Return the polygons of a layout, along the lines that its arcs have become."""
    coordinates, ring_offsets = ring_kernels.lay_rings(
        lines.points, lines.offsets, layout.halves, layout.starts, layout.order
    )
    if transform is not None:
        coordinates = placed(coordinates, ring_offsets, transform)
    return Polygons(
        labels=layout.labels,
        area=layout.area,
        coordinates=coordinates,
        ring_offsets=ring_offsets,
        polygon_offsets=layout.polygon_offsets,
        region_offsets=layout.region_offsets,
    )


def placed(coordinates: Floats, ring_offsets: Ints, transform: Transform) -> Floats:
    """Return points in map coordinates; rings are turned round where the transform mirrors them."""
    a, b, c, d, e, f = transform
    if a * e - b * d < 0:
        sizes = np.diff(ring_offsets)
        last = np.repeat(ring_offsets[1:] - 1, sizes)
        within = np.arange(len(coordinates)) - np.repeat(ring_offsets[:-1], sizes)
        coordinates = coordinates[last - within]
    x, y = coordinates.T
    return np.stack([a * x + b * y + c, d * x + e * y + f], axis=1)


def check_labels(labels: ArrayLike) -> tuple[NDArray[np.int32], Ints | None]:
    """Return labels as int32, and where they had to be renumbered, the old by the new.

    They are contiguous and writable, as the kernels are compiled for.

    Raises
    ------
    InputError
        If they are no label map: not two-dimensional, not of whole numbers, empty, or negative.
    """
    array = np.asarray(labels)
    if array.ndim != 2:
        raise InputError(f"labels have shape {array.shape}; give a 2-D array, rows by columns")
    if array.size == 0:
        raise InputError(f"labels have shape {array.shape}, without a pixel; give a picture's")
    if array.dtype.kind not in "bui":
        raise InputError(
            f"labels are of type {array.dtype}; give whole numbers, such as labels.astype('int32')"
        )
    if max(array.shape) >= LARGEST_LABEL:
        raise InputError(
            f"labels have shape {array.shape}; give at most {LARGEST_LABEL - 1} a side"
        )
    if array.dtype.kind == "i" and (least := int(array.min())) < 0:
        raise InputError(f"labels go down to {least}; give 0 for no region and numbers from 1 on")
    if array.dtype.itemsize >= 4 and int(array.max()) > LARGEST_LABEL:
        values, index = np.unique(
            np.append(array.ravel(), array.dtype.type(0)), return_inverse=True
        )
        renumbered = index[:-1].reshape(array.shape).astype(np.int32)
        return renumbered, values.astype(np.int64)
    return np.require(array, np.int32, ["C", "W"]), None


def check_tolerance(tolerance: object, shape: tuple[int, ...] | None = None) -> float:
    """Return a tolerance as a float, or raise InputError."""
    if isinstance(tolerance, bool) or not isinstance(tolerance, Real):
        raise InputError(
            f"tolerance={tolerance!r} is no number; give pixels, such as 1, or 0 for every corner"
        )
    value = float(tolerance)
    if not math.isfinite(value) or value < 0:
        raise InputError(f"tolerance={value:g} is below 0 or not finite; give pixels, such as 1")
    if shape is not None and value > max(shape):
        raise InputError(
            f"tolerance={value:g} is larger than the picture, {shape[1]}x{shape[0]}; "
            "give a few pixels"
        )
    return value


def check_transform(transform: Sequence[float] | None) -> Transform | None:
    """Return an affine transform as six floats, or raise InputError."""
    if transform is None:
        return None
    try:
        values = tuple(float(value) for value in transform)[:6]
    except (TypeError, ValueError):
        values = ()
    if len(values) != 6 or not all(map(math.isfinite, values)):
        raise InputError(f"transform={transform!r} is not six finite numbers (a, b, c, d, e, f)")
    a, b, c, d, e, f = values
    if a * e == b * d:
        raise InputError(f"transform={values} maps the picture onto a line; give an invertible one")
    return a, b, c, d, e, f
