"""GeoJSON of pictures: pixel coordinates, as QuPath and viewers read them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from segment.shapes.naming import Naming
from segment.shapes.polygons import Polygon, Polygons, feature_of, geometry_of

DIGITS = 3  # of a coordinate, below a pixel


def geojson_chunks(batches: Iterable[Polygons], *, naming: Naming | None = None) -> Iterator[str]:
    """Yield the text of a feature collection, one feature a line.

    Beside ``label``, ``area`` and the fields, the properties hold what makes QuPath show a feature
    as an annotation in its colour: ``objectType`` and ``classification``.

    Parameters
    ----------
    batches : iterable of Polygons
        A field named ``color`` holds texts such as ``"#aa3300"``.
    naming : Naming, optional
        What the regions are called.
    """
    naming = naming or Naming()
    yield '{"type":"FeatureCollection","features":['
    before = "\n"
    for found in batches:
        for item in found:
            yield before + json.dumps(feature(item, naming.of(item.label)), separators=(",", ":"))
            before = ",\n"
    yield "\n]}\n"


def feature(item: Polygon, category: str) -> dict[str, Any]:
    """Return a region as a GeoJSON feature."""
    classification: dict[str, Any] = {"name": category}
    color = item.properties.get("color")
    if isinstance(color, str):
        classification["color"] = list(bytes.fromhex(color[1:]))
    properties = {
        **item.properties,
        "objectType": "annotation",
        "classification": classification,
    }
    parts = [[_plain(ring) for ring in rings] for rings in item.polygons]
    return feature_of(item.label, item.area, properties, geometry_of(parts))


def _plain(ring: Any) -> list[list[float]]:
    """Return points as short as they can be written."""
    whole = np.rint(ring)
    if np.array_equal(whole, ring):
        points: list[list[float]] = whole.astype(np.int64).tolist()
        return points
    rounded: list[list[float]] = np.round(ring, DIGITS).tolist()
    return rounded
