"""A hierarchy as a few compressed arrays, which the explorer reads; see ``static/pack.js``."""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from segment.regions.hierarchy import Hierarchy

MAGIC = b"SEGMENT1"
LEVEL = 6  # of deflate: more takes long and gains a hundredth

# How a pixel's leaf follows from what is known before it, in raster order.
LEFT, ABOVE, ABOVE_RIGHT, NEXT, NONE, GIVEN = range(6)


def pack(hierarchy: Hierarchy, facts: dict[str, Any]) -> bytes:
    """Return all that the explorer needs of a hierarchy but the picture.

    The content: `MAGIC`, the length of a header in bytes (uint32), the header (JSON: `facts`, the
    size, the numbers of leaves, nodes and bands, and name, dtype and compressed length of each
    array), then the arrays, little-endian and deflated (zlib). Numbers are cut into planes of their
    first, second, ... bytes: those compress better.

    Parameters
    ----------
    hierarchy : Hierarchy
    facts : dict
        Put into the header.
    """
    leaves = hierarchy.leaves
    codes, given = encode_labels(leaves.labels)
    levels = hierarchy.levels.view(np.uint32)
    table = leaves.regions()
    bands = [name for name in table if name.startswith("mean-")]
    arrays: dict[str, NDArray[Any]] = {
        "codes": codes,
        "given": given,
        "parents": hierarchy.parents,
        # Levels never fall, and neither do the bits of floats above 0: differences are small.
        "levels": np.diff(levels, prepend=np.uint32(0)),
        "means": _columns(table, "mean", len(bands)),
        "stds": _columns(table, "std", len(bands)),
    }
    parts = {name: zlib.compress(_planes(array), LEVEL) for name, array in arrays.items()}
    height, width = leaves.labels.shape
    header = {
        **facts,
        "width": width,
        "height": height,
        "n_leaves": hierarchy.n_leaves,
        "n_nodes": len(hierarchy.parents),
        "n_bands": len(bands),
        "check": zlib.crc32(levels.tobytes(), zlib.crc32(hierarchy.parents.tobytes())),
        "arrays": [
            {"name": name, "dtype": arrays[name].dtype.name, "bytes": len(part)}
            for name, part in parts.items()
        ],
    }
    text = json.dumps(header, ensure_ascii=True, allow_nan=False).encode()
    return b"".join([MAGIC, len(text).to_bytes(4, "little"), text, *parts.values()])


def encode_labels(labels: NDArray[np.int32]) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """Return a code for each pixel, and the labels of those whose code is `GIVEN`.

    Two codes make a byte, the first in its low half. In raster order a label is that of the left
    pixel, of the one above or above and right, one more than the largest so far, 0, or given: the
    first of these that holds.
    """
    flat = labels.ravel()
    left = np.full(labels.shape, -1, np.int32)
    left[:, 1:] = labels[:, :-1]
    above = np.full(labels.shape, -1, np.int32)
    above[1:] = labels[:-1]
    right = np.full(labels.shape, -1, np.int32)
    right[1:, :-1] = labels[:-1, 1:]
    largest = np.maximum.accumulate(np.concatenate([[0], flat[:-1]]))
    codes = np.full(flat.size + (flat.size & 1), GIVEN, np.uint8)
    known = codes[: flat.size]
    known[flat == 0] = NONE
    known[flat == largest + 1] = NEXT
    known[flat == right.ravel()] = ABOVE_RIGHT
    known[flat == above.ravel()] = ABOVE
    known[flat == left.ravel()] = LEFT
    given = flat[known == GIVEN]
    return codes[0::2] | (codes[1::2] << np.uint8(4)), given


def _columns(table: dict[str, NDArray[Any]], name: str, n_bands: int) -> NDArray[np.float32]:
    values = [table[f"{name}-{k}"] for k in range(n_bands)]
    return np.stack(values, axis=1).astype(np.float32) if values else np.zeros((0, 0), np.float32)


def _planes(array: NDArray[Any]) -> bytes:
    little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    return little.view(np.uint8).reshape(-1, array.itemsize).T.tobytes()
