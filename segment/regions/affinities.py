"""Whether people part what lies on two sides of a place: the one cue that is learned from them.

A small convolutional network [1]_ looks at the picture at its reference size and says of each place
how many people would part two regions that meet there. It was trained on the 200 training images of
BSDS500, by ``tests/benchmarks/learning.py``: on contacts of leaves, at several cuts of their
hierarchy.

References
----------
.. [1] S. Turaga et al., "Convolutional Networks Can Learn to Generate Affinity Graphs for Image
   Segmentation", Neural Computation 22(2), 2010.
"""

from __future__ import annotations

import functools
import threading
from importlib import resources
from typing import Any

import numpy as np

from segment.kernels.arrays import Float32Array
from segment.regions.pyramid import reference_shape

MODEL = "affinities.onnx"
# What the network takes: CIE Lab about this middle, in these units, and sides of such multiples.
MIDDLE, UNITS, MULTIPLE = (50.0, 0.0, 0.0), (25.0, 15.0, 15.0), 16
# OpenCV is wrong about dilated convolutions of a single pixel, which is what 16 x 16 come down to.
SMALLEST = 32
_lock = threading.Lock()


def parted(planes: Float32Array) -> Float32Array:
    """Return how likely people part what meets at each pixel.

    Parameters
    ----------
    planes : ndarray, shape (1 or 3, H, W), float32
        Lightness, or CIE Lab; of a picture at its reference size, or it is looked at in that.

    Returns
    -------
    parted : ndarray, shape (2, H, W), float32
        0..1, of what lies beside each other and of what lies above each other.
    """
    import cv2

    height, width = planes.shape[1:]
    rows, columns = reference_shape(height, width)
    if (rows, columns) != (height, width):
        planes = np.stack(
            [cv2.resize(plane, (columns, rows), interpolation=cv2.INTER_AREA) for plane in planes]
        )
    seen = network_input(planes)
    below, right = (max(-side % MULTIPLE, SMALLEST - side) for side in (rows, columns))
    border = (0, below, 0, right)
    seen = np.stack([cv2.copyMakeBorder(plane, *border, cv2.BORDER_REPLICATE) for plane in seen])
    with _lock:
        network = _network()
        network.setInput(seen[None])
        found = network.forward()[0]
    shape = seen.shape[:0:-1]
    logits = np.stack([cv2.resize(plane, shape)[:rows, :columns] for plane in found])
    if (rows, columns) != (height, width):
        logits = np.stack([cv2.resize(plane, (width, height)) for plane in logits])
    half = np.float32(0.5)
    return np.asarray(half + half * np.tanh(half * logits), np.float32)


def network_input(planes: Float32Array) -> Float32Array:
    """Return what the network takes for lightness or CIE Lab, (3, H, W) float32."""
    seen = np.zeros((3, *planes.shape[1:]), np.float32)
    for plane, out, middle, unit in zip(planes, seen, MIDDLE, UNITS, strict=False):
        np.multiply(plane - np.float32(middle), np.float32(1 / unit), out=out)
    return seen


@functools.cache
def _network() -> Any:
    import cv2

    model = resources.files("segment.regions").joinpath(MODEL).read_bytes()
    return cv2.dnn.readNetFromONNX(np.frombuffer(model, np.uint8))
