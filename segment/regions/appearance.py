"""What a picture looks like: colours that can be compared, how steep they are, and textures."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.kernels.arrays import Float32Array
from segment.regions.checks import Pixels
from segment.regions.features import feature_planes

# Bands without a colour space are scaled to this standard deviation (all bands together), which is
# that of Lab values over a photograph.
TYPICAL_SPREAD = 25.0


def comparable_planes(pixels: Pixels, color_space: str, n_threads: int) -> Float32Array:
    """Return Lab, or the bands at the spread of Lab; masked pixels repeat the nearest other one."""
    planes = _filled_planes(pixels, color_space, n_threads)
    if color_space == "none":
        middle, factor = scale_of(planes)
        planes -= middle[:, None, None]
        planes *= factor
    return planes


def comparable_colors(
    values: Float32Array, pixels: Pixels, color_space: str, n_threads: int
) -> Float32Array:
    """Return values (n, C) as `comparable_planes` returns those of `pixels`, but (n, C)."""
    picture = Pixels(values[:, None], None, pixels.gray, pixels.channel_axis)
    colors = _filled_planes(picture, color_space, n_threads)[:, :, 0].T
    if color_space == "none":
        middle, factor = scale_of(_filled_planes(pixels, color_space, n_threads))
        colors = (colors - middle) * factor
    return colors


def _filled_planes(pixels: Pixels, color_space: str, n_threads: int) -> Float32Array:
    space = "none" if color_space == "none" else "lab"
    planes = feature_planes(pixels, space, n_threads=n_threads)
    if pixels.mask is None:
        return planes
    if not pixels.mask.any():
        return np.zeros_like(planes)
    rows, columns = _nearest_kept(pixels.mask)
    return planes[:, rows, columns]


def scale_of(bands: Float32Array) -> tuple[Float32Array, np.float32]:
    """Return a value of each band, its median, and the factor that gives all the spread of Lab.

    What is left when one of its own values is taken off a band does not depend on where the band
    counts from, to the last bit.

    Parameters
    ----------
    bands : ndarray, shape (C, n) or (C, H, W), float32
        Of one pixel at least.

    Returns
    -------
    middle : ndarray, shape (C,), float32
    factor : float32
        0 where no band varies.
    """
    flat = bands.reshape(len(bands), -1)
    middle = np.quantile(flat, 0.5, axis=1, method="lower")
    centered = flat - middle[:, None]
    spread = float(np.sqrt(centered.var(axis=1, dtype=np.float64).sum()))
    return middle, np.float32(TYPICAL_SPREAD / spread if spread > 0 else 0)


def _nearest_kept(mask: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return row and column of the nearest True pixel of each pixel."""
    import cv2

    _, nearest = cv2.distanceTransformWithLabels(
        (~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    rows, columns = np.nonzero(mask)
    place = np.zeros(int(nearest.max()) + 1, np.intp)
    place[nearest[rows, columns]] = np.arange(len(rows))
    return rows[place[nearest]], columns[place[nearest]]


def blur(planes: Float32Array, sigma: float) -> Float32Array:
    """Return planes (C, H, W) blurred by a Gaussian of so many pixels."""
    import cv2

    return np.stack([cv2.GaussianBlur(plane, (0, 0), sigma) for plane in planes])


def halve(plane: Float32Array) -> Any:
    """Return means of 2 x 2 pixels; an odd last row or column is repeated."""
    import cv2

    height, width = plane.shape
    if height % 2 or width % 2:
        border = (0, height % 2, 0, width % 2)
        return halve(
            np.asarray(cv2.copyMakeBorder(plane, *border, cv2.BORDER_REPLICATE), np.float32)
        )
    return cv2.resize(
        plane, (plane.shape[1] // 2, plane.shape[0] // 2), interpolation=cv2.INTER_AREA
    )


def slopes(plane: Float32Array) -> tuple[Any, Any]:
    """Return central differences along the columns and the rows, a pixel each."""
    import cv2

    return (
        cv2.Sobel(plane, cv2.CV_32F, 1, 0, ksize=1, scale=0.5),
        cv2.Sobel(plane, cv2.CV_32F, 0, 1, ksize=1, scale=0.5),
    )


def gradient(planes: Float32Array) -> Float32Array:
    """Return the length of the gradient of all bands together, (H, W)."""
    total = np.zeros(planes.shape[1:], np.float32)
    for plane in planes:
        for slope in slopes(plane):
            total += slope * slope
    return np.sqrt(total)


def texture(plane: Float32Array, sigma: float) -> Float32Array:
    """Return strength and direction of the gradient around each pixel, (3, H, W)."""
    dx, dy = slopes(plane)
    xx, yy, xy = blur(np.stack([dx * dx, dy * dy, dx * dy]), sigma)
    energy = xx + yy
    strength = np.log1p(np.sqrt(np.maximum(energy, 0)))
    direction = 0.5 * strength / (energy + 0.5)
    return np.stack([strength, direction * (xx - yy), direction * 2 * xy])
