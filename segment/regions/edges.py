"""Edge confidence: how surely there is an edge at each pixel, to weigh pixels by."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segment.kernels.arrays import Float32Array
from segment.params import COLOR_SPACES, choice
from segment.regions.appearance import comparable_planes
from segment.regions.checks import Picture, check_image
from segment.regions.ranges import Range

RADIUS = 2  # of the window that is compared with ideal edges, pixels
ORIENTATIONS = 8


def edge_confidence(
    image: ArrayLike | Picture,
    *,
    color_space: str = "lab",
    channel_axis: int | None = -1,
    mask: ArrayLike | None = None,
    value_range: Range | str | None = None,
) -> NDArray[np.float32]:
    """Return how surely there is an edge at each pixel.

    The product of two measures that fail in different places: the rank of the gradient among all
    gradients of the image, and the correlation of the 5 x 5 window with the best ideal step edge
    through its centre, which does not depend on contrast [1]_. With ``weights=1 - confidence``,
    means are taken over the insides of regions and stay clear of blurred borders [2]_.

    Parameters
    ----------
    image : array_like, shape (H, W) or (H, W, C), or segment.Image
        As for `mean_shift`.
    color_space : {"luv", "lab", "rgb", "none"}
        "none" compares the bands as they are, anything else CIE Lab.
    channel_axis : int or None
        Axis of the channels in a 3-D image.
    mask : array_like of bool, shape (H, W), optional
        False where pixels are ignored; they get confidence 0.
    value_range : (float, float), "auto" or None
        Black and white, as for `mean_shift`.

    Returns
    -------
    confidence : ndarray, shape (H, W), float32
        From 0 (no edge) to 1.

    Raises
    ------
    InputError
        If the image or the mask cannot be used.

    References
    ----------
    .. [1] P. Meer and B. Georgescu, "Edge Detection with Embedded Confidence", IEEE PAMI 23(12),
       2001.
    .. [2] C. Christoudias, B. Georgescu and P. Meer, "Synergism in Low Level Vision", ICPR 2002.

    Examples
    --------
    >>> import numpy as np, segment
    >>> image = np.zeros((20, 20), np.uint8)
    >>> image[:, 10:] = 200
    >>> segment.edge_confidence(image)[10, [2, 10]].round(1)
    array([0. , 0.9], dtype=float32)
    """
    space = choice("color_space", color_space, COLOR_SPACES)
    pixels = check_image(
        image,
        color_space=space,
        channel_axis=channel_axis,
        mask=mask,
        value_range=value_range,
    )
    planes = comparable_planes(pixels, space, n_threads=1)
    response = _strongest_response(planes)
    inside = np.ones(response.shape, bool) if pixels.mask is None else pixels.mask
    steps = np.sort(response[inside])
    rank = np.searchsorted(steps, response, side="left") / max(len(steps), 1)
    spread = _window_energy(planes)
    # Windows flatter than rounding can tell have no shape.
    flat = spread <= 1e-6 * (1 + np.abs(planes).max())
    likeness = response / np.sqrt(np.where(flat, 1, spread))
    confidence = np.where(flat | ~inside, 0, rank * np.minimum(likeness, 1))
    return confidence.astype(np.float32)


def _templates() -> Float32Array:
    """Ideal steps, (ORIENTATIONS, 5, 5), of mean 0 and norm 1; the step is one pixel wide."""
    side = np.arange(-RADIUS, RADIUS + 1)
    angles = np.pi * np.arange(ORIENTATIONS) / ORIENTATIONS
    x, y = np.cos(angles)[:, None, None] * side, np.sin(angles)[:, None, None] * side[:, None]
    steps = np.clip(x + y, -1, 1)
    norm = np.sqrt((steps**2).sum(axis=(1, 2), keepdims=True))
    return np.asarray(steps / norm, np.float32)


def _strongest_response(planes: Float32Array) -> Any:
    """Correlation of each window with the best template, all bands together, (H, W)."""
    import cv2

    best = np.zeros(planes.shape[1:], np.float32)
    for template in _templates():
        total = np.zeros_like(best)
        for plane in planes:
            total += cv2.filter2D(plane, cv2.CV_32F, template, borderType=cv2.BORDER_REPLICATE) ** 2
        np.maximum(best, total, out=best)
    return np.sqrt(best)


def _window_energy(planes: Float32Array) -> Any:
    """Sum of squared differences from the mean over each window, all bands together, (H, W)."""
    import cv2

    side = 2 * RADIUS + 1

    def mean(plane: NDArray[np.float64]) -> Any:
        return cv2.boxFilter(plane, cv2.CV_64F, (side, side), borderType=cv2.BORDER_REPLICATE)

    total = np.zeros(planes.shape[1:])
    for plane in planes.astype(np.float64):
        total += mean(plane * plane) - mean(plane) ** 2
    return total * side**2
