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
