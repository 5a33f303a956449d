"""The arrays that kernels take, by their elements; the shapes stand in the docstrings."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

BoolArray = NDArray[np.bool_]
UInt8Array = NDArray[np.uint8]
Int16Array = NDArray[np.int16]
Int32Array = NDArray[np.int32]
Int64Array = NDArray[np.int64]
Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]

AnyArray = NDArray[Any]
# Numbers of regions: 64-bit where an image may have more than 2**31 pixels.
IndexArray = NDArray[np.signedinteger[Any]]

STRIP = 256  # rows of labels that are looked up at a time


def look_up(table: AnyArray, labels: NDArray[np.integer[Any]]) -> AnyArray:
    """Return ``table[labels]``, labels (H, W); NumPy alone would make them all 64-bit for that."""
    out = np.empty((*labels.shape, *table.shape[1:]), table.dtype)
    for top in range(0, len(labels), STRIP):
        out[top : top + STRIP] = table[labels[top : top + STRIP]]
    return out
