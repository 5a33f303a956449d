"""Mean-shift segmentation of images, and mean-shift clustering of points.

The public names are imported on first use (PEP 562), so ``import segment`` costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

# Public name -> module that defines it.
_PUBLIC = {
    "ExtraError": "segment.errors",
    "batch": "segment.batching",
    "scene": "segment.scenes",
    "SceneReport": "segment.scenes",
    "FileError": "segment.errors",
    "InputError": "segment.errors",
    "InputWarning": "segment.errors",
    "SegmentError": "segment.errors",
    "Image": "segment.images",
    "read_image": "segment.images",
    "write_image": "segment.images",
    "write_labels": "segment.images",
    "mean_shift_filter": "segment.regions.filtering",
    "hierarchy": "segment.regions.leaves",
    "Hierarchy": "segment.regions.hierarchy",
    "edge_confidence": "segment.regions.edges",
    "estimate_bandwidths": "segment.regions.bandwidths",
    "Segmentation": "segment.regions.segmentation",
    "mean_shift": "segment.regions.segmenting",
    "MeanShift": "segment.points.clustering",
    "estimate_bandwidth": "segment.points.bandwidth",
    "Density": "segment.points.densities",
    "density": "segment.points.densities",
    "palette": "segment.palettes",
    "polygons": "segment.shapes.polygons",
}

__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'segment' has no attribute {name!r}")
    value = getattr(importlib.import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC})
